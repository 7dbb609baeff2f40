//! The settings of a function.

use std::path::PathBuf;
use std::time::Duration;

use super::log::{LogSink, to_tracing};
use super::runtime::Runtime;
use crate::faults::Faults;

/// What a function is made of.
#[derive(Clone)]
pub struct FunctionConfig {
    pub name: String,
    pub zip: PathBuf,
    pub handler: String,
    /// The number of the version that `zip` is.
    pub version: u32,
    /// For one invocation, the work after its reply included.
    pub timeout: Duration,
    /// For a cold start. "Understanding the Lambda execution environment lifecycle": 10 seconds.
    pub init_timeout: Duration,
    /// What its processes may have resident together, before they are killed.
    pub memory_mb: u32,
    /// This machine's limit: callers wait for a free environment, up to `timeout`.
    pub max_environments: usize,
    /// Lambda's limit: callers are throttled at once.
    pub reserved_concurrency: Option<usize>,
    /// Of one environment. "Lambda quotas": 10. `None` lifts the cap.
    pub requests_per_second: Option<usize>,
    pub runtime: Runtime,
    /// Where the function's log goes, line by line.
    pub sink: LogSink,
    pub faults: Faults,
    /// What request ids follow from. `None`: other ones each time.
    pub seed: Option<u64>,
}

impl FunctionConfig {
    /// The settings of a Lambda@Edge function, with its lines going to `tracing`; how often an environment serves is not
    /// capped.
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
