//! The other crates' programs, in the profile of the running one, and the bundles made with them.

use anyhow::{Context as _, bail, ensure};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The path of each program.
#[derive(Debug, Clone)]
pub struct Binaries {
    pub node: PathBuf,
    pub console: PathBuf,
    /// The connector's program for bundles, linked to this machine's libc.
    pub bootstrap: PathBuf,
    /// The tool that makes bundles.
    pub connector: PathBuf,
}

/// The zips of both functions.
#[derive(Debug, Clone)]
pub struct Bundles {
    pub request: PathBuf,
    pub response: PathBuf,
}

impl Binaries {
    /// Builds what is out of date. Cargo's progress goes to standard error.
    pub fn build() -> anyhow::Result<Self> {
        Self::in_directory(&up::build()?)
    }

    /// The programs that were built together with the running one.
    pub fn built() -> anyhow::Result<Self> {
        Self::in_directory(&up::directory()?)
    }

    fn in_directory(directory: &Path) -> anyhow::Result<Self> {
        let program = |name| {
            let path = directory.join(name);
            ensure!(path.exists(), "{} does not exist; start with `cargo run -p up`", path.display());
            Ok(path)
        };
        Ok(Self {
            node: program("wallarm-node")?,
            console: program("wallarm-console")?,
            bootstrap: program("bootstrap")?,
            connector: program("wallarm-connector")?,
        })
    }

    /// Makes the bundles with these parameters.
    pub async fn bundle(&self, parameters: &[(&str, String)], directory: &Path) -> anyhow::Result<Bundles> {
        let mut tool = Command::new(&self.connector);
        tool.arg("bundle").arg("--bootstrap").arg(&self.bootstrap).arg("--out").arg(directory);
        if cfg!(debug_assertions) {
            tool.arg("--fast");
        }
        for (name, value) in parameters {
            tool.arg("--set").arg(format!("{name}={value}"));
        }
        let output = tool.output().await.context("cannot run wallarm-connector")?;
        if !output.status.success() {
            bail!("wallarm-connector bundle failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(Bundles { request: zip(directory, "request")?, response: zip(directory, "response")? })
    }
}

/// `wallarm-cloudfront-<function>-<version>.zip` of any version.
fn zip(directory: &Path, function: &str) -> anyhow::Result<PathBuf> {
    let prefix = format!("wallarm-cloudfront-{function}-");
    let mut files = std::fs::read_dir(directory)?.filter_map(Result::ok).map(|entry| entry.path());
    let named =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix));
    files.find(named).with_context(|| format!("no {prefix}*.zip in {}", directory.display()))
}
