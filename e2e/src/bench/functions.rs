//! The compared functions: the connector's zips, and Python functions for the same emulator.

use super::events::Trigger;
use crate::binaries::Binaries;
use cloudfront_sim::lambda::{Function, FunctionConfig, PythonRuntime, silent};
use std::{
    fs,
    io::{Cursor, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};
use zip::{ZipWriter, write::SimpleFileOptions};

const PYTHON_FUNCTION: &str = include_str!("../../bench/connector/lambda_function.py");
const HTTP_CLIENT: &str = include_str!("../../bench/connector/http_client.py");
const BARE_SOCKET: &str = include_str!("../../bench/connector/bare_socket.py");
const DOES_NOTHING: &str = include_str!("../../bench/connector/does_nothing.py");

/// A compared function: its zip and trigger.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) name: &'static str,
    pub(super) zip: PathBuf,
    pub(super) trigger: Trigger,
}

/// All compared functions.
pub(super) struct Candidates {
    pub(super) inline: Pair,
    pub(super) out_of_band: Pair,
    /// Without work; ours is the response function with reports turned off.
    pub(super) nothing: Pair,
    /// In line, in Python, with handwritten HTTP: for information only, as it is not deployable.
    pub(super) bare: Candidate,
}

/// The connector's function and the Python function that does the same.
pub(super) struct Pair {
    pub(super) ours: Candidate,
    pub(super) python: Candidate,
}

impl Candidates {
    /// Creates the zips of all functions, which call this node.
    pub(super) async fn make(
        binaries: &Binaries,
        node: SocketAddr,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let ours = async |name, inline: &str| {
            let parameters = [
                ("wlrm_node_addr", format!("http://{node}")),
                ("wlrm_inline", inline.to_owned()),
                ("wlrm_response_reports", "False".to_owned()),
            ];
            binaries.bundle(&parameters, &directory.join(name)).await
        };
        let python = |name: &str, source: String| {
            let path = directory.join(name);
            fs::write(&path, zipped(&source)?)?;
            anyhow::Ok(path)
        };
        let (inline, out_of_band) = (ours("inline", "True").await?, ours("out-of-band", "False").await?);
        let request = |name, zip| Candidate { name, zip, trigger: Trigger::Request };
        Ok(Self {
            inline: Pair {
                ours: request("ours-inline", inline.request),
                python: request("python-inline", python("inline.zip", peer(node, true, HTTP_CLIENT))?),
            },
            out_of_band: Pair {
                ours: request("ours-out-of-band", out_of_band.request),
                python: request(
                    "python-out-of-band",
                    python("out-of-band.zip", peer(node, false, HTTP_CLIENT))?,
                ),
            },
            nothing: Pair {
                ours: Candidate { name: "ours-nothing", zip: inline.response, trigger: Trigger::Response },
                python: request("python-nothing", python("nothing.zip", DOES_NOTHING.to_owned())?),
            },
            bare: request("bare-inline", python("bare.zip", peer(node, true, BARE_SOCKET))?),
        })
    }
}

impl Candidate {
    /// Starts with a single environment, so that all invocations use the same process.
    pub(super) async fn start(&self, python: &PythonRuntime) -> anyhow::Result<Function> {
        let config = FunctionConfig::new(self.name, &self.zip, python.clone());
        Ok(Function::start(FunctionConfig { max_environments: 1, sink: silent(), ..config }).await?)
    }
}

/// The source of the Python function: settings, function, HTTP client.
fn peer(node: SocketAddr, inline: bool, client: &str) -> String {
    let inline = if inline { "True" } else { "False" };
    // All crates have the same version.
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "NODE = (\"{}\", {})\nINLINE = {inline}\nVERSION = \"{version}\"\n\n{PYTHON_FUNCTION}\n\n{client}",
        node.ip(),
        node.port()
    )
}

/// A zip of one Python module.
pub fn zipped(source: &str) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("lambda_function.py", SimpleFileOptions::default().unix_permissions(0o644))?;
    zip.write_all(source.as_bytes())?;
    Ok(zip.finish()?.into_inner())
}
