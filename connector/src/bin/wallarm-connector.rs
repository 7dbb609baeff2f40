//! Makes the bundles for Lambda, and carries parameters from one version to the next.

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use connector::{
    bundle::{self, Assignment, Moved},
    parameters::FunctionKind,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

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
    /// Carry the parameters of a deployed bundle over to a new version, and list what is new, kept and dropped.
    Configure {
        /// The bundle with your values; download it from Lambda (Actions, Export function).
        #[arg(long, value_name = "OLD.zip")]
        from: PathBuf,
        /// The new bundle; it is changed in place.
        #[arg(value_name = "NEW.zip")]
        zip: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Bundle { bootstrap, out, set } => make_bundles(&bootstrap, &out, &set),
        Command::Configure { from, zip } => configure(&from, &zip),
    }
}

fn make_bundles(bootstrap: &Path, out: &Path, set: &[String]) -> anyhow::Result<()> {
    let assignments = set.iter().map(|text| Assignment::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let program = read(bootstrap)?;
    fs::create_dir_all(out).with_context(|| format!("the folder {} cannot be made", out.display()))?;
    for function in [FunctionKind::Request, FunctionKind::Response] {
        let zip = bundle::bundle(function, &program, &assignments)?;
        let path = out.join(bundle::file_name(function));
        write(&path, &zip)?;
        println!("{}  {:.2} MiB", path.display(), mebibytes(zip.len()));
    }
    Ok(())
}

fn configure(from: &Path, zip: &Path) -> anyhow::Result<()> {
    let (configured, moved) = bundle::carry_over(&read(from)?, &read(zip)?)?;
    write(zip, &configured)?;
    let Moved { kept, added, dropped } = moved;
    for (what, assignments) in [("kept", kept), ("new, default", added), ("dropped", dropped)] {
        for Assignment { name, literal } in assignments {
            // A key must not end up in a terminal's history.
            let is_secret = ["wlrm_signing_key", "wlrm_block_me"].contains(&&*name) && literal != "None";
            let shown = if is_secret { "…" } else { &literal };
            println!("{what:<14}{name} = {shown}");
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))
}

#[expect(clippy::cast_precision_loss, reason = "two digits of a file's size")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
