//! Start of the functions from their zips.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use cloudfront_sim::faults::Faults;
use cloudfront_sim::lambda::{
    Function, FunctionConfig, Language, LogSink, NodeRuntime, PythonRuntime, Runtime, to_tracing,
};

use crate::flags::Flags;

/// "Lambda quotas": requests per second and environment.
const RATE: usize = 10;

/// Starts a function for each name.
pub(crate) async fn start(
    flags: &Flags,
    zips: &BTreeMap<String, &Path>,
    faults: &Faults,
) -> anyhow::Result<BTreeMap<String, Arc<Function>>> {
    let mut functions = BTreeMap::new();
    for (name, zip) in zips {
        let (language, handler) = Language::of(zip, handler(flags, name))?;
        let runtime = match language {
            Language::Python => Runtime::from(PythonRuntime::detect()?),
            Language::Node => NodeRuntime::detect()?.into(),
        };
        tracing::info!("{name} runs with {runtime}");
        let config = FunctionConfig {
            handler,
            timeout: Duration::from_secs(flags.timeout),
            memory_mb: flags.memory,
            max_environments: flags.max_environments.into(),
            reserved_concurrency: flags.reserved_concurrency.map(usize::from),
            requests_per_second: (!flags.lift_rate_cap).then_some(RATE),
            sink: sink(flags, name)?,
            faults: faults.clone(),
            seed: flags.seed,
            ..FunctionConfig::new(name, *zip, runtime)
        };
        functions.insert(name.clone(), Arc::new(Function::start(config).await?));
    }
    Ok(functions)
}

/// The handler for this name, or the common one.
fn handler<'a>(flags: &'a Flags, name: &str) -> Option<&'a str> {
    let named = flags.handler.iter().filter_map(|handler| handler.split_once('='));
    let named = named.filter(|(of, _)| *of == name).map(|(_, handler)| handler).next_back();
    named.or_else(|| flags.handler.iter().map(String::as_str).rfind(|handler| !handler.contains('=')))
}

/// Named like the log groups of Lambda@Edge.
fn sink(flags: &Flags, name: &str) -> anyhow::Result<LogSink> {
    let Some(directory) = &flags.function_logs else { return Ok(to_tracing()) };
    let path = directory.join(format!("us-east-1.{name}.log"));
    let open = || {
        fs::create_dir_all(directory)?;
        OpenOptions::new().create(true).append(true).open(&path)
    };
    let file = Mutex::new(open().with_context(|| format!("cannot write {}", path.display()))?);
    Ok(Arc::new(move |_, line| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not stop the simulator.
        let _ = writeln!(file, "{line}");
    }))
}
