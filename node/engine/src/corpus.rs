//! Attacks and benign as data, in `corpus/`: what the files hold, and the requests they become.
//!
//! A file says of all its entries what they are and in which language they are written; an entry may fix the place it
//! stands in. What stands anywhere can be moved and disguised ([`mutate`](mod@crate::mutate)).

use crate::mutate::{self, InsertionPoint, Language, Variant};
use serde::Deserialize;
use shared::AttackType;

/// A file of `corpus/attacks` or `corpus/benign`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    r#type: Option<AttackType>,
    /// Other codes that name these attacks as well.
    #[serde(default)]
    accepts: Vec<AttackType>,
    #[serde(default)]
    language: Language,
    /// The parameter the payloads sit in, where its name matters.
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
    place: Stands,
    /// Whom the request is for, where that matters.
    path: Option<String>,
    /// For readers of the file.
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file")]
    note: String,
}

/// Where an entry stands, as files say it: `value`, `query`, `header user-agent` …
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
enum Stands {
    /// Wherever a value can.
    #[default]
    Anywhere,
    At(InsertionPoint),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown place {0:?}")]
struct UnknownInsertionPoint(String);

impl TryFrom<String> for Stands {
    type Error = UnknownInsertionPoint;

    fn try_from(text: String) -> Result<Self, UnknownInsertionPoint> {
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
                None => return Err(UnknownInsertionPoint(text)),
            },
        }))
    }
}

/// An entry with what its file says of it.
#[derive(Debug)]
pub struct Sample {
    pub payload: String,
    /// The codes that name it right, the best first. Empty for a benign.
    pub accepts: Vec<AttackType>,
    pub language: Language,
    /// The parameter it sits in.
    pub name: String,
    stands: Stands,
    path: Option<String>,
}

/// Reads a file of the corpus.
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
        stands: entry.place,
        path: entry.path,
    };
    Ok(samples.map(sample).collect())
}

impl Sample {
    pub fn is_attack(&self) -> bool {
        !self.accepts.is_empty()
    }

    /// The payload as it is, in its own place or in a query.
    pub fn plain(&self) -> Variant {
        let place = match &self.stands {
            Stands::At(place) => place,
            Stands::Anywhere => &InsertionPoint::Query,
        };
        let mut plain = mutate::plain(&self.payload, &self.name, place);
        plain.request.path = self.path.clone().unwrap_or(plain.request.path);
        plain
    }

    /// The payload in each place that makes sense, as it is.
    pub fn everywhere(&self) -> Vec<Variant> {
        match &self.stands {
            Stands::At(_) => vec![self.plain()],
            Stands::Anywhere => {
                let values = [
                    InsertionPoint::Query,
                    InsertionPoint::Form,
                    InsertionPoint::Json,
                    InsertionPoint::Multipart,
                ];
                values.iter().map(|place| mutate::plain(&self.payload, &self.name, place)).collect()
            }
        }
    }

    /// The payload in other places and other spellings. Empty when its place is part of the attack.
    pub fn mutated(&self) -> Vec<Variant> {
        match &self.stands {
            Stands::At(_) => Vec::new(),
            Stands::Anywhere => mutate::variants(&self.payload, &self.name, self.language),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_its_entries_are_and_an_entry_may_say_otherwise() {
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
    fn a_place_that_does_not_exist_is_named() {
        let error = parse("benign = [{ value = 'a', place = 'cellar' }]").unwrap_err().to_string();
        assert!(error.contains("unknown place \"cellar\""), "{error}");
    }
}
