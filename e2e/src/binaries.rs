//! The other crates' programs: built by cargo in the profile this program was built in, and found by what cargo says.

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::{
    collections::HashMap,
    env,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// Where each program lies.
#[derive(Debug, Clone)]
pub struct Binaries {
    pub node: PathBuf,
    pub console: PathBuf,
    /// The connector's program as it goes into a bundle, for this machine's libc.
    pub bootstrap: PathBuf,
    /// The tool that makes bundles.
    pub connector: PathBuf,
}

/// The two zips.
#[derive(Debug, Clone)]
pub struct Bundles {
    pub request: PathBuf,
    pub response: PathBuf,
}

/// A line of `cargo build --message-format=json`.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    executable: Option<PathBuf>,
    #[serde(default)]
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Binaries {
    /// Builds what is out of date. Cargo's progress goes to standard error.
    pub async fn build() -> anyhow::Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--bins", "--message-format=json-render-diagnostics", "--manifest-path"])
            .arg(manifest);
        cargo.args(["-p", "node", "-p", "console-api", "-p", "connector"]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let output = cargo.stderr(Stdio::inherit()).output().await.context("cargo cannot be run")?;
        ensure!(output.status.success(), "cargo build failed; what it said stands above");
        Self::find(&String::from_utf8_lossy(&output.stdout))
    }

    fn find(messages: &str) -> anyhow::Result<Self> {
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
        let mut programs: HashMap<String, PathBuf> =
            messages.filter_map(|message| Some((message.target?.name, message.executable?))).collect();
        let mut program =
            |name: &str| programs.remove(name).with_context(|| format!("cargo built no {name}"));
        Ok(Self {
            node: program("wallarm-node")?,
            console: program("wallarm-console")?,
            bootstrap: program("bootstrap")?,
            connector: program("wallarm-connector")?,
        })
    }

    /// Makes the bundles with these parameters baked in.
    pub async fn bundle(&self, parameters: &[(&str, String)], directory: &Path) -> anyhow::Result<Bundles> {
        let mut tool = Command::new(&self.connector);
        tool.arg("bundle").arg("--bootstrap").arg(&self.bootstrap).arg("--out").arg(directory);
        for (name, value) in parameters {
            tool.arg("--set").arg(format!("{name}={value}"));
        }
        let output = tool.output().await.context("the bundle tool cannot be run")?;
        if !output.status.success() {
            bail!("no bundle: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(Bundles { request: zip(directory, "request")?, response: zip(directory, "response")? })
    }
}

/// `wallarm-cloudfront-<function>-<version>.zip`, whatever the version.
fn zip(directory: &Path, function: &str) -> anyhow::Result<PathBuf> {
    let prefix = format!("wallarm-cloudfront-{function}-");
    let mut files = std::fs::read_dir(directory)?.filter_map(Result::ok).map(|entry| entry.path());
    let named =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix));
    files.find(named).with_context(|| format!("there is no {prefix}*.zip in {}", directory.display()))
}
