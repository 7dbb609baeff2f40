//! Setup of an environment: files, command line and variables.

use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use super::InvokeError;
use super::bundle::{Bundle, off_the_runtime};
use super::config::FunctionConfig;
use super::python::{MINIMAL_CLIENT, PythonRuntime, RuntimeClient};
use super::runtime::Runtime;

/// AWS's client selects its way of polling by this version; from 3.12 on it polls in a thread.
const PYTHON_ENV: &str = "AWS_Lambda_python3.12";
const NODE_ENV: &str = "AWS_Lambda_nodejs20.x";

/// `task/` is the function, `runtime/` stands for `/var/runtime`.
pub(super) async fn unpack(bundle: &Bundle) -> Result<TempDir, InvokeError> {
    let bundle = bundle.clone();
    let unpacked = off_the_runtime(move || {
        let files = TempDir::with_prefix("lambda-")?;
        let (task, runtime) = (files.path().join("task"), files.path().join("runtime"));
        std::fs::create_dir(&task)?;
        std::fs::create_dir(&runtime)?;
        std::fs::write(runtime.join("minimal_runtime.py"), MINIMAL_CLIENT)?;
        bundle.unpack(&task)?;
        Ok(files)
    });
    unpacked.await.map_err(|error| InvokeError::Init { message: format!("{:#}", anyhow::Error::from(error)) })
}

/// The command of the managed runtime, with Lambda's variables and none of this process.
pub(super) fn command(config: &FunctionConfig, version: u32, files: &Path, api: SocketAddr) -> Command {
    let (task, runtime) = (files.join("task"), files.join("runtime"));
    let mut command = match &config.runtime {
        Runtime::Python(python) => python_command(python, &runtime),
        Runtime::Node(node) => {
            let mut command = Command::new(&node.executable);
            command.env_clear().arg(&node.client).env("AWS_EXECUTION_ENV", NODE_ENV);
            command
        }
    };
    command.current_dir(&task).arg(&config.handler).envs(reserved_variables(config, version));
    command.env("AWS_LAMBDA_RUNTIME_API", api.to_string());
    command.env("LAMBDA_TASK_ROOT", &task).env("LAMBDA_RUNTIME_DIR", &runtime);
    command
}

fn python_command(python: &PythonRuntime, runtime: &Path) -> Command {
    let mut command = Command::new(&python.executable);
    command.env_clear().env("AWS_EXECUTION_ENV", PYTHON_ENV);
    match &python.client {
        RuntimeClient::Aws { pythonpath } => {
            command.args(["-m", "awslambdaric"]);
            if let Some(path) = pythonpath {
                command.env("PYTHONPATH", path);
            }
        }
        RuntimeClient::Minimal => {
            command.args(["-m", "minimal_runtime"]).env("PYTHONPATH", runtime);
        }
    }
    command
}

/// "Using Lambda environment variables", the reserved and unreserved ones that a runtime finds set.
fn reserved_variables(config: &FunctionConfig, version: u32) -> [(&'static str, String); 13] {
    let day = jiff::Timestamp::now().strftime("%Y/%m/%d");
    let stream = format!("{day}/[{version}]{}", Uuid::new_v4().simple());
    [
        ("_HANDLER", config.handler.clone()),
        ("AWS_LAMBDA_FUNCTION_NAME", format!("us-east-1.{}", config.name)),
        ("AWS_LAMBDA_FUNCTION_VERSION", version.to_string()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/us-east-1.{}", config.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
        (
            "LD_LIBRARY_PATH",
            "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
                .to_owned(),
        ),
    ]
}
