//! Insertion points: the positions of a payload in a request, and the requests built for them.

use super::{Language, Text, obfuscation::percent};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{Body, Delivery, InspectRequest};
use std::net::{IpAddr, Ipv4Addr};

/// A position for a payload in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsertionPoint {
    /// The value of a parameter.
    Query,
    /// The payload is the whole query.
    WholeQuery,
    /// A segment of the path.
    Segment,
    /// The payload is the whole path.
    WholePath,
    Form,
    Json,
    /// JSON in a JSON string.
    NestedJson,
    Multipart,
    FileName,
    /// The content of an uploaded file.
    File,
    XmlText,
    XmlAttribute,
    Cookie,
    Header(String),
    /// A claim of a JWT in the `authorization` header.
    JwtClaim,
    GraphqlVariable,
    /// The payload is the whole body, with this content type.
    Body(&'static str),
}

impl InsertionPoint {
    /// The positions of a single value.
    pub(super) const ALL: &[Self] = &[
        Self::Query,
        Self::Segment,
        Self::Form,
        Self::Json,
        Self::NestedJson,
        Self::Multipart,
        Self::XmlText,
        Self::XmlAttribute,
        Self::Cookie,
        Self::Header(String::new()),
        Self::JwtClaim,
        Self::GraphqlVariable,
    ];

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Query | Self::WholeQuery => "query",
            Self::Segment | Self::WholePath => "path",
            Self::Form => "form",
            Self::Json => "json",
            Self::NestedJson => "json in json",
            Self::Multipart => "multipart",
            Self::FileName => "file name",
            Self::File => "file",
            Self::XmlText => "xml text",
            Self::XmlAttribute => "xml attribute",
            Self::Cookie => "cookie",
            Self::Header(_) => "header",
            Self::JwtClaim => "jwt claim",
            Self::GraphqlVariable => "graphql variable",
            Self::Body(_) => "body",
        }
    }

    /// Whether an attack in this language works here.
    pub(super) fn accepts(&self, payload: &str, language: Language) -> bool {
        use Language::{Code, Html, Shell, Sql, Template};
        match self {
            // Line breaks and URLs are attacks in parameters only.
            Self::Segment => matches!(language, Sql | Html | Shell | Template),
            Self::Header(_) => {
                matches!(language, Sql | Html | Shell | Code | Template) && !payload.contains(['\r', '\n'])
            }
            _ => true,
        }
    }

    pub(super) fn request(&self, name: &str, text: &Text) -> InspectRequest {
        let mut request = empty_request("GET");
        let in_url = || text.escaped_by(percent);
        match self {
            Self::Query => request.query = format!("{name}={}", in_url()),
            Self::WholeQuery => text.whole().clone_into(&mut request.query),
            Self::Segment => request.path = format!("/items/{}", in_url()),
            Self::WholePath => text.whole().clone_into(&mut request.path),
            Self::Cookie => request.headers.push(("cookie".to_owned(), format!("a=1; {name}={}", in_url()))),
            Self::Header(header) => {
                let header = if header.is_empty() { "x-forwarded-host" } else { header };
                request.headers.push((header.to_owned(), text.whole().to_owned()));
            }
            Self::JwtClaim => {
                let token = jwt(&format!("{{\"sub\":\"7\",\"{name}\":{}}}", text.in_json()));
                request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
            }
            _ => self.fill_body(name, text, &mut request),
        }
        request
    }

    fn fill_body(&self, name: &str, text: &Text, request: &mut InspectRequest) {
        let json = "application/json";
        let multipart = "multipart/form-data; boundary=cut";
        let (content_type, body) = match self {
            Self::Form => {
                ("application/x-www-form-urlencoded", format!("a=1&{name}={}", text.escaped_by(percent)))
            }
            Self::Json => (json, format!("{{\"a\":[1,{{\"{name}\":{}}}]}}", text.in_json())),
            Self::NestedJson => {
                let inner = format!("{{\"{name}\":{}}}", text.in_json());
                (json, format!("{{\"data\":{}}}", serde_json::Value::from(inner)))
            }
            Self::GraphqlVariable => (
                json,
                format!(
                    "{{\"query\":\"query(${name}:String){{ find(by:${name}){{ id }} }}\",\"variables\":{{\"{name}\":{}}}}}",
                    text.in_json()
                ),
            ),
            Self::Multipart => (multipart, part(&format!("name=\"{name}\""), text.whole())),
            Self::FileName => {
                (multipart, part(&format!("name=\"{name}\"; filename=\"{}\"", text.whole()), "text"))
            }
            Self::File => {
                (multipart, part(&format!("name=\"{name}\"; filename=\"notes.txt\""), text.whole()))
            }
            Self::XmlText => {
                ("application/xml", format!("<r><{name}>{0}</{name}></r>", text.escaped_by(xml)))
            }
            Self::XmlAttribute => ("text/xml", format!("<r {name}=\"{}\"/>", text.escaped_by(xml))),
            Self::Body(content_type) => (*content_type, text.whole().to_owned()),
            _ => return,
        };
        "POST".clone_into(&mut request.method);
        request.headers.push(("content-type".to_owned(), content_type.to_owned()));
        request.body = Some(Body(body.into_bytes()));
    }
}

impl Text {
    fn whole(&self) -> &str {
        match self {
            Self::Value(text) | Self::Escaped(text) => text,
        }
    }

    fn escaped_by(&self, escape: fn(&str) -> String) -> String {
        match self {
            Self::Value(text) => escape(text),
            Self::Escaped(text) => text.clone(),
        }
    }

    fn in_json(&self) -> String {
        match self {
            Self::Value(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::Escaped(text) => format!("\"{text}\""),
        }
    }
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn jwt(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), part(claims), part("not a signature"))
}

fn part(disposition: &str, content: &str) -> String {
    format!("--cut\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n--cut--\r\n")
}

/// A request for `/` of the host `shop.example`, without query, headers and body.
pub fn empty_request(method: &str) -> InspectRequest {
    InspectRequest {
        request_id: None,
        connector: None,
        delivery: Delivery::Inline,
        client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        method: method.to_owned(),
        scheme: None,
        http_version: None,
        host: "shop.example".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: None,
        body_truncated: false,
        unseen_body: None,
        not_inspected: Vec::new(),
    }
}
