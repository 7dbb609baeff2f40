//! Automatic list entries: sources that behavior controls put on a list, each for a time.

use decision::Visitor;
use jiff::Timestamp;
use shared::{AttackType, ListRef, ruleset::List};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{PoisonError, RwLock},
};
use uuid::Uuid;

/// Bounded: when full, expired entries are evicted, then those that expire next.
#[derive(Debug)]
pub struct AutomaticLists {
    entries: RwLock<HashMap<Key, Entry>>,
    capacity: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    list: List,
    address: IpAddr,
    application: Option<u32>,
}

#[derive(Debug, Clone)]
struct Entry {
    id: Uuid,
    until: Timestamp,
    cause: AttackType,
}

impl AutomaticLists {
    const CAPACITY: usize = 100_000;

    fn with_capacity(capacity: usize) -> Self {
        Self { entries: RwLock::default(), capacity }
    }

    /// Puts a source on a list for requests to one application or to all; they count as attacks of
    /// the type `cause`. The end of an entry is extended, never shortened.
    pub fn put(
        &self,
        list: List,
        address: IpAddr,
        application: Option<u32>,
        (until, cause): (Timestamp, AttackType),
        now: Timestamp,
    ) {
        let key = Key { list, address: address.to_canonical(), application };
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entries.get_mut(&key).filter(|known| now < known.until) {
            known.until = known.until.max(until);
            return;
        }
        if entries.len() >= self.capacity {
            make_room(&mut entries, now);
        }
        entries.insert(key, Entry { id: Uuid::now_v7(), until, cause });
    }

    /// The visitor's entry, and the attack type that caused it.
    pub fn find(&self, list: List, visitor: &Visitor<'_>, now: Timestamp) -> Option<(ListRef, AttackType)> {
        let address = visitor.address?.to_canonical();
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        if entries.is_empty() {
            return None;
        }
        let of = |application| entries.get(&Key { list, address, application });
        let own = visitor.application.and_then(|application| of(Some(application)));
        let entry = [own, of(None)].into_iter().flatten().find(|entry| now < entry.until)?;
        Some((ListRef { list, id: entry.id }, entry.cause.clone()))
    }
}

impl Default for AutomaticLists {
    fn default() -> Self {
        Self::with_capacity(Self::CAPACITY)
    }
}

/// Evicts a quarter at once, so that the next call does not search again.
fn make_room(entries: &mut HashMap<Key, Entry>, now: Timestamp) {
    let before = entries.len();
    entries.retain(|_, entry| now < entry.until);
    if entries.len() == before {
        let mut ends: Vec<Timestamp> = entries.values().map(|entry| entry.until).collect();
        let (_, quarter, _) = ends.select_nth_unstable(before / 4);
        let quarter = *quarter;
        entries.retain(|_, entry| entry.until > quarter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan as _;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + minute.minutes()
    }

    fn visitor(n: u32, application: Option<u32>) -> Visitor<'static> {
        Visitor { address: Some(std::net::Ipv4Addr::from_bits(n).into()), application, ..Visitor::default() }
    }

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn lists_a_source_for_its_time_and_application() {
        let lists = AutomaticLists::default();
        lists.put(List::Gray, address(1), Some(7), (at(10), AttackType::Brute), at(0));
        let find = |list, application, minute| lists.find(list, &visitor(1, application), at(minute));
        assert_eq!(find(List::Gray, Some(7), 9).unwrap().1, AttackType::Brute);
        for (list, application, minute) in [
            (List::Gray, Some(7), 10),
            (List::Gray, Some(8), 9),
            (List::Gray, None, 9),
            (List::Deny, Some(7), 9),
        ] {
            assert_eq!(find(list, application, minute), None);
        }
    }

    #[test]
    fn extends_an_entry_and_never_shortens_it() {
        let lists = AutomaticLists::default();
        for until in [10, 20, 5] {
            lists.put(List::Deny, address(1), None, (at(until), AttackType::Brute), at(0));
        }
        assert!(lists.find(List::Deny, &visitor(1, Some(3)), at(19)).is_some());
    }

    #[test]
    fn a_full_list_evicts_what_expires_first() {
        let lists = AutomaticLists::with_capacity(100);
        for n in 1..=1_000 {
            lists.put(List::Deny, address(n), None, (at(i64::from(n) + 10), AttackType::Brute), at(0));
            assert!(lists.entries.read().unwrap().len() <= 100);
        }
        assert!(lists.find(List::Deny, &visitor(1_000, None), at(0)).is_some());
        assert!(lists.find(List::Deny, &visitor(1, None), at(0)).is_none());
    }
}
