//! The path of a request: viewer-request, cache, origin-request, origin, origin-response,
//! viewer-response.

mod admission;
mod cached;
mod error_page;
mod origin;

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use uuid::Uuid;

use super::cache::Cache;
use super::distribution::Origin;
use super::event::Viewer;
use super::failure::Failure;
use super::forward::append;
use super::outcome::{self, RequestOutcome};
use super::policy::CorsRequest;
use super::request::{EdgeRequest, text};
use super::warnings::Warnings;
use super::{Association, DistributionConfig, Trigger, ViewerProtocol, limits};
use crate::clock::Clock;
use crate::http1::{Body, Client, Peer, Request, Response, Tap};
use admission::{admit, to_https};

const HIT: &str = "Hit from cloudfront";
const REFRESH_HIT: &str = "RefreshHit from cloudfront";
const MISS: &str = "Miss from cloudfront";
const GENERATED: &str = "LambdaGeneratedResponse from cloudfront";
const REDIRECT: &str = "Redirect from cloudfront";
const ERROR: &str = "Error from cloudfront";

/// The simulated edge location.
const POP: &str = "FRA56-P1";

/// A distribution's edge, independent of listeners.
#[derive(Debug)]
pub struct Edge {
    config: DistributionConfig,
    clock: Clock,
    cache: Cache,
    warnings: Warnings,
    /// By origin id, since each origin has its own timeout.
    clients: HashMap<String, Client>,
    /// The edge's element of `Via`.
    via: String,
    in_flight: Arc<AtomicUsize>,
}

/// A request in progress, until its response was sent.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

/// A response with its `X-Cache` value.
struct Answer {
    response: Response<Body>,
    x_cache: &'static str,
    /// Custom error pages do not run viewer-response.
    is_error_page: bool,
}

/// A response of the origin stage.
struct Fetched {
    response: Response<Body>,
    is_generated: bool,
    /// The origin's own status, before origin-response; for a failed origin, the status of the
    /// failure.
    own_status: u16,
}

impl Edge {
    pub fn new(config: DistributionConfig, clock: Clock) -> Self {
        let via = format!("1.1 {}.cloudfront.net (CloudFront)", Uuid::new_v4().simple());
        let client = |origin: &Origin| (origin.id.clone(), Client::new(origin.read_timeout));
        let clients = config.origins.iter().map(client).collect();
        Self {
            config,
            clock,
            cache: Cache::default(),
            warnings: Warnings::default(),
            clients,
            via,
            in_flight: Arc::default(),
        }
    }

    /// Invalidates a path, or all paths with a prefix that ends in `*`. Returns the number of
    /// removed responses.
    pub fn invalidate(&self, path: &str) -> usize {
        self.cache.invalidate(path)
    }

    /// The last hundred warnings about permitted behavior with unexpected effects in production.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.texts()
    }

    /// Number of requests in progress.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub async fn serve(&self, request: Request<Body>, peer: Peer) -> Response<Body> {
        let counted = Counted::new(&self.in_flight);
        let request_id = request_id();
        let line = format!("{} {}", request.method, text(&request.target));
        let answer = self.answer(&request_id, peer, request).await.unwrap_or_else(|failure| {
            let cause = failure.source().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(request_id, cause, "{failure}");
            Answer::new(failure.page(), failure.x_cache())
        });
        tracing::info!(request_id, status = answer.response.status, x_cache = answer.x_cache, "{line:?}");
        let mut response = self.sign(answer, &request_id);
        if response.body.complete().is_none() {
            response.body.tap(counted);
        }
        response
    }

    async fn answer(&self, request_id: &str, peer: Peer, request: Request<Body>) -> Result<Answer, Failure> {
        let cors = CorsRequest::of(&request);
        let (request, mut body) = admit(request, peer.version).await?;
        let behavior = self.config.behavior(&request.uri());
        let viewer = Viewer { config: &self.config, behavior, request_id, peer };
        if peer.tls.is_none() && behavior.viewer_protocol != ViewerProtocol::AllowAll {
            return to_https(behavior.viewer_protocol, &request);
        }
        if !behavior.allowed_methods.contains(&request.method) {
            let why = "This distribution is not configured to allow the HTTP request method.";
            return Err(Failure::Refused { status: 403, why });
        }
        let mut answer =
            match self.on_request(&viewer, None, Trigger::ViewerRequest, request, &mut body).await? {
                // A response generated here runs no other function.
                RequestOutcome::Respond(response) => Answer::generated(response),
                RequestOutcome::Continue(request, _) => {
                    let answer = self.look_up(&viewer, request.clone(), body).await?;
                    self.on_viewer_response(&viewer, &request, answer).await?
                }
            };
        behavior.response_headers.apply(&cors, &mut answer.response);
        Ok(answer)
    }

    async fn on_request(
        &self,
        viewer: &Viewer<'_>,
        origin: Option<&Origin>,
        trigger: Trigger,
        request: EdgeRequest,
        body: &mut Body,
    ) -> Result<RequestOutcome, Failure> {
        let Some(to) = viewer.behavior.functions.at(trigger) else {
            return Ok(RequestOutcome::Continue(request, None));
        };
        if to.shows_body_of(&request) {
            body.read_ahead(limits::shown_body(trigger) + 1).await?;
        }
        let event = viewer.request_event(trigger, to, origin, &request, body.ahead());
        let result = invoke(to, trigger, &event).await?;
        let outcome = outcome::of_request(viewer, trigger, origin, to.include_body, request, &result);
        let mut outcome = outcome.map_err(|source| Failure::Validation { trigger, source })?;
        if let RequestOutcome::Continue(_, Some(replaced)) = &mut outcome {
            *body = std::mem::take(replaced).into();
        }
        Ok(outcome)
    }

    async fn on_response(
        &self,
        viewer: &Viewer<'_>,
        origin: Option<&Origin>,
        trigger: Trigger,
        request: &EdgeRequest,
        response: Response<Body>,
    ) -> Result<Response<Body>, Failure> {
        let to = viewer.behavior.functions.at(trigger);
        // A function could not return this status: 200 to 599 are valid.
        let Some(to) = to.filter(|_| response.status != 101) else { return Ok(response) };
        let event = viewer.response_event(trigger, origin, request, &response);
        let result = invoke(to, trigger, &event).await?;
        outcome::of_response(trigger, response, &result)
            .map_err(|source| Failure::Validation { trigger, source })
    }

    /// "Restrictions on all edge functions", status codes: not run for 400 and above.
    async fn on_viewer_response(
        &self,
        viewer: &Viewer<'_>,
        request: &EdgeRequest,
        answer: Answer,
    ) -> Result<Answer, Failure> {
        if answer.response.status >= 400 || answer.is_error_page {
            return Ok(answer);
        }
        let trigger = Trigger::ViewerResponse;
        let response = self.on_response(viewer, None, trigger, request, answer.response).await?;
        Ok(Answer { response, ..answer })
    }

    fn sign(&self, Answer { mut response, x_cache, .. }: Answer, request_id: &str) -> Response<Body> {
        append(&mut response.headers, "Via", &self.via);
        response.headers.set("X-Cache", x_cache);
        response.headers.set("X-Amz-Cf-Pop", POP);
        response.headers.set("X-Amz-Cf-Id", request_id);
        response
    }
}

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Tap for Counted {}

/// Also when the viewer disconnects before the response.
impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Answer {
    fn new(response: impl Into<Response<Body>>, x_cache: &'static str) -> Self {
        Self { response: response.into(), x_cache, is_error_page: false }
    }

    fn generated(response: impl Into<Response<Body>>) -> Self {
        let mut response = response.into();
        response.headers.set("Server", "CloudFront");
        Self::new(response, GENERATED)
    }

    fn error(response: Response<Body>) -> Self {
        Self::new(response, ERROR)
    }

    fn fetched(fetched: Fetched) -> Self {
        match fetched.response.status {
            _ if fetched.is_generated => Self::generated(fetched.response),
            400.. => Self::error(fetched.response),
            _ => Self::new(fetched.response, MISS),
        }
    }
}

async fn invoke(to: &Association, trigger: Trigger, event: &serde_json::Value) -> Result<Vec<u8>, Failure> {
    let result = to.function.invoke(event.to_string()).await;
    result.map_err(|source| Failure::Execution { trigger, source })
}

/// In CloudFront's format: 56 characters, the last two `==`.
fn request_id() -> String {
    let random = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
    BASE64_URL_SAFE.encode(&random[..40])
}
