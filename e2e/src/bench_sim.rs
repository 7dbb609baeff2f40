//! `bench-sim`: throughput of the simulator without functions and with no-op functions, compared
//! with the origin alone.
//!
//! - [`load`]: visitors with persistent connections.
//! - [`no_op`]: a compiled no-op function.
//! - [`table`]: the printed table, and the bounds.

mod load;
pub mod no_op;
mod table;

use crate::bench;
use anyhow::ensure;
use clap::Args;
use cloudfront_sim::{
    cloudfront::{Association, CloudFront, DistributionConfig},
    lambda::{Function, FunctionConfig, PythonRuntime, silent},
    origin::Origin,
};
use load::{Load, Measured};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use table::Row;
use tokio::net::TcpListener;

const PYTHON_NO_OP: &str = include_str!("../bench/connector/does_nothing.py");

/// Options of the benchmark.
#[derive(Args)]
pub struct Options {
    /// Concurrent visitors, each with its own connection.
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    connections: usize,
    /// Environments per function. With fewer environments than visitors, none is ever frozen.
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    environments: usize,
    /// Duration of each row.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    seconds: u64,
    /// An additional function to measure at viewer-request, without a bound.
    #[arg(long, value_name = "FILE")]
    zip: Option<PathBuf>,
}

/// Prints the table; fails when a bound is missed.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let directory = tempfile::tempdir()?;
    let python = PythonRuntime::detect()?.without_site_packages(&directory.path().join("python")).await?;
    let origin = Origin::start(any_port().await?)?;
    let load = Load { connections: options.connections, duration: Duration::from_secs(options.seconds) };
    let crowd = async |address| load.run(address).await;
    let alone = async |address| Load { connections: 1, ..load }.run(address).await;

    let mut rows = Vec::new();
    let (many, one) = (crowd(origin.address()).await?, alone(origin.address()).await?);
    rows.push(Row::new("the origin alone", many, one));
    let edge = edge(&origin, None).await?;
    rows.push(Row::new("no function", crowd(edge.address()).await?, alone(edge.address()).await?));
    drop(edge);

    let mut functions = vec![
        ("no-op, compiled", compiled(directory.path())?),
        ("no-op, Python", zipped(&directory.path().join("python.zip"), PYTHON_NO_OP)?),
    ];
    functions.extend(options.zip.map(|zip| ("the given zip", zip)));
    for (name, zip) in functions {
        let config = FunctionConfig {
            max_environments: options.environments,
            sink: silent(),
            ..FunctionConfig::new("no-op", zip, python.clone())
        };
        let function = Arc::new(Function::start(config).await?);
        let (many, one) = with_function(&origin, &function, &crowd, &alone).await?;
        rows.push(Row::new(name, many, one));
        function.stop().await;
    }
    let client = if python.is_aws() { "awslambdaric" } else { "the minimal client, not AWS's" };
    println!("{}", table::print(&rows, &options_line(&load, options.environments, client)));
    Ok(if table::within(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn with_function<F>(
    origin: &Origin,
    function: &Arc<Function>,
    crowd: &impl Fn(SocketAddr) -> F,
    alone: &impl AsyncFn(SocketAddr) -> anyhow::Result<Measured>,
) -> anyhow::Result<(Measured, Measured)>
where
    F: Future<Output = anyhow::Result<Measured>>,
{
    let edge = edge(origin, Some(function)).await?;
    let before = function.counts().answered;
    let measured = (crowd(edge.address()).await?, alone(edge.address()).await?);
    let invoked = function.counts().answered - before;
    let served = measured.0.served + measured.1.served;
    ensure!(invoked >= served, "the function was invoked {invoked} times for {served} requests");
    Ok(measured)
}

async fn edge(origin: &Origin, function: Option<&Arc<Function>>) -> anyhow::Result<CloudFront> {
    let mut config = DistributionConfig::new(origin.address());
    config.default_behavior.functions.viewer_request =
        function.map(|function| Association::new(Arc::clone(function)));
    Ok(CloudFront::start(any_port().await?, config)?)
}

async fn any_port() -> std::io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}

/// This program, which replaces Python during the import of its module, as the connector's bundle
/// does.
fn compiled(directory: &Path) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // JSON's string literals are valid in Python.
    let program = serde_json::to_string(&program.to_string_lossy())?;
    let source = format!("import os\nos.execv({program}, [{program}, {:?}])\n", no_op::SUBCOMMAND);
    zipped(&directory.join("compiled.zip"), &source)
}

fn zipped(path: &Path, source: &str) -> anyhow::Result<PathBuf> {
    fs::write(path, bench::zipped(source)?)?;
    Ok(path.to_owned())
}

fn options_line(load: &Load, environments: usize, client: &str) -> String {
    format!(
        "{} visitors at once for {} s, then one alone; {environments} warm environments at viewer-request, their rate not \
         capped; Python under {client}.",
        load.connections,
        load.duration.as_secs()
    )
}
