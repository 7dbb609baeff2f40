//! Lenient lists: items of a newer version are left out, not an error.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned, SeqAccess, Visitor},
};
use serde_json::Value;
use std::{fmt, marker::PhantomData};

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

impl LeftOut {
    /// A longer id is none of a console.
    const MAX_ID_BYTES: usize = 100;
    /// The cause may quote the item, whose size the sender chooses.
    const MAX_CAUSE_BYTES: usize = 300;

    /// An item with the start of its id and of its cause.
    pub fn new(id: impl fmt::Display, cause: &str) -> Self {
        let cut = |text: &str, limit: usize| text[..text.floor_char_boundary(limit)].to_owned();
        Self { id: cut(&id.to_string(), Self::MAX_ID_BYTES), cause: cut(cause, Self::MAX_CAUSE_BYTES) }
    }
}

/// A list with more items is refused.
const MAX_ITEMS: usize = 500_000;
/// A list with more items that are left out is none of a newer version.
const MAX_LEFT_OUT: usize = 10_000;

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

struct Items<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Items<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX_ITEMS} items, at most {MAX_LEFT_OUT} of them unknown to this version")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Lenient<T>, A::Error> {
        let mut lenient = Lenient::default();
        while let Some(value) = sequence.next_element::<Value>()? {
            match T::deserialize(&value) {
                Ok(item) => lenient.items.push(item),
                Err(cause) => {
                    let id = value["id"].as_str().unwrap_or_default();
                    lenient.left_out.push(LeftOut::new(id, &cause.to_string()));
                }
            }
            let (items, left_out) = (lenient.items.len(), lenient.left_out.len());
            if items > MAX_ITEMS || left_out > MAX_LEFT_OUT {
                return Err(de::Error::invalid_length(items + left_out, &self));
            }
        }
        Ok(lenient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_item_has_a_short_id_and_cause() {
        let item = |length| format!(r#"[{{"id":"{}"}},"{}"]"#, "é".repeat(length), "é".repeat(length));
        let read = |length| serde_json::from_str::<Lenient<u8>>(&item(length)).unwrap().left_out;
        let [object, text] = &read(5_000)[..] else { panic!("two items are left out") };
        assert_eq!((object.id.len(), text.cause.len()), (100, 300));
        let [object, text] = &read(36)[..] else { panic!("two items are left out") };
        assert_eq!(object.id, "é".repeat(36));
        assert!(text.cause.ends_with("expected u8"), "{}", text.cause);
    }

    #[test]
    fn a_list_of_too_many_unknown_items_is_refused() {
        let list = |count| format!("[{}1]", "1,".repeat(count - 1));
        let read = |count| serde_json::from_str::<Lenient<String>>(&list(count));
        assert_eq!(read(MAX_LEFT_OUT).unwrap().left_out.len(), MAX_LEFT_OUT);
        assert!(
            read(1_000_000).unwrap_err().to_string().starts_with("invalid length 10001, expected at most")
        );
    }
}
