//! The search language of attacks, for URLs, the API and pages: text to [`Filter`], or an error
//! with its column. See `docs/search.md`.
//!
//! `type:sqli,xss -ip:10.0.0.0/8 (path:/api/* OR hits:>100) "union select"`

mod condition;
mod error;
mod field;
mod parser;
mod schema;
mod value;
mod word;

pub use condition::{Condition, HitAction};
pub use error::{Problem, QueryError};
pub use field::Field;
pub use schema::Schema;
pub use value::{Addresses, Numbers, Pattern, Piece, TimeRange, moment};

use crate::attack::{AttackStatus, Mark, Marks};
use jiff::Timestamp;
use std::fmt;

/// A filter on attacks. Prints as the text that parses to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of these; empty: every attack.
    All(Vec<Filter>),
    /// At least one of these.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Condition(Condition),
}

impl Filter {
    /// The maximum length in bytes.
    pub const MAX_LENGTH: usize = 4096;
    /// The maximum nesting of parentheses and `-`.
    pub const MAX_DEPTH: usize = 32;
    /// The maximum number of conditions; each value of a list counts.
    pub const MAX_CONDITIONS: usize = 100;

    /// Times such as `-24h` count from `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        parser::parse(text, now)
    }

    /// Restricts the filter to attacks last seen at or after `time_range.from` and first seen
    /// before `time_range.to`, and conditions on hits to hits of this time.
    #[must_use]
    pub fn within(self, time_range: TimeRange) -> Self {
        let mut filter = self;
        if time_range.from.is_some() {
            filter = filter.and(Condition::LastSeen(TimeRange { from: time_range.from, to: None }).into());
        }
        if time_range.to.is_some() {
            filter = filter.and(Condition::FirstSeen(TimeRange { from: None, to: time_range.to }).into());
        }
        if filter.selects_hits() { filter.during(time_range) } else { filter }
    }

    /// The same for lists of hits: selects the hits of this time, also without conditions on them.
    #[must_use]
    pub fn hits_within(self, time_range: TimeRange) -> Self {
        let filter = self.within(time_range);
        if filter.selects_hits() { filter } else { filter.during(time_range) }
    }

    /// Restricts the filter to hits of a time range.
    #[must_use]
    pub fn during(self, time_range: TimeRange) -> Self {
        if time_range == TimeRange::default() {
            return self;
        }
        self.and(Condition::At(time_range).into())
    }

    /// Whether the filter selects some hits of an attack: it has a condition on hits.
    pub fn selects_hits(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().any(Self::selects_hits),
            Self::Not(filter) => filter.selects_hits(),
            Self::Condition(condition) => condition.is_of_hit(),
        }
    }

    /// The parts of the conjunction that have conditions on hits: `None` without any.
    pub fn of_hits(&self) -> Option<Self> {
        match self {
            Self::All(filters) => {
                let parts: Vec<_> = filters.iter().filter_map(Self::of_hits).collect();
                (!parts.is_empty()).then_some(Self::All(parts))
            }
            other => other.selects_hits().then(|| other.clone()),
        }
    }

    /// A condition that every attack with a matching hit meets: negations of conditions on hits are
    /// left out, because other hits of the attack may meet them.
    #[must_use]
    pub fn of_attacks(&self) -> Self {
        let all = |filters: &[Self]| filters.iter().map(Self::of_attacks).collect();
        match self {
            Self::All(filters) => Self::All(all(filters)),
            Self::Any(filters) => Self::Any(all(filters)),
            Self::Not(filter) if filter.selects_hits() => Self::default(),
            Self::Not(_) | Self::Condition(_) => self.clone(),
        }
    }

    /// Excludes what lists hide by default: false positives, unless the filter has a condition on
    /// marks or ids, and suspicious attacks, unless it selects them.
    #[must_use]
    pub fn without_hidden(self) -> Self {
        let (selects_marks, selects_suspicious) = (self.selects_marks(), self.selects_suspicious());
        let mut filter = self;
        if !selects_marks {
            filter = filter.and_not(Condition::Mark(Marks::Only(Mark::FalsePositive)));
        }
        if !selects_suspicious {
            filter = filter.and_not(Condition::Status(AttackStatus::Suspicious));
        }
        filter
    }

    /// The filter with what [`Self::without_hidden`] leaves out.
    #[must_use]
    pub fn with_hidden(self) -> Self {
        let hidden =
            [Condition::Mark(Marks::Only(Mark::FalsePositive)), Condition::Status(AttackStatus::Suspicious)];
        let hidden = hidden.map(|condition| Self::Not(Box::new(condition.into())));
        match self {
            Self::All(filters) => {
                Self::All(filters.into_iter().filter(|filter| !hidden.contains(filter)).collect())
            }
            other => other,
        }
    }

    fn and_not(self, hidden: Condition) -> Self {
        self.and(Self::Not(Box::new(hidden.into())))
    }

    /// Whether the filter asks for suspicious attacks: by a condition on their status, on the action
    /// of hits, or on ids of requests or attacks.
    pub fn selects_suspicious(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().any(Self::selects_suspicious),
            Self::Not(_) => false,
            Self::Condition(condition) => matches!(
                condition,
                Condition::Status(AttackStatus::Suspicious)
                    | Condition::Action(HitAction::Suspicious | HitAction::Any)
                    | Condition::RequestId(_)
                    | Condition::EdgeRequestId(_)
                    | Condition::Attack(_)
            ),
        }
    }

    fn selects_marks(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().any(Self::selects_marks),
            Self::Not(filter) => filter.selects_marks(),
            Self::Condition(condition) => {
                matches!(
                    condition,
                    Condition::Mark(_)
                        | Condition::RequestId(_)
                        | Condition::EdgeRequestId(_)
                        | Condition::Attack(_)
                )
            }
        }
    }

    /// The excluded attacks, if the filter consists of negations only.
    pub fn left_out(&self) -> Option<Self> {
        match self {
            Self::All(filters) => filters.iter().map(Self::left_out).collect::<Option<_>>().map(Self::Any),
            Self::Not(filter) => Some((**filter).clone()),
            Self::Any(_) | Self::Condition(_) => None,
        }
    }

    /// The conjunction of two filters.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut all = Vec::new();
        for filter in [self, other] {
            match filter {
                Self::All(filters) => all.extend(filters),
                other => all.push(other),
            }
        }
        Self::All(all)
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl From<Condition> for Filter {
    fn from(condition: Condition) -> Self {
        Self::Condition(condition)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(filters) => {
                for (n, filter) in filters.iter().enumerate() {
                    let space = if n == 0 { "" } else { " " };
                    match filter {
                        Self::All(_) | Self::Any(_) => write!(f, "{space}({filter})")?,
                        Self::Not(_) | Self::Condition(_) => write!(f, "{space}{filter}")?,
                    }
                }
                Ok(())
            }
            Self::Any(filters) => {
                for (n, filter) in filters.iter().enumerate() {
                    let or = if n == 0 { "" } else { " OR " };
                    match filter {
                        Self::All(_) | Self::Any(_) => write!(f, "{or}({filter})")?,
                        Self::Not(_) | Self::Condition(_) => write!(f, "{or}{filter}")?,
                    }
                }
                Ok(())
            }
            Self::Not(filter) => match **filter {
                Self::All(_) | Self::Any(_) => write!(f, "-({filter})"),
                Self::Not(_) | Self::Condition(_) => write!(f, "-{filter}"),
            },
            Self::Condition(condition) => condition.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
