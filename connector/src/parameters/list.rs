//! Values with commas between them.

use super::value::Value;
use crate::bypass::is_plain;
use shared::ruleset::Network;

/// Every item, or nothing when one is wrong.
pub(super) fn items<T>(text: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(|text| item(text.trim())).collect()
}

/// Folders and files of the site, without a slash at the end.
pub(super) struct Paths(pub(super) Vec<String>);
pub(super) struct Methods(pub(super) Vec<String>);
/// Of file names, without the dot.
pub(super) struct Extensions(pub(super) Vec<String>);
pub(super) struct Networks(pub(super) Vec<Network>);

impl Value for Paths {
    const EXPECTED: &'static str =
        "must be paths such as /static, of letters, digits and -._~@+=: only; several with commas between";
    fn parse(text: &str) -> Option<Self> {
        let path =
            |text: &str| (is_plain(text) && text != "/").then(|| text.trim_end_matches('/').to_owned());
        items(text, path).map(Self)
    }
}

impl Value for Methods {
    const EXPECTED: &'static str = "must be methods such as OPTIONS; several with commas between";
    fn parse(text: &str) -> Option<Self> {
        let is_method = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
        };
        items(text, |text| is_method(text).then(|| text.to_owned())).map(Self)
    }
}

impl Value for Extensions {
    const EXPECTED: &'static str =
        "must be endings of file names without the dot, such as css; several with commas between";
    fn parse(text: &str) -> Option<Self> {
        let is_extension =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        items(text, |text| is_extension(text).then(|| text.to_owned())).map(Self)
    }
}

impl Value for Networks {
    const EXPECTED: &'static str =
        "must be addresses or networks such as 203.0.113.0/24; several with commas between";
    fn parse(text: &str) -> Option<Self> {
        items(text, |text| text.parse().ok()).map(Self)
    }
}
