//! Payload mutations: payload × obfuscation × insertion point, for scores and tests. Deterministic.
//!
//! Only mutations that still work at their target are generated: mixed case in case-insensitive
//! languages, comments for spaces in SQL, double percent-encoding in URLs.

mod insertion_point;
mod obfuscation;

use obfuscation::Obfuscation;
use serde::Deserialize;
use shared::InspectRequest;

pub use insertion_point::{InsertionPoint, empty_request};

/// The language of a payload, which decides the obfuscations that apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    Sql,
    Html,
    Shell,
    Path,
    Url,
    Code,
    Template,
    Ldap,
    Xml,
    /// A line-based protocol: line breaks are the attack.
    Lines,
    #[default]
    None,
}

/// A request generated from an attack.
#[derive(Debug)]
pub struct Variant {
    /// Obfuscation and insertion point, e.g. `base64 in json`.
    pub how: String,
    pub request: InspectRequest,
}

/// A payload, plain or obfuscated.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Text {
    /// As the application reads it; the insertion point escapes it.
    Value(String),
    /// Escaped already, differently from the insertion point's own escaping.
    Escaped(String),
}

/// The unmodified payload at an insertion point.
pub(crate) fn plain(payload: &str, name: &str, point: &InsertionPoint) -> Variant {
    Variant { how: point.name().to_owned(), request: point.request(name, &Text::Value(payload.to_owned())) }
}

/// Every applicable obfuscation at every insertion point, except the plain payload in a query.
pub(crate) fn variants(payload: &str, name: &str, language: Language) -> Vec<Variant> {
    let mut variants = Vec::new();
    for point in InsertionPoint::ALL.iter().filter(|point| point.accepts(payload, language)) {
        if *point != InsertionPoint::Query {
            variants.push(plain(payload, name, point));
        }
        for (obfuscation, obfuscation_name) in Obfuscation::ALL {
            let text = obfuscation.apply(payload);
            if obfuscation.applies(language, point) && text != Text::Value(payload.to_owned()) {
                let how = format!("{obfuscation_name} in {}", point.name());
                variants.push(Variant { how, request: point.request(name, &text) });
            }
        }
    }
    variants
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(payload: &str, language: Language) -> String {
        let line = |it: Variant| {
            let InspectRequest { path, query, headers, body, .. } = it.request;
            let headers: Vec<_> = headers.iter().map(|(name, value)| format!(" {name}: {value}")).collect();
            let body = body.map(|body| String::from_utf8_lossy(&body.0).replace("\r\n", "\\r\\n"));
            format!("{}: {path}?{query}{} {}", it.how, headers.concat(), body.unwrap_or_default())
        };
        variants(payload, "x", language).into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn sql_payloads_are_mutated() {
        insta::assert_snapshot!(shown("' or 1=1", Language::Sql));
    }

    #[test]
    fn mutations_depend_on_the_language() {
        let only_query = |text: String| {
            let lines: Vec<_> =
                text.lines().filter(|it| it.contains("in query")).map(str::to_owned).collect();
            lines.join("\n")
        };
        insta::assert_snapshot!(
            [
                only_query(shown("; cat /etc/passwd", Language::Shell)),
                only_query(shown("../../etc/passwd", Language::Path)),
                only_query(shown("<img src=x onerror=alert(1)>", Language::Html)),
            ]
            .join("\n\n")
        );
    }

    #[test]
    fn line_breaks_are_not_inserted_into_headers() {
        assert!(variants("a\r\nb", "x", Language::Lines).iter().all(|it| !it.how.contains("header")));
    }
}
