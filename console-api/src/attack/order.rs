//! The order of lists of attacks.

use super::Attack;

/// The sort key; the id is the tie-breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub by: SortKey,
    pub descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    FirstSeen,
    LastSeen,
    Hits,
    Blocked,
    Sources,
}

impl Order {
    pub const EXPECTED: &str =
        "first_seen, last_seen, hits, blocked or sources, with `-` before it for descending";

    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('-');
        let by = SortKey::ALL.into_iter().find(|key| key.name() == name.unwrap_or(text))?;
        Some(Self { by, descending: name.is_some() })
    }

    /// The text form, which parses to the same order.
    pub fn text(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.by.name())
    }
}

impl Default for Order {
    fn default() -> Self {
        Self { by: SortKey::LastSeen, descending: true }
    }
}

impl SortKey {
    pub const ALL: [Self; 5] = [Self::FirstSeen, Self::LastSeen, Self::Hits, Self::Blocked, Self::Sources];

    pub fn name(self) -> &'static str {
        match self {
            Self::FirstSeen => "first_seen",
            Self::LastSeen => "last_seen",
            Self::Hits => "hits",
            Self::Blocked => "blocked",
            Self::Sources => "sources",
        }
    }

    /// The sort key of an attack, as stored.
    pub(crate) fn of(self, attack: &Attack) -> i64 {
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        match self {
            Self::FirstSeen => attack.first_seen.as_millisecond(),
            Self::LastSeen => attack.last_seen.as_millisecond(),
            Self::Hits => number(attack.hits),
            Self::Blocked => number(attack.blocked),
            Self::Sources => number(attack.sources),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_reads_back() {
        for by in SortKey::ALL {
            for descending in [true, false] {
                let order = Order { by, descending };
                assert_eq!(Order::parse(&order.text()), Some(order));
            }
        }
        assert_eq!(Order::parse("--hits"), None);
    }
}
