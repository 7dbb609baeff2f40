//! Event handler: from a CloudFront event to the reply, within the deadline.

mod message;
mod stages;

use crate::{
    block_page::{self, Visitor},
    cloudfront::{Event, EventError, EventRequest, Reply},
    ledger::Ledger,
    log::{self, Level, Log},
    mark::{MARK_HEADER, Mark, MarkError},
    node_client::{CallError, NodeClient},
    parameters::{
        self, BlockMe, BlockParameters, FailMode, FunctionKind, ParameterError, Parameters, TruncatedBody,
    },
};
use serde_json::value::RawValue;
use shared::{
    Action, BlockResponse, Delivery, InspectRequest, NotInspected, NotInspectedReason, RequestId,
    ResponseReport, Verdict,
};
use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError},
};

/// The state of one function in one execution environment.
pub struct Connector {
    /// Invalid parameters must not take a site down: every request then counts as not inspected.
    setup: Result<Setup, Misconfigured>,
    ledger: Ledger,
    log: Log,
    /// The event whose message is built and sent after its reply.
    deferred: Mutex<Option<Arc<RawValue>>>,
}

struct Setup {
    parameters: Parameters,
    node: NodeClient,
}

struct Misconfigured {
    error: ParameterError,
    fail_mode: FailMode,
}

enum Message {
    Copy(InspectRequest),
    Report(ResponseReport),
}

/// Why a request has no verdict.
struct Uninspected {
    reason: NotInspectedReason,
    cause: String,
}

impl Connector {
    /// Reads the parameters through `lookup`, which receives names such as `WLRM_NODE_ADDR`.
    pub fn new(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::logging_to(log::to_stderr, lookup)
    }

    /// The same, with the log lines passed to `sink`.
    pub fn logging_to(
        sink: impl Fn(&str) + Send + Sync + 'static,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let log = Log::new(parameters::log_level(&lookup).unwrap_or(Level::Warn), sink);
        let setup = Parameters::read(&lookup).map(|parameters| {
            let node = NodeClient::new(parameters.node.clone());
            Setup { parameters, node }
        });
        let setup = setup.map_err(|error| {
            log.write(Level::Error, "misconfigured", &[("cause", &error.to_string())]);
            Misconfigured { error, fail_mode: parameters::fail_mode(&lookup).unwrap_or(FailMode::Open) }
        });
        Self { setup, ledger: Ledger::default(), log, deferred: Mutex::default() }
    }

    /// The requests that were not inspected and that no node has acknowledged yet.
    pub fn not_inspected(&self) -> Vec<NotInspected> {
        self.ledger.pending()
    }

    /// Handles one event. An error means that the event contains no request to return.
    pub async fn handle(self: Arc<Self>, event: Box<RawValue>) -> Result<Reply, EventError> {
        let event = Arc::<RawValue>::from(event);
        // A separate task: after a panic, the fail mode still decides.
        let task = tokio::spawn({
            let (connector, event) = (self.clone(), event.clone());
            async move { connector.reply(&event).await }
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

    /// Does the deferred work of the last event.
    pub async fn after_reply(&self) {
        let deferred = self.deferred.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(event), Ok(setup)) = (deferred, &self.setup) else { return };
        let Ok(event) = Event::parse(&event) else { return };
        // The reply has been posted: after a panic, the request must still be counted.
        let message = panic::catch_unwind(AssertUnwindSafe(|| self.message(&event, &setup.parameters)));
        let cause = "panic while building the message".to_owned();
        match message.unwrap_or(Err(Uninspected { reason: NotInspectedReason::Internal, cause })) {
            Ok(Some(message)) => self.send(&event, setup, &message).await,
            Ok(None) => {}
            Err(uninspected) => self.record_unsent(&event, &uninspected),
        }
    }

    /// The message about an event that has a response; none for an exempt request.
    fn message(&self, event: &Event<'_>, parameters: &Parameters) -> Result<Option<Message>, Uninspected> {
        if !event.is_request() {
            return Ok(Some(Message::Report(message::response_report(event, parameters, &self.ledger)?)));
        }
        let request = event.request()?;
        if let Some(rule) = parameters.bypass.rule(&request) {
            self.bypass(event, rule, parameters);
            return Ok(None);
        }
        let mark = self.mark(event, &request, parameters)?;
        let copy = message::inspect_request(event, request, mark.as_ref(), parameters, &self.ledger)?;
        Ok(Some(Message::Copy(copy)))
    }

    async fn send(&self, event: &Event<'_>, Setup { parameters, node }: &Setup, message: &Message) {
        let deadline = parameters.node.deadlines.for_calls(&event.config.event_type);
        let (result, connector, reported) = match message {
            Message::Copy(copy) => (node.copy(copy, deadline).await, &copy.connector, &copy.not_inspected),
            Message::Report(report) => {
                (node.report(report, deadline).await, &report.connector, &report.not_inspected)
            }
        };
        match result {
            Ok(()) => self.ledger.acknowledge(reported, connector.as_ref().and_then(|it| it.bypassed)),
            Err(error) => self.record_unsent(event, &Uninspected::from(error)),
        }
    }

    fn record_unsent(&self, event: &Event<'_>, uninspected: &Uninspected) {
        if event.is_request() {
            self.record(event.request_id(), uninspected);
        } else {
            self.log.write(Level::Warn, "response not reported", &[("cause", &uninspected.cause)]);
        }
    }

    async fn reply(&self, raw: &Arc<RawValue>) -> Result<Reply, EventError> {
        let event = Event::parse(raw)?;
        let reply = if event.is_request() {
            self.on_request(&event, raw).await
        } else {
            self.on_response(&event, raw)
        };
        Ok(reply.unwrap_or_else(|uninspected| self.fail(&event, &uninspected)))
    }

    async fn on_request(&self, event: &Event<'_>, raw: &Arc<RawValue>) -> Result<Reply, Uninspected> {
        let Setup { parameters, node } = self.setup_for(FunctionKind::Request, event)?;
        if parameters.always_passes() {
            return Ok(self.defer(event, raw, None));
        }
        let request = event.request()?;
        let mark = self.mark(event, &request, parameters)?;
        if mark.as_ref().is_some_and(|mark| mark.is_whole) {
            return Ok(self.forward(event, None));
        }
        if let Some(rule) = parameters.bypass.rule(&request) {
            self.bypass(event, rule, parameters);
            return Ok(self.forward(event, None));
        }
        let secret = request.headers.first(BlockMe::HEADER).unwrap_or_default();
        let block_me = parameters.block_me.as_ref().is_some_and(|block_me| block_me.matches(secret));
        let request = message::inspect_request(event, request, mark.as_ref(), parameters, &self.ledger)?;
        if request.body_truncated && stages::refuses_truncated(event, parameters) {
            return Ok(self.refuse_truncated(event, parameters));
        }
        let next_mark = stages::sign(event, &request, parameters);
        if parameters.delivery == Delivery::OutOfBand {
            return Ok(self.defer(event, raw, next_mark.as_deref()));
        }
        let deadline = parameters.node.deadlines.for_calls(&event.config.event_type);
        let verdict = node.inspect(&request, deadline).await?;
        let bypassed = request.connector.and_then(|connector| connector.bypassed);
        self.ledger.acknowledge(&request.not_inspected, bypassed);
        let blocks = verdict.action == Action::Block || (block_me && verdict.would_block);
        self.log_verdict(&verdict, blocks);
        let allowed = || self.forward(event, next_mark.as_deref());
        Ok(if blocks { block(event, &parameters.block, verdict.block) } else { allowed() })
    }

    /// Counts an exempt request, once: the origin stage leaves it to the viewer stage.
    fn bypass(&self, event: &Event<'_>, rule: &str, parameters: &Parameters) {
        if parameters.mark_keys.is_none() || stages::has_later(event, parameters) {
            self.ledger.record_bypassed();
        }
        let request_id = event.request_id().to_string();
        self.log.write(Level::Debug, "bypassed", &[("request_id", &request_id), ("rule", rule)]);
    }

    /// The valid mark of the viewer stage, at the origin stage.
    fn mark(
        &self,
        event: &Event<'_>,
        request: &EventRequest<'_>,
        parameters: &Parameters,
    ) -> Result<Option<Mark>, Uninspected> {
        let Some(mark) = stages::read(event, request, parameters)? else { return Ok(None) };
        let rejected = |cause: &MarkError| {
            let fields = [("request_id", &*event.request_id().to_string()), ("cause", &*cause.to_string())];
            self.log.write(Level::Info, "mark rejected", &fields);
        };
        Ok(mark.inspect_err(rejected).ok())
    }

    /// Forwards a request, with two stages with this mark in place of the header that was received.
    fn forward(&self, event: &Event<'_>, mark: Option<&str>) -> Reply {
        // Other parameters may be valid in the other stage: its mark must not reach the origin.
        let has_stages = self.setup.as_ref().map_or(true, |setup| setup.parameters.mark_keys.is_some());
        if has_stages && event.is_request() {
            event.with_header(MARK_HEADER, mark)
        } else {
            event.unchanged()
        }
    }

    /// Blocks or forwards a request with a truncated body, without a call to the node.
    fn refuse_truncated(&self, event: &Event<'_>, parameters: &Parameters) -> Reply {
        let cause = "the body was truncated".to_owned();
        let uninspected = Uninspected { reason: NotInspectedReason::BodyTruncated, cause };
        self.record(event.request_id(), &uninspected);
        match parameters.body.truncated {
            TruncatedBody::Block => block(event, &parameters.block, None),
            _ => self.forward(event, None),
        }
    }

    /// Returns the response unchanged; a report follows after the reply.
    fn on_response(&self, event: &Event<'_>, raw: &Arc<RawValue>) -> Result<Reply, Uninspected> {
        let setup = self.setup_for(FunctionKind::Response, event)?;
        Ok(if setup.parameters.response_reports { self.defer(event, raw, None) } else { event.unchanged() })
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

    /// Replies without a verdict. Responses always pass: their request has been decided already.
    fn fail(&self, event: &Event<'_>, uninspected: &Uninspected) -> Reply {
        self.record_unsent(event, uninspected);
        let (fail_mode, parameters) = match &self.setup {
            Ok(setup) => (setup.parameters.fail_mode, &setup.parameters.block),
            Err(wrong) => (wrong.fail_mode, &BlockParameters::default()),
        };
        match fail_mode {
            FailMode::Closed if event.is_request() => block(event, parameters, None),
            _ => self.forward(event, None),
        }
    }

    fn record(&self, request_id: RequestId, Uninspected { reason, cause }: &Uninspected) {
        let fields =
            [("request_id", &*request_id.to_string()), ("reason", reason.as_str()), ("cause", cause)];
        self.log.write(Level::Warn, "not inspected", &fields);
        if self.ledger.record(request_id, reason.clone()).is_err() {
            self.log.write(Level::Error, "ledger full: dropped the oldest request not inspected", &[]);
        }
    }

    fn log_verdict(&self, verdict: &Verdict, blocks: bool) {
        let (level, message) = if blocks { (Level::Info, "blocked") } else { (Level::Debug, "allowed") };
        self.log.write(level, message, &[("request_id", &verdict.request_id.to_string())]);
    }

    fn defer(&self, event: &Event<'_>, raw: &Arc<RawValue>, mark: Option<&str>) -> Reply {
        *self.deferred.lock().unwrap_or_else(PoisonError::into_inner) = Some(raw.clone());
        self.forward(event, mark)
    }
}

fn block(event: &Event<'_>, parameters: &BlockParameters, node: Option<BlockResponse>) -> Reply {
    let visitor = event.request().map(|request| Visitor::of(&request.headers)).unwrap_or_default();
    let trigger = &event.config.event_type;
    Reply::Generated(block_page::response(parameters, node, &visitor, trigger, event.request_id()))
}

impl From<CallError> for Uninspected {
    fn from(error: CallError) -> Self {
        Self { reason: error.reason(), cause: error.to_string() }
    }
}

impl From<EventError> for Uninspected {
    fn from(error: EventError) -> Self {
        Self { reason: NotInspectedReason::Event, cause: error.to_string() }
    }
}
