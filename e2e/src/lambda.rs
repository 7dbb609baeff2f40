//! The Lambda emulator: runs a function's zip as the managed Python runtime does, and speaks the Runtime API to it.
//!
//! What is true to Lambda: one invocation at a time per environment; the caller has its answer at `POST /response`
//! while the environment stays busy until it asks for `/next`; between invocations its processes are stopped; a
//! timeout kills it; a process that dies after its response has still answered.
//!
//! What is not: no sandbox (the function sees this machine's files and network, and `/tmp` is shared), no CPU share
//! for the memory size, no second attempt at a failed start, and callers wait for a free environment up to the
//! function's timeout where Lambda would throttle at once.

mod bundle;
mod environment;
mod launch;
mod log;
mod process;
mod python;
mod runtime_api;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

pub use bundle::BundleError;
pub use log::{Entry, LambdaLog, LogEvent, LogSink, silent, to_tracing};
pub use python::{NoPython, PythonRuntime, RuntimeClient};

use bundle::Bundle;
use environment::{Environment, Fate};
use process::Process;

/// What a function is made of.
#[derive(Clone)]
pub struct FunctionConfig {
    pub name: String,
    pub zip: PathBuf,
    pub handler: String,
    /// For one invocation, the work after its reply included.
    pub timeout: Duration,
    pub memory_mb: u32,
    pub max_environments: usize,
    pub python: PythonRuntime,
    /// Where the function's standard output and error go, line by line.
    pub sink: LogSink,
}

impl FunctionConfig {
    /// The settings of a Lambda@Edge function, with its lines going to `tracing`.
    pub fn new(name: &str, zip: impl Into<PathBuf>, python: PythonRuntime) -> Self {
        Self {
            name: name.to_owned(),
            zip: zip.into(),
            handler: "lambda_function.lambda_handler".to_owned(),
            timeout: Duration::from_secs(5),
            memory_mb: 128,
            max_environments: 10,
            python,
            sink: to_tracing(),
        }
    }
}

/// A function and its execution environments. Dropping it, or [`Function::stop`], kills them all.
pub struct Function {
    shared: Arc<Shared>,
}

struct Shared {
    config: FunctionConfig,
    bundle: Bundle,
    log: LambdaLog,
    /// A permit is the right to occupy one environment.
    permits: Arc<Semaphore>,
    /// Parked at `/next`; the most recently used is last.
    idle: Mutex<Vec<Environment>>,
    processes: Mutex<Vec<Weak<Process>>>,
    stopped: AtomicBool,
}

/// Why an invocation has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    #[error("the function timed out")]
    Timeout,
    #[error("no environment became free in time")]
    Throttled,
    #[error("the function reported an error: {body}")]
    FunctionError { body: String },
    #[error("the function's process ended ({status}) before it answered")]
    Exited { status: String },
    #[error("the function did not start: {message}")]
    Init { message: String },
    #[error("the function was stopped")]
    Stopped,
}

type Answer = Result<Vec<u8>, InvokeError>;

impl Function {
    /// Reads the zip; environments start when they are needed, as on Lambda.
    pub async fn start(config: FunctionConfig) -> Result<Self, BundleError> {
        let zip = config.zip.clone();
        let bundle = bundle::off_the_runtime(move || Bundle::read(&zip)).await?;
        let shared = Shared {
            bundle,
            log: LambdaLog::new(&config.name, Arc::clone(&config.sink)),
            permits: Arc::new(Semaphore::new(config.max_environments)),
            idle: Mutex::default(),
            processes: Mutex::default(),
            stopped: AtomicBool::new(false),
            config,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub fn name(&self) -> &str {
        &self.shared.config.name
    }

    /// What happened so far, in order.
    pub fn log(&self) -> &LambdaLog {
        &self.shared.log
    }

    /// The process ids of the environments alive now.
    pub fn pids(&self) -> Vec<u32> {
        self.shared.live().iter().map(|process| process.pid()).collect()
    }

    /// Runs the function once. Resolves at `POST /response`; what the function does after that is not waited for.
    pub async fn invoke(&self, event: impl Into<Vec<u8>>) -> Result<Vec<u8>, InvokeError> {
        let permit = self.shared.permit().await?;
        let (answer, answered) = oneshot::channel();
        // A task of its own: a caller who goes away must not take the environment with it.
        tokio::spawn(occupy(Arc::clone(&self.shared), permit, event.into(), answer));
        answered.await.unwrap_or(Err(InvokeError::Stopped))
    }

    /// Waits until no environment is busy: work after replies is done, and what is alive is parked and frozen.
    ///
    /// Without it, a call right after another's reply may start a second environment, as it may on Lambda.
    pub async fn at_rest(&self) {
        let all = u32::try_from(self.shared.config.max_environments).unwrap_or(u32::MAX);
        // Refused only once stopped, and then nothing is busy.
        let _ = self.shared.permits.acquire_many(all).await;
    }

    /// Kills every environment and waits until they are gone.
    pub async fn stop(&self) {
        let processes = self.shared.live();
        self.shared.kill_all();
        for process in processes {
            process.exited().await;
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name()).field("pids", &self.pids()).finish()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.shared.kill_all();
    }
}

impl Shared {
    async fn permit(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.config.timeout, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(InvokeError::Stopped),
            Err(_) => Err(InvokeError::Throttled),
        }
    }

    /// The most recently used warm environment that is still alive, or a new one.
    async fn environment(&self) -> Result<Environment, InvokeError> {
        while let Some(environment) = self.take_idle() {
            if environment.is_alive() {
                return Ok(environment);
            }
        }
        Environment::start(&self.config, &self.bundle, &self.log, |process| self.adopt(process)).await
    }

    fn take_idle(&self) -> Option<Environment> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn park(&self, environment: Environment) {
        if !self.stopped.load(Ordering::SeqCst) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(environment);
        }
    }

    fn adopt(&self, process: &Arc<Process>) {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.retain(|known| known.strong_count() > 0);
        processes.push(Arc::downgrade(process));
        drop(processes);
        // A stop that came while this one was starting has not seen it.
        if self.stopped.load(Ordering::SeqCst) {
            process.kill();
        }
    }

    fn live(&self) -> Vec<Arc<Process>> {
        let processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.iter().filter_map(Weak::upgrade).filter(|process| process.is_alive()).collect()
    }

    fn kill_all(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.permits.close();
        for process in self.live() {
            process.kill();
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// One invocation from the choice of its environment until that environment is free again.
async fn occupy(
    shared: Arc<Shared>,
    permit: OwnedSemaphorePermit,
    event: Vec<u8>,
    answer: oneshot::Sender<Answer>,
) {
    match shared.environment().await {
        Ok(mut environment) => {
            if let Fate::Parked = environment.run(event, answer).await {
                shared.park(environment);
            }
        }
        Err(error) => {
            // The caller may have gone.
            let _ = answer.send(Err(error));
        }
    }
    drop(permit);
}
