//! `console`: the console that receives hits and provides rules.

use super::{
    Secret,
    section::{Part, Section},
};
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// Without a trailing slash.
    pub url: String,
    pub token: Secret,
    /// Authorities of the console's certificate, PEM. Absent: the public ones.
    pub authorities: Option<PathBuf>,
}

impl Part for ConsoleConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let (url, token) = (section.required::<String>("url"), section.required("token_file"));
        let authorities = section.optional("ca_file");
        Some(Self { url: url?.trim_end_matches('/').to_owned(), token: token?, authorities })
    }
}
