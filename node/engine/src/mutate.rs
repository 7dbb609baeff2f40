//! Payload × spelling × place: the many requests one attack can be, for scores and tests. Deterministic.
//!
//! Only what still works at its target counts: cases change in languages that ignore case, comments stand for spaces in SQL,
//! percent signs are doubled where URLs are read.

mod insertion_point;
mod spelling;

use serde::Deserialize;
use shared::InspectRequest;
use spelling::Spelling;

pub use insertion_point::InsertionPoint;

/// What a payload is written in, which decides how it can be disguised.
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
    /// Lines of a protocol: line breaks are the attack.
    Lines,
    #[default]
    None,
}

/// One request an attack became.
#[derive(Debug)]
pub struct Variant {
    /// Spelling and place, e.g. `base64 in json`.
    pub how: String,
    pub request: InspectRequest,
}

/// A payload, or what a spelling made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Text {
    /// As the application is to read it; the place escapes it.
    Value(String),
    /// Escaped already, in a way the place would not choose.
    Escaped(String),
}

/// The payload in this place, as it is.
pub(crate) fn plain(payload: &str, name: &str, place: &InsertionPoint) -> Variant {
    Variant { how: place.name().to_owned(), request: place.request(name, &Text::Value(payload.to_owned())) }
}

/// Every spelling in every place where both make sense, the plain payload in a query left out.
pub(crate) fn variants(payload: &str, name: &str, language: Language) -> Vec<Variant> {
    let mut variants = Vec::new();
    for place in InsertionPoint::ALL.iter().filter(|place| place.takes(payload, language)) {
        if *place != InsertionPoint::Query {
            variants.push(plain(payload, name, place));
        }
        for spelling in Spelling::ALL.iter().filter(|spelling| spelling.fits(language, place)) {
            let text = spelling.apply(payload);
            if text != Text::Value(payload.to_owned()) {
                let how = format!("{} in {}", spelling.name(), place.name());
                variants.push(Variant { how, request: place.request(name, &text) });
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
    fn a_statement_is_spelled_in_many_ways() {
        insta::assert_snapshot!(shown("' or 1=1", Language::Sql));
    }

    #[test]
    fn commands_and_paths_have_disguises_of_their_own() {
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
    fn line_breaks_are_not_put_into_headers() {
        assert!(variants("a\r\nb", "x", Language::Lines).iter().all(|it| !it.how.contains("header")));
    }
}
