//! Serde helpers for fields that are JSON objects. Derived readers also accept an array of the
//! field values; these reject it.

use serde::{
    Deserialize as _, Deserializer,
    de::{self, DeserializeOwned},
};
use serde_json::{Map, Value};

pub fn required<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let fields = Map::deserialize(deserializer)?;
    T::deserialize(Value::Object(fields)).map_err(de::Error::custom)
}

/// The same for a field that can be absent or null.
pub fn optional<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(deserializer)?;
    fields.map(|fields| T::deserialize(Value::Object(fields)).map_err(de::Error::custom)).transpose()
}
