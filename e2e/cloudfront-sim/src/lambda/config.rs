//! The settings of a function.

use std::path::PathBuf;
use std::time::Duration;

use super::log::{LogSink, to_tracing};
use super::runtime::Runtime;
use crate::faults::Faults;

/// A function's code and limits.
#[derive(Clone)]
pub struct FunctionConfig {
    pub name: String,
    pub zip: PathBuf,
    pub handler: String,
    /// The number of the version that `zip` is.
    pub version: u32,
    /// Of one invocation, including work after its reply.
    pub timeout: Duration,
    /// Of a cold start. "Understanding the Lambda execution environment lifecycle": 10 seconds.
    pub init_timeout: Duration,
    /// Limit of the resident memory of all its processes; beyond it they are killed.
    pub memory_mb: u32,
    /// Local limit: callers wait for a free environment, up to `timeout`.
    pub max_environments: usize,
    /// Lambda's limit: callers are throttled immediately.
    pub reserved_concurrency: Option<usize>,
    /// Requests per second of one environment. "Lambda quotas": 10. `None`: unlimited.
    pub requests_per_second: Option<usize>,
    pub runtime: Runtime,
    /// Receives the function's log, line by line.
    pub sink: LogSink,
    pub faults: Faults,
    /// Seed of request ids. `None`: different ones in each run.
    pub seed: Option<u64>,
}

impl FunctionConfig {
    /// The settings of a Lambda@Edge function, with its log lines sent to `tracing` and no rate
    /// limit per environment.
    pub fn new(name: &str, zip: impl Into<PathBuf>, runtime: impl Into<Runtime>) -> Self {
        Self {
            name: name.to_owned(),
            zip: zip.into(),
            handler: "lambda_function.lambda_handler".to_owned(),
            version: 1,
            timeout: Duration::from_secs(5),
            init_timeout: Duration::from_secs(10),
            memory_mb: 128,
            max_environments: 10,
            reserved_concurrency: None,
            requests_per_second: None,
            runtime: runtime.into(),
            sink: to_tracing(),
            faults: Faults::default(),
            seed: None,
        }
    }
}
