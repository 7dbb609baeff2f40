//! The whole system on loopback: sample origin, console, node, both functions from their zips, and
//! CloudFront.
//!
//! Console and node are the real programs in separate processes. The simulator, the Lambda emulator
//! and the origin run in this process, so that tests can inspect them; the functions are processes
//! of the emulator.

mod ports;
mod process;
mod ready;
mod visitor;

use crate::{
    binaries::{Binaries, Bundles},
    console::Console,
    tap::Tap,
};
use anyhow::Context as _;
use clap::ValueEnum;
use cloudfront_sim::{
    access_log::{AccessLogs, LogFormat},
    clock::Clock,
    cloudfront::{Association, CachePolicy, CloudFront, DistributionConfig, Edge, Functions},
    faults::Faults,
    http1::{Client, Options as ServerOptions, Request},
    lambda::{Function, FunctionConfig, PythonRuntime},
    origin::Origin,
};
use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, time::Instant};

pub use ports::{Ports, PortsOption};
pub use process::{Process, WITH_PARENT, become_with_parent, until_stopped};
pub use visitor::{LISTED_WITHIN, TIMEOUT, edge_request_id, expect_status};

/// Options of a stack.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Debug, Clone)]
pub struct StackOptions {
    pub mode: Mode,
    pub trigger: TriggerPair,
    pub out_of_band: bool,
    /// The functions sign their calls, and the node rejects unsigned ones.
    pub signed: bool,
    pub ports: PortsOption,
    /// The data directory, kept after the end; without one, a temporary directory.
    pub data: Option<PathBuf>,
    /// Additional launcher parameters, e.g. `wlrm_deadline_ms`.
    pub parameters: Vec<(&'static str, String)>,
    /// Put a [`Tap`] between the functions and the node.
    pub tapped: bool,
    /// CloudFront caches responses and writes access logs, and the node reads them.
    pub logs: bool,
}

/// The node's filtration mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is inspected.
    Off,
    /// Attacks are recorded, not blocked.
    Monitoring,
    /// Attacks are blocked only from graylisted sources; others are recorded.
    SafeBlocking,
    /// Attacks are blocked.
    Block,
}

/// The triggers of both functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TriggerPair {
    /// viewer-request and viewer-response: every request, including cache hits.
    Viewer,
    /// origin-request and origin-response: requests to the origin, including 4xx and 5xx responses.
    Origin,
    /// viewer-request and origin-response: every request, and the origin's 4xx and 5xx responses.
    Mixed,
    /// viewer-request, origin-request and origin-response: every request, and bodies up to 1 MB.
    Both,
}

/// A running system. Stop it with [`Stack::stop`]; dropping it kills the remaining processes.
pub struct Stack {
    pub options: StackOptions,
    pub addresses: Ports,
    pub origin: Origin,
    pub request_function: Arc<Function>,
    pub response_function: Arc<Function>,
    pub python: PythonRuntime,
    pub bundles: Bundles,
    pub console: Process,
    pub node: Process,
    pub admin_token: String,
    pub node_token: String,
    pub node_admin_token: String,
    /// Between the functions and the node.
    pub tap: Option<Tap>,
    /// Faults of CloudFront.
    pub faults: Faults,
    directory: PathBuf,
    visitor: Client,
    _cloudfront: CloudFront,
    _temporary: Option<tempfile::TempDir>,
}

/// The folder of the bundles in the data directory.
const BUNDLES: &str = "bundles";
/// The folder of CloudFront's access logs, which the node follows.
const ACCESS_LOGS: &str = "access-logs";

/// Sufficient for a stack on loopback.
const SIGNING_KEY: &str = "the key of a stack on one machine";
/// The access key of Firehose, as above.
pub const FIREHOSE_KEY: &str = "the key of Firehose on one machine";
/// The key of both stages, as above.
pub const MARK_KEY: &str = "the-key-of-both-stages-on-one-machine";

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Block,
            trigger: TriggerPair::Viewer,
            out_of_band: false,
            signed: false,
            ports: PortsOption::Random,
            data: None,
            parameters: Vec::new(),
            tapped: false,
            logs: false,
        }
    }
}

impl StackOptions {
    pub fn new(mode: Mode, trigger: TriggerPair) -> Self {
        Self { mode, trigger, ..Self::default() }
    }
}

impl Stack {
    /// Time limit of each part to become ready.
    const START: Duration = Duration::from_secs(30);
    /// Time limit of each part to stop.
    const STOP: Duration = Duration::from_secs(10);

    /// Starts all parts and returns when they are ready.
    pub async fn start(binaries: &Binaries, options: StackOptions) -> anyhow::Result<Self> {
        let python = PythonRuntime::detect()?;
        let temporary = if options.data.is_none() { Some(tempfile::tempdir()?) } else { None };
        let directory = match (&options.data, &temporary) {
            (Some(data), _) => data.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => unreachable!("one of the two was created above"),
        };
        let directory = make_directory(&directory)?;
        let (addresses, listeners) = Ports::allocate(options.ports).await?;

        let console = start_console(binaries, &directory, &addresses).await?;
        let (admin_token, node_token) =
            (secret(&directory, "admin-token")?, secret(&directory, "node-token")?);
        let node_admin_token = node_admin_token(&directory)?;
        write_node_config(&directory, &addresses, &options)?;
        let node = start_node(binaries, &directory, &addresses).await?;

        let tap = if options.tapped { Some(Tap::start(addresses.node).await?) } else { None };
        let node_address = tap.as_ref().map_or(addresses.node, Tap::address);
        let bundles = make_bundles(binaries, &directory, node_address, &options).await?;
        let request_function =
            start_function("wallarm-request", &bundles.request, &python, &directory).await?;
        let response_function =
            start_function("wallarm-response", &bundles.response, &python, &directory).await?;
        let origin = Origin::start(listeners.origin)?;
        let functions = associate(options.trigger, &request_function, &response_function);
        let faults = Faults::default();
        let mut distribution = DistributionConfig::new(addresses.origin).with_functions(functions);
        distribution.faults = faults.clone();
        let cloudfront = start_cloudfront(listeners.cloudfront, distribution, &directory, &options)?;
        Ok(Self {
            options,
            addresses,
            origin,
            request_function,
            response_function,
            python,
            bundles,
            console,
            node,
            admin_token,
            node_token,
            node_admin_token,
            tap,
            faults,
            directory,
            visitor: Client::default(),
            _cloudfront: cloudfront,
            _temporary: temporary,
        })
    }

    /// A client of the console with the administrator's token.
    pub fn console_api(&self) -> Console {
        Console::new(self.addresses.console, self.admin_token.clone())
    }

    /// A number in `/wallarm-status`, e.g. `/spool/pending`.
    pub async fn node_status(&self, pointer: &str) -> anyhow::Result<u64> {
        let request = Request::new("GET", "/wallarm-status", "node");
        let response = Client::default().send(self.addresses.status, &request).await?;
        let status: serde_json::Value = serde_json::from_slice(&response.body)?;
        let number = status.pointer(pointer).and_then(serde_json::Value::as_u64);
        number.with_context(|| format!("/wallarm-status has no {pointer}: {status}"))
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Restarts the node with the same configuration and spool.
    pub async fn restart_node(&mut self) -> anyhow::Result<()> {
        self.node.restart().await?;
        wait_for(&mut self.node, self.addresses.health).await
    }

    /// Restarts the console with the same database.
    pub async fn restart_console(&mut self) -> anyhow::Result<()> {
        self.console.restart().await?;
        wait_for(&mut self.console, self.addresses.console).await
    }

    /// Stops all parts in the order of the traffic, so that nothing in transit is lost.
    pub async fn stop(mut self) {
        self.request_function.stop().await;
        self.response_function.stop().await;
        self.node.terminate(Self::STOP).await;
        self.console.terminate(Self::STOP).await;
    }
}

fn make_directory(directory: &Path) -> anyhow::Result<PathBuf> {
    let logs = directory.join("logs");
    // For the owner only: it contains tokens and keys.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(logs)
        .with_context(|| format!("cannot create the data directory {}", directory.display()))?;
    Ok(directory.canonicalize()?)
}

async fn start_console(binaries: &Binaries, directory: &Path, addresses: &Ports) -> anyhow::Result<Process> {
    let command = [
        binaries.console.display().to_string(),
        "serve".into(),
        "--listen".into(),
        addresses.console.to_string(),
        "--data".into(),
        directory.join("console").display().to_string(),
        "--admin-token-file".into(),
        directory.join("admin-token").display().to_string(),
        "--node-token-file".into(),
        directory.join("node-token").display().to_string(),
        "--bundle-dir".into(),
        directory.join(BUNDLES).display().to_string(),
        "--site-url".into(),
        format!("http://{}", addresses.cloudfront),
    ];
    let mut console = Process::start("console", command.to_vec(), directory)?;
    wait_for(&mut console, addresses.console).await?;
    Ok(console)
}

async fn start_node(binaries: &Binaries, directory: &Path, addresses: &Ports) -> anyhow::Result<Process> {
    let config = directory.join("node.yaml").display().to_string();
    let command = vec![binaries.node.display().to_string(), "run".into(), "--config".into(), config];
    let mut node = Process::start("node", command, directory)?;
    wait_for(&mut node, addresses.health).await?;
    Ok(node)
}

async fn start_function(
    name: &'static str,
    zip: &Path,
    python: &PythonRuntime,
    directory: &Path,
) -> anyhow::Result<Arc<Function>> {
    let sink = process::line_sink(process::log_file(directory, name)?);
    let config = FunctionConfig { sink, ..FunctionConfig::new(name, zip, python.clone()) };
    Ok(Arc::new(Function::start(config).await?))
}

fn associate(trigger: TriggerPair, request: &Arc<Function>, response: &Arc<Function>) -> Functions {
    let request = Some(Association::with_body(request.clone()));
    let response = Some(Association::new(response.clone()));
    match trigger {
        TriggerPair::Viewer => {
            Functions { viewer_request: request, viewer_response: response, ..Functions::default() }
        }
        TriggerPair::Origin => {
            Functions { origin_request: request, origin_response: response, ..Functions::default() }
        }
        TriggerPair::Mixed => {
            Functions { viewer_request: request, origin_response: response, ..Functions::default() }
        }
        TriggerPair::Both => Functions {
            viewer_request: request.clone(),
            origin_request: request,
            origin_response: response,
            ..Functions::default()
        },
    }
}

fn start_cloudfront(
    listener: TcpListener,
    mut distribution: DistributionConfig,
    directory: &Path,
    options: &StackOptions,
) -> anyhow::Result<CloudFront> {
    if !options.logs {
        return Ok(CloudFront::start(listener, distribution)?);
    }
    distribution.default_behavior.cache = CachePolicy::with_ttls(0, 60, 3600);
    let logs =
        AccessLogs::new(&distribution).with_directory(LogFormat::V2Json, &directory.join(ACCESS_LOGS))?;
    let server = ServerOptions { observer: Some(logs.observer()), ..ServerOptions::default() };
    Ok(CloudFront::start_with(listener, Edge::new(distribution, Clock::real()), server)?)
}

async fn make_bundles(
    binaries: &Binaries,
    directory: &Path,
    node: SocketAddr,
    options: &StackOptions,
) -> anyhow::Result<Bundles> {
    let inline = if options.out_of_band { "False" } else { "True" };
    let mut parameters =
        vec![("wlrm_node_addr", format!("http://{node}")), ("wlrm_inline", inline.to_owned())];
    if options.signed {
        parameters.push(("wlrm_signing_key_id", "edge".to_owned()));
        parameters.push(("wlrm_signing_key", SIGNING_KEY.to_owned()));
    }
    if options.trigger == TriggerPair::Both {
        parameters.push(("wlrm_mark_keys", MARK_KEY.to_owned()));
    }
    parameters.extend(options.parameters.iter().cloned());
    binaries.bundle(&parameters, &directory.join(BUNDLES)).await
}

fn write_node_config(directory: &Path, addresses: &Ports, options: &StackOptions) -> anyhow::Result<()> {
    let Ports { node, metrics, health, status, console, .. } = addresses;
    let at = |name: &str| directory.join(name).display().to_string();
    // JSON is YAML, and quotes paths safely.
    let mut config = serde_json::json!({
        "version": 4,
        "mode": "connector-server",
        "connector": { "address": node.to_string() },
        "route_config": { "wallarm_mode": options.mode.to_possible_value().map(|mode| mode.get_name().to_owned()) },
        "metrics": {
            "listen_address": metrics.to_string(),
            "legacy_status": { "listen_address": status.to_string() },
        },
        "health_check": { "listen_address": health.to_string() },
        "admin": { "token_file": at("node-admin-token") },
        "console": { "url": format!("http://{console}"), "token_file": at("node-token") },
        "spool": { "directory": at("spool") },
    });
    if options.logs {
        fs::create_dir_all(directory.join(ACCESS_LOGS))?;
        fs::write(directory.join("firehose-key"), FIREHOSE_KEY)?;
        config["logs"] = serde_json::json!({
            "paths": [at(ACCESS_LOGS)],
            "access_key_file": at("firehose-key"),
        });
    }
    if options.signed {
        fs::write(directory.join("signing-key"), SIGNING_KEY)?;
        config["signing_keys"] = serde_json::json!([{ "id": "edge", "secret_file": at("signing-key") }]);
    }
    Ok(fs::write(directory.join("node.yaml"), serde_json::to_string_pretty(&config)?)?)
}

fn node_admin_token(directory: &Path) -> anyhow::Result<String> {
    let path = directory.join("node-admin-token");
    if !path.exists() {
        let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
        writeln!(file, "wna_{}", uuid::Uuid::new_v4().simple())?;
    }
    secret(directory, "node-admin-token")
}

fn secret(directory: &Path, name: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(directory.join(name)).with_context(|| format!("cannot read {name}"))?;
    Ok(text.trim().to_owned())
}

/// Waits until `/ready` returns 200. Fails when the process ends or the time limit expires.
async fn wait_for(process: &mut Process, address: SocketAddr) -> anyhow::Result<()> {
    let client = Client::new(Duration::from_secs(1));
    let request = Request::new("GET", "/ready", "localhost");
    let deadline = Instant::now() + Stack::START;
    loop {
        if client.send(address, &request).await.is_ok_and(|response| response.status == 200) {
            return Ok(());
        }
        process.still_runs()?;
        anyhow::ensure!(
            Instant::now() < deadline,
            "the {} is not ready in time; see {}",
            process.name(),
            process.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Listeners of this process, bound early so that their ports stay reserved.
pub(crate) struct Listeners {
    pub(crate) cloudfront: TcpListener,
    pub(crate) origin: TcpListener,
}
