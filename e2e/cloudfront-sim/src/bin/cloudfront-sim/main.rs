//! `cloudfront-sim`: a CloudFront distribution with Lambda@Edge functions, on this machine.

mod flags;
mod functions;

use std::collections::BTreeMap;
use std::fs;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser as _;
use cloudfront_sim::access_log::{AccessLogs, Firehose, LogFormat};
use cloudfront_sim::admin::{Admin, Simulator};
use cloudfront_sim::certificates::Authority;
use cloudfront_sim::clock::Clock;
use cloudfront_sim::cloudfront::{
    Association, CloudFront, DistributionConfig, Edge, Functions, Given, OriginAt, load,
};
use cloudfront_sim::faults::{FaultPlan, Faults};
use cloudfront_sim::http1::{Exchange, Observer, Options};
use cloudfront_sim::lambda::Function;
use cloudfront_sim::metrics::Metrics;
use cloudfront_sim::origin::Origin;
use rcgen::CertificateParams;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use flags::{Flags, OriginFlag};

/// How long a stop waits for requests in progress.
const DRAIN: Duration = Duration::from_secs(10);

type Started = BTreeMap<String, Arc<Function>>;

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
    let is_terminal = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(is_terminal).init();
    // Before anything is started, so that a signal always ends in a graceful stop.
    let stop = stop_signal()?;
    let faults = read_faults(&flags)?;
    let sample = start_origin(&flags).await?;
    let functions = functions::start(&flags, &zips(&flags)?, &faults).await?;
    let mut distribution = distribution(&flags, &functions, sample.as_ref().map(Origin::address))?;
    distribution.faults = faults.clone();
    let clock = flags.clock.map_or_else(Clock::real, Clock::standing_at);
    let metrics = Arc::new(Metrics::new(functions.values().cloned().collect()));
    let observer = observer(&flags, &distribution, Arc::clone(&metrics))?;
    let domain = distribution.domain_name.clone();
    let edge = Arc::new(Edge::new(distribution, clock.clone()));

    let options = Options { observer: Some(observer), ..Options::default() };
    let plain = CloudFront::start_with(bind(flags.listen).await?, Arc::clone(&edge), options.clone())?;
    let secure = start_tls(&flags, &edge, &domain, options).await?;
    let functions: Vec<_> = functions.into_values().collect();
    let admin = match flags.admin {
        None => None,
        Some(address) => {
            let simulator = Simulator { edge, functions: functions.clone(), faults, clock, metrics };
            Some(Admin::start(bind(address).await?, simulator)?)
        }
    };
    println!("listening on http://{}", plain.address());
    if let Some(secure) = &secure {
        println!("listening on https://{}", secure.address());
    }
    if let Some(admin) = &admin {
        println!("admin API on http://{}", admin.address());
    }
    stop.await;
    tokio::join!(plain.drain(DRAIN), async {
        if let Some(secure) = secure {
            secure.drain(DRAIN).await;
        }
    });
    drop((admin, sample));
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

fn read_faults(flags: &Flags) -> anyhow::Result<Faults> {
    let faults = flags.seed.map_or_else(Faults::default, Faults::seeded);
    if let Some(path) = &flags.faults {
        let plan: FaultPlan = serde_saphyr::from_str(&read(path)?)
            .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        faults.set(plan).with_context(|| path.display().to_string())?;
    }
    Ok(faults)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

async fn start_origin(flags: &Flags) -> anyhow::Result<Option<Origin>> {
    if !flags.sample_origin {
        return Ok(None);
    }
    let address = if flags.config.is_some() { ([127, 0, 0, 1], 0).into() } else { only_origin(flags)? };
    Ok(Some(Origin::start(bind(address).await?)?))
}

fn only_origin(flags: &Flags) -> anyhow::Result<SocketAddr> {
    match &flags.origin[..] {
        [] => Ok(([127, 0, 0, 1], 8001).into()),
        [OriginFlag::Only(address)] => Ok(*address),
        _ => anyhow::bail!("--origin must be one ADDRESS when --config is not given"),
    }
}

/// Zips by function name. Without a description the file names the function; a zip at two triggers
/// is one function.
fn zips(flags: &Flags) -> anyhow::Result<BTreeMap<String, &Path>> {
    let mut zips = BTreeMap::new();
    let named = flags.function.iter().map(|named| (named.name.clone(), named.zip.as_path()));
    for (name, zip) in named.chain(triggers(flags).into_iter().flatten().map(|zip| (name_of(zip), zip))) {
        let known = *zips.entry(name.clone()).or_insert(zip);
        ensure!(known == zip, "{} and {} have the same name {name}", known.display(), zip.display());
    }
    Ok(zips)
}

fn triggers(flags: &Flags) -> [Option<&Path>; 4] {
    [&flags.viewer_request, &flags.origin_request, &flags.origin_response, &flags.viewer_response]
        .map(|zip| zip.as_deref())
}

fn name_of(zip: &Path) -> String {
    zip.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn distribution(
    flags: &Flags,
    functions: &Started,
    sample: Option<SocketAddr>,
) -> anyhow::Result<DistributionConfig> {
    let Some(path) = &flags.config else {
        let mut distribution = DistributionConfig::new(only_origin(flags)?);
        distribution.default_behavior.functions = associate(flags, functions);
        return Ok(distribution);
    };
    let mut origins: Vec<OriginAt> = Vec::new();
    for origin in &flags.origin {
        match origin {
            OriginFlag::Named(at) => origins.push(at.clone()),
            OriginFlag::Only(_) => anyhow::bail!("--origin must be ID=URL when --config is given"),
        }
    }
    let given = Given {
        functions: functions.clone(),
        origins,
        error_caching: flags.error_caching,
        other_origins: sample,
    };
    let loaded = load(&read(path)?, &given).with_context(|| path.display().to_string())?;
    for setting in &loaded.not_simulated {
        tracing::warn!("{}: not simulated: {setting}", path.display());
    }
    Ok(loaded.distribution)
}

fn associate(flags: &Flags, functions: &Started) -> Functions {
    let at = |zip: Option<&Path>| {
        let function = Arc::clone(functions.get(&name_of(zip?))?);
        Some(Association { function, include_body: !flags.without_body })
    };
    let [viewer_request, origin_request, origin_response, viewer_response] = triggers(flags).map(at);
    Functions { viewer_request, origin_request, origin_response, viewer_response }
}

fn observer(
    flags: &Flags,
    distribution: &DistributionConfig,
    metrics: Arc<Metrics>,
) -> anyhow::Result<Observer> {
    let logs = access_logs(flags, distribution)?;
    Ok(Arc::new(move |exchange: &Exchange<'_>| {
        metrics.observe(exchange);
        logs.write(exchange, jiff::Timestamp::now());
    }))
}

fn access_logs(flags: &Flags, distribution: &DistributionConfig) -> anyhow::Result<AccessLogs> {
    let mut logs = AccessLogs::new(distribution);
    if let Some(path) = &flags.access_log {
        logs = logs
            .with_file(LogFormat::Standard, path)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(directory) = &flags.log_dir {
        for format in LogFormat::ALL {
            logs = logs
                .with_directory(format, directory)
                .with_context(|| format!("cannot write into {}", directory.display()))?;
        }
    }
    if let (Some(url), Some(key)) = (&flags.firehose, &flags.firehose_key_file) {
        logs = logs.with_firehose(Firehose::start(url.clone(), read(key)?.trim().to_owned()));
    }
    Ok(logs)
}

async fn start_tls(
    flags: &Flags,
    edge: &Arc<Edge>,
    domain: &str,
    options: Options,
) -> anyhow::Result<Option<CloudFront>> {
    let Some(port) = flags.tls_port else { return Ok(None) };
    let authority = Authority::new()?;
    let ip = flags.listen.ip().to_string();
    let names = ["localhost", "127.0.0.1", "::1", domain, &ip].map(str::to_owned);
    let tls = authority.server(&CertificateParams::new(names)?, &["h2", "http/1.1"])?;
    if let Some(path) = &flags.ca {
        fs::write(path, authority.pem()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let listener = bind(SocketAddr::new(flags.listen.ip(), port)).await?;
    let options = Options { tls: Some(Arc::new(tls)), ..options };
    Ok(Some(CloudFront::start_with(listener, Arc::clone(edge), options)?))
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}
