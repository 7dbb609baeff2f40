//! Counts of distinct values per source: exact, in sliding windows, in bounded memory.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
};

/// A count: control and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Position of the control in the configuration.
    pub(super) control: usize,
    pub(super) source: IpAddr,
}

/// A window of time, and the highest count in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) millis: i64,
    pub(super) limit: usize,
}

/// Windows by key. When the memory is full, the least recently used window is evicted.
#[derive(Debug)]
pub(super) struct Counters {
    windows: HashMap<Key, Window>,
    /// Keys by the clock of their last use.
    by_age: BTreeMap<u64, Key>,
    clock: u64,
    members: usize,
    max_windows: usize,
    max_members: usize,
    evicted: u64,
}

/// Hashes of values with their latest times, the oldest first.
#[derive(Debug, Default)]
struct Window {
    used: u64,
    members: VecDeque<(u64, i64)>,
}

impl Counters {
    /// On average; few sources approach a threshold.
    const MEMBERS_PER_WINDOW: usize = 8;

    pub(super) fn new(max_windows: usize) -> Self {
        Self {
            windows: HashMap::new(),
            by_age: BTreeMap::new(),
            clock: 0,
            members: 0,
            max_windows,
            max_members: max_windows.saturating_mul(Self::MEMBERS_PER_WINDOW),
            evicted: 0,
        }
    }

    /// Records a member and returns the number of distinct members in the window that ends now.
    /// Counts up to `limit`: only the latest are kept, and older ones cannot matter.
    pub(super) fn record(&mut self, key: Key, member: u64, now: i64, span: Span) -> usize {
        self.touch(key, |window| {
            let now = window.advance(now, span);
            window.members.retain(|(known, _)| *known != member);
            window.members.push_back((member, now));
            if window.members.len() > span.limit {
                window.members.pop_front();
            }
            window.members.len()
        })
    }

    /// Admits at most `limit` distinct members in any window, or returns the milliseconds to wait.
    pub(super) fn admit(&mut self, key: Key, member: u64, now: i64, span: Span) -> Result<(), i64> {
        self.touch(key, |window| {
            let now = window.advance(now, span);
            if window.members.iter().any(|(known, _)| *known == member) {
                return Ok(());
            }
            if window.members.len() < span.limit {
                window.members.push_back((member, now));
                return Ok(());
            }
            let oldest = window.members.front().map_or(now, |(_, at)| *at);
            Err(oldest + span.millis - now)
        })
    }

    /// The members of a window, the oldest first.
    pub(super) fn members(&self, key: Key) -> Vec<(u64, i64)> {
        self.windows.get(&key).map(|window| window.members.iter().copied().collect()).unwrap_or_default()
    }

    /// Merges members recorded by other nodes. A source evicted meanwhile stays evicted.
    pub(super) fn merge(&mut self, key: Key, members: impl Iterator<Item = (u64, i64)>, span: Span) {
        let Some(window) = self.windows.get_mut(&key) else { return };
        self.members -= window.members.len();
        window.merge(members, span);
        self.members += window.members.len();
        self.make_room();
    }

    fn touch<T>(&mut self, key: Key, change: impl FnOnce(&mut Window) -> T) -> T {
        self.clock += 1;
        let window = self.windows.entry(key).or_default();
        self.by_age.remove(&window.used);
        window.used = self.clock;
        self.by_age.insert(self.clock, key);
        let before = window.members.len();
        let result = change(window);
        self.members = self.members + window.members.len() - before;
        self.make_room();
        result
    }

    fn make_room(&mut self) {
        while (self.windows.len() > self.max_windows || self.members > self.max_members)
            && self.windows.len() > 1
        {
            let Some((_, oldest)) = self.by_age.pop_first() else { return };
            let window = self.windows.remove(&oldest).unwrap_or_default();
            self.members -= window.members.len();
            self.evicted += 1;
        }
    }

    /// Windows evicted because the memory was full.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn len(&self) -> usize {
        self.windows.len()
    }
}

impl Window {
    fn merge(&mut self, members: impl Iterator<Item = (u64, i64)>, span: Span) {
        let mut latest: HashMap<u64, i64> = HashMap::new();
        for (member, at) in self.members.drain(..).chain(members) {
            let known = latest.entry(member).or_insert(at);
            *known = at.max(*known);
        }
        self.members.extend(latest);
        self.members.make_contiguous().sort_unstable_by_key(|(member, at)| (*at, *member));
        let surplus = self.members.len().saturating_sub(span.limit);
        self.members.drain(..surplus);
    }

    /// Drops members that have left the window. Returns the time, which never goes back.
    fn advance(&mut self, now: i64, span: Span) -> i64 {
        let now = self.members.back().map_or(now, |(_, last)| now.max(*last));
        while self.members.pop_front_if(|(_, at)| *at <= now - span.millis).is_some() {}
        now
    }
}

#[cfg(test)]
mod tests;
