//! Lenient lists: items of a newer version are left out, not an error.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

/// The valid items, and the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Lenient<T> {
    pub items: Vec<T>,
    /// Not serialized.
    pub left_out: Vec<LeftOut>,
}

/// An item that this version does not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The id of the item; empty if it has none.
    pub id: String,
    pub cause: String,
}

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> From<Vec<T>> for Lenient<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, left_out: Vec::new() }
    }
}

impl<T: Serialize> Serialize for Lenient<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut lenient = Self::default();
        for value in Vec::<Value>::deserialize(deserializer)? {
            match T::deserialize(&value) {
                Ok(item) => lenient.items.push(item),
                Err(cause) => {
                    let id = value["id"].as_str().unwrap_or_default().to_owned();
                    lenient.left_out.push(LeftOut { id, cause: cause.to_string() });
                }
            }
        }
        Ok(lenient)
    }
}
