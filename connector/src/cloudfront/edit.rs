//! Edits of a request: one header is set or removed, every other byte stays.

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::fmt;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    headers: &'a RawValue,
}

/// The entries of a JSON object in its order.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

/// The request with all headers of this lower-case name replaced by one with this value, or removed.
/// `None` if nothing changes, or if the request has no headers.
pub(super) fn with_header(request: &RawValue, name: &str, value: Option<&str>) -> Option<Box<RawValue>> {
    let Request { headers } = serde_json::from_str(request.get()).ok()?;
    let Entries(entries) = serde_json::from_str(headers.get()).ok()?;
    let is_named = |header: &str| header.eq_ignore_ascii_case(name);
    if value.is_none() && !entries.iter().any(|(header, _)| is_named(header)) {
        return None;
    }
    let text = request.get();
    let end_of = |part: &RawValue| offset(text, part) + part.get().len();
    let start = offset(text, headers) + 1;
    let mut kept: Vec<&str> = Vec::with_capacity(entries.len());
    let mut at = start;
    for (header, value) in &entries {
        let entry = &text[at..end_of(value)];
        at = end_of(value);
        if !is_named(header) {
            kept.push(entry.trim_start().strip_prefix(',').unwrap_or(entry));
        }
    }
    let set = value.map(|value| {
        let entries = serde_json::json!([{ "key": name, "value": value }]);
        format!("{}:{entries}", serde_json::Value::from(name))
    });
    let headers: Vec<&str> = set.as_deref().into_iter().chain(kept).collect();
    RawValue::from_string(format!("{}{}{}", &text[..start], headers.join(","), &text[at..])).ok()
}

/// Where a part of a text begins.
fn offset(text: &str, part: &RawValue) -> usize {
    part.get().as_ptr().addr() - text.as_ptr().addr()
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of header names")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edited(request: &str, value: Option<&str>) -> Option<String> {
        let request = RawValue::from_string(request.to_owned()).unwrap();
        with_header(&request, "x-mark", value).map(|edited| edited.get().to_owned())
    }

    #[test]
    fn sets_a_header_before_the_others() {
        let request = r#"{ "uri": "/", "headers": { "a": [ ] , "b":[1] }, "x": 1.0 }"#;
        let expected = r#"{ "uri": "/", "headers": {"x-mark":[{"key":"x-mark","value":"v\"1"}], "a": [ ] , "b":[1] }, "x": 1.0 }"#;
        assert_eq!(edited(request, Some("v\"1")).unwrap(), expected.replace(r#"[ ] , "b""#, r#"[ ], "b""#));
        assert_eq!(
            edited(r#"{"headers":{}}"#, Some("1")).unwrap(),
            r#"{"headers":{"x-mark":[{"key":"x-mark","value":"1"}]}}"#
        );
    }

    #[test]
    fn removes_every_header_of_the_name() {
        for (headers, rest) in [
            (r#"{"x-mark":[1]}"#, "{}"),
            (r#"{"x-mark":[1],"a":[2]}"#, r#"{"a":[2]}"#),
            (r#"{"a":[2],"x-mark":[1]}"#, r#"{"a":[2]}"#),
            (r#"{"X-Mark":[1],"a":[2],"x-\u006dark":[3],"b":[4]}"#, r#"{"a":[2],"b":[4]}"#),
        ] {
            let request = |headers: &str| format!(r#"{{"headers":{headers},"x":1}}"#);
            assert_eq!(edited(&request(headers), None).unwrap(), request(rest), "{headers}");
        }
    }

    #[test]
    fn leaves_other_requests_alone() {
        for request in [r#"{"headers":{"a":[1]}}"#, r#"{"uri":"/"}"#, "1", r#"{"headers":[]}"#] {
            assert_eq!(edited(request, None), None, "{request}");
        }
    }

    proptest! {
        #[test]
        fn a_header_that_was_set_is_removed_without_a_trace(
            names in prop::collection::vec("[a-w\"\\\\é]{0,6}", 0..5), values in prop::collection::vec(".*", 5),
            value in ".*", is_pretty: bool,
        ) {
            let headers: serde_json::Map<_, _> =
                names.iter().zip(values).map(|(name, value)| (name.clone(), serde_json::json!([value]))).collect();
            let request = serde_json::json!({ "a": 1, "headers": headers, "z": [true] });
            let request = if is_pretty { serde_json::to_string_pretty(&request).unwrap() } else { request.to_string() };
            let marked = edited(&request, Some(&value)).unwrap();
            let parsed: serde_json::Value = serde_json::from_str(&marked).unwrap();
            prop_assert_eq!(&parsed["headers"]["x-mark"][0]["value"], &value);
            prop_assert_eq!(edited(&marked, None).unwrap(), request);
        }
    }
}
