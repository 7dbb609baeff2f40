//! `console`: where hits go.

use super::{
    Secret,
    section::{Part, Section},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// Without a slash at its end.
    pub url: String,
    pub token: Secret,
}

impl Part for ConsoleConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let (url, token) = (section.required::<String>("url"), section.required("token_file"));
        Some(Self { url: url?.trim_end_matches('/').to_owned(), token: token? })
    }
}
