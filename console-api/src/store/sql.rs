//! SQL building blocks: dialects, statements with binds, bulk inserts, the pool of searches and the encoding of values.

pub(crate) mod address;
pub(crate) mod bulk;
pub(crate) mod dialect;
pub(crate) mod row;
pub(crate) mod searcher;
pub(crate) mod statement;
pub(crate) mod text_codec;
