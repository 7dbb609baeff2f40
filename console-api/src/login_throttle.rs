//! How often somebody may try to sign in: so often within five minutes as each user (not with
//! tokens, which nobody guesses), and from each address. Kept by this
//! process; a console beside it counts for itself.

use jiff::{SignedDuration, Timestamp};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

const WINDOW: SignedDuration = SignedDuration::from_mins(5);
const PER_USER: u32 = 10;
const PER_SOURCE: u32 = 30;
/// More would fill the memory: then nobody new may try until the window is over.
const MOST: usize = 100_000;

#[derive(Debug, Clone, Default)]
pub struct LoginThrottle(Arc<Mutex<HashMap<Key, Tries>>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    User(String),
    Source(IpAddr),
}

#[derive(Debug)]
struct Tries {
    since: Timestamp,
    count: u32,
}

impl LoginThrottle {
    /// One more try; when there were too many, the seconds until the next.
    pub fn enter(&self, user: Option<&str>, source: IpAddr, now: Timestamp) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, tries| tries.left(now).is_positive());
        if all.len() >= MOST {
            return Err(WINDOW.as_secs().unsigned_abs());
        }
        let user = user.map(|user| (Key::User(user.to_owned()), PER_USER));
        let keys: Vec<_> = user.into_iter().chain([(Key::Source(source), PER_SOURCE)]).collect();
        for (key, most) in &keys {
            if let Some(tries) = all.get(key).filter(|tries| tries.count >= *most) {
                return Err(tries.left(now).as_secs().unsigned_abs().max(1));
            }
        }
        for (key, _) in keys {
            all.entry(key).or_insert(Tries { since: now, count: 0 }).count += 1;
        }
        Ok(())
    }

    /// The right password makes up for what the user got wrong before. The address keeps its count.
    pub fn succeeded(&self, user: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&Key::User(user.to_owned()));
    }
}

impl Tries {
    fn left(&self, now: Timestamp) -> SignedDuration {
        WINDOW - now.duration_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_an_address_have_so_many_tries_each() {
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
    fn the_right_password_starts_a_user_anew() {
        let (throttle, now) = (LoginThrottle::default(), "2026-01-01T12:00:00Z".parse().unwrap());
        for n in 0..25 {
            assert_eq!(throttle.enter(Some("ann"), [203, 0, 113, n].into(), now), Ok(()));
            throttle.succeeded("ann");
        }
    }
}
