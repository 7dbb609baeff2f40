//! Corpus files: labelled attacks and benign values in `corpus/`, and the requests built from them.
//!
//! A file declares the type and language of its entries; an entry may fix its insertion point.
//! Other entries can be moved and obfuscated ([`mutate`](mod@crate::mutate)).

use crate::mutate::{self, InsertionPoint, Language, Variant};
use serde::Deserialize;
use shared::AttackType;

/// A file of `corpus/attacks` or `corpus/benign`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    r#type: Option<AttackType>,
    /// Other attack types that are correct, too.
    #[serde(default)]
    accepts: Vec<AttackType>,
    #[serde(default)]
    language: Language,
    /// The parameter name of the payloads, if it matters.
    name: Option<String>,
    #[serde(default)]
    attacks: Vec<Entry>,
    #[serde(default)]
    benign: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(alias = "value")]
    payload: String,
    r#type: Option<AttackType>,
    accepts: Option<Vec<AttackType>>,
    name: Option<String>,
    #[serde(default)]
    place: Position,
    /// The path of the request, if it matters.
    path: Option<String>,
    /// For readers of the file.
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file")]
    note: String,
}

/// The position of an entry in the request: `value`, `query`, `header user-agent` …
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
enum Position {
    /// Any value.
    #[default]
    Anywhere,
    At(InsertionPoint),
}

impl TryFrom<String> for Position {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(Self::At(match text.as_str() {
            "value" => return Ok(Self::Anywhere),
            "query" => InsertionPoint::WholeQuery,
            "path" => InsertionPoint::WholePath,
            "form" => InsertionPoint::Body("application/x-www-form-urlencoded"),
            "json" => InsertionPoint::Body("application/json"),
            "xml" => InsertionPoint::Body("application/xml"),
            "body" => InsertionPoint::Body("text/plain"),
            "file" => InsertionPoint::File,
            "file name" => InsertionPoint::FileName,
            other => match other.strip_prefix("header ") {
                Some(name) => InsertionPoint::Header(name.to_owned()),
                None => return Err(format!("unknown place {text:?}")),
            },
        }))
    }
}

/// An entry with the properties of its file.
#[derive(Debug)]
pub struct Sample {
    pub payload: String,
    /// The correct attack types, the best first. Empty for a benign value.
    pub accepts: Vec<AttackType>,
    pub language: Language,
    /// The parameter name.
    pub name: String,
    position: Position,
    path: Option<String>,
}

/// Parses a corpus file.
pub fn parse(text: &str) -> Result<Vec<Sample>, toml::de::Error> {
    let File { r#type, accepts, language, name, attacks, benign } = toml::from_str(text)?;
    let attacks = attacks.into_iter().map(|entry| {
        let also = entry.accepts.as_ref().unwrap_or(&accepts).iter().cloned();
        let codes = entry.r#type.clone().or(r#type.clone()).into_iter().chain(also).collect();
        (entry, codes)
    });
    let samples = attacks.chain(benign.into_iter().map(|entry| (entry, Vec::new())));
    let sample = |(entry, accepts): (Entry, Vec<AttackType>)| Sample {
        payload: entry.payload,
        accepts,
        language,
        name: entry.name.or(name.clone()).unwrap_or_else(|| "x".to_owned()),
        position: entry.place,
        path: entry.path,
    };
    Ok(samples.map(sample).collect())
}

impl Sample {
    pub fn is_attack(&self) -> bool {
        !self.accepts.is_empty()
    }

    /// The plain payload at its own position or in a query.
    pub fn plain(&self) -> Variant {
        let point = match &self.position {
            Position::At(point) => point,
            Position::Anywhere => &InsertionPoint::Query,
        };
        let mut plain = mutate::plain(&self.payload, &self.name, point);
        plain.request.path = self.path.clone().unwrap_or(plain.request.path);
        plain
    }

    /// The plain payload at each applicable insertion point.
    pub fn everywhere(&self) -> Vec<Variant> {
        use InsertionPoint::{Form, Json, Multipart, Query};
        match &self.position {
            Position::At(_) => vec![self.plain()],
            Position::Anywhere => {
                let points = [Query, Form, Json, Multipart];
                points.iter().map(|point| mutate::plain(&self.payload, &self.name, point)).collect()
            }
        }
    }

    /// The payload at other insertion points and obfuscated. Empty when its position is part of the
    /// attack.
    pub fn mutated(&self) -> Vec<Variant> {
        match &self.position {
            Position::At(_) => Vec::new(),
            Position::Anywhere => mutate::variants(&self.payload, &self.name, self.language),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_override_the_properties_of_their_file() {
        let samples = parse(
            "type = 'sqli'\naccepts = ['nosqli']\nlanguage = 'sql'\nattacks = [{ payload = 'a' }, \
             { payload = 'b', type = 'xss', accepts = [], place = 'header referer' }]",
        )
        .unwrap();
        let accepts: Vec<_> = samples.iter().map(|it| it.accepts.as_slice()).collect();
        assert_eq!(accepts, [&[AttackType::Sqli, AttackType::Nosqli][..], &[AttackType::Xss]]);
        assert_eq!(samples[0].plain().request.query, "x=a");
        assert_eq!(samples[1].plain().request.headers, [("referer".to_owned(), "b".to_owned())]);
        assert!(samples[1].mutated().is_empty());
    }

    #[test]
    fn an_error_names_the_unknown_place() {
        let error = parse("benign = [{ value = 'a', place = 'cellar' }]").unwrap_err().to_string();
        assert!(error.contains("unknown place \"cellar\""), "{error}");
    }
}
