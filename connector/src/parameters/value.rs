//! Single values: the text the launcher hands over → a type that cannot be wrong.

use super::{FailMode, FunctionKind, Parameters, TruncatedBody};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::time::Duration;

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
        text => match T::parse(text) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(ParameterError { name, value, expected: T::EXPECTED }),
        },
    }
}

pub(super) fn required<T: Value>(
    lookup: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<T, ParameterError> {
    let missing = ParameterError { name, value: String::new(), expected: T::EXPECTED };
    optional(lookup, name)?.ok_or(missing)
}

/// How long the visitor may wait for something.
pub(super) struct Millis(pub(super) Duration);
/// How often something may happen.
pub(super) struct Count(pub(super) u32);
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
/// Certificates of authorities.
pub(super) struct PemCertificates(pub(super) RootCertStore);

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

impl Value for Count {
    const EXPECTED: &'static str = "must be a number from 0 to 10";
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number <= 10).map(Self)
    }
}

impl Value for Millis {
    const EXPECTED: &'static str = "must be a number of milliseconds from 1 to 4500";
    fn parse(text: &str) -> Option<Self> {
        let time = Duration::from_millis(text.parse().ok()?);
        (!time.is_zero() && time <= Parameters::MAX_DEADLINE).then_some(Self(time))
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

impl Value for PemCertificates {
    const EXPECTED: &'static str = "must be the certificates of the authorities to trust, as PEM";
    fn parse(text: &str) -> Option<Self> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            store.add(certificate.ok()?).ok()?;
        }
        (!store.is_empty()).then_some(Self(store))
    }
}
