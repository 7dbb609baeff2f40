//! `logs`: CloudFront's access logs as a source of requests.

use super::{
    Secret,
    section::{Part, Section},
};
use access_log::Columns;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsConfig {
    /// Of Firehose's deliveries. Absent: they are refused.
    pub access_key: Option<Secret>,
    /// Files and directories that are followed.
    pub paths: Vec<PathBuf>,
    /// The distribution of records that do not name one.
    pub distribution_id: Option<String>,
    /// The columns of tab-separated lines without a header: those of real-time logs.
    pub columns: Option<Columns>,
    /// Requests that are remembered, to inspect each once.
    pub remember: usize,
}

impl LogsConfig {
    const REMEMBER: usize = 1_000_000;

    /// How many requests are remembered; `None` if no logs are read.
    pub fn remembered(&self) -> Option<usize> {
        (self.access_key.is_some() || !self.paths.is_empty()).then_some(self.remember)
    }
}

impl Part for LogsConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let access_key = section.optional("access_key_file");
        let paths = section.list("paths", Vec::new());
        let distribution_id = section.optional("distribution_id");
        let names: Vec<String> = section.list("fields", Vec::new());
        let remember = section.within("remember", Self::REMEMBER, 1_000..=100_000_000);
        let columns = (!names.is_empty()).then(|| Columns::parse(names.iter().map(String::as_str)));
        let columns = columns.transpose().map_err(|cause| section.wrong("fields", cause)).ok()?;
        Some(Self { access_key, paths, distribution_id, columns, remember })
    }
}
