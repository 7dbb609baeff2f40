//! Results of functions: validation as CloudFront does it, and application to the request or
//! response.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use super::distribution::Origin;
use super::headers::{Returned, Rules};
use super::request::EdgeRequest;
use super::{Trigger, event::Viewer, limits};
use crate::http1::{Body, Headers, Response, reason_phrase};

/// An invalid result; the visitor gets a 502.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Invalid {
    #[error("the result is not JSON")]
    NotJson,
    #[error("the result is malformed: {0}")]
    Structure(&'static str),
    #[error("the header {0} is disallowed and cannot be added")]
    DisallowedHeader(String),
    #[error("the header {0} is read-only here and cannot be added, changed or deleted")]
    ReadOnlyHeader(String),
    #[error("the header {name:?} is malformed: {why}")]
    Header { name: String, why: &'static str },
    #[error("{0} is read-only and was changed")]
    ReadOnlyField(&'static str),
    #[error("the status must be a string from 200 to 599")]
    Status,
    #[error("the response has {size} bytes with its headers, more than {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("the body that replaces the request's has {size} bytes, more than {limit}")]
    BodyTooLarge { size: usize, limit: usize },
    #[error("bodyEncoding is base64, but the body is not")]
    Base64,
}

/// The outcome of a function at a request trigger.
#[derive(Debug)]
pub(super) enum RequestOutcome {
    /// With the body that replaces the viewer's.
    Continue(EdgeRequest, Option<Vec<u8>>),
    Respond(Response),
}

/// A response object has a `status`; everything else must be the request.
pub(super) fn of_request(
    viewer: &Viewer,
    trigger: Trigger,
    origin: Option<&Origin>,
    include_body: bool,
    request: EdgeRequest,
    result: &[u8],
) -> Result<RequestOutcome, Invalid> {
    let result = parse(result)?;
    if result.contains_key("status") {
        return generated(trigger, &result).map(RequestOutcome::Respond);
    }
    changed_request(viewer, trigger, origin, include_body, request, &result)
}

/// Applies the result of a function at a response trigger.
pub(super) fn of_response(
    trigger: Trigger,
    original: Response<Body>,
    result: &[u8],
) -> Result<Response<Body>, Invalid> {
    let result = parse(result)?;
    let status = status(&result)?;
    if trigger == Trigger::ViewerResponse && status != original.status {
        return Err(Invalid::ReadOnlyField("status"));
    }
    let returned = Returned::parse(result.get("headers"))?;
    let replaced = if result.contains_key("body") {
        check_size(trigger, &returned, &result)?;
        // "Update HTTP responses in origin response triggers": only at that trigger.
        if trigger == Trigger::ViewerResponse {
            return Err(Invalid::ReadOnlyField("body"));
        }
        Some(body(&result)?)
    } else {
        None
    };
    let headers = Rules { trigger }.apply(&original.headers, &returned)?;
    let reason = description(&result, status);
    Ok(Response { status, reason, headers, body: replaced.map_or(original.body, Body::from) })
}

fn parse(result: &[u8]) -> Result<Map<String, Value>, Invalid> {
    match serde_json::from_slice(result).map_err(|_| Invalid::NotJson)? {
        Value::Object(result) => Ok(result),
        _ => Err(Invalid::Structure("neither a request nor a response")),
    }
}

fn generated(trigger: Trigger, result: &Map<String, Value>) -> Result<Response, Invalid> {
    let status = status(result)?;
    let returned = Returned::parse(result.get("headers"))?;
    check_size(trigger, &returned, result)?;
    let body = body(result)?;
    // "Quotas": a 204 with a body from a viewer request function causes a 502.
    if status == 204 && trigger == Trigger::ViewerRequest && !body.is_empty() {
        return Err(Invalid::Structure("a 204 cannot have a body"));
    }
    let headers = Rules { trigger }.apply(&Headers::default(), &returned)?;
    Ok(Response { status, reason: description(result, status), headers, body })
}

fn status(result: &Map<String, Value>) -> Result<u16, Invalid> {
    let status = result.get("status").and_then(Value::as_str).filter(|status| status.len() == 3);
    let status: Option<u16> = status.and_then(|status| status.parse().ok());
    status.filter(|status| (200..600).contains(status)).ok_or(Invalid::Status)
}

/// Control characters, which would end the status line, are dropped.
fn description(result: &Map<String, Value>, status: u16) -> String {
    let given = result.get("statusDescription").and_then(Value::as_str).unwrap_or(reason_phrase(status));
    given.chars().filter(|c| !c.is_control()).collect()
}

fn check_size(trigger: Trigger, headers: &Returned, result: &Map<String, Value>) -> Result<(), Invalid> {
    let body = result.get("body").and_then(Value::as_str).unwrap_or_default();
    let (size, limit) = (headers.size() + body.len(), limits::generated_response(trigger));
    if size > limit { Err(Invalid::TooLarge { size, limit }) } else { Ok(()) }
}

fn body(result: &Map<String, Value>) -> Result<Vec<u8>, Invalid> {
    let body = match result.get("body") {
        None | Some(Value::Null) => "",
        Some(Value::String(body)) => body,
        Some(_) => return Err(Invalid::Structure("body is not a string")),
    };
    decode(body, result.get("bodyEncoding"))
}

fn decode(body: &str, encoding: Option<&Value>) -> Result<Vec<u8>, Invalid> {
    match encoding.map_or(Some("text"), Value::as_str) {
        Some("text") => Ok(body.as_bytes().to_vec()),
        Some("base64") => BASE64_STANDARD.decode(body).map_err(|_| Invalid::Base64),
        _ => Err(Invalid::Structure("the encoding is neither text nor base64")),
    }
}

fn changed_request(
    viewer: &Viewer,
    trigger: Trigger,
    origin: Option<&Origin>,
    include_body: bool,
    mut request: EdgeRequest,
    result: &Map<String, Value>,
) -> Result<RequestOutcome, Invalid> {
    check_read_only(viewer, origin, &request, result)?;
    request.set_uri(uri(result)?);
    if let Some(query) = result.get("querystring") {
        let query = query.as_str().filter(|query| is_sendable(query));
        let query = query.ok_or(Invalid::Structure("querystring cannot be sent"))?;
        if query.contains('#') && query != request.querystring() {
            return Err(Invalid::Structure("querystring contains a fragment"));
        }
        request.set_querystring(query);
    }
    if request.target().len() > limits::URL {
        return Err(Invalid::Structure("uri and querystring together are longer than 8,192 bytes"));
    }
    request.headers = Rules { trigger }.apply(&request.headers, &Returned::parse(result.get("headers"))?)?;
    let replaced = replaced_body(trigger, include_body, result)?;
    if let Some(body) = &replaced {
        request.headers.remove("transfer-encoding");
        request.headers.set("Content-Length", body.len().to_string());
    }
    Ok(RequestOutcome::Continue(request, replaced))
}

/// A missing read-only field is accepted; a changed one is not.
fn check_read_only(
    viewer: &Viewer,
    origin: Option<&Origin>,
    request: &EdgeRequest,
    result: &Map<String, Value>,
) -> Result<(), Invalid> {
    let differs = |field: &str, value: Value| result.get(field).is_some_and(|returned| *returned != value);
    if differs("method", request.method.as_str().into()) {
        return Err(Invalid::ReadOnlyField("method"));
    }
    if differs("clientIp", viewer.client_ip().to_string().into()) {
        return Err(Invalid::ReadOnlyField("clientIp"));
    }
    // At viewer-request there is no origin yet, so any origin counts as changed.
    if differs("origin", origin.map(super::event::origin).unwrap_or_default()) {
        return Err(Invalid::Structure("the origin was changed, which is not simulated"));
    }
    Ok(())
}

fn uri(result: &Map<String, Value>) -> Result<&str, Invalid> {
    let uri = result.get("uri").and_then(Value::as_str).ok_or(Invalid::Structure("uri is not a string"))?;
    let ok = is_sendable(uri) && (uri.starts_with('/') || uri == "*");
    if ok { Ok(uri) } else { Err(Invalid::Structure("uri cannot be sent")) }
}

fn is_sendable(text: &str) -> bool {
    text.bytes().all(|byte| byte > b' ' && byte != 0x7f)
}

fn replaced_body(
    trigger: Trigger,
    include_body: bool,
    result: &Map<String, Value>,
) -> Result<Option<Vec<u8>>, Invalid> {
    let Some(body) = result.get("body") else { return Ok(None) };
    match body.get("action").and_then(Value::as_str) {
        Some("read-only") => return Ok(None),
        Some("replace") if include_body => {}
        Some("replace") => {
            return Err(Invalid::Structure("the body is replaced, but the trigger does not include it"));
        }
        _ => return Err(Invalid::Structure("the body's action is neither read-only nor replace")),
    }
    let data = body.get("data").and_then(Value::as_str).ok_or(Invalid::Structure("the body has no data"))?;
    let base64 = body.get("encoding").and_then(Value::as_str) == Some("base64");
    let (size, limit) = (data.len(), limits::replaced_body(trigger, base64));
    if size > limit {
        return Err(Invalid::BodyTooLarge { size, limit });
    }
    decode(data, body.get("encoding")).map(Some)
}
