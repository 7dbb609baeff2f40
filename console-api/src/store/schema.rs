//! Schema upkeep that migrations cannot express: clustered tables and text indexes.

pub(crate) mod text_index;
pub(crate) mod without_rowid;
