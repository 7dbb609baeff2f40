//! Logging to standard error, as text or JSON.

use anyhow::Context;
use console_api::config::{Cli, LogFormat};
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

pub(crate) fn start(cli: &Cli) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(&cli.log).with_context(|| format!("`--log {}` is not a filter", cli.log))?;
    let is_terminal = io::stderr().is_terminal();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(is_terminal);
    match cli.log_format.unwrap_or(if is_terminal { LogFormat::Text } else { LogFormat::Json }) {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
