//! The way of one request: viewer-request, origin-request, origin, origin-response, viewer-response.

use std::error::Error as _;
use std::net::SocketAddr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use uuid::Uuid;

use super::event::Viewer;
use super::failure::Failure;
use super::headers::is_disallowed;
use super::outcome::{self, RequestOutcome};
use super::request::{EdgeRequest, text};
use super::{Association, DistributionConfig, Trigger, limits};
use crate::http1::{Client, Headers, Request, Response};

const MISS: &str = "Miss from cloudfront";
const GENERATED: &str = "LambdaGeneratedResponse from cloudfront";
const ERROR: &str = "Error from cloudfront";

/// The edge location that this machine pretends to be.
const POP: &str = "FRA56-P1";

pub(super) struct Behavior {
    config: DistributionConfig,
    client: Client,
    /// Our element of `Via`.
    via: String,
}

/// A response with what `X-Cache` will say of it.
struct Answer {
    response: Response,
    x_cache: &'static str,
}

impl Behavior {
    pub(super) fn new(config: DistributionConfig) -> Self {
        let via = format!("1.1 {}.cloudfront.net (CloudFront)", Uuid::new_v4().simple());
        Self { client: Client::new(config.origin_timeout), config, via }
    }

    pub(super) async fn serve(&self, request: Request, peer: SocketAddr) -> Response {
        let request_id = request_id();
        let viewer =
            Viewer { config: &self.config, request_id: &request_id, client_ip: peer.ip().to_canonical() };
        let line = format!("{} {}", request.method, text(&request.target));
        let answer = self.answer(&viewer, request).await.unwrap_or_else(|failure| {
            let cause = failure.source().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(request_id, cause, "{failure}");
            Answer { x_cache: failure.x_cache(), response: failure.page() }
        });
        tracing::info!(request_id, status = answer.response.status, x_cache = answer.x_cache, "{line:?}");
        self.sign(answer, &request_id)
    }

    async fn answer(&self, viewer: &Viewer<'_>, request: Request) -> Result<Answer, Failure> {
        let request = admit(request)?;
        match self.on_request(viewer, Trigger::ViewerRequest, request).await? {
            // Generated here, a response passes no other function.
            RequestOutcome::Respond(response) => Ok(generated(response)),
            RequestOutcome::Continue(request) => {
                let answer = self.behind_the_cache(viewer, request.clone()).await?;
                self.on_viewer_response(viewer, &request, answer).await
            }
        }
    }

    /// All that a cache hit would spare.
    async fn behind_the_cache(&self, viewer: &Viewer<'_>, request: EdgeRequest) -> Result<Answer, Failure> {
        let request = self.for_origin(viewer, request);
        let request = match self.on_request(viewer, Trigger::OriginRequest, request).await? {
            RequestOutcome::Respond(response) => return Ok(generated(response)),
            RequestOutcome::Continue(request) => request,
        };
        let response = self.fetch(&request).await?;
        let x_cache = if response.status >= 400 { ERROR } else { MISS };
        let response = self.on_response(viewer, Trigger::OriginResponse, &request, response).await?;
        Ok(Answer { response, x_cache })
    }

    async fn fetch(&self, request: &EdgeRequest) -> Result<Response, Failure> {
        let sent = self.client.send(self.config.origin, &request.clone().into_http()).await;
        let mut response = sent.map_err(Failure::Origin)?;
        for name in ["connection", "keep-alive", "proxy-connection", "trailer", "upgrade", "x-cache"] {
            response.headers.remove(name);
        }
        response.headers.0.retain(|(name, _)| !text(name).to_ascii_lowercase().starts_with("x-amz-cf-"));
        Ok(response)
    }

    async fn on_request(
        &self,
        viewer: &Viewer<'_>,
        trigger: Trigger,
        request: EdgeRequest,
    ) -> Result<RequestOutcome, Failure> {
        let Some(to) = self.config.functions.at(trigger) else {
            return Ok(RequestOutcome::Continue(request));
        };
        let event = viewer.request_event(trigger, to, &request);
        let result = invoke(to, trigger, &event).await?;
        outcome::of_request(viewer, trigger, to.include_body, request, &result)
            .map_err(|source| Failure::Validation { trigger, source })
    }

    async fn on_response(
        &self,
        viewer: &Viewer<'_>,
        trigger: Trigger,
        request: &EdgeRequest,
        response: Response,
    ) -> Result<Response, Failure> {
        let Some(to) = self.config.functions.at(trigger) else { return Ok(response) };
        let event = viewer.response_event(trigger, request, &response);
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
        if answer.response.status >= 400 {
            return Ok(answer);
        }
        let response = self.on_response(viewer, Trigger::ViewerResponse, request, answer.response).await?;
        Ok(Answer { response, ..answer })
    }

    /// "Request and response behavior for custom origins": what CloudFront makes of a request before the origin.
    fn for_origin(&self, viewer: &Viewer, mut request: EdgeRequest) -> EdgeRequest {
        let headers = &mut request.headers;
        let host = headers.text("host").filter(|_| self.config.forward_host);
        if !self.config.forward_viewer_headers {
            headers.0.retain(|(name, _)| is_always_forwarded(&text(name).to_ascii_lowercase()));
            headers.set("User-Agent", "Amazon CloudFront");
        }
        if headers.has("transfer-encoding") {
            headers.remove("transfer-encoding");
            headers.set("Content-Length", request.body.len().to_string());
        }
        headers.set("Host", host.as_deref().unwrap_or(&self.config.origin_domain));
        append(headers, "X-Forwarded-For", &viewer.client_ip.to_string());
        append(headers, "Via", &self.via);
        headers.set("X-Amz-Cf-Id", viewer.request_id);
        request
    }

    fn sign(&self, Answer { mut response, x_cache }: Answer, request_id: &str) -> Response {
        append(&mut response.headers, "Via", &self.via);
        response.headers.set("X-Cache", x_cache);
        response.headers.set("X-Amz-Cf-Pop", POP);
        response.headers.set("X-Amz-Cf-Id", request_id);
        response
    }
}

/// What CloudFront refuses before any function runs, and the headers it never hands on.
fn admit(mut request: Request) -> Result<EdgeRequest, Failure> {
    let refused = |status, why| Err(Failure::Refused { status, why });
    if request.target.len() > limits::URL {
        return refused(414, "The URL is longer than 8,192 bytes.");
    }
    let size: usize = request.headers.0.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > limits::REQUEST_HEADERS {
        // CloudFront says 494 here, a status that only its own kind of server knows.
        return refused(400, "The headers are larger than 20,480 bytes (CloudFront says 494).");
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "POST" | "PATCH" | "DELETE") {
        return refused(403, "This distribution is not configured to allow the HTTP request method.");
    }
    // "Request and response behavior for custom origins", GET requests that include a body.
    if request.method == "GET" && !request.body.is_empty() {
        return refused(403, "A GET request cannot have a body.");
    }
    if request.headers.all("host").count() != 1 {
        return refused(400, "There must be one Host header.");
    }
    request.headers.0.retain(|(name, _)| !is_disallowed(&text(name).to_ascii_lowercase()));
    EdgeRequest::new(request)
        .ok_or(Failure::Refused { status: 400, why: "The request target is neither a path nor a URL." })
}

async fn invoke(to: &Association, trigger: Trigger, event: &serde_json::Value) -> Result<Vec<u8>, Failure> {
    let result = to.function.invoke(event.to_string()).await;
    result.map_err(|source| Failure::Execution { trigger, source })
}

fn generated(mut response: Response) -> Answer {
    response.headers.set("Server", "CloudFront");
    Answer { response, x_cache: GENERATED }
}

/// Without a policy that forwards more.
fn is_always_forwarded(name: &str) -> bool {
    matches!(name, "content-length" | "content-type" | "transfer-encoding" | "range" | "origin")
        || matches!(name, "x-forwarded-for" | "via")
}

fn append(headers: &mut Headers, name: &str, element: &str) {
    let mut values: Vec<_> = headers.all(name).map(<[u8]>::to_vec).collect();
    values.push(element.as_bytes().to_vec());
    headers.set(name, values.join(b", ".as_slice()));
}

/// As CloudFront's look: 56 characters, the last two `==`.
fn request_id() -> String {
    let random = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
    BASE64_URL_SAFE.encode(&random[..40])
}
