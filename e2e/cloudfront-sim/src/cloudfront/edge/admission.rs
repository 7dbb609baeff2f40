//! Checks before any function runs.

use super::{Answer, REDIRECT};
use crate::cloudfront::distribution::ViewerProtocol;
use crate::cloudfront::failure::Failure;
use crate::cloudfront::headers::is_disallowed;
use crate::cloudfront::limits;
use crate::cloudfront::request::{EdgeRequest, text};
use crate::http1::{Body, Request, Response, Version};

/// Rejects invalid requests before any function runs, and removes headers that are never forwarded.
pub(super) async fn admit(
    mut request: Request<Body>,
    version: Version,
) -> Result<(EdgeRequest, Body), Failure> {
    let refused = |status, why| Err(Failure::Refused { status, why });
    if request.target.len() > limits::URL {
        return refused(414, "The URL is longer than 8,192 bytes.");
    }
    let size: usize = request.headers.0.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > limits::HEADERS {
        return refused(494, "The headers are larger than 20,480 bytes.");
    }
    if !limits::METHODS.contains(&request.method.as_str()) {
        return refused(403, "This distribution is not configured to allow the HTTP request method.");
    }
    // "Request and response behavior for custom origins", GET requests that include a body.
    if request.method == "GET" {
        request.body.read_ahead(1).await?;
        if !request.body.ahead().is_empty() {
            return refused(403, "A GET request cannot have a body.");
        }
    }
    if request.headers.all("host").count() != 1 {
        return refused(400, "There must be one Host header.");
    }
    let is_websocket = version == Version::Http1_1 && is_handshake(&request);
    request.headers.0.retain(|(name, _)| !is_disallowed(&text(name).to_ascii_lowercase()));
    let body = std::mem::take(&mut request.body);
    let head = EdgeRequest::new(request, is_websocket);
    let head =
        head.ok_or(Failure::Refused { status: 400, why: "The request target is neither a path nor a URL." })?;
    Ok((head, body))
}

/// "Use `WebSockets` with CloudFront distributions": as in RFC 6455, over HTTP/1.1 only.
fn is_handshake<B>(request: &Request<B>) -> bool {
    let Request { method, headers, .. } = request;
    method == "GET" && headers.lists("connection", "upgrade") && headers.lists("upgrade", "websocket")
}

/// "Require HTTPS for communication between viewers and CloudFront".
pub(super) fn to_https(policy: ViewerProtocol, request: &EdgeRequest) -> Result<Answer, Failure> {
    if policy == ViewerProtocol::HttpsOnly {
        return Err(Failure::Refused { status: 403, why: "This distribution is reached by HTTPS only." });
    }
    let host = request.headers.text("host").unwrap_or_default();
    let host = host
        .rsplit_once(':')
        .filter(|(_, port)| port.parse::<u16>().is_ok())
        .map_or(&*host, |(host, _)| host);
    let location = [b"https://", host.as_bytes(), &request.target()].concat();
    let response = Response::new(301).header("Server", "CloudFront").header("Location", location);
    Ok(Answer::new(response, REDIRECT))
}
