//! The runtimes of functions: Python and Node.js.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::bundle::{Bundle, BundleError};
use super::python::PythonRuntime;

/// Created by `npm install --prefix target/aws-lambda-ric aws-lambda-ric`.
const IN_THE_WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/aws-lambda-ric");

/// The interpreter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    Python(PythonRuntime),
    Node(NodeRuntime),
}

/// Node.js with AWS's Runtime API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRuntime {
    pub executable: PathBuf,
    /// The program of `aws-lambda-ric`.
    pub client: PathBuf,
}

/// No working Node.js runtime.
#[derive(Debug, thiserror::Error)]
pub enum NoNode {
    #[error("cannot run {node:?} (set E2E_NODE to a Node.js)")]
    Node {
        node: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{} does not exist; install AWS's client with `just aws-lambda-ric`", client.display())]
    Client { client: PathBuf },
}

/// The language of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    Node,
}

/// A zip without a handler.
#[derive(Debug, thiserror::Error)]
pub enum NoHandler {
    #[error("the handler {handler:?} must be MODULE.FUNCTION")]
    Malformed { handler: String },
    #[error("{} contains neither {module}.py nor {module}.js; name the handler with --handler", zip.display())]
    Missing { zip: PathBuf, module: String },
    #[error("{} contains neither lambda_function.py nor index.js; name the handler with --handler", zip.display())]
    Unnamed { zip: PathBuf },
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl Language {
    /// Detected by the handler's file; without a handler, by the usual file names.
    pub fn of(zip: &Path, handler: Option<&str>) -> Result<(Self, String), NoHandler> {
        let bundle = Bundle::read(zip)?;
        let written_in = |module: &str| {
            let holds = |ending: &str| bundle.holds(&format!("{module}{ending}"));
            if [".py", "/__init__.py"].into_iter().any(holds) {
                Some(Self::Python)
            } else {
                [".js", ".mjs", ".cjs"].into_iter().any(holds).then_some(Self::Node)
            }
        };
        let Some(handler) = handler else {
            let mut usual = ["lambda_function.lambda_handler", "index.handler"].into_iter();
            let found = usual.find_map(|handler| {
                let module = handler.split('.').next().unwrap_or_default();
                written_in(module).map(|language| (language, handler.to_owned()))
            });
            return found.ok_or_else(|| NoHandler::Unnamed { zip: zip.to_owned() });
        };
        let malformed = || NoHandler::Malformed { handler: handler.to_owned() };
        let (module, _) = handler.rsplit_once('.').ok_or_else(malformed)?;
        // Python separates packages by dots, Node.js by slashes.
        let path = module.replace('.', "/");
        let missing = || NoHandler::Missing { zip: zip.to_owned(), module: path.clone() };
        written_in(&path).map(|language| (language, handler.to_owned())).ok_or_else(missing)
    }
}

impl NodeRuntime {
    /// `E2E_NODE` names the interpreter, `E2E_AWS_LAMBDA_RIC` the directory that npm installed
    /// AWS's client into.
    pub fn detect() -> Result<Self, NoNode> {
        let node = env::var("E2E_NODE").unwrap_or_else(|_| "node".to_owned());
        let directory = env::var("E2E_AWS_LAMBDA_RIC").unwrap_or_else(|_| IN_THE_WORKSPACE.to_owned());
        let client = Path::new(&directory).join("node_modules/aws-lambda-ric/bin/index.mjs");
        let client = client.canonicalize().map_err(|_| NoNode::Client { client })?;
        let output = Command::new(&node).args(["-p", "process.execPath"]).stderr(Stdio::null()).output();
        let output = output.map_err(|source| NoNode::Node { node, source })?;
        Ok(Self { executable: String::from_utf8_lossy(&output.stdout).trim().into(), client })
    }
}

impl From<PythonRuntime> for Runtime {
    fn from(python: PythonRuntime) -> Self {
        Self::Python(python)
    }
}

impl From<NodeRuntime> for Runtime {
    fn from(node: NodeRuntime) -> Self {
        Self::Node(node)
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Python(python) => python.fmt(f),
            Self::Node(node) => {
                write!(f, "aws-lambda-ric in {}, run by {}", node.client.display(), node.executable.display())
            }
        }
    }
}
