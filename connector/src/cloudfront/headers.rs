//! Headers in CloudFront's format: `{"lower-name": [{"key": "Name", "value": "…"}, …]}`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt};

/// Lower-case names in the order of the event; a name can repeat.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(pub Vec<(String, String)>);

#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

impl Headers {
    /// The first value of a lower-case name.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.0 {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.names().into_iter().map(|name| {
            let entries = self.0.iter().filter(|(known, _)| known == name);
            let entries = entries.map(|(key, value)| Entry { key: Some(key.into()), value: value.into() });
            (name, entries.collect::<Vec<_>>())
        }))
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Headers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of header names to lists of key and value")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some((name, entries)) = map.next_entry::<Cow<'de, str>, Vec<Entry<'de>>>()? {
                    let name = name.to_ascii_lowercase();
                    headers.extend(entries.into_iter().map(|entry| (name.clone(), entry.value.into_owned())));
                }
                Ok(Headers(headers))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
