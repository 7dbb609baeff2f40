//! Formats of comma-separated lists.

use super::source::Format;
use crate::bypass::is_plain;
use shared::ruleset::Network;

/// Every item, or `None` when one is invalid.
pub(super) fn items<T>(text: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(|text| item(text.trim())).collect()
}

/// Not empty, and all bytes satisfy the predicate.
fn word(text: &str, allowed: impl Fn(u8) -> bool) -> Option<String> {
    (!text.is_empty() && text.bytes().all(allowed)).then(|| text.to_owned())
}

/// Folders and files, without a trailing slash.
pub(super) const PATHS: Format<Vec<String>> = Format::new(
    "must be comma-separated paths such as /static, with letters, digits and -._~@+=: only",
    |text| items(text, |path| (is_plain(path) && path != "/").then(|| path.trim_end_matches('/').to_owned())),
);

pub(super) const METHODS: Format<Vec<String>> =
    Format::new("must be comma-separated methods such as OPTIONS", |text| {
        items(text, |method| word(method, |byte| byte.is_ascii_uppercase() || byte == b'-'))
    });

/// Without the dot.
pub(super) const EXTENSIONS: Format<Vec<String>> =
    Format::new("must be comma-separated file extensions without the dot, such as css", |text| {
        items(text, |extension| word(extension, |byte| byte.is_ascii_alphanumeric()))
    });

pub(super) const NETWORKS: Format<Vec<Network>> =
    Format::new("must be comma-separated addresses or networks such as 203.0.113.0/24", |text| {
        items(text, |network| network.parse().ok())
    });
