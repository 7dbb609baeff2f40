//! Event objects, field by field as documented in "Lambda@Edge event structure".

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::distribution::{Behavior, Origin, OriginKind};
use super::headers::Rules;
use super::request::EdgeRequest;
use super::{Association, DistributionConfig, Trigger, limits};
use crate::http1::{Peer, Response};

/// A viewer request, as shown in all its events.
#[derive(Clone, Copy)]
pub(super) struct Viewer<'a> {
    pub(super) config: &'a DistributionConfig,
    pub(super) behavior: &'a Behavior,
    pub(super) request_id: &'a str,
    pub(super) peer: Peer,
}

impl Viewer<'_> {
    pub(super) fn client_ip(&self) -> IpAddr {
        self.peer.address.ip().to_canonical()
    }

    pub(super) fn request_event(
        &self,
        trigger: Trigger,
        to: &Association,
        origin: Option<&Origin>,
        request: &EdgeRequest,
        ahead: &[u8],
    ) -> Value {
        let mut shown = self.request(trigger, origin, request);
        if to.shows_body_of(request) {
            shown["body"] = body(trigger, ahead);
        }
        self.event(trigger, json!({ "request": shown }))
    }

    pub(super) fn response_event<B>(
        &self,
        trigger: Trigger,
        origin: Option<&Origin>,
        request: &EdgeRequest,
        response: &Response<B>,
    ) -> Value {
        let shown = json!({
            "status": response.status.to_string(),
            "statusDescription": response.reason,
            "headers": Rules { trigger }.show(&response.headers),
        });
        // The request of an origin-response is the one sent to the origin; its headers follow the
        // rules of requests.
        let of = if trigger.is_viewer() { Trigger::ViewerRequest } else { Trigger::OriginRequest };
        self.event(trigger, json!({ "request": self.request(of, origin, request), "response": shown }))
    }

    fn event(&self, trigger: Trigger, mut cf: Value) -> Value {
        cf["config"] = json!({
            "distributionDomainName": self.config.domain_name,
            "distributionId": self.config.distribution_id,
            "eventType": trigger.to_string(),
            "requestId": self.request_id,
        });
        json!({ "Records": [{ "cf": cf }] })
    }

    fn request(&self, trigger: Trigger, origin: Option<&Origin>, request: &EdgeRequest) -> Value {
        let mut shown = json!({
            "clientIp": self.client_ip().to_string(),
            "method": request.method,
            "uri": request.uri(),
            "querystring": request.querystring(),
            "headers": Rules { trigger }.show(&request.headers),
        });
        if let Some(origin) = origin {
            shown["origin"] = self::origin(origin);
        }
        shown
    }
}

/// The request's origin; only in origin events.
pub(super) fn origin(origin: &Origin) -> Value {
    let header = |(name, value): &(String, String)| {
        (name.to_ascii_lowercase(), json!([{ "key": name, "value": value }]))
    };
    let custom_headers: Map<_, _> = origin.custom_headers.iter().map(header).collect();
    let seconds = origin.read_timeout.as_secs();
    match &origin.kind {
        OriginKind::Custom { port, protocol, keepalive_timeout, ssl_protocols } => json!({ "custom": {
            "customHeaders": custom_headers,
            "domainName": origin.domain_name,
            "keepaliveTimeout": keepalive_timeout,
            "path": origin.path,
            "port": port,
            "protocol": protocol,
            "readTimeout": seconds,
            "sslProtocols": ssl_protocols,
        }}),
        OriginKind::S3 { region } => json!({ "s3": {
            "authMethod": "none",
            "customHeaders": custom_headers,
            "domainName": origin.domain_name,
            "path": origin.path,
            "readTimeout": seconds,
            "region": region,
        }}),
    }
}

/// `ahead` has more than the shown bytes if there are more.
fn body(trigger: Trigger, ahead: &[u8]) -> Value {
    let shown = &ahead[..ahead.len().min(limits::shown_body(trigger))];
    json!({
        "inputTruncated": shown.len() < ahead.len(),
        "action": "read-only",
        "encoding": "base64",
        "data": BASE64_STANDARD.encode(shown),
    })
}
