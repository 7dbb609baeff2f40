//! Access data: users and their known networks, sessions, tokens and signing keys.

pub(crate) mod administrators;
pub(crate) mod identities;
pub(crate) mod networks;
pub(crate) mod sessions;
pub(crate) mod signing_keys;
pub(crate) mod tokens;
pub(crate) mod users;
