//! Values: patterns, addresses, numbers and times.

use super::word;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use shared::ruleset::Network;
use std::{fmt, net::IpAddr};

/// Text, optionally with wildcards. With a wildcard, letter case is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// `*`: any text, including the empty one.
    Any,
    /// `?`: one character.
    One,
}

impl Pattern {
    pub fn new(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let mut joined: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (joined.last_mut(), piece) {
                (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
                (Some(Piece::Any), Piece::Any) => {}
                (_, piece) => joined.push(piece),
            }
        }
        Self(joined)
    }

    pub fn exact(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The text of a pattern without wildcards.
    pub fn as_text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The pattern in lower case, as hosts are stored.
    pub(super) fn in_lower_case(self) -> Self {
        let lower = |piece| match piece {
            Piece::Text(text) => Piece::Text(text.to_lowercase()),
            other => other,
        };
        Self(self.0.into_iter().map(lower).collect())
    }
}

/// Addresses of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    One(IpAddr),
    Network(Network),
    /// From the first to the last, both included.
    Span(IpAddr, IpAddr),
}

impl Addresses {
    pub(super) const EXPECTED: &str = "an address, a network, or two addresses with `-` between them";

    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((first, last)) = text.split_once('-') {
            let (first, last): (IpAddr, IpAddr) = (first.parse().ok()?, last.parse().ok()?);
            return (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Self::Span(first, last));
        }
        let network: Network = text.parse().ok()?;
        Some(if network.is_one_address() { Self::One(network.address()) } else { Self::Network(network) })
    }

    /// The first and the last address.
    pub fn bounds(&self) -> (IpAddr, IpAddr) {
        match self {
            Self::One(address) => (*address, *address),
            Self::Network(network) => (network.address(), network.last()),
            Self::Span(first, last) => (*first, *last),
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(address) => address.fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Span(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// A comparison: `>X`, `X..Y`, `X`.
enum Comparison<'a> {
    Is(&'a str),
    Above(&'a str),
    AtLeast(&'a str),
    Below(&'a str),
    AtMost(&'a str),
    Between(&'a str, &'a str),
}

impl<'a> Comparison<'a> {
    fn parse(text: &'a str) -> Self {
        if let Some(rest) = text.strip_prefix(">=") {
            Self::AtLeast(rest)
        } else if let Some(rest) = text.strip_prefix("<=") {
            Self::AtMost(rest)
        } else if let Some(rest) = text.strip_prefix('>') {
            Self::Above(rest)
        } else if let Some(rest) = text.strip_prefix('<') {
            Self::Below(rest)
        } else if let Some((first, last)) = text.split_once("..") {
            Self::Between(first, last)
        } else {
            Self::Is(text)
        }
    }
}

/// A range of numbers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub from: u64,
    pub to: Option<u64>,
}

impl Numbers {
    pub(super) const EXPECTED: &str = "a number, `>100`, `<=100` or `100..200`";
    /// The largest number that the databases store.
    const MAX: u64 = i64::MAX as u64;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number < Self::MAX);
        let (from, to) = match Comparison::parse(text) {
            Comparison::Is(text) => (number(text)?, Some(number(text)?)),
            Comparison::Above(text) => (number(text)? + 1, None),
            Comparison::AtLeast(text) => (number(text)?, None),
            Comparison::Below(text) => (0, Some(number(text)?.checked_sub(1)?)),
            Comparison::AtMost(text) => (0, Some(number(text)?)),
            Comparison::Between(from, to) => (number(from)?, Some(number(to)?)),
        };
        to.is_none_or(|to| from <= to).then_some(Self { from, to })
    }

    /// Parses a comparison of numbers, or a class of statuses such as `4xx`.
    pub(super) fn parse_status(text: &str) -> Option<Self> {
        let class = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
        match class.map(str::parse::<u64>) {
            Some(Ok(class @ 1..=5)) => Some(Self { from: class * 100, to: Some(class * 100 + 99) }),
            Some(_) => None,
            None => Self::parse(text),
        }
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (from, None) => write!(f, ">={from}"),
            (from, Some(to)) if from == to => write!(f, "{from}"),
            (0, Some(to)) => write!(f, "<={to}"),
            (from, Some(to)) => write!(f, "{from}..{to}"),
        }
    }
}

/// A time range in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    pub from: Option<Timestamp>,
    /// The first millisecond after it.
    pub to: Option<Timestamp>,
}

impl TimeRange {
    /// The range before another one, of the same length.
    pub fn before(from: Timestamp, to: Timestamp) -> Self {
        Self { from: from.checked_sub(to.duration_since(from)).ok(), to: Some(from) }
    }

    /// Describes a single time, for errors.
    pub const MOMENT: &str = "a time such as 2026-01-31, 2026-01-31T09:00:00Z or -24h";
    pub(super) const EXPECTED: &str =
        "a time such as 2026-01-31, 2026-01-31T09:00:00Z, -24h or -7d, also with `>`, `<` or `..`";

    pub(super) fn parse(text: &str, now: Timestamp) -> Option<Self> {
        let moment = |text| Moment::parse(text, now);
        let (from, to) = match Comparison::parse(text) {
            // "-24h" alone means since then.
            Comparison::Is(text) if text.starts_with('-') => (Some(moment(text)?.start), None),
            Comparison::Is(text) => {
                let Moment { start, end } = moment(text)?;
                (Some(start), Some(end))
            }
            Comparison::Above(text) => (Some(moment(text)?.end), None),
            Comparison::AtLeast(text) => (Some(moment(text)?.start), None),
            Comparison::Below(text) => (None, Some(moment(text)?.start)),
            Comparison::AtMost(text) => (None, Some(moment(text)?.end)),
            Comparison::Between(from, to) => (Some(moment(from)?.start), Some(moment(to)?.end)),
        };
        from.zip(to).is_none_or(|(from, to)| from < to).then_some(Self { from, to })
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = |to: Timestamp| to.checked_sub(SignedDuration::from_millis(1)).unwrap_or(to);
        match (self.from, self.to) {
            (Some(from), Some(to)) => write!(f, "{from}..{}", last(to)),
            (None, Some(to)) => write!(f, "<{to}"),
            (Some(from), None) => write!(f, ">={from}"),
            (None, None) => write!(f, ">={}", Timestamp::UNIX_EPOCH),
        }
    }
}

/// The start of a day or a time.
pub fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    Some(Moment::parse(text, now)?.start)
}

/// The range of a time: a day or a millisecond.
struct Moment {
    start: Timestamp,
    end: Timestamp,
}

impl Moment {
    fn parse(text: &str, now: Timestamp) -> Option<Self> {
        if let Some(ago) = text.strip_prefix('-') {
            return Self::at(now.checked_sub(span(ago)?).ok()?);
        }
        if let Ok(date) = text.parse::<Date>()
            && text.len() == "2026-01-31".len()
        {
            let start = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
            return Some(Self { start: start(date)?, end: start(date.tomorrow().ok()?)? });
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Self::at(time);
        }
        // Without a zone, as forms send it.
        let time: DateTime = text.parse().ok().filter(|_| text.contains('T'))?;
        Self::at(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }

    fn at(time: Timestamp) -> Option<Self> {
        let start = Timestamp::from_millisecond(time.as_millisecond()).ok()?;
        Some(Self { start, end: start.checked_add(SignedDuration::from_millis(1)).ok()? })
    }
}

/// `30m`, `24h`, `7d`, `4w`.
fn span(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let number: i64 =
        text.strip_suffix(unit)?.parse().ok().filter(|number| (0..=100_000).contains(number))?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(number * seconds))
}

/// A pattern as the value of a field.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word::write(self, false))
    }
}
