//! Single values: the text the launcher hands over → a type that cannot be wrong.

use super::{FailMode, FunctionKind, TruncatedBody};
use crate::log::Level;

/// A parameter with a value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} = {value:?}: {expected}")]
pub struct ParameterError {
    pub name: &'static str,
    /// Empty for what must not be shown.
    pub value: String,
    pub expected: &'static str,
}

/// A value as the launcher hands it over: Python's `str()` of what the user wrote.
pub(super) trait Value: Sized {
    const EXPECTED: &'static str;
    /// Whether an error must not show the value.
    const IS_SECRET: bool = false;
    fn parse(text: &str) -> Option<Self>;
}

/// Unset, empty and Python's `None` all mean the default.
pub(super) fn optional<T: Value>(
    lookup: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<Option<T>, ParameterError> {
    let value = lookup(&name.to_ascii_uppercase()).unwrap_or_default();
    match value.trim() {
        "" | "None" => Ok(None),
        text => T::parse(text).map(Some).ok_or_else(|| {
            let value = if T::IS_SECRET { String::new() } else { value.clone() };
            ParameterError { name, value, expected: T::EXPECTED }
        }),
    }
}

pub(super) fn required<T: Value>(
    lookup: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<T, ParameterError> {
    optional(lookup, name)?.ok_or(missing(name, T::EXPECTED))
}

/// The error of a parameter that is not set.
pub(super) fn missing(name: &'static str, expected: &'static str) -> ParameterError {
    ParameterError { name, value: String::new(), expected }
}

/// A number between two others, both included.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $unit:literal, $min:literal, $max:literal) => {
        $(#[$doc])*
        pub(super) struct $name(pub(super) u32);

        impl Value for $name {
            const EXPECTED: &'static str = concat!("must be a number", $unit, " from ", $min, " to ", $max);
            fn parse(text: &str) -> Option<Self> {
                text.parse().ok().filter(|number| ($min..=$max).contains(number)).map(Self)
            }
        }
    };
}

// CloudFront gives up on a function after 5 s at viewer triggers and 30 s at origin triggers; the answer has to be out before.
number!(
    /// How long the visitor may wait for something.
    Millis, " of milliseconds", 1, 4500
);
number!(
    /// The same, at origin triggers.
    OriginMillis, " of milliseconds", 1, 25_000
);
number!(
    /// How long a connection may be idle.
    IdleMillis, " of milliseconds", 0, 600_000
);
number!(
    /// How often something may happen.
    Count, "", 0, 10
);
number!(
    /// Of a body; CloudFront shows no more than the largest.
    Bytes, " of bytes", 1, 1_048_576
);
number!(
    /// The id of an application.
    Application, "", 1, 2_147_483_647
);

/// The name of a header, in lower case.
pub(super) struct HeaderName(pub(super) String);
/// Any text.
pub(super) struct Text(pub(super) String);
/// An e-mail address, a URL or a telephone number: text without markup.
pub(super) struct Contact(pub(super) String);
/// A status for a block: CloudFront takes 200 to 599, and a block is not a success.
pub(super) struct Status(pub(super) u16);
/// Where blocked visitors are sent.
pub(super) struct RedirectUrl(pub(super) String);

impl Value for FunctionKind {
    const EXPECTED: &'static str = "must be \"request\" or \"response\"";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "request" => Some(Self::Request),
            "response" => Some(Self::Response),
            _ => None,
        }
    }
}

impl Value for FailMode {
    const EXPECTED: &'static str = "must be \"open\" or \"closed\"";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

impl Value for TruncatedBody {
    const EXPECTED: &'static str = "must be \"inspect\", \"block\" or \"pass\"";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "inspect" => Some(Self::Inspect),
            "block" => Some(Self::Block),
            "pass" => Some(Self::Pass),
            _ => None,
        }
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "must be True or False";
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

impl Value for Level {
    const EXPECTED: &'static str = "must be \"error\", \"warn\", \"info\" or \"debug\"";
    fn parse(text: &str) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug].into_iter().find(|level| level.as_str() == text)
    }
}

impl Value for HeaderName {
    const EXPECTED: &'static str = "must be the name of a header";
    fn parse(text: &str) -> Option<Self> {
        let name: hyper::header::HeaderName = text.parse().ok()?;
        Some(Self(name.as_str().to_owned()))
    }
}

impl Value for Text {
    const EXPECTED: &'static str = "must be text";
    fn parse(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

impl Value for Contact {
    const EXPECTED: &'static str = "must be an address of at most 200 characters, without markup";
    fn parse(text: &str) -> Option<Self> {
        let fits = text.len() <= 200 && !text.contains(['<', '>', '&', '"', '\'']);
        fits.then(|| Self(text.to_owned()))
    }
}

impl Value for Status {
    const EXPECTED: &'static str = "must be a status from 400 to 599";
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|status| (400..600).contains(status)).map(Self)
    }
}

impl Value for RedirectUrl {
    const EXPECTED: &'static str = "must be a URL such as https://www.example.com/blocked";
    fn parse(text: &str) -> Option<Self> {
        let url: hyper::Uri = text.parse().ok()?;
        let absolute = matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
        absolute.then(|| Self(text.to_owned()))
    }
}
