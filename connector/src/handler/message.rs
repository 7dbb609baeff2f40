//! Messages to the node about an event.

use crate::{
    cloudfront::{Event, EventBody, EventConfig, EventError, EventRequest, Headers, Origin},
    handler::stages,
    ledger::Ledger,
    mark::{MARK_HEADER, Mark},
    parameters::{BlockMe, Parameters},
};
use shared::{Body, ConnectorInfo, InspectRequest, ResponseReport, Trigger};
use std::net::IpAddr;

/// Response headers in reports. Others may contain secrets.
const REPORTED_HEADERS: &[&str] = &["content-type", "content-length", "location", "retry-after", "server"];

/// With the mark of the viewer stage, at the origin stage.
pub(super) fn inspect_request(
    event: &Event<'_>,
    request: EventRequest<'_>,
    mark: Option<&Mark>,
    parameters: &Parameters,
    ledger: &Ledger,
) -> Result<InspectRequest, EventError> {
    let (body, body_truncated) = body(&request, parameters)?;
    let sent = body.as_ref().map_or(0, |Body(bytes)| bytes.len());
    let unseen_body = body_truncated.then(|| stages::unseen(event, &request, sent, parameters));
    Ok(InspectRequest {
        request_id: Some(event.request_id()),
        connector: Some(connector_info(&event.config, parameters, ledger)),
        delivery: parameters.delivery,
        client_ip: client_ip(&request, parameters)?,
        method: request.method.to_string(),
        scheme: request.headers.first("cloudfront-forwarded-proto").map(str::to_owned),
        http_version: None,
        host: mark
            .map_or_else(|| host(&request, &event.config.event_type, parameters), |mark| mark.host.clone()),
        path: request.uri.to_string(),
        query: request.querystring.to_string(),
        body,
        body_truncated,
        unseen_body,
        headers: headers(request.headers, parameters),
        not_inspected: ledger.pending(),
    })
}

pub(super) fn response_report(
    event: &Event<'_>,
    parameters: &Parameters,
    ledger: &Ledger,
) -> Result<ResponseReport, EventError> {
    let response = event.response()?;
    let Headers(mut headers) = response.headers;
    headers.retain(|(name, _)| REPORTED_HEADERS.contains(&name.as_str()));
    Ok(ResponseReport {
        request_id: event.request_id(),
        connector: Some(connector_info(&event.config, parameters, ledger)),
        edge_request_id: Some(event.config.request_id.to_string()),
        status: response.status,
        headers,
        logged: None,
        not_inspected: ledger.pending(),
    })
}

fn client_ip(request: &EventRequest<'_>, parameters: &Parameters) -> Result<IpAddr, EventError> {
    let unreadable = |_| EventError::Field { field: "clientIp", value: request.client_ip.to_string() };
    let caller = request.client_ip.parse().map_err(unreadable)?;
    Ok(parameters.real_ip.as_ref().map_or(caller, |real_ip| real_ip.viewer(caller, &request.headers)))
}

/// The part of the body that the node may inspect, and whether the body was longer.
fn body(request: &EventRequest<'_>, parameters: &Parameters) -> Result<(Option<Body>, bool), EventError> {
    let cut = request.body.as_ref().is_some_and(|body| body.input_truncated);
    let inspected = request.body.as_ref().filter(|_| parameters.body.inspect);
    let Some(Body(mut bytes)) = inspected.map(EventBody::decode).transpose()? else { return Ok((None, cut)) };
    let limit = parameters.body.limit.unwrap_or(usize::MAX);
    let too_long = bytes.len() > limit;
    bytes.truncate(limit);
    Ok((Some(Body(bytes)), cut || too_long))
}

/// All headers except the mark and the secret of `wlrm_block_me`, which must not be stored in a hit.
fn headers(Headers(mut headers): Headers, parameters: &Parameters) -> Vec<(String, String)> {
    let hides = |name: &str| match name {
        BlockMe::HEADER => parameters.block_me.is_some(),
        MARK_HEADER => parameters.mark_keys.is_some(),
        _ => false,
    };
    headers.retain(|(name, _)| !hides(name));
    headers
}

/// The viewer's host where it is known: origin events contain the origin's host unless a policy
/// forwards the viewer's.
fn host(request: &EventRequest<'_>, trigger: &Trigger, parameters: &Parameters) -> String {
    let forwarded = parameters.host_header.as_deref().filter(|_| trigger.is_origin());
    let forwarded = forwarded.and_then(|name| request.headers.first(name));
    let origin = || request.origin.as_ref().map(Origin::domain_name);
    forwarded.or_else(|| request.headers.first("host")).or_else(origin).unwrap_or_default().to_owned()
}

fn connector_info(config: &EventConfig<'_>, parameters: &Parameters, ledger: &Ledger) -> ConnectorInfo {
    ConnectorInfo {
        kind: "cloudfront".to_owned(),
        version: crate::VERSION.to_owned(),
        event: Some(config.event_type.clone()),
        distribution_id: Some(config.distribution_id.to_string()),
        distribution_domain: Some(config.distribution_domain_name.to_string()),
        edge_request_id: Some(config.request_id.to_string()),
        application: parameters.application,
        bypassed: ledger.bypassed(),
    }
}
