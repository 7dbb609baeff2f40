//! Labelled requests.

use anyhow::Context as _;
use serde::Deserialize;
use shared::{AttackType, Body, Delivery, InspectRequest};
use std::net::{IpAddr, Ipv4Addr};

pub(super) struct Labelled {
    pub id: String,
    pub suite: String,
    pub label: Label,
    /// The type in the spelling of the file.
    pub kind: String,
    /// The correct codes; empty when the label has no type.
    pub accepts: Vec<AttackType>,
    pub request: InspectRequest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Label {
    Attack,
    Benign,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    suite: String,
    label: Label,
    #[serde(default)]
    r#type: String,
    method: String,
    path: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body_b64: String,
}

/// Words in a label → the correct codes. The first matching row applies. Labels without a type
/// (`generic`, `mixed`, `REST`) match no row.
const NAMES: &[(&[&str], &[AttackType])] = &[
    // Contains `ssi`; scripts that set cookies fixate sessions, too.
    (&["session"], &[AttackType::SessionFixation, AttackType::Xss]),
    (&["nosql"], &[AttackType::Nosqli]),
    (&["sql"], &[AttackType::Sqli]),
    (&["xss"], &[AttackType::Xss]),
    // A template expression that runs a command is both.
    (&["ssti", "sst inj"], &[AttackType::Ssti, AttackType::Rce]),
    (&["ssi", "ss inj"], &[AttackType::Ssi]),
    (&["cmd", "rce", "shell", "php", "java", "command"], &[AttackType::Rce, AttackType::Ssti]),
    (&["rfi"], &[AttackType::PathTraversal, AttackType::Ssrf, AttackType::Rce]),
    (&["lfi", "traversal"], &[AttackType::PathTraversal]),
    // Lists of entities contain entity bombs.
    (&["xxe"], &[AttackType::Xxe, AttackType::DataBomb]),
    (&["ldap", "xpath"], &[AttackType::Ldapi]),
    // Splitting, smuggling, and requests between servers.
    (&["protocol-attack"], &[AttackType::Crlf, AttackType::Ldapi, AttackType::Ssrf]),
    (&["crlf"], &[AttackType::Crlf]),
    (&["mail"], &[AttackType::MailInjection]),
    (&["ssrf"], &[AttackType::Ssrf]),
    (&["scanner", "useragent"], &[AttackType::Scanner]),
];

impl Labelled {
    pub(super) fn parse(line: &str) -> anyhow::Result<Self> {
        let line: Line = serde_json::from_str(line)?;
        let target = as_cloudfront_reads(&line.path);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let headers: Vec<_> =
            line.headers.iter().map(|(name, value)| (name.clone(), as_cloudfront_reads(value))).collect();
        let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let body = Body::from_base64(&line.body_b64).context("field body_b64")?;
        let request = InspectRequest {
            request_id: None,
            connector: None,
            delivery: Delivery::Inline,
            client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            method: line.method,
            scheme: None,
            http_version: None,
            host: host.map(|(_, host)| host.clone()).unwrap_or_default(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: (!body.0.is_empty()).then_some(body),
            body_truncated: false,
            unseen_body: None,
            not_inspected: Vec::new(),
        };
        let accepts = codes(&line.r#type).to_vec();
        Ok(Self { id: line.id, suite: line.suite, label: line.label, kind: line.r#type, accepts, request })
    }
}

/// The codes for a label.
fn codes(kind: &str) -> &'static [AttackType] {
    let kind = kind.to_ascii_lowercase();
    let matches = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    NAMES.iter().find(|(words, _)| matches(words)).map_or(&[], |(_, codes)| codes)
}

/// Decodes as CloudFront does: UTF-8, or else ISO-8859-1.
fn as_cloudfront_reads(bytes: &str) -> String {
    let raw: Option<Vec<u8>> = bytes.chars().map(|byte| u8::try_from(byte).ok()).collect();
    raw.and_then(|raw| String::from_utf8(raw).ok()).unwrap_or_else(|| bytes.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_labels_to_codes() {
        for (label, expected) in [
            ("128KB SQL Injection", Some(AttackType::Sqli)),
            ("NoSQL Injection", Some(AttackType::Nosqli)),
            ("session-fixation", Some(AttackType::SessionFixation)),
            ("SS Injection", Some(AttackType::Ssi)),
            ("SST Injection", Some(AttackType::Ssti)),
            ("cmdi", Some(AttackType::Rce)),
            ("path-traversal", Some(AttackType::PathTraversal)),
            ("community-lfi-multipart", Some(AttackType::PathTraversal)),
            ("UserAgent", Some(AttackType::Scanner)),
            ("generic", None),
            ("", None),
        ] {
            assert_eq!(codes(label).first(), expected.as_ref(), "{label}");
        }
    }
}
