//! Throttling of sign-in attempts: a fixed window per user name and per client address.
//!
//! Tokens are throttled by address only: they cannot be guessed. Each console process counts
//! separately.

use jiff::{SignedDuration, Timestamp};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

const WINDOW: SignedDuration = SignedDuration::from_mins(5);
const PER_USER: u32 = 10;
const PER_SOURCE: u32 = 30;
/// Bounds the memory: beyond it every attempt is rejected until windows end.
const MAX_KEYS: usize = 100_000;

#[derive(Debug, Clone, Default)]
pub struct LoginThrottle(Arc<Mutex<HashMap<Key, Attempts>>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    User(String),
    Source(IpAddr),
}

#[derive(Debug)]
struct Attempts {
    since: Timestamp,
    count: u32,
}

impl LoginThrottle {
    /// Counts an attempt; the seconds to wait if the limit is reached.
    pub fn enter(&self, user: Option<&str>, source: IpAddr, now: Timestamp) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, attempts| attempts.left(now).is_positive());
        if all.len() >= MAX_KEYS {
            return Err(WINDOW.as_secs().unsigned_abs());
        }
        let user = user.map(|user| (Key::User(user.to_owned()), PER_USER));
        let keys: Vec<_> = user.into_iter().chain([(Key::Source(source), PER_SOURCE)]).collect();
        for (key, limit) in &keys {
            if let Some(attempts) = all.get(key).filter(|attempts| attempts.count >= *limit) {
                return Err(attempts.left(now).as_secs().unsigned_abs().max(1));
            }
        }
        for (key, _) in keys {
            all.entry(key).or_insert(Attempts { since: now, count: 0 }).count += 1;
        }
        Ok(())
    }

    /// Resets the count of the user. The address keeps its count.
    pub fn succeeded(&self, user: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&Key::User(user.to_owned()));
    }
}

impl Attempts {
    fn left(&self, now: Timestamp) -> SignedDuration {
        WINDOW - now.duration_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_attempts_per_user_and_per_address() {
        let (throttle, source) = (LoginThrottle::default(), IpAddr::from([203, 0, 113, 7]));
        let start: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let seconds = |n| start + SignedDuration::from_secs(n);
        for _ in 0..10 {
            assert_eq!(throttle.enter(Some("ann"), source, start), Ok(()));
        }
        assert_eq!(throttle.enter(Some("ann"), [198, 51, 100, 1].into(), seconds(60)), Err(240));
        for n in 0..20 {
            assert_eq!(throttle.enter(Some(&format!("user {n}")), source, seconds(60)), Ok(()));
        }
        assert_eq!(throttle.enter(Some("bob"), source, seconds(60)), Err(240));
        assert_eq!(throttle.enter(Some("bob"), [198, 51, 100, 1].into(), seconds(60)), Ok(()));
        assert_eq!(throttle.enter(Some("ann"), source, seconds(300)), Ok(()));
    }

    #[test]
    fn success_resets_the_count_of_the_user() {
        let (throttle, now) = (LoginThrottle::default(), "2026-01-01T12:00:00Z".parse().unwrap());
        for n in 0..25 {
            assert_eq!(throttle.enter(Some("ann"), [203, 0, 113, n].into(), now), Ok(()));
            throttle.succeeded("ann");
        }
    }
}
