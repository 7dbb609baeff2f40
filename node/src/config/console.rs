//! `console`: the console that receives hits and provides rules.

use super::{
    Secret,
    section::{Part, Section},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// Without a trailing slash.
    pub url: String,
    pub token: Secret,
}

impl Part for ConsoleConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let (url, token) = (section.required::<String>("url"), section.required("token_file"));
        Some(Self { url: url?.trim_end_matches('/').to_owned(), token: token? })
    }
}
