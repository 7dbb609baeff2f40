//! Retention of old data and copies between databases.

pub(crate) mod retention;
pub(crate) mod transfer;
