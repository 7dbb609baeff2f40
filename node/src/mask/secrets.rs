//! Secrets that are masked by default, but for the parts that attacked.

use super::{MASK, names, text};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shared::Finding;
use std::borrow::Cow;

/// The payloads of a request, which stay visible, and the key of digests.
pub(super) struct Secrets<'f> {
    payloads: Vec<&'f str>,
    key: &'f [u8],
}

impl<'f> Secrets<'f> {
    pub(super) fn of(findings: &'f [Finding], key: &'f [u8]) -> Self {
        let payloads = findings.iter().map(|finding| finding.payload.as_str());
        Self { payloads: payloads.filter(|payload| !payload.is_empty() && *payload != MASK).collect(), key }
    }

    /// A secret: the payload in it, if any, with the rest masked.
    pub(super) fn shown(&self, value: &str) -> Cow<'static, str> {
        let found = self.payloads.iter().filter_map(|payload| Some((value.find(payload)?, *payload)));
        let Some((at, payload)) = found.max_by_key(|(_, payload)| payload.len()) else {
            return Cow::Borrowed(MASK);
        };
        let rest = |text: &str| if text.is_empty() { "" } else { MASK };
        Cow::Owned(format!("{}{payload}{}", rest(&value[..at]), rest(&value[at + payload.len()..])))
    }

    /// A header.
    pub(super) fn header(&self, name: &str, value: &str) -> String {
        if name.eq_ignore_ascii_case("cookie") {
            let cookies = value.split(';').map(|cookie| match cookie.split_once('=') {
                Some((name, value)) => format!("{name}={}", self.cookie(value)),
                None => cookie.to_owned(),
            });
            return cookies.collect::<Vec<_>>().join(";");
        }
        if names::is_secret_header(name) {
            return self.shown(value).into_owned();
        }
        let value = text::mask(value);
        match value.split_once('?') {
            Some((address, query)) => format!("{address}?{}", self.pairs(query)),
            None => value.into_owned(),
        }
    }

    /// Length and keyed digest, so that equal cookies can be recognized: `***32:5f3a9c1e`.
    fn cookie(&self, value: &str) -> String {
        match self.shown(value) {
            Cow::Owned(shown) => shown,
            Cow::Borrowed(_) if value.is_empty() => String::new(),
            Cow::Borrowed(_) => {
                let mut mac =
                    Hmac::<Sha256>::new_from_slice(self.key).expect("HMAC accepts a key of any length");
                mac.update(value.as_bytes());
                let digest = mac.finalize().into_bytes();
                let start = digest.iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
                format!("{MASK}{}:{start:08x}", value.len())
            }
        }
    }

    /// Parameters: `a=1&b=2`.
    pub(super) fn pairs(&self, pairs: &str) -> String {
        let masked = pairs.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) if names::is_secret(&super::pairs::decoded(name)) => {
                let shown = self.shown(&super::pairs::decoded(value));
                format!("{name}={}", super::pairs::encoded(&shown))
            }
            _ => text::mask(pair).into_owned(),
        });
        masked.collect::<Vec<_>>().join("&")
    }

    /// `multipart/form-data`: fields by their name.
    pub(super) fn multipart(&self, body: &str) -> String {
        const END_OF_HEAD: &str = "\r\n\r\n";
        let boundary = body.split("\r\n").next().unwrap_or_default();
        if !boundary.starts_with("--") || boundary.len() < 3 {
            return text::mask(body).into_owned();
        }
        let parts = body.split(boundary).map(|part| {
            let Some((head, content)) = part.split_once(END_OF_HEAD) else { return part.to_owned() };
            let name = head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next());
            let is_secret = name.is_some_and(names::is_secret);
            let content = content.strip_suffix("\r\n").map_or((content, ""), |content| (content, "\r\n"));
            let shown = if is_secret {
                self.shown(content.0)
            } else {
                Cow::Owned(text::mask(content.0).into_owned())
            };
            format!("{head}{END_OF_HEAD}{shown}{}", content.1)
        });
        parts.collect::<Vec<_>>().join(boundary)
    }
}
