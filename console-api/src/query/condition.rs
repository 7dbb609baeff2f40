//! Conditions: a field and its value.

use super::{
    Field, Problem,
    value::{Addresses, Numbers, Pattern, TimeRange},
    word::{self, Word},
};
use crate::{
    attack::{AttackStatus, Marks},
    country,
    facet::{EDGE, Facet, LOG, UNKNOWN},
    user_agent,
};
use jiff::Timestamp;
use shared::{AttackType, Decision, Enforced, Outcome, RequestId};
use std::fmt;
use uuid::Uuid;

/// A field and its value. Conditions on fields of hits select the hits that meet them.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Type(AttackType),
    Status(AttackStatus),
    Host(Pattern),
    Path(Pattern),
    Parameter(Pattern),
    Payload(Pattern),
    Ip(Addresses),
    /// In upper case.
    Method(String),
    Action(HitAction),
    /// Absent: the value is not known.
    Facet(Facet, Option<String>),
    Score(Numbers),
    Response(Numbers),
    Hits(Numbers),
    Blocked(Numbers),
    Sources(Numbers),
    FirstSeen(TimeRange),
    LastSeen(TimeRange),
    RequestId(RequestId),
    EdgeRequestId(String),
    Attack(Uuid),
    Mark(Marks),
    /// A word without a field: searched in all text fields and ids.
    Anywhere(Pattern),
    /// The time of a hit: the range of a search with conditions on hits, not a field of the language.
    At(TimeRange),
}

/// What happened to the request of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitAction {
    Blocked,
    /// An attack that was not blocked.
    Passed,
    /// No attack at its sensitivity.
    Suspicious,
    Any,
}

impl HitAction {
    pub fn of(decision: &Decision) -> Self {
        match (decision.outcome, decision.enforced) {
            (Outcome::Suspicious, _) => Self::Suspicious,
            (Outcome::Blocked, Enforced::Yes | Enforced::Unknown) => Self::Blocked,
            (Outcome::Blocked, Enforced::No) | (Outcome::Monitored, _) => Self::Passed,
        }
    }

    pub const ALL: [Self; 4] = [Self::Blocked, Self::Passed, Self::Suspicious, Self::Any];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Passed => "passed",
            Self::Suspicious => "suspicious",
            Self::Any => "any",
        }
    }

    /// The name on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Blocked => "Blocked",
            Self::Passed => "Passed",
            Self::Suspicious => "Suspicious",
            Self::Any => "All, with suspicious",
        }
    }
}

/// The names of severities.
pub(super) const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

impl Condition {
    /// Whether hits of one attack may differ in it.
    pub(super) fn is_of_hit(&self) -> bool {
        match self {
            Self::Payload(_)
            | Self::Ip(_)
            | Self::Method(_)
            | Self::Facet(..)
            | Self::Score(_)
            | Self::Action(HitAction::Blocked | HitAction::Passed | HitAction::Suspicious)
            | Self::Response(_)
            | Self::RequestId(_)
            | Self::EdgeRequestId(_)
            | Self::Anywhere(_)
            | Self::At(_) => true,
            Self::Type(_)
            | Self::Status(_)
            | Self::Action(HitAction::Any)
            | Self::Host(_)
            | Self::Path(_)
            | Self::Parameter(_)
            | Self::Hits(_)
            | Self::Blocked(_)
            | Self::Sources(_)
            | Self::FirstSeen(_)
            | Self::LastSeen(_)
            | Self::Attack(_)
            | Self::Mark(_) => false,
        }
    }

    /// A condition of a field and an unquoted value.
    pub fn of(field: Field, value: &str, now: Timestamp) -> Result<Self, Problem> {
        Self::parse(field, &Word::whole(value), now)
    }

    pub(super) fn parse(field: Field, word: &Word, now: Timestamp) -> Result<Self, Problem> {
        let text = word.text();
        let expected = |expected| Problem::Value { field, expected };
        Ok(match field {
            Field::Type => {
                let attack_type = attack_type(&text).ok_or(expected("the code of an attack type"))?;
                if !AttackType::ALL.contains(&attack_type) && !word.is_quoted() {
                    let nearest = nearest_type(&text);
                    return Err(Problem::UnknownType { code: text, nearest });
                }
                Self::Type(attack_type)
            }
            Field::Status => Self::Status(
                AttackStatus::parse(&text)
                    .ok_or(expected("blocked, partially_blocked, monitoring or suspicious"))?,
            ),
            Field::Host => Self::Host(word.pattern().in_lower_case()),
            Field::Path => Self::Path(word.pattern()),
            Field::Parameter => Self::Parameter(word.pattern()),
            Field::Payload => Self::Payload(word.pattern()),
            Field::Ip => Self::Ip(Addresses::parse(&text).ok_or(expected(Addresses::EXPECTED))?),
            Field::Method => Self::Method(method(&text).ok_or(expected("a method"))?),
            Field::Action => {
                let known = HitAction::ALL.into_iter().find(|action| action.as_str() == text);
                Self::Action(known.ok_or(expected("blocked, passed, suspicious or any"))?)
            }
            Field::Facet(facet) if text == UNKNOWN => Self::Facet(facet, None),
            Field::Facet(Facet::Score) => {
                Self::Score(Numbers::parse(&text).ok_or(expected(Numbers::EXPECTED))?)
            }
            Field::Facet(facet) => {
                let value = facet_value(facet, &text).ok_or(expected(kind_of_facet(facet)))?;
                Self::Facet(facet, Some(value))
            }
            Field::Response => Self::Response(
                Numbers::parse_status(&text).ok_or(expected("a status, `4xx`, `>=500` or `400..404`"))?,
            ),
            Field::Hits => Self::Hits(Numbers::parse(&text).ok_or(expected(Numbers::EXPECTED))?),
            Field::Blocked => Self::Blocked(Numbers::parse(&text).ok_or(expected(Numbers::EXPECTED))?),
            Field::Sources => Self::Sources(Numbers::parse(&text).ok_or(expected(Numbers::EXPECTED))?),
            Field::FirstSeen => {
                Self::FirstSeen(TimeRange::parse(&text, now).ok_or(expected(TimeRange::EXPECTED))?)
            }
            Field::LastSeen => {
                Self::LastSeen(TimeRange::parse(&text, now).ok_or(expected(TimeRange::EXPECTED))?)
            }
            Field::RequestId => {
                Self::RequestId(text.parse().map_err(|_| expected("32 lower-case hex digits"))?)
            }
            Field::EdgeRequestId => Self::EdgeRequestId(text),
            Field::Attack => Self::Attack(text.parse().map_err(|_| expected("the id of an attack"))?),
            Field::Mark => {
                let marks = Marks::parse(&text);
                Self::Mark(marks.ok_or(expected("false_positive, true_positive, none or any"))?)
            }
        })
    }
}

/// The value of a facet, as hits have it.
fn facet_value(facet: Facet, text: &str) -> Option<String> {
    let one_of = |known: &[&str]| known.contains(&text).then(|| text.to_owned());
    match facet {
        Facet::Country => {
            let code = text.to_ascii_uppercase();
            country::is_known(&code).then_some(code)
        }
        Facet::Network => {
            let number = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
            number.parse::<u32>().ok().map(|number| format!("AS{number}"))
        }
        Facet::UserAgent => user_agent::families().any(|family| family == text).then(|| text.to_owned()),
        Facet::Severity => one_of(&SEVERITIES),
        Facet::SeenBy => one_of(&[EDGE, LOG]),
        Facet::Node | Facet::Rule => text.parse::<Uuid>().ok().map(|id| id.to_string()),
        Facet::HttpVersion | Facet::Connector | Facet::Signature | Facet::Score => {
            (!text.is_empty()).then(|| text.to_owned())
        }
    }
}

fn kind_of_facet(facet: Facet) -> &'static str {
    match facet {
        Facet::Country => "the code of a country, or unknown",
        Facet::Network => "the number of an autonomous system, or unknown",
        Facet::UserAgent => "a family of user agents, or unknown",
        Facet::Severity => "low, medium, high or critical",
        Facet::SeenBy => "edge, log or unknown",
        Facet::Node | Facet::Rule => "an id, or unknown",
        Facet::HttpVersion | Facet::Connector | Facet::Signature | Facet::Score => "a value, or unknown",
    }
}

/// The code of a known type that is similar, or a part of it.
fn nearest_type(text: &str) -> Option<&'static str> {
    let codes = AttackType::ALL.iter().map(AttackType::as_str);
    let close = codes.map(|code| (strsim::osa_distance(text, code), code));
    let close = close.filter(|(distance, code)| *distance <= code.len() / 3 + 1 || code.contains(text));
    close.min().map(|(_, code)| code)
}

/// Unknown codes are accepted in quotes, because newer nodes may have more types.
fn attack_type(code: &str) -> Option<AttackType> {
    let is_word = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (is_word && !code.is_empty()).then(|| code.into())
}

fn method(text: &str) -> Option<String> {
    let is_method = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    is_method.then(|| text.to_ascii_uppercase())
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(attack_type) if AttackType::ALL.contains(attack_type) => {
                write!(f, "type:{attack_type}")
            }
            Self::Type(attack_type) => write!(f, "type:\"{attack_type}\""),
            Self::Status(status) => write!(f, "status:{}", status.as_str()),
            Self::Host(pattern) => write!(f, "host:{pattern}"),
            Self::Path(pattern) => write!(f, "path:{pattern}"),
            Self::Parameter(pattern) => write!(f, "parameter:{pattern}"),
            Self::Payload(pattern) => write!(f, "payload:{pattern}"),
            Self::Ip(addresses) => write!(f, "ip:{addresses}"),
            Self::Method(method) => write!(f, "method:{method}"),
            Self::Action(action) => write!(f, "action:{}", action.as_str()),
            Self::Facet(facet, Some(value)) => write!(f, "{}:{}", facet.name(), Pattern::exact(value)),
            Self::Facet(facet, None) => write!(f, "{}:{UNKNOWN}", facet.name()),
            Self::Score(numbers) => write!(f, "score:{numbers}"),
            Self::Response(numbers) => write!(f, "response:{numbers}"),
            Self::Hits(numbers) => write!(f, "hits:{numbers}"),
            Self::Blocked(numbers) => write!(f, "blocked:{numbers}"),
            Self::Sources(numbers) => write!(f, "sources:{numbers}"),
            Self::FirstSeen(range) => write!(f, "first_seen:{range}"),
            Self::LastSeen(range) => write!(f, "last_seen:{range}"),
            Self::RequestId(id) => write!(f, "request_id:{id}"),
            Self::EdgeRequestId(id) => write!(f, "edge_request_id:{}", Pattern::exact(id)),
            Self::Attack(id) => write!(f, "attack:{id}"),
            Self::Mark(marks) => write!(f, "mark:{}", marks.as_str()),
            Self::Anywhere(pattern) => f.write_str(&word::write(pattern, true)),
            Self::At(range) => write!(f, "at:{range}"),
        }
    }
}
