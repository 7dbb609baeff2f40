//! Pages for administrators: users, tokens, sessions.

pub(super) mod sessions;
pub(super) mod tokens;
pub(super) mod users;

use serde::Deserialize;

/// The revision that a form was filled in for.
#[derive(Deserialize)]
pub(super) struct KnownRevision {
    pub(super) revision: u32,
}
