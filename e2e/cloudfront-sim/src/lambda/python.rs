//! The Python interpreter for functions, and its Runtime API client.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Created by `pip install --target target/awslambdaric awslambdaric`.
const IN_THE_WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/awslambdaric");

pub(super) const MINIMAL_CLIENT: &str = include_str!("minimal_runtime.py");

/// A Python interpreter with a Runtime API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonRuntime {
    /// The interpreter itself, not a wrapper script: those need variables that functions do not
    /// get.
    pub executable: PathBuf,
    pub client: RuntimeClient,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeClient {
    /// AWS's `awslambdaric`; without a path, the interpreter's own.
    Aws { pythonpath: Option<PathBuf> },
    /// A minimal replacement. It imports the handler before it opens a connection, as AWS's client
    /// does.
    Minimal,
}

/// No working Python interpreter.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {python:?} (set E2E_PYTHON to a Python 3): {why}")]
pub struct NoPython {
    python: String,
    why: String,
}

impl PythonRuntime {
    /// `E2E_PYTHON` names the interpreter, `E2E_AWSLAMBDARIC` the directory of AWS's client (empty:
    /// the minimal client).
    pub fn detect() -> Result<Self, NoPython> {
        let python = env::var("E2E_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let executable = interpreter(&python).map_err(|why| NoPython { python, why })?;
        let client = match env::var_os("E2E_AWSLAMBDARIC") {
            Some(directory) if directory.is_empty() => RuntimeClient::Minimal,
            Some(directory) => RuntimeClient::Aws { pythonpath: Some(directory.into()) },
            None => find_client(&executable),
        };
        Ok(Self { executable, client })
    }

    /// The same interpreter without this machine's site packages, which may run code at every
    /// start; Lambda has none. An interpreter that has its own `awslambdaric` is returned
    /// unchanged.
    pub async fn without_site_packages(&self, directory: &Path) -> std::io::Result<Self> {
        if matches!(self.client, RuntimeClient::Aws { pythonpath: None }) {
            return Ok(self.clone());
        }
        let mut venv = tokio::process::Command::new(&self.executable);
        let status = venv.args(["-m", "venv", "--without-pip"]).arg(directory).status().await?;
        if !status.success() {
            return Err(std::io::Error::other(format!("python -m venv ended with {status}")));
        }
        Ok(Self { executable: directory.join("bin/python3"), client: self.client.clone() })
    }

    pub fn is_aws(&self) -> bool {
        matches!(self.client, RuntimeClient::Aws { .. })
    }
}

impl fmt::Display for PythonRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.client {
            RuntimeClient::Aws { pythonpath: Some(path) } => write!(f, "awslambdaric in {}", path.display())?,
            RuntimeClient::Aws { pythonpath: None } => write!(f, "the interpreter's awslambdaric")?,
            RuntimeClient::Minimal => write!(f, "the minimal client (awslambdaric not found)")?,
        }
        write!(f, ", run by {}", self.executable.display())
    }
}

fn interpreter(python: &str) -> Result<PathBuf, String> {
    let output = Command::new(python).args(["-c", "import sys; print(sys.executable)"]).output();
    let output = output.map_err(|error| error.to_string())?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !path.is_empty() { Ok(path.into()) } else { Err(output.status.to_string()) }
}

fn find_client(python: &Path) -> RuntimeClient {
    let candidates = [Path::new(IN_THE_WORKSPACE).canonicalize().ok(), None];
    let works = |path: &Option<PathBuf>| imports_client(python, path.as_deref());
    let working = candidates.into_iter().find(works);
    working.map_or(RuntimeClient::Minimal, |pythonpath| RuntimeClient::Aws { pythonpath })
}

/// Its C extension fits one Python version only, so the directory alone does not prove that it
/// works.
fn imports_client(python: &Path, pythonpath: Option<&Path>) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", "import awslambdaric, runtime_client"]).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(path) = pythonpath {
        command.env("PYTHONPATH", path);
    }
    command.status().is_ok_and(|status| status.success())
}
