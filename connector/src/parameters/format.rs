//! Formats of single values: numbers, names, texts and URLs.

use super::source::Format;
use crate::log::Level;
use std::time::Duration;

/// A number between two others, both included.
macro_rules! number {
    ($unit:literal, $min:literal, $max:literal) => {
        Format::new(concat!("must be a number", $unit, " from ", $min, " to ", $max), |text| {
            text.parse().ok().filter(|number| ($min..=$max).contains(number))
        })
    };
}

macro_rules! millis {
    ($min:literal, $max:literal) => {
        Format::new(concat!("must be a number of milliseconds from ", $min, " to ", $max), |text| {
            let number = text.parse().ok().filter(|number| ($min..=$max).contains(number))?;
            Some(Duration::from_millis(number))
        })
    };
}

// CloudFront ends a function after 5 s at viewer triggers and 30 s at origin triggers; the reply
// has to leave before.
pub(super) const VIEWER_MILLIS: Format<Duration> = millis!(1, 4500);
pub(super) const ORIGIN_MILLIS: Format<Duration> = millis!(1, 25_000);
pub(super) const IDLE_MILLIS: Format<Duration> = millis!(0, 600_000);
pub(super) const COUNT: Format<u32> = number!("", 0, 10);
/// The upper limit is the largest body that CloudFront passes to a function.
pub(super) const BODY_BYTES: Format<usize> = number!(" of bytes", 1, 1_048_576);
pub(super) const APPLICATION: Format<u32> = number!("", 1, 2_147_483_647);

/// CloudFront accepts 200 to 599, and a block is not a success.
pub(super) const BLOCK_STATUS: Format<u16> = Format::new("must be a status from 400 to 599", |text| {
    text.parse().ok().filter(|status| (400..600).contains(status))
});

pub(super) const BOOL: Format<bool> =
    Format::new("must be True or False", |text| match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    });

pub(super) const LEVEL: Format<Level> =
    Format::new("must be \"error\", \"warn\", \"info\" or \"debug\"", |text| {
        [Level::Error, Level::Warn, Level::Info, Level::Debug]
            .into_iter()
            .find(|level| level.as_str() == text)
    });

/// In lower case.
pub(super) const HEADER_NAME: Format<String> = Format::new("must be a header name", |text| {
    let name: hyper::header::HeaderName = text.parse().ok()?;
    Some(name.as_str().to_owned())
});

pub(super) const TEXT: Format<String> = Format::new("must be text", |text| Some(text.to_owned()));

/// An e-mail address, a URL or a telephone number.
pub(super) const CONTACT: Format<String> =
    Format::new("must be at most 200 characters without markup", |text| {
        let fits = text.len() <= 200 && !text.contains(['<', '>', '&', '"', '\'']);
        fits.then(|| text.to_owned())
    });

pub(super) const REDIRECT_URL: Format<String> =
    Format::new("must be a URL such as https://www.example.com/blocked", |text| {
        let url: hyper::Uri = text.parse().ok()?;
        let absolute = matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
        absolute.then(|| text.to_owned())
    });
