//! Command-line tool: builds Lambda bundles, carries parameters over to new versions, and checks
//! distributions for hazards.

use anyhow::{Context as _, ensure};
use clap::{Args, Parser, Subcommand};
use connector::{
    bundle::{self, Assignment, BundleError, CarriedOver, Compression},
    doctor::{self, Deployment, Documents, LogsUrl, Setup, SetupFormat, Stages},
    parameters::FunctionKind,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Tools for the Wallarm connector for Amazon CloudFront.
#[derive(Parser)]
#[command(name = "wallarm-connector", version = shared::BUILD, arg_required_else_help = true)]
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
        /// Output folder.
        #[arg(long, value_name = "DIR", default_value = "dist")]
        out: PathBuf,
        /// Set a parameter, e.g. `--set wlrm_inline=False`. Can be repeated.
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// Compress quickly. The zips are larger: for tests.
        #[arg(long)]
        fast: bool,
    },
    /// Carry the parameters of a deployed bundle over to a new version, or set parameters; lists
    /// the changes.
    Configure {
        /// The bundle with your values; download it from Lambda (Actions, Export function).
        #[arg(long, value_name = "OLD.zip", required_unless_present = "set")]
        from: Option<PathBuf>,
        /// Set a parameter, e.g. `--set wlrm_inline=False`. Can be repeated.
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// The new bundle; changed in place.
        #[arg(value_name = "NEW.zip")]
        zip: PathBuf,
    },
    /// List the hazards of a distribution: settings that prevent inspection or blocking.
    ///
    /// Exits with 1 if there are hazards, with 2 if a file cannot be read. `just doctor ID` fetches
    /// the files from AWS.
    Doctor(Doctor),
}

#[derive(Args)]
struct Doctor {
    /// Output of `aws cloudfront get-distribution --id ID`, and of the commands that the doctor
    /// lists as not checked. A file can contain a list of documents; `-` is standard input.
    #[arg(value_name = "FILE.json", required = true)]
    files: Vec<PathBuf>,
    /// Deployment name: the functions are called NAME-request and NAME-response.
    #[arg(long, default_value = "wallarm-connector")]
    name: String,
    /// Stages of a request function that is not attached yet: viewer, origin or viewer+origin.
    #[arg(long, alias = "trigger", value_name = "STAGES", default_value = "viewer")]
    stages: Stages,
    /// Path pattern of the behavior for functions that are not attached yet.
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    behavior: String,
    /// Status of the block page, if `wlrm_block_status` or the node's configuration changes it.
    #[arg(long, value_name = "STATUS", default_value_t = 403, value_parser = clap::value_parser!(u16).range(400..600))]
    block_status: u16,
    /// Check the access logs, too: the https:// address to which Firehose delivers them.
    #[arg(long, value_name = "URL")]
    logs: Option<LogsUrl>,
    /// Print what sets up the logs: commands of AWS's command line, CloudFormation, or Terraform.
    #[arg(long, value_name = "FORMAT", requires = "logs")]
    setup: Option<SetupFormat>,
    /// Set up real-time logs, not standard logs (v2).
    #[arg(long, requires = "setup")]
    real_time: bool,
}

fn main() -> ExitCode {
    let (done, unreadable) = match Arguments::parse().command {
        Command::Bundle { bootstrap, out, set, fast } => {
            let compression = if fast { Compression::Fast } else { Compression::Best };
            (make_bundles(&bootstrap, &out, &set, compression), 1)
        }
        Command::Configure { from, set, zip } => (configure(from.as_deref(), &set, &zip), 1),
        Command::Doctor(doctor) => (doctor.examine(), 2),
    };
    done.unwrap_or_else(|error| {
        eprintln!("Error: {error:#}");
        ExitCode::from(unreadable)
    })
}

fn assignments(set: &[String]) -> Result<Vec<Assignment>, BundleError> {
    set.iter().map(|text| Assignment::parse(text)).collect()
}

fn make_bundles(
    bootstrap: &Path,
    out: &Path,
    set: &[String],
    compression: Compression,
) -> anyhow::Result<ExitCode> {
    let assignments = assignments(set)?;
    let program = read(bootstrap, bundle::MAX_PROGRAM_BYTES)?;
    fs::create_dir_all(out).with_context(|| format!("cannot create the folder {}", out.display()))?;
    for function in [FunctionKind::Request, FunctionKind::Response] {
        let zip = bundle::bundle(function, &program, &assignments, compression)?;
        let path = out.join(bundle::file_name(function));
        write(&path, &zip)?;
        println!("{}  {:.2} MiB", path.display(), mebibytes(zip.len()));
    }
    Ok(ExitCode::SUCCESS)
}

fn configure(from: Option<&Path>, set: &[String], zip: &Path) -> anyhow::Result<ExitCode> {
    let set = assignments(set)?;
    let new = read(zip, bundle::MAX_ZIP_BYTES)?;
    let (zip_bytes, carried) = match from {
        Some(from) => bundle::carry_over(&read(from, bundle::MAX_ZIP_BYTES)?, &new).with_context(|| {
            format!("cannot carry parameters from {} to {}", from.display(), zip.display())
        })?,
        None => (new, CarriedOver::default()),
    };
    let assigned = bundle::assign(&zip_bytes, &set)
        .with_context(|| format!("cannot set parameters in {}", zip.display()))?;
    write(zip, &assigned)?;
    let CarriedOver { kept, added, dropped } = carried;
    if from.is_some() && [&kept, &added, &dropped, &set].iter().all(|changes| changes.is_empty()) {
        println!("no differences");
    }
    for (what, assignments) in [("kept", kept), ("new, default", added), ("dropped", dropped), ("set", set)] {
        for assignment in assignments {
            println!("{what:<14}{assignment}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Doctor {
    fn examine(self) -> anyhow::Result<ExitCode> {
        let mut documents = Documents::default();
        for file in &self.files {
            let text = match file.to_str() {
                Some("-") => io::read_to_string(io::stdin()).context("cannot read standard input")?,
                _ => fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
            };
            documents.read(&file.display().to_string(), &text)?;
        }
        let Self { name, stages, behavior, block_status, logs, .. } = self;
        let deployment = Deployment { name, stages, behavior, block_status, logs };
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let report = doctor::examine(&documents, &deployment, today)?;
        match self.setup {
            None => print!("{report}"),
            Some(format) => {
                // As comments: the output is a file of that format.
                for line in report.to_string().lines() {
                    println!("{}", format!("# {line}").replace(char::is_control, " ").trim_end());
                }
                let setup = Setup::new(&documents, &deployment, self.real_time);
                print!(
                    "\n{}",
                    setup.context("--setup needs the id and the ARN of the distribution, and a name of letters, digits, - and _")?.render(format)
                );
            }
        }
        Ok(if report.hazards.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Reads a file of at most this many bytes.
fn read(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let cannot_read = || format!("cannot read {}", path.display());
    let mut content = Vec::new();
    let file = File::open(path).with_context(cannot_read)?;
    file.take(limit + 1).read_to_end(&mut content).with_context(cannot_read)?;
    ensure!(content.len() as u64 <= limit, "{} is larger than {limit} bytes", path.display());
    Ok(content)
}

/// For the owner only: a bundle may contain a signing key.
fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(content));
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[expect(clippy::cast_precision_loss, reason = "a file size is shown with two decimals")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
