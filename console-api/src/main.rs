//! `wallarm-console`: flags → set up → serve → drain.

mod log;
mod run;

use clap::Parser;
use console_api::config::{Cli, Command, TokenCommand};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match log::start(&cli) {
        Ok(()) => match cli.command {
            Command::Serve(serve) => run::serve(serve).await,
            Command::Seed(flags) => run::seed(flags).await,
            Command::Token(TokenCommand::Create(create)) => run::create_token(create).await,
        },
        Err(cause) => Err(cause),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("wallarm-console: {cause:#}");
            ExitCode::FAILURE
        }
    }
}
