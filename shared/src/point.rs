//! Points: locations of values in requests.

use crate::text_enum::text_enum;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeSeq};
use std::fmt;

text_enum! {
    /// One parser of a point.
    Tag {
        Uri = "uri",
        Path = "path",
        ActionName = "action_name",
        ActionExt = "action_ext",
        Get = "get",
        Header = "header",
        Post = "post",
        Method = "method",
        /// The source address itself is the reason.
        RemoteAddr = "remote_addr",
        Cookie = "cookie",
        FormUrlencoded = "form_urlencoded",
        Multipart = "multipart",
        File = "file",
        JsonDoc = "json_doc",
        Hash = "hash",
        Array = "array",
        Pollution = "pollution",
        Xml = "xml",
        XmlTag = "xml_tag",
        XmlAttr = "xml_attr",
        XmlComment = "xml_comment",
        XmlDtd = "xml_dtd",
        XmlDtdEntity = "xml_dtd_entity",
        XmlPi = "xml_pi",
        Base64 = "base64",
        Gzip = "gzip",
        Brotli = "brotli",
        Grpc = "grpc",
        Protobuf = "protobuf",
        Hex = "hex",
        HtmlJs = "htmljs",
        Percent = "percent",
        Jwt = "jwt",
        JwtHeader = "jwt_header",
        JwtPayload = "jwt_payload",
        Gql = "gql",
        /// A cell of a table, by its column.
        Csv = "csv",
        /// An entry of an archive.
        Zip = "zip",
        /// A text in the metadata of a file.
        Metadata = "metadata",
        /// Text in a character set other than UTF-8.
        Charset = "charset",
        /// The names of parameters, headers or keys, when a name itself is the payload.
        Name = "name",
    }
}

/// Selects one of several values: a name or a position.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Name(String),
    Index(u64),
}

/// One step of a point. As JSON: `["post"]`, `["get","id"]`, `["path",0]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Step {
    pub tag: Tag,
    pub key: Option<Key>,
}

/// The chain of parsers that leads to a value, outermost first.
///
/// As JSON `[["post"],["json_doc"],["hash","user"]]`, displayed as `post > json_doc > hash:user`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Point(pub Vec<Step>);

impl Point {
    pub fn new(tag: Tag) -> Self {
        Self::default().then(tag)
    }

    #[must_use]
    pub fn then(mut self, tag: Tag) -> Self {
        self.0.push(Step { tag, key: None });
        self
    }

    #[must_use]
    pub fn named(mut self, tag: Tag, name: impl Into<String>) -> Self {
        self.0.push(Step { tag, key: Some(Key::Name(name.into())) });
        self
    }

    #[must_use]
    pub fn indexed(mut self, tag: Tag, index: u64) -> Self {
        self.0.push(Step { tag, key: Some(Key::Index(index)) });
        self
    }

    pub fn uri() -> Self {
        Self::new(Tag::Uri)
    }

    pub fn get(name: impl Into<String>) -> Self {
        Self::default().named(Tag::Get, name)
    }

    /// Header names are upper-case in points.
    pub fn header(name: &str) -> Self {
        Self::default().named(Tag::Header, name.to_ascii_uppercase())
    }
}

/// The key of the first step is separated by ` > ` (`get > x`), later ones by `:` (`hash:user`).
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            if depth > 0 {
                f.write_str(" > ")?;
            }
            f.write_str(step.tag.as_str())?;
            let separator = if depth == 0 { " > " } else { ":" };
            match &step.key {
                None => {}
                Some(Key::Name(name)) => write!(f, "{separator}{name}")?,
                Some(Key::Index(index)) => write!(f, "{separator}{index}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut step = serializer.serialize_seq(Some(1 + usize::from(self.key.is_some())))?;
        step.serialize_element(&self.tag)?;
        match &self.key {
            None => {}
            Some(Key::Name(name)) => step.serialize_element(name)?,
            Some(Key::Index(index)) => step.serialize_element(index)?,
        }
        step.end()
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Step;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a step such as [\"get\",\"id\"]")
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut step: A) -> Result<Step, A::Error> {
                let tag = step.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let key = step.next_element()?;
                if step.next_element::<de::IgnoredAny>()?.is_some() {
                    return Err(de::Error::invalid_length(3, &self));
                }
                Ok(Step { tag, key })
            }
        }
        deserializer.deserialize_seq(Visitor)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a position")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key::Name(name.to_owned()))
            }
            fn visit_u64<E: de::Error>(self, index: u64) -> Result<Key, E> {
                Ok(Key::Index(index))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_the_outermost_parser_first() {
        assert_eq!(Point::uri().to_string(), "uri");
        assert_eq!(Point::get("x").to_string(), "get > x");
        assert_eq!(Point::header("x-request-id").to_string(), "header > X-REQUEST-ID");
        let nested =
            Point::new(Tag::Post).then(Tag::JsonDoc).named(Tag::Hash, "users").indexed(Tag::Array, 0);
        assert_eq!(nested.to_string(), "post > json_doc > hash:users > array:0");
        assert_eq!(
            serde_json::to_string(&nested).unwrap(),
            r#"[["post"],["json_doc"],["hash","users"],["array",0]]"#
        );
    }

    #[test]
    fn rejects_a_step_with_three_elements() {
        assert!(serde_json::from_str::<Point>(r#"[["get","a","b"]]"#).is_err());
        assert!(serde_json::from_str::<Point>("[[]]").is_err());
    }
}
