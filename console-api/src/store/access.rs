//! Access data: users, sessions, tokens, signing keys and the audit log.

pub(crate) mod sessions;
pub(crate) mod signing_keys;
pub(crate) mod tokens;
pub(crate) mod users;
