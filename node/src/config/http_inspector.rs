//! `http_inspector`: the analysis of requests.

use super::{
    scalar::Scalar,
    section::{Part, Section},
};
use std::{num::NonZero, thread::available_parallelism};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpInspectorConfig {
    pub workers: Workers,
}

/// Threads that serve and analyze. `None`: one per processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers(Option<NonZero<u16>>);

impl Workers {
    pub fn count(self) -> usize {
        let processors = || available_parallelism().map_or(1, NonZero::get);
        self.0.map_or_else(processors, |count| count.get().into())
    }
}

impl Part for HttpInspectorConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let workers = section.or("workers", Workers(None));
        for (key, why) in [
            ("libdetection_enabled", "SQL is always parsed with a grammar"),
            ("api_firewall_enabled", "requests are not compared with API specifications"),
            ("api_firewall_database", "requests are not compared with API specifications"),
            ("wmcp_enabled", "calls of MCP tools are inspected like other JSON"),
            ("wallarm_dir", "detection is built in, rules come from the console"),
            ("shm_dir", "workers share one process"),
            ("wallarm_process_time_limit", "each request has a fixed budget of work, independent of time"),
        ] {
            section.ignored(key, why);
        }
        Some(Self { workers })
    }
}

impl Scalar for Workers {
    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "auto" => Ok(Self(None)),
            Ok(count) => Ok(Self(Some(count))),
            Err(_) => Err("must be auto or a whole number from 1 to 65535".to_owned()),
        }
    }

    fn shown(&self) -> String {
        self.0.map_or_else(|| "auto".to_owned(), |count| count.to_string())
    }
}
