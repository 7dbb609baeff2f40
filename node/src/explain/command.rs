//! `wallarm-node explain`: flags and request input.

use super::{
    Explanation,
    http::{self, Flags},
};
use anyhow::Context as _;
use clap::Args;
use decision::{Evaluator, Policy, RouteSettings};
use engine::Engine;
use shared::{InspectRequest, Mode};
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    time::Instant,
};

#[derive(Args)]
pub struct Explain {
    /// The request's URL; flags are those of curl.
    #[arg(value_name = "URL", required_unless_present = "file", conflicts_with = "file")]
    url: Option<String>,
    /// A raw HTTP/1.1 request as saved by a proxy; `-` reads standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["method", "headers", "data"])]
    file: Option<PathBuf>,
    /// The method [default: GET, or POST with data].
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<String>,
    /// A header, `name: value`; repeatable.
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The body; `@FILE` reads it from a file.
    #[arg(short = 'd', long, value_name = "DATA")]
    data: Option<String>,
    /// The mode: `monitoring`, `safe_blocking` or `block`.
    #[arg(long, value_name = "MODE", default_value_t = Mode::Block, value_parser = mode)]
    mode: Mode,
    /// Print JSON, in the format of `POST /v1/explain`.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(&self) -> anyhow::Result<()> {
        let explanation = explain(&self.request()?, self.mode);
        if self.json {
            println!("{}", serde_json::to_string_pretty(&explanation)?);
        } else {
            print!("{explanation}");
        }
        Ok(())
    }

    fn request(&self) -> anyhow::Result<InspectRequest> {
        if let Some(file) = &self.file {
            return http::parse(&read(file)?).with_context(|| format!("{} is not a request", file.display()));
        }
        let data = self.data.as_deref().map(|data| match data.strip_prefix('@') {
            Some(file) => read(Path::new(file)),
            None => Ok(data.as_bytes().to_vec()),
        });
        let (url, method) = (self.url.as_deref().unwrap_or_default(), self.method.as_deref());
        Ok(http::from_flags(Flags { url, method, headers: &self.headers, data: data.transpose()? })?)
    }
}

/// Decides as a node without a console.
pub(super) fn explain(request: &InspectRequest, mode: Mode) -> Explanation {
    let (engine, policy) = (Engine::new(), Policy::default());
    let evaluator = Evaluator::new(&engine, &policy);
    let settings = RouteSettings::of_mode(mode, "flag");
    let start = Instant::now();
    let evaluation = evaluator.evaluate(request, &settings, jiff::Timestamp::now());
    let took = start.elapsed();
    Explanation::of(&engine, request, evaluation, took)
}

fn mode(text: &str) -> Result<Mode, String> {
    [Mode::Monitoring, Mode::SafeBlocking, Mode::Block]
        .into_iter()
        .find(|mode| mode.as_str() == text)
        .ok_or_else(|| "expected monitoring, safe_blocking or block".to_owned())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}
