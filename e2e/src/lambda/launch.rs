//! How an environment is set up: its files, its command line and its variables.

use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;
use uuid::Uuid;

use super::bundle::{Bundle, off_the_runtime};
use super::python::{MINIMAL_CLIENT, RuntimeClient};
use super::{FunctionConfig, InvokeError};

/// AWS's client chooses by this number how it polls; from 3.12 on it does so in a thread.
const EXECUTION_ENV: &str = "AWS_Lambda_python3.12";

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
    unpacked.await.map_err(|error| InvokeError::Init { message: error.to_string() })
}

/// Started as the managed runtime starts it, with Lambda's variables and nothing of ours.
pub(super) fn command(config: &FunctionConfig, files: &Path, api: SocketAddr) -> Command {
    let (task, runtime) = (files.join("task"), files.join("runtime"));
    let mut command = Command::new(&config.python.executable);
    command.env_clear().current_dir(&task);
    match &config.python.client {
        RuntimeClient::Aws { pythonpath } => {
            command.args(["-m", "awslambdaric"]);
            if let Some(path) = pythonpath {
                command.env("PYTHONPATH", path);
            }
        }
        RuntimeClient::Minimal => {
            command.args(["-m", "minimal_runtime"]).env("PYTHONPATH", &runtime);
        }
    }
    command.arg(&config.handler).envs(reserved_variables(config));
    command.env("AWS_LAMBDA_RUNTIME_API", api.to_string());
    command.env("LAMBDA_TASK_ROOT", &task).env("LAMBDA_RUNTIME_DIR", &runtime);
    command
}

/// "Using Lambda environment variables", the reserved and unreserved ones that a runtime finds set.
fn reserved_variables(config: &FunctionConfig) -> [(&'static str, String); 14] {
    let stream = format!("2026/01/01/[1]{}", Uuid::new_v4().simple());
    [
        ("_HANDLER", config.handler.clone()),
        ("AWS_LAMBDA_FUNCTION_NAME", format!("us-east-1.{}", config.name)),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/us-east-1.{}", config.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_EXECUTION_ENV", EXECUTION_ENV.to_owned()),
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
