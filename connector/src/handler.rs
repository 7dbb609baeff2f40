//! One event, from what CloudFront sent to what it gets back.

mod message;

use crate::{
    block_page::{self, Visitor},
    cloudfront::{Event, EventError, Reply},
    fallback::{self, Ledger},
    log::{self, Level, Log},
    node_client::{CallError, NodeClient},
    parameters::{
        BlockMe, BlockParameters, FailMode, FunctionKind, ParameterError, Parameters, TruncatedBody,
        log_level,
    },
};
use serde_json::value::RawValue;
use shared::{
    Action, BlockResponse, Delivery, InspectRequest, NotInspected, NotInspectedReason, RequestId,
    ResponseReport, Trigger, Verdict,
};
use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex, PoisonError},
};

/// One function's life in one execution environment.
pub struct Connector {
    /// Wrong parameters must not take a site down: they turn every request into one not inspected.
    setup: Result<Setup, Misconfigured>,
    ledger: Ledger,
    log: Log,
    /// The event whose message the visitor need not wait for: neither its sending nor its making.
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

/// Why a request went on without a verdict.
struct Uninspected {
    reason: NotInspectedReason,
    cause: String,
}

impl Connector {
    /// Reads the parameters through `lookup`, which is given names such as `WLRM_NODE_ADDR`.
    pub fn new(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::logging_to(log::to_stderr, lookup)
    }

    /// The same, with each line of the log given to `sink`.
    pub fn logging_to(
        sink: impl Fn(&str) + Send + Sync + 'static,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let log = Log::new(log_level(&lookup).unwrap_or(Level::Warn), sink);
        let setup = match Parameters::read(&lookup) {
            Ok(parameters) => {
                let node = NodeClient::new(parameters.node.clone());
                Ok(Setup { parameters, node })
            }
            Err(error) => {
                log.write(Level::Error, "misconfigured", &[("cause", &error.to_string())]);
                Err(Misconfigured { error, fail_mode: FailMode::read(&lookup).unwrap_or(FailMode::Open) })
            }
        };
        Self { setup, ledger: Ledger::default(), log, deferred: Mutex::default() }
    }

    /// The requests that were not inspected, and that no node knows of yet.
    pub fn not_inspected(&self) -> Vec<NotInspected> {
        self.ledger.pending()
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
        let (Some(event), Ok(setup)) = (deferred, &self.setup) else { return };
        let Ok(event) = Event::parse(&event) else { return };
        // Its reply is out: should this panic, the request must be counted all the same.
        let made = panic::catch_unwind(AssertUnwindSafe(|| self.message(&event, &setup.parameters)));
        let cause = "a panic while the message was made".to_owned();
        match made.unwrap_or(Err(Uninspected { reason: NotInspectedReason::Internal, cause })) {
            Ok(Some(message)) => self.send(&event, setup, &message).await,
            Ok(None) => {}
            Err(uninspected) => self.note_unsent(&event, &uninspected),
        }
    }

    /// What the node is to know of an event that was answered; nothing of an exempt request.
    fn message(&self, event: &Event<'_>, parameters: &Parameters) -> Result<Option<Message>, Uninspected> {
        if !is_request(event) {
            return Ok(Some(Message::Report(message::response_report(event, parameters, &self.ledger)?)));
        }
        let request = event.request()?;
        if let Some(rule) = parameters.bypass.rule(&request) {
            self.bypass(event.request_id(), rule);
            return Ok(None);
        }
        Ok(Some(Message::Copy(message::inspect_request(event, request, parameters, &self.ledger)?)))
    }

    async fn send(&self, event: &Event<'_>, Setup { parameters, node }: &Setup, message: &Message) {
        let deadline = parameters.node.deadlines.for_calls(&event.config.event_type);
        let (result, connector, told) = match message {
            Message::Copy(copy) => (node.copy(copy, deadline).await, &copy.connector, &copy.not_inspected),
            Message::Report(report) => {
                (node.report(report, deadline).await, &report.connector, &report.not_inspected)
            }
        };
        match result {
            Ok(()) => self.ledger.told(told, connector.as_ref().and_then(|connector| connector.bypassed)),
            Err(error) => self.note_unsent(event, &Uninspected::from(error)),
        }
    }

    fn note_unsent(&self, event: &Event<'_>, uninspected: &Uninspected) {
        if is_request(event) {
            self.note(event.request_id(), uninspected);
        } else {
            self.log_unreported(&uninspected.cause);
        }
    }

    async fn answer(&self, raw: &Arc<RawValue>) -> Result<Reply, EventError> {
        let event = Event::parse(raw)?;
        let answered = if is_request(&event) {
            self.on_request(&event, raw).await
        } else {
            self.on_response(&event, raw)
        };
        Ok(answered.unwrap_or_else(|uninspected| self.fail(&event, &uninspected)))
    }

    async fn on_request(&self, event: &Event<'_>, raw: &Arc<RawValue>) -> Result<Reply, Uninspected> {
        let Setup { parameters, node } = self.setup_for(FunctionKind::Request, event)?;
        if parameters.always_passes() {
            return Ok(self.defer(event, raw));
        }
        let request = event.request()?;
        if let Some(rule) = parameters.bypass.rule(&request) {
            self.bypass(event.request_id(), rule);
            return Ok(Reply::Unchanged(event.unchanged().to_owned()));
        }
        let secret = request.headers.first(BlockMe::HEADER).unwrap_or_default();
        let block_me = parameters.block_me.as_ref().is_some_and(|block_me| block_me.is(secret));
        let request = message::inspect_request(event, request, parameters, &self.ledger)?;
        if request.body_truncated && parameters.body.truncated != TruncatedBody::Inspect {
            return Ok(self.refuse_truncated(event, parameters));
        }
        if parameters.delivery == Delivery::OutOfBand {
            return Ok(self.defer(event, raw));
        }
        let deadline = parameters.node.deadlines.for_calls(&event.config.event_type);
        let verdict = node.inspect(&request, deadline).await?;
        let bypassed = request.connector.and_then(|connector| connector.bypassed);
        self.ledger.told(&request.not_inspected, bypassed);
        let blocks = verdict.action == Action::Block || (block_me && verdict.would_block);
        self.log_verdict(&verdict, blocks);
        if blocks {
            return Ok(block(event, &parameters.block, verdict.block));
        }
        Ok(Reply::Unchanged(event.unchanged().to_owned()))
    }

    fn bypass(&self, request_id: RequestId, rule: &str) {
        self.ledger.note_bypassed();
        self.log.write(Level::Debug, "bypassed", &[("request_id", &request_id.to_string()), ("rule", rule)]);
    }

    /// The node is not asked about a request of which a part could not be inspected.
    fn refuse_truncated(&self, event: &Event<'_>, parameters: &Parameters) -> Reply {
        let cause = "the body was cut".to_owned();
        let uninspected = Uninspected { reason: NotInspectedReason::BodyTruncated, cause };
        self.note(event.request_id(), &uninspected);
        match parameters.body.truncated {
            TruncatedBody::Block => block(event, &parameters.block, None),
            _ => Reply::Unchanged(event.unchanged().to_owned()),
        }
    }

    /// The response goes on as it is; only a report of it follows.
    fn on_response(&self, event: &Event<'_>, raw: &Arc<RawValue>) -> Result<Reply, Uninspected> {
        let setup = self.setup_for(FunctionKind::Response, event)?;
        if setup.parameters.response_reports {
            return Ok(self.defer(event, raw));
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
        self.note_unsent(event, uninspected);
        match self.fail_mode() {
            FailMode::Closed if is_request(event) => block(event, &self.block_parameters(), None),
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
        let fields = [
            ("request_id", request_id.to_string()),
            ("reason", uninspected.reason.to_string()),
            ("cause", uninspected.cause.clone()),
        ];
        self.log.write(
            Level::Warn,
            "not inspected",
            &fields.each_ref().map(|(name, value)| (*name, &**value)),
        );
        if self.ledger.note(request_id, uninspected.reason.clone()).is_err() {
            self.log.write(
                Level::Error,
                "the ledger is full: it forgot its oldest request not inspected",
                &[],
            );
        }
    }

    fn log_verdict(&self, verdict: &Verdict, blocks: bool) {
        let (level, message) = if blocks { (Level::Info, "blocked") } else { (Level::Debug, "allowed") };
        self.log.write(level, message, &[("request_id", &verdict.request_id.to_string())]);
    }

    fn log_unreported(&self, cause: &str) {
        self.log.write(Level::Warn, "response not reported", &[("cause", cause)]);
    }

    fn defer(&self, event: &Event<'_>, raw: &Arc<RawValue>) -> Reply {
        *self.deferred.lock().unwrap_or_else(PoisonError::into_inner) = Some(raw.clone());
        Reply::Unchanged(event.unchanged().to_owned())
    }
}

fn is_request(event: &Event<'_>) -> bool {
    matches!(event.config.event_type, Trigger::ViewerRequest | Trigger::OriginRequest)
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
