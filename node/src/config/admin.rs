//! `admin`: authentication of admin calls.

use super::{
    Secret,
    section::{Part, Section},
};

#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// Absent: admin calls are refused.
    pub token: Option<Secret>,
}

impl Part for AdminConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { token: section.optional("token_file") })
    }
}
