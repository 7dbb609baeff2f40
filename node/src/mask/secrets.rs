//! Secrets that are masked by default, but for the parts that attacked.

use super::{MASK, names, text};
use hmac::{Hmac, KeyInit as _, Mac as _};
use regex::{Captures, Regex};
use sha2::Sha256;
use shared::Finding;
use std::{borrow::Cow, sync::LazyLock};

/// `"name": value`, the value to the end of the text at most.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?<head>"(?<name>[^"\\]{1,100})"\s*:\s*)(?<value>"(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s,}\]\["{]+)"#,
    )
    .expect("a valid pattern")
});
/// `<name …>value<`
static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?<head><(?<name>[A-Za-z][\w:.-]{0,100})(?:\s[^<>]*)?>)(?<value>[^<]+)<")
        .expect("a valid pattern")
});

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
                None => self.cookie(cookie.trim()),
            });
            return cookies.collect::<Vec<_>>().join(";");
        }
        if names::is_secret(name) {
            return self.shown(value).into_owned();
        }
        let value = text::mask(value);
        match value.split_once('?') {
            Some((address, query)) => {
                // A fragment of an address holds tokens as well.
                let parts = query.split('#').map(|part| self.pairs(part));
                format!("{address}?{}", parts.collect::<Vec<_>>().join("#"))
            }
            None => value.into_owned(),
        }
    }

    /// Length and keyed digest, so that equal cookies can be recognized: `***32:5f3a9c1e`.
    fn cookie(&self, value: &str) -> String {
        match self.shown(value) {
            Cow::Owned(shown) => shown,
            // Nothing, or masked by a rule.
            Cow::Borrowed(_) if matches!(value, "" | MASK) => value.to_owned(),
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
        let masked = pairs.split('&').map(|pair| {
            let Some((name, value)) = pair.split_once('=') else { return text::mask(pair).into_owned() };
            let plain = super::pairs::decoded(value);
            let shown = if names::is_secret(&super::pairs::decoded(name)) {
                self.shown(&plain).into_owned()
            } else {
                text::mask(&plain).into_owned()
            };
            if shown == plain { pair.to_owned() } else { format!("{name}={}", super::pairs::encoded(&shown)) }
        });
        masked.collect::<Vec<_>>().join("&")
    }

    /// JSON that cannot be parsed, lines of JSON, XML, and other text.
    pub(super) fn text(&self, body: &str) -> String {
        let masked = KEY.replace_all(body, |found: &Captures<'_>| {
            if names::is_secret(&found["name"]) {
                format!("{}\"{}\"", &found["head"], self.shown(&found["value"]).replace('"', "\\\""))
            } else {
                found[0].to_owned()
            }
        });
        let masked = ELEMENT.replace_all(&masked, |found: &Captures<'_>| {
            let name = found["name"].rsplit(':').next().unwrap_or_default();
            if names::is_secret(name) {
                format!("{}{}<", &found["head"], self.shown(&found["value"]))
            } else {
                found[0].to_owned()
            }
        });
        text::mask(&masked).into_owned()
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
