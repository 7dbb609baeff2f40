//! Throttling of sign-in attempts: delays that double with each failure, per source, per user and
//! source, and per user.
//!
//! A source is a network: an address of IPv4, a /64 of IPv6. Failures from other networks delay a user for a
//! minute at most, and not from a source the user has signed in from, which the store knows. Tokens are
//! throttled by source only: they cannot be guessed. Each console process counts separately.

use jiff::{SignedDuration, Timestamp};
use listener::network;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// How many attempts are free, and the longest delay after more.
#[derive(Debug, Clone, Copy)]
struct Limit {
    free: u32,
    longest: SignedDuration,
}

/// Of one network, which may be that of a company.
const OF_SOURCE: Limit = Limit { free: 30, longest: SignedDuration::from_mins(15) };
const OF_USER_AND_SOURCE: Limit = Limit { free: 5, longest: SignedDuration::from_mins(15) };
/// From all sources: a denial of service against the user if it were long.
const OF_USER: Limit = Limit { free: 20, longest: SignedDuration::from_mins(1) };
/// When attempts are forgotten.
const MEMORY: SignedDuration = SignedDuration::from_hours(1);
/// Bounds the memory: beyond it the oldest half is forgotten.
const MAX_KEYS: usize = 100_000;
const MAX_NAME_CHARS: usize = 100;

#[derive(Debug, Clone, Default)]
pub struct LoginThrottle(Arc<Mutex<Attempts>>);

#[derive(Debug, Default)]
struct Attempts {
    counts: HashMap<Key, Count>,
}

/// An attempt to sign in.
#[derive(Debug, Clone, Copy)]
pub enum Attempt<'a> {
    Token,
    /// At the OpenID provider, which throttles guesses of passwords.
    Provider,
    Password {
        user: &'a str,
        /// Whether the user has signed in from this source.
        is_known: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Source(IpAddr),
    UserAndSource(String, IpAddr),
    User(String),
}

#[derive(Debug)]
struct Count {
    attempts: u32,
    last: Timestamp,
}

impl LoginThrottle {
    /// Counts an attempt; the seconds to wait if it comes too early, which does not count.
    pub fn enter(&self, attempt: Attempt<'_>, source: IpAddr, now: Timestamp) -> Result<(), u64> {
        let source = network(source);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = vec![(Key::Source(source), OF_SOURCE)];
        if let Attempt::Password { user, is_known } = attempt {
            let user = shortened(user);
            if !is_known {
                keys.push((Key::User(user.clone()), OF_USER));
            }
            keys.push((Key::UserAndSource(user, source), OF_USER_AND_SOURCE));
        }
        let left = keys.iter().filter_map(|(key, limit)| Some(all.counts.get(key)?.left(*limit, now))).max();
        if let Some(left) = left.filter(SignedDuration::is_positive) {
            return Err(left.as_secs().unsigned_abs().max(1));
        }
        all.make_room(now);
        for (key, _) in keys {
            let count = all.counts.entry(key).or_insert(Count { attempts: 0, last: now });
            if now.duration_since(count.last) >= MEMORY {
                count.attempts = 0;
            }
            (count.attempts, count.last) = (count.attempts.saturating_add(1), now);
        }
        Ok(())
    }

    /// Takes back an attempt that succeeded, and forgets the others of the user from this source.
    pub fn succeeded(&self, user: Option<&str>, source: IpAddr) {
        self.undo(user, source);
        let Some(user) = user.map(shortened) else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.counts.remove(&Key::UserAndSource(user, network(source)));
    }

    /// Takes back an attempt whose password was not checked.
    pub fn undo(&self, user: Option<&str>, source: IpAddr) {
        let source = network(source);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let user =
            user.map(shortened).map(|user| [Key::User(user.clone()), Key::UserAndSource(user, source)]);
        for key in user.into_iter().flatten().chain([Key::Source(source)]) {
            if let Some(count) = all.counts.get_mut(&key) {
                count.attempts = count.attempts.saturating_sub(1);
            }
        }
    }
}

/// The start of a name: longer ones belong to no user, and would fill the memory.
fn shortened(user: &str) -> String {
    user.chars().take(MAX_NAME_CHARS).collect()
}

impl Attempts {
    fn make_room(&mut self, now: Timestamp) {
        if self.counts.len() >= MAX_KEYS {
            self.counts.retain(|_, count| now.duration_since(count.last) < MEMORY);
            let mut times: Vec<Timestamp> = self.counts.values().map(|count| count.last).collect();
            if times.len() >= MAX_KEYS {
                let (_, median, _) = times.select_nth_unstable(MAX_KEYS / 2);
                let median = *median;
                self.counts.retain(|_, count| count.last > median);
            }
        }
    }
}

impl Count {
    /// The time left until the next attempt: 1 s after the free ones, doubled by each more.
    fn left(&self, limit: Limit, now: Timestamp) -> SignedDuration {
        let Some(excess) = self.attempts.checked_sub(limit.free) else { return SignedDuration::ZERO };
        let delay = SignedDuration::from_secs(1 << excess.min(20)).min(limit.longest);
        delay - now.duration_since(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

    /// From a network that the user has not signed in from.
    fn password(user: &str) -> Attempt<'_> {
        Attempt::Password { user, is_known: false }
    }

    fn start() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    /// The number of attempts accepted within an hour, one a second.
    fn accepted(throttle: &LoginThrottle, user: &str, source: impl Fn(i64) -> IpAddr) -> usize {
        let attempt = |second| {
            throttle.enter(password(user), source(second), start() + SignedDuration::from_secs(second))
        };
        (0..3_600).filter(|second| attempt(*second).is_ok()).count()
    }

    #[test]
    fn delays_double_with_each_failure() {
        let throttle = LoginThrottle::default();
        let at = |seconds| start() + SignedDuration::from_secs(seconds);
        for _ in 0..5 {
            assert_eq!(throttle.enter(password("ann"), OWN, at(0)), Ok(()));
        }
        assert_eq!(throttle.enter(password("ann"), OWN, at(0)), Err(1));
        assert_eq!(throttle.enter(password("ann"), OWN, at(1)), Ok(()));
        assert_eq!(throttle.enter(password("ann"), OWN, at(1)), Err(2));
        assert_eq!(throttle.enter(password("ann"), OWN, at(3)), Ok(()));
        assert_eq!(throttle.enter(password("ann"), OWN, at(4)), Err(3));
        assert_eq!(throttle.enter(password("bob"), OWN, at(4)), Ok(()));
        assert_eq!(throttle.enter(password("ann"), OWN, at(3_603)), Ok(()), "forgotten after an hour");
    }

    #[test]
    fn an_hour_of_guessing_has_few_attempts() {
        let one_address = accepted(&LoginThrottle::default(), "ann", |_| OWN);
        assert!(one_address <= 20, "{one_address}");
        let one_network = accepted(&LoginThrottle::default(), "ann", |second| {
            format!("2001:db8::{second:x}").parse().unwrap()
        });
        assert!(one_network <= 20, "{one_network}");
        let many_networks = accepted(&LoginThrottle::default(), "ann", |second| {
            format!("2001:db8:0:{second:x}::1").parse().unwrap()
        });
        assert!(many_networks <= 90, "{many_networks}");
        let throttle = LoginThrottle::default();
        let many_users = (0..3_600).filter(|second| {
            let at = start() + SignedDuration::from_secs(*second);
            throttle.enter(password(&format!("user {second}")), OWN, at).is_ok()
        });
        assert!(many_users.count() <= 50);
    }

    #[test]
    fn other_networks_delay_a_user_briefly_and_not_from_a_known_source() {
        let throttle = LoginThrottle::default();
        for number in 0..1_000_u32 {
            let _delayed = throttle.enter(password("ann"), IpAddr::from(number.to_be_bytes()), start());
        }
        let known = Attempt::Password { user: "ann", is_known: true };
        assert_eq!(throttle.enter(known, OWN, start()), Ok(()));
        let elsewhere = throttle.enter(password("ann"), [198, 51, 100, 1].into(), start()).unwrap_err();
        assert!(elsewhere <= 60, "{elsewhere}");
    }

    #[test]
    fn successful_sign_ins_and_unchecked_passwords_do_not_count() {
        let throttle = LoginThrottle::default();
        for number in 0..100 {
            let user = format!("user {}", number % 50);
            assert_eq!(throttle.enter(password(&user), OWN, start()), Ok(()));
            throttle.succeeded(Some(&user), OWN);
            assert_eq!(throttle.enter(Attempt::Token, OWN, start()), Ok(()));
            throttle.succeeded(None, OWN);
            assert_eq!(throttle.enter(password("ann"), OWN, start()), Ok(()));
            throttle.undo(Some("ann"), OWN);
        }
    }

    #[test]
    fn invented_users_take_bounded_memory() {
        let throttle = LoginThrottle::default();
        for number in 0..120_000_u32 {
            let source = IpAddr::from((number | 1 << 30).to_be_bytes());
            let at = start() + SignedDuration::from_millis(number.into());
            throttle.enter(password(&number.to_string()), source, at).unwrap();
        }
        assert!(throttle.0.lock().unwrap().counts.len() <= MAX_KEYS + 3);
    }
}
