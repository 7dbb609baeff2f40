//! Headers in events, and the rules for changing them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Trigger;
use super::outcome::Invalid;
use super::request::text;
use crate::http1::Headers;

/// "Restrictions on all edge functions", disallowed headers. A name that ends in `*` is a prefix.
const DISALLOWED: [&str; 30] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amz-cf-*",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-edge-*",
    "x-forwarded-proto",
    "x-real-ip",
    "cloudfront-viewer-cert-pem",
    "client-cert",
    "client-cert-chain",
];

/// "Restrictions on all edge functions", read-only headers.
fn read_only(trigger: Trigger) -> &'static [&'static str] {
    match trigger {
        Trigger::ViewerRequest => &["cdn-loop", "content-length", "host", "transfer-encoding", "via"],
        Trigger::OriginRequest => &[
            "accept-encoding",
            "cdn-loop",
            "content-length",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "if-unmodified-since",
            "transfer-encoding",
            "via",
        ],
        Trigger::OriginResponse => &["transfer-encoding", "via"],
        Trigger::ViewerResponse => {
            &["warning", "via", "content-length", "content-encoding", "transfer-encoding"]
        }
    }
}

/// The header rules of one trigger.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) trigger: Trigger,
}

/// Headers returned by a function, with validated syntax: lower-case names, each with its fields.
#[derive(Debug, Default)]
pub(super) struct Returned(BTreeMap<String, Vec<Field>>);

#[derive(Debug)]
struct Field {
    key: Option<String>,
    value: String,
}

pub(super) fn is_disallowed(name: &str) -> bool {
    DISALLOWED.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == *pattern,
    })
}

impl Rules {
    /// CloudFront's request id is the only disallowed header shown in origin events.
    fn hides(self, name: &str) -> bool {
        is_disallowed(name) && (self.trigger.is_viewer() || name != "x-amz-cf-id")
    }

    /// `{"user-agent": [{"key": "User-Agent", "value": "curl"}], …}`
    pub(super) fn show(self, headers: &Headers) -> Value {
        let mut shown = Map::new();
        for (name, value) in &headers.0 {
            let key = text(name);
            let lower = key.to_ascii_lowercase();
            if self.hides(&lower) {
                continue;
            }
            let fields = shown.entry(lower).or_insert_with(|| json!([]));
            if let Value::Array(fields) = fields {
                fields.push(json!({ "key": key, "value": text(value) }));
            }
        }
        Value::Object(shown)
    }

    /// The headers to forward: original bytes where unchanged, the function's text where changed.
    pub(super) fn apply(self, original: &Headers, returned: &Returned) -> Result<Headers, Invalid> {
        self.check(original, returned)?;
        let is_unchanged = |name: &str| self.hides(name) || returned.values(name) == values(original, name);
        let (mut applied, mut changed) = (Headers::default(), returned.names());
        for (name, value) in &original.0 {
            let lower = text(name).to_ascii_lowercase();
            if is_unchanged(&lower) {
                applied.push(name, value);
                changed.retain(|changed| *changed != lower);
            }
        }
        for name in changed {
            returned.push_fields(&name, &mut applied);
        }
        Ok(applied)
    }

    fn check(self, original: &Headers, returned: &Returned) -> Result<(), Invalid> {
        for name in read_only(self.trigger) {
            if returned.values(name) != values(original, name) {
                return Err(Invalid::ReadOnlyHeader((*name).to_owned()));
            }
        }
        for name in returned.0.keys() {
            if self.forbids(name) && returned.values(name) != values(original, name) {
                return Err(Invalid::DisallowedHeader(name.clone()));
            }
        }
        Ok(())
    }

    /// `CloudFront-Viewer-Country` is added after viewer-request; "Restrictions on Lambda@Edge"
    /// lists it separately.
    fn forbids(self, name: &str) -> bool {
        is_disallowed(name) || (self.trigger == Trigger::ViewerRequest && name == "cloudfront-viewer-country")
    }
}

impl Returned {
    /// `null` and a missing `headers` mean none.
    pub(super) fn parse(headers: Option<&Value>) -> Result<Self, Invalid> {
        let headers = match headers {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Object(headers)) => headers,
            Some(_) => return Err(Invalid::Structure("headers is not an object")),
        };
        let parse = |(name, fields): (&String, &Value)| Ok((name.clone(), parse_fields(name, fields)?));
        headers.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// The bytes of all names and values, as counted by quotas.
    pub(super) fn size(&self) -> usize {
        let fields = self.0.iter().flat_map(|(name, fields)| fields.iter().map(move |field| (name, field)));
        fields.map(|(name, field)| name.len() + field.value.len()).sum()
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn values(&self, name: &str) -> Vec<String> {
        self.0.get(name).into_iter().flatten().map(|field| field.value.clone()).collect()
    }

    fn push_fields(&self, name: &str, headers: &mut Headers) {
        for field in self.0.get(name).into_iter().flatten() {
            headers.push(field.key.as_deref().map_or_else(|| capitalized(name), str::to_owned), &field.value);
        }
    }
}

fn parse_fields(name: &str, fields: &Value) -> Result<Vec<Field>, Invalid> {
    let bad = |why| Invalid::Header { name: name.to_owned(), why };
    let token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) || name != name.to_ascii_lowercase() {
        return Err(bad("the name is not a lower-case header name"));
    }
    let fields = fields.as_array().filter(|fields| !fields.is_empty());
    let fields = fields.ok_or_else(|| bad("not a list of {key, value} objects"))?;
    fields.iter().map(|field| parse_field(name, field).map_err(bad)).collect()
}

fn parse_field(name: &str, field: &Value) -> Result<Field, &'static str> {
    let value = field.get("value").and_then(Value::as_str).ok_or("the value is not a string")?;
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err("the value contains a control character");
    }
    let key = match field.get("key") {
        None | Some(Value::Null) => None,
        Some(Value::String(key)) if key.eq_ignore_ascii_case(name) => Some(key.clone()),
        Some(_) => return Err("the key is another name"),
    };
    Ok(Field { key, value: value.to_owned() })
}

fn values(headers: &Headers, name: &str) -> Vec<String> {
    headers.all(name).map(text).collect()
}

/// "If you omit the key, CloudFront inserts one by capitalizing the first letter and each letter
/// after a hyphen."
fn capitalized(name: &str) -> String {
    let parts = name.split('-').map(|part| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWER: Rules = Rules { trigger: Trigger::ViewerRequest };
    const ORIGIN: Rules = Rules { trigger: Trigger::OriginRequest };

    fn headers() -> Headers {
        Headers::default()
            .with("Host", "a.example")
            .with("X-B", b"caf\xe9")
            .with("x-b", "2")
            .with("Via", "1.1 x")
    }

    fn after(rules: Rules, change: impl FnOnce(&mut Value)) -> Result<Headers, Invalid> {
        let mut shown = rules.show(&headers());
        change(&mut shown);
        rules.apply(&headers(), &Returned::parse(Some(&shown))?)
    }

    #[test]
    fn unchanged_headers_keep_their_bytes() {
        assert_eq!(after(VIEWER, |_| {}).unwrap(), headers());
        // A different case of the key is not a change.
        assert_eq!(after(VIEWER, |shown| shown["host"][0]["key"] = json!("HOST")).unwrap(), headers());
    }

    #[test]
    fn changed_headers_use_the_functions_text() {
        let changed = after(VIEWER, |shown| {
            shown["x-b"] = json!([{ "value": "3" }]);
            shown["x-new-one"] = json!([{ "key": "x-NEW-one", "value": "é" }]);
        });
        let expected = Headers::default().with("Host", "a.example").with("Via", "1.1 x");
        assert_eq!(changed.unwrap(), expected.with("X-B", "3").with("x-NEW-one", "é"));
    }

    #[test]
    fn hidden_headers_are_neither_shown_nor_lost() {
        let headers = headers().with("X-Cache", "Hit");
        let shown = ORIGIN.show(&headers);
        assert!(shown.get("x-cache").is_none());
        assert_eq!(ORIGIN.apply(&headers, &Returned::parse(Some(&shown)).unwrap()).unwrap(), headers);
    }

    #[test]
    fn forbidden_changes_name_the_header() {
        let set = |name: &'static str| move |shown: &mut Value| shown[name] = json!([{ "value": "x" }]);
        let error = |result: Result<Headers, Invalid>| result.unwrap_err().to_string();
        assert!(error(after(VIEWER, set("host"))).contains("host"));
        assert!(after(ORIGIN, set("host")).is_ok());
        assert!(error(after(ORIGIN, set("accept-encoding"))).contains("accept-encoding"));
        assert!(error(after(ORIGIN, set("x-edge-anything"))).contains("x-edge-anything"));
        assert!(error(after(ORIGIN, set("x-amz-cf-id"))).contains("x-amz-cf-id"));
        assert!(error(after(VIEWER, set("cloudfront-viewer-country"))).contains("cloudfront-viewer-country"));
        let delete_via = |shown: &mut Value| drop(shown.as_object_mut().unwrap().remove("via"));
        assert!(error(after(ORIGIN, delete_via)).contains("via"));
    }

    #[test]
    fn rejects_malformed_headers() {
        for field in [json!("x"), json!([]), json!([{}]), json!([{"value": 1}]), json!([{"value": "a\r\nb"}])]
        {
            assert!(after(VIEWER, |shown| shown["x"] = field.clone()).is_err(), "{field}");
        }
        assert!(after(VIEWER, |shown| shown["X-Upper"] = json!([{ "value": "1" }])).is_err());
        assert!(after(VIEWER, |shown| shown["x"] = json!([{ "key": "y", "value": "1" }])).is_err());
    }
}
