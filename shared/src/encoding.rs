//! Message encodings: JSON and MessagePack from the same types.

use serde::{Serialize, de::DeserializeOwned};

/// Encoding of a message. MessagePack maps contain field names, as in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Json,
    MessagePack,
}

#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("the message cannot be serialized as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the message cannot be serialized as MessagePack")]
    MessagePack(#[from] rmp_serde::encode::Error),
}

/// Why a message is invalid; the text names the field.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("not the expected JSON, {}", located(.0))]
    Json(#[source] serde_path_to_error::Error<serde_json::Error>),
    #[error("not the expected MessagePack, {}", located(.0))]
    MessagePack(#[source] serde_path_to_error::Error<rmp_serde::decode::Error>),
}

fn located<E: std::fmt::Display>(error: &serde_path_to_error::Error<E>) -> String {
    match error.path().to_string().as_str() {
        "." | "?" => error.inner().to_string(),
        path => format!("field {path}: {}", error.inner()),
    }
}

impl Encoding {
    /// Parses a `Content-Type`; parameters such as `charset` are ignored.
    pub fn from_content_type(value: &str) -> Option<Self> {
        let essence = value.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else if essence.eq_ignore_ascii_case("application/msgpack") {
            Some(Self::MessagePack)
        } else {
            None
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::MessagePack => "application/msgpack",
        }
    }

    pub fn encode<T: Serialize>(self, message: &T) -> Result<Vec<u8>, EncodeError> {
        Ok(match self {
            Self::Json => serde_json::to_vec(message)?,
            Self::MessagePack => rmp_serde::to_vec_named(message)?,
        })
    }

    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, DecodeError> {
        // Tracking field paths costs time: only an invalid message is decoded again with it.
        match self {
            Self::Json => serde_json::from_slice(bytes).or_else(|error| {
                let mut reader = serde_json::Deserializer::from_slice(bytes);
                let located = serde_path_to_error::deserialize(&mut reader).map_err(DecodeError::Json);
                // Trailing data fails only the first attempt.
                located.and_then(|_: T| Err(DecodeError::Json(trailing(error))))
            }),
            Self::MessagePack => T::deserialize(&mut message_pack(bytes)).or_else(|_| {
                serde_path_to_error::deserialize(&mut message_pack(bytes)).map_err(DecodeError::MessagePack)
            }),
        }
    }
}

/// Nesting limit, equal to that of `serde_json`; protects the stack of the thread.
const MAX_DEPTH: usize = 128;

fn message_pack(bytes: &[u8]) -> rmp_serde::Deserializer<rmp_serde::decode::ReadRefReader<'_, [u8]>> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(MAX_DEPTH);
    reader
}

fn trailing(error: serde_json::Error) -> serde_path_to_error::Error<serde_json::Error> {
    serde_path_to_error::Error::new(serde_path_to_error::Track::new().path(), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InspectRequest;

    #[test]
    fn rejects_deep_nesting_without_exhausting_the_stack() {
        // A map whose unknown member contains deeply nested lists or maps.
        for nested in [&b"\x91"[..], b"\x81\xa1x"] {
            let message = [b"\x81\xa1x", nested.repeat(200_000).as_slice()].concat();
            let error = Encoding::MessagePack.decode::<InspectRequest>(&message).unwrap_err();
            assert!(error.to_string().contains("depth limit exceeded"), "{error}");
        }
    }
}
