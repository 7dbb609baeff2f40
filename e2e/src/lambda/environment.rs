//! One execution environment: a task directory, a process group and a Runtime API, driven one event at a time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::bundle::Bundle;
use super::log::{LambdaLog, LogEvent};
use super::process::Process;
use super::runtime_api::{Call, CallKind, RuntimeApi, accepted, refusal};
use super::{Answer, FunctionConfig, InvokeError, launch};
use crate::http1::Response;

/// "Understanding the Lambda execution environment lifecycle": the Init phase is limited to 10 seconds.
const INIT_LIMIT: Duration = Duration::from_secs(10);

pub(super) struct Environment {
    process: Arc<Process>,
    calls: mpsc::UnboundedReceiver<Call>,
    /// The unanswered `/next`: there whenever the environment is free.
    parked: Option<oneshot::Sender<Response>>,
    frozen: bool,
    arn: String,
    timeout: Duration,
    log: LambdaLog,
    // Held for their ends: the listener closes and the files go when the environment does.
    _api: RuntimeApi,
    _files: TempDir,
}

/// What became of an environment after an invocation.
pub(super) enum Fate {
    Parked,
    Dead,
}

enum Happening {
    Call(Call),
    Exited(String),
    TimedOut,
}

/// An invocation under way. The answer leaves once.
struct Invocation {
    id: String,
    answer: Option<oneshot::Sender<Answer>>,
}

impl Environment {
    /// Starts the runtime and waits until it asks for work.
    pub(super) async fn start(
        config: &FunctionConfig,
        bundle: &Bundle,
        log: &LambdaLog,
        adopt: impl FnOnce(&Arc<Process>),
    ) -> Result<Self, InvokeError> {
        let files = launch::unpack(bundle).await?;
        let (api, calls) = RuntimeApi::start().await.map_err(no_start)?;
        let command = launch::command(config, files.path(), api.address());
        let process = Process::spawn(command, log).map_err(no_start)?;
        adopt(&process);
        let mut environment = Self {
            process,
            calls,
            parked: None,
            frozen: false,
            arn: format!("arn:aws:lambda:us-east-1:123456789012:function:{}:1", config.name),
            timeout: config.timeout,
            log: log.clone(),
            _api: api,
            _files: files,
        };
        environment.initialize().await?;
        Ok(environment)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// Hands out one event and follows it until the runtime is back at `/next`.
    pub(super) async fn run(&mut self, event: Vec<u8>, answer: oneshot::Sender<Answer>) -> Fate {
        let mut invocation = Invocation { id: Uuid::new_v4().to_string(), answer: Some(answer) };
        let deadline = Instant::now() + self.timeout;
        self.hand_out(&invocation.id, event);
        loop {
            match self.next_happening(deadline).await {
                Happening::Call(call) => {
                    if let Some(fate) = self.take_call(&mut invocation, call) {
                        return fate;
                    }
                }
                Happening::Exited(status) => {
                    invocation.settle(Err(InvokeError::Exited { status }));
                    return Fate::Dead;
                }
                Happening::TimedOut => {
                    self.note(LogEvent::TimedOut { id: invocation.id.clone() });
                    self.process.kill();
                    invocation.settle(Err(InvokeError::Timeout));
                    return Fate::Dead;
                }
            }
        }
    }

    async fn initialize(&mut self) -> Result<(), InvokeError> {
        let message = match self.next_happening(Instant::now() + INIT_LIMIT).await {
            Happening::Call(Call { kind: CallKind::Next { user_agent }, reply, .. }) => {
                self.park(user_agent, reply);
                return Ok(());
            }
            Happening::Call(Call { kind: CallKind::InitError, body, reply }) => {
                let body = lossy(&body);
                self.note(LogEvent::InitError { body: body.clone() });
                let _ = reply.send(accepted());
                body
            }
            Happening::Call(_) => "the runtime posted a result before it asked for work".to_owned(),
            Happening::Exited(status) => format!("the process ended ({status}) before it asked for work"),
            Happening::TimedOut => format!("the runtime did not ask for work within {INIT_LIMIT:?}"),
        };
        Err(InvokeError::Init { message })
    }

    fn hand_out(&mut self, id: &str, event: Vec<u8>) {
        if self.frozen {
            self.process.thaw();
            self.frozen = false;
            self.note(LogEvent::Thawed);
        }
        self.note(LogEvent::InvokeStart { id: id.to_owned() });
        if let Some(parked) = self.parked.take() {
            // If nobody is there any more, its exit will say so.
            let _ = parked.send(self.next_response(id, event));
        }
    }

    fn next_response(&self, id: &str, event: Vec<u8>) -> Response {
        let deadline = jiff::Timestamp::now().as_millisecond().saturating_add_unsigned(millis(self.timeout));
        let trace = Uuid::new_v4().simple().to_string();
        Response::new(200)
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", id)
            .header("Lambda-Runtime-Deadline-Ms", deadline.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", &self.arn)
            .header("Lambda-Runtime-Trace-Id", format!("Root=1-{}-{};Sampled=0", &trace[..8], &trace[8..]))
            .with_body(event)
    }

    /// `Some` when the invocation is over.
    fn take_call(&mut self, invocation: &mut Invocation, call: Call) -> Option<Fate> {
        let Call { kind, body, reply } = call;
        match kind {
            CallKind::Next { user_agent } => {
                let silent = "the runtime asked for work without answering".to_owned();
                invocation.settle(Err(InvokeError::FunctionError { body: silent }));
                self.park(user_agent, reply);
                self.freeze();
                return Some(Fate::Parked);
            }
            CallKind::Response { id } if invocation.awaits(&id) => {
                self.note(LogEvent::Response { id });
                invocation.settle(Ok(body));
                let _ = reply.send(accepted());
            }
            CallKind::Error { id } if invocation.awaits(&id) => {
                let body = lossy(&body);
                self.note(LogEvent::Error { id, body: body.clone() });
                invocation.settle(Err(InvokeError::FunctionError { body }));
                let _ = reply.send(accepted());
            }
            CallKind::Response { .. } | CallKind::Error { .. } => {
                let _ = reply.send(refusal(400, "InvalidRequestID", "this id awaits no result"));
            }
            CallKind::InitError => {
                let _ = reply.send(refusal(403, "InvalidStateTransition", "the initialization is over"));
            }
        }
        None
    }

    fn park(&mut self, user_agent: String, reply: oneshot::Sender<Response>) {
        self.note(LogEvent::Next { user_agent });
        self.parked = Some(reply);
    }

    // Even when the next event is waiting: its hand-out thaws within microseconds, and the promise stays simple.
    fn freeze(&mut self) {
        self.note(LogEvent::Frozen);
        self.process.freeze();
        self.frozen = true;
    }

    /// Calls come first: a result posted just before the exit or the deadline counts.
    async fn next_happening(&mut self, deadline: Instant) -> Happening {
        tokio::select! {
            biased;
            Some(call) = self.calls.recv() => Happening::Call(call),
            status = self.process.exited() => Happening::Exited(status),
            () = sleep_until(deadline) => Happening::TimedOut,
        }
    }

    fn note(&self, event: LogEvent) {
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
            // The caller may have gone.
            let _ = answer.send(result);
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn no_start(error: io::Error) -> InvokeError {
    InvokeError::Init { message: error.to_string() }
}

fn lossy(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
