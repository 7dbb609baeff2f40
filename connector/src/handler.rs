//! One event, from what CloudFront sent to what it gets back.

use crate::{
    VERSION,
    block_page::{self, Visitor},
    cloudfront::{Event, EventBody, EventConfig, EventError, EventRequest, Headers, Origin, Reply},
    fallback::{self, Ledger, log_not_inspected},
    node_client::{CallError, NodeClient},
    parameters::{BlockParameters, FailMode, FunctionKind, ParameterError, Parameters, TruncatedBody},
};
use serde_json::value::RawValue;
use shared::{
    Action, BlockResponse, Body, ConnectorInfo, Delivery, InspectRequest, NotInspectedReason, RequestId,
    ResponseReport, Trigger,
};
use std::sync::{Arc, Mutex, PoisonError};

/// Response headers worth a report. The others may carry secrets, and nobody asks for them.
const REPORTED_HEADERS: &[&str] = &["content-type", "content-length", "location", "retry-after", "server"];

/// One function's life in one execution environment.
pub struct Connector {
    /// Wrong parameters must not take a site down: they turn every request into one not inspected.
    setup: Result<Setup, Misconfigured>,
    ledger: Ledger,
    deferred: Mutex<Option<Deferred>>,
}

struct Setup {
    parameters: Parameters,
    node: NodeClient,
}

struct Misconfigured {
    error: ParameterError,
    fail_mode: FailMode,
}

/// What the visitor need not wait for.
enum Deferred {
    Copy(InspectRequest),
    Report(ResponseReport),
}

/// Why a request went on without a verdict.
struct Uninspected {
    reason: NotInspectedReason,
    cause: String,
}

impl Connector {
    /// Reads the parameters through `lookup`, which is given names such as `WLRM_NODE_ADDR`.
    pub fn new(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let setup = match Parameters::read(&lookup) {
            Ok(parameters) => {
                let node = NodeClient::new(parameters.node.clone());
                Ok(Setup { parameters, node })
            }
            Err(error) => {
                fallback::log_line(&[("message", "misconfigured"), ("cause", &error.to_string())]);
                Err(Misconfigured { error, fail_mode: FailMode::read(&lookup).unwrap_or(FailMode::Open) })
            }
        };
        Self { setup, ledger: Ledger::default(), deferred: Mutex::default() }
    }

    /// Answers one event. An error means that there was no request to go on with.
    pub async fn handle(self: Arc<Self>, event: Box<RawValue>) -> Result<Reply, EventError> {
        let event = Arc::<RawValue>::from(event);
        // A task of its own: should it panic, the request still goes its fail mode's way.
        let task = tokio::spawn({
            let (connector, event) = (self.clone(), event.clone());
            async move { connector.answer(&event).await }
        });
        match task.await {
            Ok(reply) => reply,
            Err(panic) => {
                let event = Event::parse(&event)?;
                let cause = panic.to_string();
                Ok(self.fail(&event, &Uninspected { reason: NotInspectedReason::Internal, cause }))
            }
        }
    }

    /// Does what the last event left for after its reply.
    pub async fn after_reply(&self) {
        let deferred = self.deferred.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(deferred), Ok(Setup { node, .. })) = (deferred, &self.setup) else { return };
        let (request_id, told, result) = match &deferred {
            Deferred::Copy(request) => (request.request_id, &request.not_inspected, node.copy(request).await),
            Deferred::Report(report) => (None, &report.not_inspected, node.report(report).await),
        };
        match (result, request_id) {
            (Ok(()), _) => self.ledger.told(told),
            (Err(error), Some(request_id)) => self.note(request_id, &Uninspected::from(error)),
            (Err(error), None) => {
                fallback::log_line(&[("message", "response not reported"), ("cause", &error.to_string())]);
            }
        }
    }

    async fn answer(&self, event: &RawValue) -> Result<Reply, EventError> {
        let event = Event::parse(event)?;
        let answered = match event.config.event_type {
            Trigger::ViewerRequest | Trigger::OriginRequest => self.on_request(&event).await,
            _ => self.on_response(&event),
        };
        Ok(answered.unwrap_or_else(|uninspected| self.fail(&event, &uninspected)))
    }

    async fn on_request(&self, event: &Event<'_>) -> Result<Reply, Uninspected> {
        let Setup { parameters, node } = self.setup_for(FunctionKind::Request, event)?;
        let request = inspect_request(event, parameters, &self.ledger)?;
        if request.body_truncated && parameters.body.truncated != TruncatedBody::Inspect {
            return Ok(self.refuse_truncated(event, parameters));
        }
        if parameters.delivery == Delivery::OutOfBand {
            self.defer(Deferred::Copy(request));
            return Ok(Reply::Unchanged(event.unchanged().to_owned()));
        }
        let verdict = node.inspect(&request).await?;
        self.ledger.told(&request.not_inspected);
        Ok(match verdict.action {
            Action::Allow => Reply::Unchanged(event.unchanged().to_owned()),
            Action::Block => block(event, &parameters.block, verdict.block),
        })
    }

    /// The node is not asked about a request of which a part could not be inspected.
    fn refuse_truncated(&self, event: &Event<'_>, parameters: &Parameters) -> Reply {
        let cause = "CloudFront cut the body".to_owned();
        let uninspected = Uninspected { reason: NotInspectedReason::BodyTruncated, cause };
        self.note(event.request_id(), &uninspected);
        match parameters.body.truncated {
            TruncatedBody::Block => block(event, &parameters.block, None),
            _ => Reply::Unchanged(event.unchanged().to_owned()),
        }
    }

    /// The response goes on as it is; only a report of it follows.
    fn on_response(&self, event: &Event<'_>) -> Result<Reply, Uninspected> {
        let setup = self.setup_for(FunctionKind::Response, event)?;
        if setup.parameters.response_reports {
            self.defer(Deferred::Report(response_report(event, &self.ledger)?));
        }
        Ok(Reply::Unchanged(event.unchanged().to_owned()))
    }

    fn setup_for(&self, kind: FunctionKind, event: &Event<'_>) -> Result<&Setup, Uninspected> {
        let misconfigured = |cause| Uninspected { reason: NotInspectedReason::Misconfigured, cause };
        let setup = self.setup.as_ref().map_err(|wrong| misconfigured(wrong.error.to_string()))?;
        if setup.parameters.function == kind {
            return Ok(setup);
        }
        let (function, trigger) = (setup.parameters.function, &event.config.event_type);
        Err(misconfigured(format!("wlrm_function is {function:?}, but the trigger is {trigger}")))
    }

    /// Answers without a verdict. Responses always go on: their request has been decided already.
    fn fail(&self, event: &Event<'_>, uninspected: &Uninspected) -> Reply {
        let request_id = event.request_id();
        let is_request = matches!(event.config.event_type, Trigger::ViewerRequest | Trigger::OriginRequest);
        if is_request {
            self.note(request_id, uninspected);
        } else {
            fallback::log_line(&[("message", "response not reported"), ("cause", &uninspected.cause)]);
        }
        match self.fail_mode() {
            FailMode::Closed if is_request => block(event, &self.block_parameters(), None),
            _ => Reply::Unchanged(event.unchanged().to_owned()),
        }
    }

    fn fail_mode(&self) -> FailMode {
        match &self.setup {
            Ok(setup) => setup.parameters.fail_mode,
            Err(wrong) => wrong.fail_mode,
        }
    }

    fn block_parameters(&self) -> BlockParameters {
        self.setup.as_ref().map(|setup| setup.parameters.block.clone()).unwrap_or_default()
    }

    fn note(&self, request_id: RequestId, uninspected: &Uninspected) {
        log_not_inspected(request_id, &uninspected.reason, &uninspected.cause);
        self.ledger.note(request_id, uninspected.reason.clone());
    }

    fn defer(&self, deferred: Deferred) {
        *self.deferred.lock().unwrap_or_else(PoisonError::into_inner) = Some(deferred);
    }
}

fn block(event: &Event<'_>, parameters: &BlockParameters, node: Option<BlockResponse>) -> Reply {
    let visitor = event.request().map(|request| Visitor::of(&request.headers)).unwrap_or_default();
    Reply::Generated(block_page::answer(
        parameters,
        node,
        &visitor,
        &event.config.event_type,
        event.request_id(),
    ))
}

fn inspect_request(
    event: &Event<'_>,
    parameters: &Parameters,
    ledger: &Ledger,
) -> Result<InspectRequest, EventError> {
    let request = event.request()?;
    let unreadable = |field| move |value: &str| EventError::Field { field, value: value.to_owned() };
    Ok(InspectRequest {
        request_id: Some(event.request_id()),
        connector: Some(connector_info(&event.config)),
        delivery: parameters.delivery,
        client_ip: request.client_ip.parse().map_err(|_| unreadable("clientIp")(&request.client_ip))?,
        method: request.method.to_string(),
        scheme: request.headers.first("cloudfront-forwarded-proto").map(str::to_owned),
        http_version: None,
        host: host(&request, &event.config.event_type, parameters),
        path: request.uri.to_string(),
        query: request.querystring.to_string(),
        body: body(&request, parameters)?,
        body_truncated: request.body.as_ref().is_some_and(|body| body.input_truncated),
        headers: request.headers.0,
        not_inspected: ledger.pending(),
    })
}

fn body(request: &EventRequest<'_>, parameters: &Parameters) -> Result<Option<Body>, EventError> {
    let body = request.body.as_ref().filter(|_| parameters.body.inspect);
    body.map(EventBody::decode).transpose()
}

/// The viewer's host where it can be known. Origin events show the origin's own unless a policy forwards the viewer's.
fn host(request: &EventRequest<'_>, trigger: &Trigger, parameters: &Parameters) -> String {
    let forwarded = parameters.host_header.as_deref().filter(|_| trigger.is_origin());
    let forwarded = forwarded.and_then(|name| request.headers.first(name));
    let origin = || request.origin.as_ref().map(Origin::domain_name);
    forwarded.or_else(|| request.headers.first("host")).or_else(origin).unwrap_or_default().to_owned()
}

fn response_report(event: &Event<'_>, ledger: &Ledger) -> Result<ResponseReport, EventError> {
    let response = event.response()?;
    let Headers(mut headers) = response.headers;
    headers.retain(|(name, _)| REPORTED_HEADERS.contains(&name.as_str()));
    Ok(ResponseReport {
        request_id: event.request_id(),
        connector: Some(connector_info(&event.config)),
        edge_request_id: Some(event.config.request_id.to_string()),
        status: response.status,
        headers,
        not_inspected: ledger.pending(),
    })
}

fn connector_info(config: &EventConfig<'_>) -> ConnectorInfo {
    ConnectorInfo {
        kind: "cloudfront".to_owned(),
        version: VERSION.to_owned(),
        event: Some(config.event_type.clone()),
        distribution_id: Some(config.distribution_id.to_string()),
        distribution_domain: Some(config.distribution_domain_name.to_string()),
        edge_request_id: Some(config.request_id.to_string()),
    }
}

impl From<CallError> for Uninspected {
    fn from(error: CallError) -> Self {
        Self { reason: fallback::reason(&error), cause: error.to_string() }
    }
}

impl From<EventError> for Uninspected {
    fn from(error: EventError) -> Self {
        Self { reason: NotInspectedReason::Event, cause: error.to_string() }
    }
}
