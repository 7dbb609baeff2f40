//! Command-line options.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use cloudfront_sim::access_log::FirehoseUrl;
use cloudfront_sim::cloudfront::{ErrorCaching, OriginAt};
use jiff::Timestamp;

/// Simulates a CloudFront distribution with Lambda@Edge functions, to test them without AWS.
///
/// Zips run as in Lambda's managed Python and Node.js runtimes: one process per concurrent request,
/// frozen between requests, killed when it exceeds its timeout or memory. Results are validated as
/// CloudFront does it: an invalid result causes a 502 with the reason, a failing function a 503.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// AWS's description of the distribution: the output of `aws cloudfront
    /// get-distribution-config`, a CloudFormation template or resource, or the same as YAML.
    /// Without it: one origin, no caching, all headers except Host forwarded.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// A function of the description, by the name in its ARN. Repeatable.
    #[arg(long, value_name = "NAME=ZIP", requires = "config")]
    pub(crate) function: Vec<NamedZip>,

    /// The address of an origin: ADDRESS without a description, ID=URL with one (by id or domain
    /// name). Repeatable. [default without a description: 127.0.0.1:8001]
    #[arg(long, value_name = "[ID=]ADDRESS")]
    pub(crate) origin: Vec<OriginFlag>,

    /// Also start a sample origin (at --origin's address, or on a free port for all origins of a
    /// description without an address): it responds to /status/404 with that status, to /echo with
    /// the request, and to all other paths with a greeting.
    #[arg(long)]
    pub(crate) sample_origin: bool,

    /// Listen address for visitors: HTTP/1.1, and HTTP/2 by prior knowledge.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub(crate) listen: SocketAddr,

    /// Also listen with TLS on this port of the same address: HTTP/2 and HTTP/1.1, by ALPN.
    #[arg(long, value_name = "PORT")]
    pub(crate) tls_port: Option<u16>,

    /// Write the authority that signed the certificate here, as PEM: for `curl --cacert FILE`.
    #[arg(long, value_name = "FILE", requires = "tls_port")]
    pub(crate) ca: Option<PathBuf>,

    /// Function for every request, before the cache.
    #[arg(long, value_name = "ZIP", conflicts_with = "config")]
    pub(crate) viewer_request: Option<PathBuf>,

    /// Function for every request that goes to the origin.
    #[arg(long, value_name = "ZIP", conflicts_with = "config")]
    pub(crate) origin_request: Option<PathBuf>,

    /// Function for every response of the origin, errors included.
    #[arg(long, value_name = "ZIP", conflicts_with = "config")]
    pub(crate) origin_response: Option<PathBuf>,

    /// Function for every response below 400 on its way to the visitor.
    #[arg(long, value_name = "ZIP", conflicts_with = "config")]
    pub(crate) viewer_response: Option<PathBuf>,

    /// Do not show request bodies to the functions ("Include body" off).
    #[arg(long, conflicts_with = "config")]
    pub(crate) without_body: bool,

    /// The handler, as MODULE.FUNCTION, of zips with neither a `lambda_function.py` nor an
    /// `index.js`: one for all, or NAME=HANDLER. Repeatable.
    #[arg(long, value_name = "[NAME=]HANDLER")]
    pub(crate) handler: Vec<String>,

    /// Timeout of each function, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=30))]
    pub(crate) timeout: u64,

    /// Memory of each function, in MB; a process that uses more is killed.
    #[arg(long, value_name = "MB", default_value_t = 128, value_parser = clap::value_parser!(u32).range(128..=10_240))]
    pub(crate) memory: u32,

    /// Maximum environments per function on this machine; further requests wait.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) max_environments: u16,

    /// Lambda's reserved concurrency, per function: further requests are throttled at once.
    #[arg(long, value_name = "COUNT")]
    pub(crate) reserved_concurrency: Option<u16>,

    /// Lift Lambda@Edge's limit of 10 requests per second and environment.
    #[arg(long)]
    pub(crate) lift_rate_cap: bool,

    /// Which errors are cached; AWS's pages disagree.
    #[arg(long, value_enum, default_value_t = ErrorCaching::Pessimistic)]
    pub(crate) error_caching: ErrorCaching,

    /// Initial faults, as YAML or JSON; the admin API changes them.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,

    /// Seed of random choices: requests with a fault, and ids of invocations.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Stop the clock of all TTLs at this time, e.g. 2026-01-01T00:00:00Z; the admin API moves it.
    #[arg(long, value_name = "TIME")]
    pub(crate) clock: Option<Timestamp>,

    /// Serve the admin API here: metrics, faults, clock, invalidations, versions. Loopback only;
    /// GET / lists it.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<SocketAddr>,

    /// Write CloudFront's standard access log here.
    #[arg(long, value_name = "FILE")]
    pub(crate) access_log: Option<PathBuf>,

    /// Write access logs in all formats into this directory: standard logs, standard logs (v2) in
    /// JSON, and real-time logs.
    #[arg(long, value_name = "DIR")]
    pub(crate) log_dir: Option<PathBuf>,

    /// Deliver access logs to this endpoint, as Firehose does it.
    #[arg(long, value_name = "URL", requires = "firehose_key_file")]
    pub(crate) firehose: Option<FirehoseUrl>,

    /// A file with the access key of these deliveries.
    #[arg(long, value_name = "FILE", requires = "firehose")]
    pub(crate) firehose_key_file: Option<PathBuf>,

    /// Write the functions' logs into this directory, a file for each; without it they go to
    /// standard error.
    #[arg(long, value_name = "DIR")]
    pub(crate) function_logs: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  One zip before the cache and behind the origin, with the sample origin:
    cloudfront-sim --sample-origin --viewer-request waf.zip --origin-response waf.zip
    curl -i \"http://127.0.0.1:8000/?q=1%27+or+1=1\"

  In front of an application of yours on port 3001:
    cloudfront-sim --origin 127.0.0.1:3001 --origin-request waf.zip

  A distribution of yours, its functions from zips, its origin on port 3001:
    aws cloudfront get-distribution-config --id E123 > dist.json
    cloudfront-sim --config dist.json --function request=waf.zip --origin api=http://127.0.0.1:3001

  With TLS and HTTP/2, an access log, and the admin API:
    cloudfront-sim --sample-origin --tls-port 8443 --ca ca.pem --access-log access.log --admin 127.0.0.1:8002
    curl --cacert ca.pem https://localhost:8443/
    curl -X PUT -H 'Content-Type: application/json' -d '{\"origin\": {\"delay_ms\": 900}}' http://127.0.0.1:8002/faults

Environment:
  E2E_PYTHON          the Python that runs the functions (python3)
  E2E_AWSLAMBDARIC    where AWS's Runtime API client is: a directory made by
                      `pip install --target DIRECTORY awslambdaric`. Without it target/awslambdaric
                      and the Python's own are tried, then a minimal client.
  E2E_NODE            the Node.js that runs the functions (node)
  E2E_AWS_LAMBDA_RIC  where AWS's client for Node.js is: a directory made by
                      `npm install --prefix DIRECTORY aws-lambda-ric` (target/aws-lambda-ric)
  RUST_LOG            what is logged (info)";

/// `request=waf.zip`
#[derive(Debug, Clone)]
pub(crate) struct NamedZip {
    pub(crate) name: String,
    pub(crate) zip: PathBuf,
}

/// The address of an origin.
#[derive(Debug, Clone)]
pub(crate) enum OriginFlag {
    Only(SocketAddr),
    Named(OriginAt),
}

impl FromStr for NamedZip {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, zip) = text.split_once('=').ok_or("must be NAME=ZIP, e.g. request=dist/request.zip")?;
        Ok(Self { name: name.to_owned(), zip: zip.into() })
    }
}

impl FromStr for OriginFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('=') {
            return text.parse().map(Self::Named);
        }
        text.parse()
            .map(Self::Only)
            .map_err(|_| "must be an address, e.g. 127.0.0.1:3001, or ID=URL".to_owned())
    }
}
