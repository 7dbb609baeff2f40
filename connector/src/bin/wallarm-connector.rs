//! Makes the bundles for Lambda.

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use connector::{
    bundle::{self, Assignment},
    parameters::FunctionKind,
};
use std::{fs, path::PathBuf};

/// Tools for the Wallarm connector for Amazon CloudFront.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the two zips that are uploaded to Lambda, one for requests and one for responses.
    Bundle {
        /// The connector's program, built for Lambda's x86_64 Linux.
        #[arg(long, value_name = "FILE")]
        bootstrap: PathBuf,
        /// Where the zips go.
        #[arg(long, value_name = "DIR", default_value = "dist")]
        out: PathBuf,
        /// A parameter to bake in, e.g. `--set wlrm_inline=False`. May repeat.
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    let Command::Bundle { bootstrap, out, set } = Arguments::parse().command;
    let assignments = set.iter().map(|text| Assignment::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let program = fs::read(&bootstrap)
        .with_context(|| format!("the program {} cannot be read", bootstrap.display()))?;
    fs::create_dir_all(&out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    for function in [FunctionKind::Request, FunctionKind::Response] {
        let zip = bundle::bundle(function, &program, &assignments)?;
        let path = out.join(bundle::file_name(function));
        fs::write(&path, &zip).with_context(|| format!("{} cannot be written", path.display()))?;
        println!("{}  {:.2} MiB", path.display(), mebibytes(zip.len()));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "two digits of a file's size")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
