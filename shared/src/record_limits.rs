//! Limits of the texts and lists of a request in a record. Nodes cut longer ones; the console rejects
//! them. Masks at most double a query and multiply a cookie by eight, and CloudFront accepts 8,192
//! bytes of URL and 32,768 bytes of URL and headers.

/// Short texts: names, ids and words. Some are indexed; entries of PostgreSQL's indexes are bounded.
pub const MAX_WORD_BYTES: usize = 1000;
/// Twice CloudFront's limit of a URL.
pub const MAX_PATH_BYTES: usize = 16 << 10;
pub const MAX_QUERY_BYTES: usize = 64 << 10;
/// Eight times CloudFront's limit of a request without its body.
pub const MAX_HEADER_BYTES: usize = 256 << 10;
/// A header takes at least four bytes of CloudFront's 32,768.
pub const MAX_HEADERS: usize = 8192;
