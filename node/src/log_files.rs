//! Access logs in files and directories: read from where the last pass ended, each record once.
//!
//! | module | holds |
//! |---|---|
//! | [`state`] | how far each file was read, on disk |
//! | [`lines`] | lines of plain and gzip files, rows of Parquet files |
//! | [`command`] | `wallarm-node ingest-logs` |
//!
//! The position of a file moves on after the hits of its records are in the spool: a kill repeats
//! records, and the console stores their hits once.

pub mod command;
mod lines;
mod state;

use crate::server::{LogLines, LogTally, Node};
use access_log::Columns;
use anyhow::Context as _;
use lines::{Lines, Next};
use state::{FileState, State};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// Reads the files below some paths, again and again.
pub struct LogFiles {
    node: Arc<Node>,
    paths: Vec<PathBuf>,
    state: State,
    /// A last line without a line feed is complete: nothing writes to the files.
    is_final: bool,
    /// Sizes and times of files that could not be read to their end.
    failed: BTreeMap<PathBuf, Version>,
}

/// The size and the time of a file.
type Version = (u64, Option<SystemTime>);

/// A hit appears within seconds of its record.
const INTERVAL: Duration = Duration::from_millis(500);

impl LogFiles {
    pub fn open(node: Arc<Node>, paths: Vec<PathBuf>, state: &Path, is_final: bool) -> anyhow::Result<Self> {
        let state = State::open(state).with_context(|| format!("cannot read {}", state.display()))?;
        Ok(Self { node, paths, state, is_final, failed: BTreeMap::new() })
    }

    /// Follows the files until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failure = String::new();
        loop {
            let stopping = stop.clone();
            let pass = tokio::task::spawn_blocking(move || {
                let result = self.pass(&stopping);
                (self, result)
            });
            let Ok((files, result)) = pass.await else { return error!("the reader of access logs failed") };
            self = files;
            let cause = result.err().map(|cause| format!("{cause:#}")).unwrap_or_default();
            // Each failure is logged once, not twice a second.
            if cause != failure && !cause.is_empty() {
                error!("cannot read access logs, trying again: {cause}");
            }
            failure = cause;
            if stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
                return;
            }
        }
    }

    /// Reads what the files have beyond the last pass.
    pub fn pass(&mut self, stop: &CancellationToken) -> anyhow::Result<LogTally> {
        let mut tally = LogTally::default();
        let mut files = Vec::new();
        for path in &self.paths {
            list(path, &mut files).with_context(|| format!("cannot list {}", path.display()))?;
        }
        self.state.retain(&files);
        self.failed.retain(|path, _| files.contains(path));
        let mut failure = None;
        for file in files.iter().take_while(|_| !stop.is_cancelled()) {
            match self.read(file, stop).with_context(|| format!("cannot read {}", file.display())) {
                Ok(read) => tally += read,
                // The other files are read nevertheless.
                Err(cause) => {
                    failure.get_or_insert(cause);
                }
            }
        }
        self.state.save().context("cannot write the state")?;
        failure.map_or(Ok(tally), Err)
    }

    /// Reads one file from its position.
    fn read(&mut self, path: &Path, stop: &CancellationToken) -> anyhow::Result<LogTally> {
        let metadata = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LogTally::default()),
            metadata => metadata?,
        };
        let version = (metadata.len(), metadata.modified().ok());
        let file = self.state.of(path, metadata.ino(), metadata.len());
        if file.read_bytes == Some(metadata.len()) || self.failed.get(path) == Some(&version) {
            return Ok(LogTally::default());
        }
        self.failed.remove(path);
        let mut lines = match Lines::open(path, file.offset) {
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                self.unreadable(path, version, LogTally::default(), &cause);
                return Ok(LogTally::default());
            }
            lines => lines?,
        };
        let columns = match &file.columns {
            Some(columns) => Some(columns.parse::<Columns>().context("state of the file")?),
            None => self.node.config.load().logs.columns.clone(),
        };
        let source = path.display().to_string();
        let mut reader = Reader { path, file, log: LogLines::new(&self.node, &source, columns) };
        let end = reader.read_all(&self.node, &mut self.state, &mut lines, self.is_final, stop);
        let tally = reader.log.tally();
        if let End::Unreadable(cause) = end? {
            self.unreadable(path, version, tally, &cause);
        }
        Ok(tally)
    }

    /// Until the file changes, it is not read again.
    fn unreadable(&mut self, path: &Path, version: Version, read: LogTally, cause: &io::Error) {
        warn!("{}: the rest is unreadable, {} lines were read: {cause}", path.display(), read.lines());
        self.failed.insert(path.to_owned(), version);
    }

    /// The files that could not be read to their end.
    pub fn failed(&self) -> impl Iterator<Item = &Path> {
        self.failed.keys().map(PathBuf::as_path)
    }
}

/// One file while it is read.
struct Reader<'f> {
    path: &'f Path,
    file: FileState,
    log: LogLines<'f>,
}

enum End {
    Reached,
    Stopped,
    /// A truncated or damaged gzip or Parquet file.
    Unreadable(io::Error),
}

impl Reader<'_> {
    fn read_all(
        &mut self,
        node: &Node,
        state: &mut State,
        lines: &mut Lines,
        is_final: bool,
        stop: &CancellationToken,
    ) -> anyhow::Result<End> {
        let from_path = distribution_id(self.path);
        while !stop.is_cancelled() {
            let mut end = None;
            while !self.log.is_full() && end.is_none() {
                match lines.advance() {
                    Ok(Next::Line) => self.log.parse(lines.line()),
                    Ok(Next::Unfinished) if is_final => self.log.parse(lines.line()),
                    Ok(Next::Unfinished | Next::End) => end = Some(End::Reached),
                    Err(cause) => end = Some(End::Unreadable(cause)),
                }
            }
            let config = node.config.load();
            self.log.ingest(from_path.or(config.logs.distribution_id.as_deref()))?;
            self.file.offset = lines.complete();
            self.file.columns = self.log.columns().map(Columns::names);
            if matches!(end, Some(End::Reached)) && (lines.is_at_end() || is_final) {
                self.file.read_bytes = Some(lines.file_bytes()?);
            }
            state.set(self.path, self.file.clone()).context("cannot write the state")?;
            if let Some(end) = end {
                return Ok(end);
            }
        }
        Ok(End::Stopped)
    }
}

/// All files below a path, in the order of their names, which begin with their times.
fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        // CloudFront's names are text; the state is JSON.
        let is_hidden = entry.file_name().to_str().is_none_or(|name| name.starts_with('.'));
        let file_type = entry.file_type()?;
        if is_hidden || file_type.is_symlink() {
            continue;
        }
        if file_type.is_dir() {
            list(&entry.path(), files)?;
        } else if file_type.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The id in the path of a log in S3: `…/E2EXAMPLE.2026-11-30-23.1a2b3c4d.gz`, or a partition of
/// standard logs (v2), `E2EXAMPLE/2026/…` or `DistributionId=E2EXAMPLE/…`.
fn distribution_id(path: &Path) -> Option<&str> {
    let mut parts = path.file_name()?.to_str()?.split('.');
    let (name, hour) = (parts.next(), parts.next());
    let of_name = name.filter(|name| is_distribution_id(name) && hour.is_some_and(is_hour));
    let folders: Vec<&str> = path.parent()?.iter().filter_map(OsStr::to_str).collect();
    let keyed = folders.iter().rev().find_map(|folder| {
        let (key, id) = folder.split_once('=')?;
        (key.eq_ignore_ascii_case("DistributionId") && is_distribution_id(id)).then_some(id)
    });
    // Other folders have names such as `EXPORT2026`: a partition of the year follows the id.
    let of_folder = || {
        let pairs = folders.iter().zip(folders.iter().skip(1)).rev();
        let mut ids = pairs.filter(|(id, next)| is_distribution_id(id) && is_year(next));
        ids.next().map(|(id, _)| *id)
    };
    of_name.or(keyed).or_else(of_folder)
}

fn is_distribution_id(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.starts_with('E') && (8..=32).contains(&text.len()) && text.bytes().all(is_part)
}

/// `2026-11-30-23`
fn is_hour(text: &str) -> bool {
    let mut parts = text.split('-');
    let are_numbers = [4, 2, 2, 2].into_iter().all(|digits| {
        parts
            .next()
            .is_some_and(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    are_numbers && parts.next().is_none()
}

/// `2026` or `year=2026`
fn is_year(folder: &str) -> bool {
    let year = folder.strip_prefix("year=").unwrap_or(folder);
    year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
