//! The Lambda emulator: runs a function's zip as the managed Python or Node.js runtime does, and
//! serves the Runtime API to it.
//!
//! Same as Lambda: one invocation at a time per environment; the caller gets its response at `POST
//! /response`, while the environment stays busy until it requests `/next`; its processes are
//! stopped while nothing is pending; a timeout or excess memory kills it; a response counts even if
//! the process dies afterwards; versions; reserved concurrency; log lines.
//!
//! Different: no sandbox (the function sees this machine's files and network, and `/tmp` is
//! shared), no CPU share by memory size, no second attempt at a failed start. Memory is sampled 20
//! times a second, so a short peak may be missed. The number of environments is limited, as one
//! machine runs them all; callers wait for a free one.

mod bundle;
mod config;
mod counts;
mod environment;
mod launch;
mod log;
mod memory;
mod pool;
mod process;
mod python;
mod report;
mod runtime;
mod runtime_api;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::oneshot;

pub use bundle::BundleError;
pub use config::FunctionConfig;
pub use counts::Counts;
pub use log::{Entry, LambdaLog, LogEvent, LogSink, silent, to_tracing};
pub use python::{NoPython, PythonRuntime, RuntimeClient};
pub use runtime::{Language, NoHandler, NoNode, NodeRuntime, Runtime};

use bundle::Bundle;
use environment::{Environment, Fate};
use pool::{Limits, Pool};
use process::Process;

use crate::faults::{Failure, FunctionFault};
use crate::random::Random;

/// A function and its execution environments. Dropping it, or [`Function::stop`], kills them all.
pub struct Function {
    shared: Arc<Shared>,
}

struct Shared {
    config: Arc<FunctionConfig>,
    published: Mutex<Published>,
    log: LambdaLog,
    pool: Pool,
    random: Random,
    counts: counts::Counters,
    processes: Mutex<Vec<Weak<Process>>>,
    stopped: AtomicBool,
}

/// The current version.
#[derive(Clone)]
struct Published {
    version: u32,
    bundle: Bundle,
}

/// Number of environments of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Environments {
    /// Working or starting.
    pub busy: usize,
    /// Frozen.
    pub idle: usize,
}

/// An invocation without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    #[error("the function timed out")]
    Timeout,
    #[error("the function is throttled: reserved concurrency or request rate is exhausted")]
    Throttled,
    #[error("the function reported an error: {body}")]
    FunctionError { body: String },
    #[error("the function's process ended before it responded: {status}")]
    Exited { status: String },
    #[error("the function did not start: {message}")]
    Init { message: String },
    #[error("the function was stopped")]
    Stopped,
}

type Answer = Result<Vec<u8>, InvokeError>;

impl Function {
    /// Reads the zip; environments start on demand, as on Lambda.
    pub async fn start(config: FunctionConfig) -> Result<Self, BundleError> {
        let bundle = read(config.zip.clone()).await?;
        let limits = Limits {
            environments: config.max_environments,
            reserved: config.reserved_concurrency,
            limit: config.timeout,
            capped: config.requests_per_second.is_some(),
        };
        let shared = Shared {
            published: Mutex::new(Published { version: config.version, bundle }),
            log: LambdaLog::new(&config.name, Arc::clone(&config.sink)),
            pool: Pool::new(limits),
            random: config.seed.map(Random::seeded).unwrap_or_default(),
            counts: counts::Counters::default(),
            processes: Mutex::default(),
            stopped: AtomicBool::new(false),
            config: Arc::new(config),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub fn name(&self) -> &str {
        &self.shared.config.name
    }

    /// The current version.
    pub fn version(&self) -> u32 {
        self.shared.published().version
    }

    /// Publishes this zip as the next version. Environments of the previous one end after their
    /// invocation.
    pub async fn publish(&self, zip: PathBuf) -> Result<u32, BundleError> {
        let bundle = read(zip).await?;
        let mut published = self.shared.published();
        published.bundle = bundle;
        published.version += 1;
        Ok(published.version)
    }

    /// All events so far, in order.
    pub fn log(&self) -> &LambdaLog {
        &self.shared.log
    }

    pub fn counts(&self) -> Counts {
        self.shared.counts.now()
    }

    pub fn environments(&self) -> Environments {
        Environments { busy: self.shared.pool.occupied(), idle: self.shared.pool.idle() }
    }

    /// The process ids of the environments alive now.
    pub fn pids(&self) -> Vec<u32> {
        self.shared.live().iter().map(|process| process.pid()).collect()
    }

    /// Runs the function once. Resolves at `POST /response`, without waiting for work after it.
    pub async fn invoke(&self, event: impl Into<Vec<u8>>) -> Result<Vec<u8>, InvokeError> {
        let (answer, answered) = oneshot::channel();
        // A task of its own: a cancelled caller must not cancel the environment.
        tokio::spawn(run_invocation(Arc::clone(&self.shared), event.into(), answer));
        let answer = answered.await.unwrap_or(Err(InvokeError::Stopped));
        self.shared.counts.count(&answer);
        answer
    }

    /// Waits until no environment is busy: work after replies is done, and all are frozen.
    ///
    /// Without it, an invocation right after another's reply may start a second environment, as on
    /// Lambda.
    pub async fn at_rest(&self) {
        self.shared.pool.at_rest().await;
    }

    /// Kills every environment and waits for their end.
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
    fn published(&self) -> MutexGuard<'_, Published> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn environment(&self, fault: &FunctionFault) -> Result<Environment, InvokeError> {
        if fault.fail == Some(Failure::Throttle) {
            return Err(InvokeError::Throttled);
        }
        let version = self.published().version;
        match self.pool.lease(version).await? {
            Some(environment) => Ok(environment),
            None => self.cold_start(fault).await.inspect_err(|_| self.pool.lost()),
        }
    }

    async fn cold_start(&self, fault: &FunctionFault) -> Result<Environment, InvokeError> {
        self.counts.cold_start();
        let published = self.published().clone();
        Environment::start(&self.config, &published, &self.log, fault, |process| self.register(process)).await
    }

    fn register(&self, process: &Arc<Process>) {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.retain(|known| known.strong_count() > 0);
        processes.push(Arc::downgrade(process));
        drop(processes);
        // `stop` may have been called during this start, and missed it.
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
        for process in self.live() {
            process.kill();
        }
        self.pool.stop();
    }
}

/// One invocation, from the selection of its environment until that environment is free again.
async fn run_invocation(shared: Arc<Shared>, event: Vec<u8>, answer: oneshot::Sender<Answer>) {
    let fault = shared.config.faults.in_function(&shared.config.name).unwrap_or_default();
    match shared.environment(&fault).await {
        Ok(mut environment) => {
            let id = shared.random.uuid().to_string();
            match environment.run(id, event, &fault, answer).await {
                Fate::Parked => {
                    let version = shared.published().version;
                    shared.pool.free(environment, version);
                }
                Fate::Dead => shared.pool.lost(),
            }
        }
        Err(error) => {
            // The caller may have been cancelled.
            let _ = answer.send(Err(error));
        }
    }
}

/// Blocking file access, off the async runtime.
async fn read(zip: PathBuf) -> Result<Bundle, BundleError> {
    bundle::off_the_runtime(move || Bundle::read(&zip)).await
}
