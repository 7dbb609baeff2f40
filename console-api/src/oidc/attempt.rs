//! An attempt to sign in, between the redirect to the provider and the one back.

use crate::sealing::{Keyring, Location, Sealed};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long the user may take at the provider.
pub const ATTEMPT: SignedDuration = SignedDuration::from_mins(10);

/// What the end of a sign-in needs, sealed in a cookie of its browser.
// Without `Debug`: it has secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInAttempt {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    /// The page to return to.
    pub to: String,
    expires_at: Timestamp,
}

impl SignInAttempt {
    /// Longer addresses would not fit into a cookie.
    const MAX_TARGET: usize = 1_500;

    pub(super) fn new((state, nonce, verifier): (String, String, String), to: &str, now: Timestamp) -> Self {
        let to = if to.len() <= Self::MAX_TARGET { to.to_owned() } else { String::new() };
        Self { state, nonce, verifier, to, expires_at: now + ATTEMPT }
    }

    /// The value of the cookie.
    pub fn seal(&self, keys: &Keyring) -> String {
        let text = serde_json::to_string(self).expect("an attempt consists of texts and a time");
        keys.seal(&Location::sign_in_cookie(), &text).as_str().to_owned()
    }

    /// The attempt of a cookie; `None`: not sealed by this console, or too old.
    pub fn open(keys: &Keyring, cookie: &str, now: Timestamp) -> Option<Self> {
        let sealed = Sealed::parse(cookie)?;
        let text = keys.open(&Location::sign_in_cookie(), &sealed).ok()?;
        let attempt: Self = serde_json::from_str(&text).ok()?;
        (now < attempt.expires_at).then_some(attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealing::KeyFile;

    #[test]
    fn a_cookie_opens_for_ten_minutes_with_the_key_that_sealed_it() {
        let dir = tempfile::tempdir().unwrap();
        let keys = |name: &str| {
            let file = KeyFile::at(dir.path().join(name));
            Keyring::new(file.clone(), file.load_or_create().unwrap())
        };
        let (own, other, now) = (keys("own"), keys("other"), Timestamp::UNIX_EPOCH);
        let parts = ("state".to_owned(), "nonce".to_owned(), "verifier".to_owned());
        let attempt = SignInAttempt::new(parts.clone(), "/rules?q=1", now);
        let cookie = attempt.seal(&own);
        assert!(cookie.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_:".contains(&it)), "{cookie}");
        let opened = |keys, cookie: &str, at| SignInAttempt::open(keys, cookie, at).is_some();
        assert!(opened(&own, &cookie, now + SignedDuration::from_secs(599)));
        assert!(!opened(&own, &cookie, now + ATTEMPT));
        assert!(!opened(&other, &cookie, now));
        let changed = cookie.replace(&cookie[cookie.len() - 5..], "AAAAA");
        for wrong in ["", "sealed:v1:x:y", "x", &changed] {
            assert!(!opened(&own, wrong, now), "{wrong}");
        }
        let long = SignInAttempt::new(parts, &"/".repeat(4_000), now);
        assert!(long.to.is_empty() && long.seal(&own).len() < 4_000);
    }
}
