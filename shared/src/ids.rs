//! Request ids.

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, fmt::Write as _, str::FromStr};

/// Id of a viewer request, the same for all functions, retries and nodes: 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId([u8; 16]);

/// The text is not a request id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a request id: 32 lower-case hex digits")]
pub struct InvalidRequestId(String);

impl RequestId {
    /// The id of a CloudFront request. Both functions derive the same id, also for a request that
    /// CloudFront sends twice (origin failover, retries).
    pub fn derive(distribution_id: &str, edge_request_id: &str) -> Self {
        let digest = Sha256::digest(format!("{distribution_id}\n{edge_request_id}"));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(bytes)
    }

    /// A random id, for callers that send none.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().into_bytes())
    }

    /// The first half of the id, for tables in memory.
    pub fn fingerprint(self) -> u64 {
        u64::try_from(u128::from_be_bytes(self.0) >> 64).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex(&self.0))
    }
}

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<Self, InvalidRequestId> {
        let bytes = unhex(text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| InvalidRequestId(text.to_owned()))
    }
}

impl Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Decodes lower-case hex. Upper case is invalid, so that an id has one spelling.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_an_id_from_distribution_and_edge_request() {
        let id =
            RequestId::derive("EDFDVBD6EXAMPLE", "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==");
        // printf 'EDFDVBD6EXAMPLE\n4TyzHT…==' | sha256sum | cut -c1-32
        assert_eq!(id.to_string(), "50d34be3da874c1b9dedaf74cb407e9b");
    }

    #[test]
    fn rejects_other_texts() {
        for text in ["", "0f3c", "0F3C5BB6D1E94E0C8E0F2B6C4D1A7E55", "zz3c5bb6d1e94e0c8e0f2b6c4d1a7e55", "é"]
        {
            assert_eq!(text.parse::<RequestId>(), Err(InvalidRequestId(text.to_owned())), "{text}");
        }
    }
}
