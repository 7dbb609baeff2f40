//! Events, field by field as "Lambda@Edge event structure" documents them.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::headers::Rules;
use super::request::EdgeRequest;
use super::{Association, DistributionConfig, Trigger, limits};
use crate::http1::Response;

/// One viewer request, as all its events tell of it.
pub(super) struct Viewer<'a> {
    pub(super) config: &'a DistributionConfig,
    pub(super) request_id: &'a str,
    pub(super) client_ip: IpAddr,
}

impl Viewer<'_> {
    pub(super) fn request_event(&self, trigger: Trigger, to: &Association, request: &EdgeRequest) -> Value {
        let mut shown = self.request(trigger, request);
        if to.include_body && request.may_carry_a_body() {
            shown["body"] = body(trigger, &request.body);
        }
        self.event(trigger, json!({ "request": shown }))
    }

    pub(super) fn response_event(
        &self,
        trigger: Trigger,
        request: &EdgeRequest,
        response: &Response,
    ) -> Value {
        let shown = json!({
            "status": response.status.to_string(),
            "statusDescription": response.reason,
            "headers": Rules { trigger }.show(&response.headers),
        });
        // The request of an origin-response is the one the origin got; headers are shown by the rules of requests.
        let of = if trigger.is_viewer() { Trigger::ViewerRequest } else { Trigger::OriginRequest };
        self.event(trigger, json!({ "request": self.request(of, request), "response": shown }))
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

    fn request(&self, trigger: Trigger, request: &EdgeRequest) -> Value {
        let mut shown = json!({
            "clientIp": self.client_ip.to_string(),
            "method": request.method,
            "uri": request.uri(),
            "querystring": request.querystring(),
            "headers": Rules { trigger }.show(&request.headers),
        });
        if !trigger.is_viewer() {
            shown["origin"] = origin(self.config);
        }
        shown
    }
}

/// The one origin there is, with CloudFront's default timeouts.
pub(super) fn origin(config: &DistributionConfig) -> Value {
    json!({ "custom": {
        "customHeaders": {},
        "domainName": config.origin_domain,
        "keepaliveTimeout": 5,
        "path": "",
        "port": config.origin.port(),
        "protocol": "http",
        "readTimeout": config.origin_timeout.as_secs(),
        "sslProtocols": ["TLSv1.2"],
    }})
}

fn body(trigger: Trigger, body: &[u8]) -> Value {
    let shown = &body[..body.len().min(limits::shown_body(trigger))];
    json!({
        "inputTruncated": shown.len() < body.len(),
        "action": "read-only",
        "encoding": "base64",
        "data": BASE64_STANDARD.encode(shown),
    })
}
