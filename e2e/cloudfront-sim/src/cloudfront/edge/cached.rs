//! The cache stage, between viewer and origin functions.

use jiff::Timestamp;

use super::{Answer, ERROR, Edge, Fetched, HIT, REFRESH_HIT};
use crate::cloudfront::DistributionConfig;
use crate::cloudfront::cache::{
    CacheKey, Cached, Claim, Leader, Recording, is_never_shared, later, lifetime, vary_outside_key,
};
use crate::cloudfront::distribution::ErrorCaching;
use crate::cloudfront::event::Viewer;
use crate::cloudfront::failure::Failure;
use crate::cloudfront::forward;
use crate::cloudfront::request::EdgeRequest;
use crate::http1::{Body, Response};

impl Edge {
    pub(super) async fn look_up(
        &self,
        viewer: &Viewer<'_>,
        mut request: EdgeRequest,
        body: Body,
    ) -> Result<Answer, Failure> {
        if let (b"/", Some(root)) = (request.path.as_slice(), &self.config.default_root_object) {
            request.path = format!("/{root}").into_bytes();
        }
        forward::add_own_headers(viewer, &mut request);
        let policy = &viewer.behavior.cache;
        if policy.is_disabled() || !viewer.behavior.caches(&request.method) || request.is_websocket {
            let fetched = self.call_origins(viewer, &request, body, None).await?;
            return Ok(self.with_error_page(viewer, &request, fetched).await);
        }
        let key = CacheKey::of(viewer.behavior, &request);
        match self.cache.claim(&key, self.clock.now()) {
            Claim::Fresh(cached) => Ok(self.hit(&cached)),
            Claim::Mine(leader) => self.lead(viewer, &request, body, leader).await,
            Claim::Pending(mut pending) => {
                // The leader was dropped without an outcome.
                let shared = pending.wait_for(Option::is_some).await.ok().and_then(|cached| cached.clone());
                if let Some(cached) = shared {
                    return Ok(self.hit(&cached));
                }
                match self.cache.claim(&key, self.clock.now()) {
                    Claim::Fresh(cached) => Ok(self.hit(&cached)),
                    Claim::Mine(leader) => self.lead(viewer, &request, body, leader).await,
                    // Waiting again would serialize requests that cannot share a response.
                    Claim::Pending(_) => {
                        let fetched = self.call_origins(viewer, &request, body, None).await?;
                        Ok(self.with_error_page(viewer, &request, fetched).await)
                    }
                }
            }
        }
    }

    /// Calls the origin for all requests with the same key.
    async fn lead(
        &self,
        viewer: &Viewer<'_>,
        request: &EdgeRequest,
        body: Body,
        leader: Leader,
    ) -> Result<Answer, Failure> {
        let stale = leader.stale.clone();
        let fetched = self.call_origins(viewer, request, body, stale.as_deref()).await?;
        let now = self.clock.now();
        if let Some(stale) = stale.filter(|stale| stale.response.status < 400 && !fetched.is_generated) {
            let keep = lifetime(&self.config, viewer.behavior, &stale.response, now);
            if fetched.own_status == 304 {
                let cached = leader.extend(&Cached { since: now, ..(*stale).clone() }, now, keep);
                return Ok(Answer { x_cache: REFRESH_HIT, ..self.hit(&cached) });
            }
            if fetched.own_status >= 500 && now < later(stale.since, viewer.behavior.cache.max_ttl) {
                let keep = lifetime(&self.config, viewer.behavior, &fetched.response, now);
                return Ok(self.hit(&leader.extend(&stale, now, keep)));
            }
        }
        let keep = lifetime(&self.config, viewer.behavior, &fetched.response, now);
        self.warn_about(viewer, request, &fetched, now);
        let share = !is_never_shared(&viewer.behavior.cache, &fetched.response, now);
        let answer = self.with_error_page(viewer, request, fetched).await;
        Ok(record(leader, answer, now, later(now, keep), share))
    }

    fn hit(&self, cached: &Cached) -> Answer {
        let mut response = cached.response.clone();
        let age = self.clock.now().duration_since(cached.since).as_secs().max(0);
        response.headers.set("Age", age.to_string());
        let x_cache = if response.status >= 400 { ERROR } else { HIT };
        Answer { response: response.into(), x_cache, is_error_page: cached.is_error_page }
    }

    fn warn_about(&self, viewer: &Viewer, request: &EdgeRequest, fetched: &Fetched, now: Timestamp) {
        let Fetched { response, is_generated, .. } = fetched;
        let keep = |error_caching| {
            let config = DistributionConfig { error_caching, ..self.config.clone() };
            lifetime(&config, viewer.behavior, response, now)
        };
        let time = lifetime(&self.config, viewer.behavior, response, now);
        let (status, path) = (response.status, request.uri());
        if status >= 400 && !time.is_zero() && time > keep(ErrorCaching::Documented) {
            let source = if *is_generated { "a function's" } else { "the origin's" };
            self.warnings.warn(format!(
                "{source} {status} for {path} is cached for {} s and served to all visitors with the same cache key; \
                 AWS's pages permit this. Set ErrorCachingMinTTL to 0 and send no-store, or respond at viewer-request",
                time.as_secs()
            ));
        }
        if let Some(outside) = vary_outside_key(viewer.behavior, response).filter(|_| !time.is_zero()) {
            self.warnings.warn(format!(
                "the response to {path} varies by {outside}, which is not in the cache key: visitors get responses \
                 for others"
            ));
        }
    }
}

/// Hands the response to waiting requests and to the cache: now, or when its body has been
/// forwarded.
fn record(
    leader: Leader,
    mut answer: Answer,
    since: Timestamp,
    fresh_until: Timestamp,
    share: bool,
) -> Answer {
    let Response { status, reason, headers, body } = &mut answer.response;
    let complete = body.complete().map(<[u8]>::to_vec);
    let is_complete = complete.is_some();
    let (status, reason, headers) = (*status, reason.clone(), headers.clone());
    let response = Response { status, reason, headers, body: complete.unwrap_or_default() };
    let cached = Cached { response, is_error_page: answer.is_error_page, since, fresh_until };
    if is_complete {
        leader.settle(cached, share);
    } else if share || fresh_until > since {
        body.tap(Recording::new(leader, cached, share));
    }
    answer
}
