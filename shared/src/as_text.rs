//! Serde adapter `#[serde(with = "crate::as_text")]`: a value as text in MessagePack, too, where
//! its type would choose bytes. Addresses and ids then have one encoding for all connectors.

use serde::{Deserialize, Deserializer, Serializer, de};
use std::{borrow::Cow, fmt::Display, str::FromStr};

pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    text.parse().map_err(|cause| de::Error::custom(format!("`{text}`: {cause}")))
}
