//! The program `wallarm-console`: parse flags, run a command.

mod log;
mod maintain;
mod run;

use clap::Parser;
use console_api::config::{Cli, Command, TokenCommand};
use rustix::{fs::Mode, process::umask};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // Databases, tokens and backups are for the console's user only, whatever the umask was.
    umask(Mode::RWXG | Mode::RWXO);
    let done = match log::start(&cli) {
        Ok(()) => match cli.command {
            Command::Serve(serve) => run::serve(*serve).await,
            Command::Backup(flags) => maintain::backup(flags).await,
            Command::Restore(flags) => maintain::restore(flags).await,
            Command::Migrate(flags) => maintain::migrate(flags).await,
            Command::Vacuum(data) => maintain::vacuum(data).await,
            Command::Seed(flags) => maintain::seed(flags).await,
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
