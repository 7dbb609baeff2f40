//! `cloudfront-sim`: a CloudFront distribution with Lambda@Edge functions, on this machine.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use e2e::cloudfront::{Association, CloudFront, DistributionConfig, Functions, Origin, OriginRequestPolicy};
use e2e::lambda::{Function, FunctionConfig, PythonRuntime};
use e2e::origin;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Simulates a CloudFront distribution that calls Lambda@Edge functions, so that their zips can be tried without AWS.
///
/// A zip runs as the managed Python runtime runs it, one process per concurrent request, frozen between requests. The
/// same zip at two triggers is one function. What a function returns is checked as CloudFront checks it: an invalid
/// result is a 502 that says what was wrong, a failing function a 503.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Flags {
    /// Where visitors connect.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,

    /// Where the origin listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8001")]
    origin: SocketAddr,

    /// Also start a sample origin at the origin's address: it greets on every path, answers /status/404 with that
    /// status and /echo with the request.
    #[arg(long)]
    sample_origin: bool,

    /// Function for every request, before the cache.
    #[arg(long, value_name = "ZIP")]
    viewer_request: Option<PathBuf>,

    /// Function for every request that goes to the origin.
    #[arg(long, value_name = "ZIP")]
    origin_request: Option<PathBuf>,

    /// Function for every response of the origin, errors included.
    #[arg(long, value_name = "ZIP")]
    origin_response: Option<PathBuf>,

    /// Function for every response below 400 on its way to the visitor.
    #[arg(long, value_name = "ZIP")]
    viewer_response: Option<PathBuf>,

    /// Do not show request bodies to the functions ("Include body" off).
    #[arg(long)]
    without_body: bool,

    /// Send the visitor's Host to the origin instead of the origin's own name.
    #[arg(long)]
    forward_host: bool,

    /// The distribution's id, as functions see it.
    #[arg(long, value_name = "ID", default_value = "EDFDVBD6EXAMPLE")]
    distribution_id: String,

    /// The distribution's domain, as functions see it.
    #[arg(long, value_name = "DOMAIN", default_value = "d111111abcdef8.cloudfront.net")]
    distribution_domain: String,

    /// What the distribution calls the origin: the Host it sends.
    #[arg(long, value_name = "DOMAIN", default_value = "origin.example.com")]
    origin_domain: String,

    /// Timeout of each function, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=30))]
    timeout: u64,

    /// How many processes each function may have.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    max_environments: u16,
}

const EXAMPLES: &str = "\
Examples:
  One zip before the cache and behind the origin, with the sample origin:
    cloudfront-sim --sample-origin --viewer-request waf.zip --origin-response waf.zip
    curl -i \"http://127.0.0.1:8000/?q=1%27+or+1=1\"

  In front of an application of yours on port 3001:
    cloudfront-sim --origin 127.0.0.1:3001 --origin-request waf.zip

Environment:
  E2E_PYTHON        the Python that runs the functions (python3)
  E2E_AWSLAMBDARIC  where AWS's Runtime API client is: a directory made by
                    `pip install --target DIRECTORY awslambdaric`. Without it target/awslambdaric
                    and the Python's own are tried, then a minimal client.
  RUST_LOG          what is logged (info)";

#[tokio::main]
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Before anything is started: a signal from here on ends in an orderly stop.
    let stop = stop_signal()?;
    let origin = start_origin(&flags).await?;
    let (associations, functions) = start_functions(&flags).await?;
    let cloudfront = start_cloudfront(&flags, associations).await?;
    println!("listening on http://{}", cloudfront.address());
    stop.await;
    drop((cloudfront, origin));
    for function in functions {
        function.stop().await;
    }
    Ok(())
}

fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

async fn start_origin(flags: &Flags) -> anyhow::Result<Option<origin::Origin>> {
    if !flags.sample_origin {
        return Ok(None);
    }
    Ok(Some(origin::Origin::start(bind(flags.origin).await?)?))
}

async fn start_cloudfront(flags: &Flags, functions: Functions) -> anyhow::Result<CloudFront> {
    let mut config = DistributionConfig {
        distribution_id: flags.distribution_id.clone(),
        domain_name: flags.distribution_domain.clone(),
        origins: vec![Origin::new("origin", &flags.origin_domain, flags.origin)],
        ..DistributionConfig::new(flags.origin)
    };
    config.default_behavior.functions = functions;
    if flags.forward_host {
        config.default_behavior.origin_request = OriginRequestPolicy::all_viewer();
    }
    Ok(CloudFront::start(bind(flags.listen).await?, config)?)
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// One function per zip, however many triggers it serves.
async fn start_functions(flags: &Flags) -> anyhow::Result<(Functions, Vec<Arc<Function>>)> {
    let mut started = HashMap::new();
    let triggers =
        [&flags.viewer_request, &flags.origin_request, &flags.origin_response, &flags.viewer_response];
    if triggers.iter().any(|zip| zip.is_some()) {
        let python = PythonRuntime::detect()?;
        tracing::info!("functions run with {python}");
        for zip in triggers.into_iter().flatten() {
            if !started.contains_key(zip) {
                started.insert(zip.clone(), start_function(flags, zip, &python).await?);
            }
        }
    }
    let at = |zip: &Option<PathBuf>| {
        let function = Arc::clone(started.get(zip.as_ref()?)?);
        Some(Association { function, include_body: !flags.without_body })
    };
    let functions = Functions {
        viewer_request: at(&flags.viewer_request),
        origin_request: at(&flags.origin_request),
        origin_response: at(&flags.origin_response),
        viewer_response: at(&flags.viewer_response),
    };
    Ok((functions, started.into_values().collect()))
}

async fn start_function(flags: &Flags, zip: &Path, python: &PythonRuntime) -> anyhow::Result<Arc<Function>> {
    let name = zip.file_stem().unwrap_or_default().to_string_lossy();
    let config = FunctionConfig {
        timeout: Duration::from_secs(flags.timeout),
        max_environments: flags.max_environments.into(),
        ..FunctionConfig::new(&name, zip, python.clone())
    };
    Ok(Arc::new(Function::start(config).await?))
}
