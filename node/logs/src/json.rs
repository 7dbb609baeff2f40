//! Lines of standard logs (v2) in JSON: an object of names and values.

use crate::{Field, field::Values};
use serde::{
    Deserializer as _,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use std::{borrow::Cow, fmt};

/// Reads the known fields of an object.
pub(crate) fn read(line: &str) -> Result<Values<Cow<'_, str>>, serde_json::Error> {
    struct Object;

    impl<'de> Visitor<'de> for Object {
        type Value = Values<Cow<'de, str>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of fields")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = Values::new();
            while let Some(name) = map.next_key_seed(Text)? {
                let Some(field) = name.as_deref().and_then(Field::named) else {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                };
                if let Some(value) = map.next_value_seed(Text)? {
                    values.set(field, value);
                }
            }
            Ok(values)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(line);
    let values = deserializer.deserialize_map(Object)?;
    deserializer.end()?;
    Ok(values)
}

/// A text or a number; `None` for null.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_bool<E>(self, word: bool) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(word.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
