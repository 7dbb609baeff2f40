//! Program of the Lambda bundle: runs the connector in the Lambda runtime loop.

use connector::{Connector, after_reply::AfterReply};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use std::{env, process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    if env::args().any(|argument| argument == "--selftest") {
        // The launcher checks that the program loads before it replaces its own process.
        println!("ok {}", connector::VERSION);
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Lambda runtime loop failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let connector = Arc::new(Connector::new(|name| env::var(name).ok()));
    let handler = service_fn(|event: LambdaEvent<Box<RawValue>>| {
        let response = connector.clone().handle(event.payload);
        async { response.await.map_err(lambda_runtime::Error::from) }
    });
    Runtime::new(handler).layer(AfterReply(connector.clone())).run().await
}
