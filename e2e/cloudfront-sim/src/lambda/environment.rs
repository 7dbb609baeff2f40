//! One execution environment: a task directory, a process group and a Runtime API, driven one event
//! at a time.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::config::FunctionConfig;
use super::log::{LambdaLog, LogEvent};
use super::memory::Memory;
use super::process::Process;
use super::report::{self, End, Report};
use super::runtime_api::{Call, CallKind, RuntimeApi, accepted, refusal};
use super::{Answer, InvokeError, Published, launch};
use crate::faults::{Failure, FunctionFault};
use crate::http1::Response;

pub(super) struct Environment {
    process: Arc<Process>,
    calls: mpsc::UnboundedReceiver<Call>,
    /// The pending `/next` call; present while the environment is free.
    parked: Option<oneshot::Sender<Response>>,
    frozen: bool,
    arn: String,
    version: u32,
    config: Arc<FunctionConfig>,
    memory: Memory,
    /// Duration of the start, until the first invocation reports it.
    init: Option<Duration>,
    /// Start times of the last invocations, up to one second's limit.
    begun: VecDeque<Instant>,
    log: LambdaLog,
    // Kept for their `Drop`: the listener closes and the files are deleted with the environment.
    _api: RuntimeApi,
    _files: TempDir,
}

/// The state of an environment after an invocation.
pub(super) enum Fate {
    Parked,
    Dead,
}

enum Event {
    Call(Call),
    Exited(String),
    TooLarge,
    TimedOut,
}

/// An invocation in progress. It is answered once.
struct Invocation {
    id: String,
    start: Instant,
    deadline: Instant,
    answer: Option<oneshot::Sender<Answer>>,
}

impl Environment {
    /// Starts the runtime and waits for its first `/next`.
    pub(super) async fn start(
        config: &Arc<FunctionConfig>,
        published: &Published,
        log: &LambdaLog,
        fault: &FunctionFault,
        adopt: impl FnOnce(&Arc<Process>),
    ) -> Result<Self, InvokeError> {
        let files = launch::unpack(&published.bundle).await?;
        let (api, calls) = RuntimeApi::start().await.map_err(init_error)?;
        let start = Instant::now();
        let command = launch::command(config, published.version, files.path(), api.address());
        let process = Process::spawn(command, log).map_err(init_error)?;
        adopt(&process);
        let version = published.version;
        let mut environment = Self {
            memory: Memory::of(process.pid(), config.memory_mb),
            process,
            calls,
            parked: None,
            frozen: false,
            arn: format!("arn:aws:lambda:us-east-1:123456789012:function:{}:{version}", config.name),
            version,
            config: Arc::clone(config),
            init: None,
            begun: VecDeque::new(),
            log: log.clone(),
            _api: api,
            _files: files,
        };
        environment.initialize(start, fault).await?;
        Ok(environment)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    pub(super) fn version(&self) -> u32 {
        self.version
    }

    /// Whether the rate limit permits another invocation now.
    pub(super) fn may_serve(&mut self, now: Instant) -> bool {
        let Some(rate) = self.config.requests_per_second else { return true };
        while self.begun.front().is_some_and(|begun| now.duration_since(*begun) >= Duration::from_secs(1)) {
            self.begun.pop_front();
        }
        self.begun.len() < rate
    }

    /// Delivers one event and waits until the runtime is back at `/next`.
    pub(super) async fn run(
        &mut self,
        id: String,
        event: Vec<u8>,
        fault: &FunctionFault,
        answer: oneshot::Sender<Answer>,
    ) -> Fate {
        let start = Instant::now();
        let deadline = start + self.config.timeout;
        let mut invocation = Invocation { id, start, deadline, answer: Some(answer) };
        self.begin(&invocation);
        if fault.delay_ms > 0 {
            sleep_until(deadline.min(start + fault.delay())).await;
        }
        if fault.fail == Some(Failure::Error) {
            let body =
                r#"{"errorType": "InjectedFault", "errorMessage": "injected by the fault plan"}"#.to_owned();
            invocation.settle(Err(InvokeError::FunctionError { body }));
            self.finish(&invocation, End::Answered);
            return Fate::Parked;
        }
        self.hand_out(&invocation, event);
        if fault.fail == Some(Failure::Crash) {
            self.process.kill();
        }
        self.follow(&mut invocation).await
    }

    async fn follow(&mut self, invocation: &mut Invocation) -> Fate {
        let mut out_of_memory = false;
        loop {
            match self.next_event(invocation.deadline).await {
                Event::Call(call) => {
                    if self.take_call(invocation, call) {
                        self.finish(invocation, End::Answered);
                        return Fate::Parked;
                    }
                }
                Event::TooLarge => {
                    out_of_memory = true;
                    self.process.kill();
                }
                Event::Exited(status) => {
                    self.finish(invocation, End::Exited { reason: &status, out_of_memory });
                    invocation.settle(Err(InvokeError::Exited { status }));
                    return Fate::Dead;
                }
                Event::TimedOut => {
                    self.record(LogEvent::TimedOut { id: invocation.id.clone() });
                    self.process.kill();
                    self.finish(invocation, End::TimedOut { after: self.config.timeout });
                    invocation.settle(Err(InvokeError::Timeout));
                    return Fate::Dead;
                }
            }
        }
    }

    async fn initialize(&mut self, start: Instant, fault: &FunctionFault) -> Result<(), InvokeError> {
        let limit = self.config.init_timeout;
        if fault.init_delay_ms > 0 {
            sleep(fault.init_delay().min(limit)).await;
        }
        let mut timed_out = false;
        let message = match self.next_event(start + limit).await {
            _ if fault.fail == Some(Failure::Init) => "injected by the fault plan".to_owned(),
            Event::Call(Call { kind: CallKind::Next { user_agent }, reply, .. })
                if start.elapsed() < limit =>
            {
                self.park(user_agent, reply);
                self.init = Some(start.elapsed());
                return Ok(());
            }
            Event::Call(Call { kind: CallKind::InitError, body, reply }) => {
                let body = lossy(&body);
                self.record(LogEvent::InitError { body: body.clone() });
                let _ = reply.send(accepted());
                body
            }
            Event::Call(Call { kind: CallKind::Next { .. }, .. }) | Event::TimedOut => {
                timed_out = true;
                format!("the runtime requested no event within {limit:?}")
            }
            Event::Call(_) => "the runtime posted a result before it requested an event".to_owned(),
            Event::Exited(status) => format!("the process ended ({status}) before it requested an event"),
            Event::TooLarge => format!("memory limit of {} MB exceeded", self.config.memory_mb),
        };
        self.platform(report::init_failed(start.elapsed(), timed_out));
        Err(InvokeError::Init { message })
    }

    fn begin(&mut self, invocation: &Invocation) {
        if self.frozen {
            self.process.thaw();
            self.frozen = false;
            self.record(LogEvent::Thawed);
        }
        if self.config.requests_per_second.is_some() {
            self.begun.push_back(invocation.start);
        }
        self.platform(report::start(&invocation.id, self.version));
        self.record(LogEvent::InvokeStart { id: invocation.id.clone() });
    }

    fn hand_out(&mut self, invocation: &Invocation, event: Vec<u8>) {
        if let Some(parked) = self.parked.take() {
            // A process that has ended is reported by its exit.
            let _ = parked.send(self.next_response(invocation, event));
        }
    }

    fn next_response(&self, invocation: &Invocation, event: Vec<u8>) -> Response {
        let remaining = invocation.deadline.saturating_duration_since(Instant::now());
        let deadline = jiff::Timestamp::now().as_millisecond().saturating_add_unsigned(millis(remaining));
        // X-Ray's trace id, derived from the request id so that it depends on the seed as well.
        let trace = invocation.id.replace('-', "");
        Response::new(200)
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &invocation.id)
            .header("Lambda-Runtime-Deadline-Ms", deadline.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", &self.arn)
            .header("Lambda-Runtime-Trace-Id", format!("Root=1-{}-{};Sampled=0", &trace[..8], &trace[8..]))
            .with_body(event)
    }

    /// True when the invocation is over.
    fn take_call(&mut self, invocation: &mut Invocation, call: Call) -> bool {
        let Call { kind, body, reply } = call;
        match kind {
            CallKind::Next { user_agent } => {
                let body = "the runtime requested the next event without a response".to_owned();
                invocation.settle(Err(InvokeError::FunctionError { body }));
                self.park(user_agent, reply);
                return true;
            }
            CallKind::Response { id } if invocation.awaits(&id) => {
                self.record(LogEvent::Response { id });
                invocation.settle(Ok(body));
                let _ = reply.send(accepted());
            }
            CallKind::Error { id } if invocation.awaits(&id) => {
                let body = lossy(&body);
                self.record(LogEvent::Error { id, body: body.clone() });
                invocation.settle(Err(InvokeError::FunctionError { body }));
                let _ = reply.send(accepted());
            }
            CallKind::Response { .. } | CallKind::Error { .. } => {
                let _ = reply.send(refusal(400, "InvalidRequestID", "no invocation with this id is pending"));
            }
            CallKind::InitError => {
                let _ = reply.send(refusal(403, "InvalidStateTransition", "the initialization is over"));
            }
        }
        false
    }

    fn park(&mut self, user_agent: String, reply: oneshot::Sender<Response>) {
        self.record(LogEvent::Next { user_agent });
        self.parked = Some(reply);
    }

    /// Freezes its processes until the next invocation.
    pub(super) fn freeze(&mut self) {
        self.record(LogEvent::Frozen);
        self.process.freeze();
        self.frozen = true;
    }

    /// Calls have priority: a result posted just before the exit or the deadline counts.
    async fn next_event(&mut self, deadline: Instant) -> Event {
        loop {
            tokio::select! {
                biased;
                Some(call) = self.calls.recv() => return Event::Call(call),
                status = self.process.exited() => return Event::Exited(status),
                () = sleep_until(deadline.min(self.memory.next_sample())) => {
                    if Instant::now() >= deadline {
                        return Event::TimedOut;
                    }
                    if self.memory.sample() {
                        return Event::TooLarge;
                    }
                }
            }
        }
    }

    fn finish(&mut self, invocation: &Invocation, end: End<'_>) {
        if self.init.is_some() || self.memory.next_sample() <= Instant::now() {
            self.memory.sample();
        }
        let report = Report {
            id: &invocation.id,
            duration: invocation.start.elapsed(),
            init: self.init.take(),
            memory_mb: self.config.memory_mb,
            used: self.memory.most(),
            end,
        };
        for line in report.lines() {
            self.platform(line);
        }
    }

    fn platform(&self, line: String) {
        self.record(LogEvent::Platform { line });
    }

    fn record(&self, event: LogEvent) {
        self.log.push(self.process.pid(), event);
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.process.kill();
    }
}

impl Invocation {
    fn awaits(&self, id: &str) -> bool {
        self.id == id && self.answer.is_some()
    }

    fn settle(&mut self, result: Answer) {
        if let Some(answer) = self.answer.take() {
            // The caller may have been cancelled.
            let _ = answer.send(result);
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes the error by value")]
fn init_error(error: io::Error) -> InvokeError {
    InvokeError::Init { message: error.to_string() }
}

fn lossy(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
