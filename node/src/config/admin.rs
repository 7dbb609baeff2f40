//! `admin`: who may make the admin calls.

use super::{
    Secret,
    section::{Part, Section},
};

#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// Without it the calls are refused.
    pub token: Option<Secret>,
}

impl Part for AdminConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { token: section.optional("token_file") })
    }
}
