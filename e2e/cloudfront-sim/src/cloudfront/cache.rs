//! The cache of the edge.

mod key;
mod lifetime;
mod recording;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::http1::Response;

pub(super) use key::CacheKey;
pub(super) use lifetime::{is_never_shared, lifetime, vary_outside_key};
pub(super) use recording::Recording;

/// Capacity in bytes; the least recently used responses are evicted first. Responses that are being
/// recorded have the same room once more.
const CAPACITY: usize = 64 * 1024 * 1024;
/// The overhead of an entry besides its texts.
const OVERHEAD: usize = 512;

/// A cached response.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    pub(super) response: Response,
    /// A custom error page: viewer-response functions do not run for it.
    pub(super) is_error_page: bool,
    pub(super) since: Timestamp,
    pub(super) fresh_until: Timestamp,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Cache {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<CacheKey, Entry>,
    /// Entries by their last use, oldest first.
    by_use: BTreeMap<u64, CacheKey>,
    uses: u64,
    bytes: usize,
    /// Bytes of responses that are being recorded.
    recording: usize,
    /// Keys with an origin request in progress.
    pending: HashMap<CacheKey, watch::Receiver<Option<Arc<Cached>>>>,
}

#[derive(Debug)]
struct Entry {
    cached: Arc<Cached>,
    bytes: usize,
    last_use: u64,
}

/// The result of a lookup.
pub(super) enum Claim {
    Fresh(Arc<Cached>),
    /// Another request is already at the origin: request collapsing.
    Pending(watch::Receiver<Option<Arc<Cached>>>),
    /// No other request is at the origin; this one calls it.
    Mine(Leader),
}

/// The first of several requests for a missing response. If dropped without an outcome, the others
/// go to the origin.
#[derive(Debug)]
pub(super) struct Leader {
    cache: Cache,
    key: CacheKey,
    /// The cached response that has expired.
    pub(super) stale: Option<Arc<Cached>>,
    outcome: watch::Sender<Option<Arc<Cached>>>,
}

/// The share of one recording in the room for all.
#[derive(Debug)]
struct Room {
    cache: Cache,
    taken: usize,
}

impl Cache {
    pub(super) fn claim(&self, key: &CacheKey, now: Timestamp) -> Claim {
        let mut state = self.lock();
        let existing = state.find(key);
        if let Some(cached) = existing.as_ref().filter(|cached| now < cached.fresh_until) {
            return Claim::Fresh(Arc::clone(cached));
        }
        if let Some(pending) = state.pending.get(key) {
            return Claim::Pending(pending.clone());
        }
        let (outcome, pending) = watch::channel(None);
        state.pending.insert(key.clone(), pending);
        Claim::Mine(Leader { cache: self.clone(), key: key.clone(), stale: existing, outcome })
    }

    /// "Invalidate files to remove content": a path with its query, or a prefix that ends in `*`.
    /// Returns the number of removed responses.
    pub(super) fn invalidate(&self, path: &str) -> usize {
        let mut state = self.lock();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let matching: Vec<_> = state.entries.keys().filter(|key| key.is_at(&path)).cloned().collect();
        for key in &matching {
            state.remove(key);
        }
        matching.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leader {
    /// Hands the response to waiting requests, and caches it if it is cacheable.
    pub(super) fn settle(self, cached: Cached, share: bool) -> Arc<Cached> {
        let cached = Arc::new(cached);
        if cached.fresh_until > cached.since {
            self.cache.lock().insert(self.key.clone(), Arc::clone(&cached));
        }
        if share {
            self.outcome.send_replace(Some(Arc::clone(&cached)));
        }
        cached
    }

    /// Extends the life of the expired response: the origin confirmed it, or failed.
    pub(super) fn extend(self, stale: &Cached, now: Timestamp, by: Duration) -> Arc<Cached> {
        self.settle(Cached { fresh_until: later(now, by), ..stale.clone() }, true)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.cache.lock().pending.remove(&self.key);
    }
}

impl Room {
    fn none(cache: &Cache) -> Self {
        Self { cache: cache.clone(), taken: 0 }
    }

    /// Whether there is room for this many bytes more.
    fn grow(&mut self, bytes: usize) -> bool {
        let mut state = self.cache.lock();
        let fits = state.recording + bytes <= CAPACITY;
        if fits {
            state.recording += bytes;
            self.taken += bytes;
        }
        fits
    }

    fn clear(&mut self) {
        self.cache.lock().recording -= std::mem::take(&mut self.taken);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.clear();
    }
}

impl State {
    /// A cached response to GET also answers HEAD.
    fn find(&mut self, key: &CacheKey) -> Option<Arc<Cached>> {
        let key = match key.as_get() {
            Some(get) if self.entries.contains_key(&get) => get,
            _ => key.clone(),
        };
        self.uses += 1;
        let entry = self.entries.get_mut(&key)?;
        self.by_use.remove(&entry.last_use);
        entry.last_use = self.uses;
        self.by_use.insert(self.uses, key);
        Some(Arc::clone(&entry.cached))
    }

    fn insert(&mut self, key: CacheKey, cached: Arc<Cached>) {
        self.remove(&key);
        let headers = cached.response.headers.0.iter().map(|(name, value)| name.len() + value.len());
        let bytes = OVERHEAD + key.len() + cached.response.body.len() + headers.sum::<usize>();
        if bytes > CAPACITY {
            return;
        }
        self.bytes += bytes;
        self.uses += 1;
        self.by_use.insert(self.uses, key.clone());
        self.entries.insert(key, Entry { cached, bytes, last_use: self.uses });
        while self.bytes > CAPACITY {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &CacheKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
            self.by_use.remove(&entry.last_use);
        }
    }
}

/// Saturating addition.
pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudfront::distribution::Behavior;
    use crate::cloudfront::request::EdgeRequest;
    use crate::http1::{Request, Tap};

    fn key(method: &str, target: &str) -> CacheKey {
        let mut behavior = Behavior::new("origin");
        behavior.cache.query = crate::cloudfront::policy::Selection::All;
        CacheKey::of(&behavior, &EdgeRequest::new(Request::new(method, target, "a.example"), false).unwrap())
    }

    fn insert(cache: &Cache, key: &CacheKey, body: Vec<u8>) {
        let (since, fresh_until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let response = Response::text(200, body);
        let Claim::Mine(leader) = cache.claim(key, since) else { panic!("it is already cached") };
        leader.settle(Cached { response, is_error_page: false, since, fresh_until }, true);
    }

    fn is_cached(cache: &Cache, key: &CacheKey) -> bool {
        matches!(cache.claim(key, Timestamp::UNIX_EPOCH), Claim::Fresh(_))
    }

    #[test]
    fn evicts_the_least_recently_used_response() {
        let cache = Cache::default();
        let [first, second, third] = ["/1", "/2", "/3"].map(|target| key("GET", target));
        insert(&cache, &first, vec![0; CAPACITY / 3]);
        insert(&cache, &second, vec![0; CAPACITY / 3]);
        assert!(is_cached(&cache, &first));
        insert(&cache, &third, vec![0; CAPACITY / 2]);
        assert!(is_cached(&cache, &first) || is_cached(&cache, &third));
        assert!(!is_cached(&cache, &second) && is_cached(&cache, &third));
        let state = cache.lock();
        assert!(state.bytes <= CAPACITY && state.entries.len() == state.by_use.len());
        drop(state);
        insert(&cache, &key("GET", "/huge"), vec![0; CAPACITY]);
        assert!(!is_cached(&cache, &key("GET", "/huge")));
    }

    #[test]
    fn responses_that_are_being_recorded_share_their_room() {
        let cache = Cache::default();
        let keys = ["/1", "/2"].map(|target| key("GET", target));
        let mut recordings = keys.each_ref().map(|key| {
            let Claim::Mine(leader) = cache.claim(key, Timestamp::UNIX_EPOCH) else { panic!("it is cached") };
            let (since, fresh_until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
            let response = Response::new(200);
            Box::new(Recording::new(
                leader,
                Cached { response, is_error_page: false, since, fresh_until },
                true,
            ))
        });
        for recording in &mut recordings {
            recording.part(&vec![0; CAPACITY / 3 * 2]);
        }
        recordings.into_iter().for_each(Tap::end);
        assert!(is_cached(&cache, &keys[0]) && !is_cached(&cache, &keys[1]));
        assert_eq!(cache.lock().recording, 0);
    }

    #[test]
    fn invalidation_removes_a_path_or_a_prefix() {
        let cache = Cache::default();
        for target in ["/a", "/a?x=1", "/a/b", "/b"] {
            insert(&cache, &key("GET", target), Vec::new());
        }
        assert_eq!(cache.invalidate("/a"), 1);
        assert!(is_cached(&cache, &key("GET", "/a?x=1")));
        assert_eq!(cache.invalidate("a*"), 2);
        assert_eq!(cache.invalidate("/*"), 1);
    }

    #[test]
    fn a_response_to_get_answers_head() {
        let cache = Cache::default();
        insert(&cache, &key("GET", "/"), Vec::new());
        assert!(is_cached(&cache, &key("HEAD", "/")) && !is_cached(&cache, &key("OPTIONS", "/")));
    }
}
