//! SAML messages of the redirect binding: XML, compressed with raw deflate, in base64 (SAML bindings,
//! section 3.4.4.1). Those of the POST binding are base64 without compression.

use crate::{
    budget::Budget,
    decode::{base64, inflate},
};
use shared::point::Tag;

/// The parameters of messages.
const PARAMETERS: [&str; 2] = ["SAMLRequest", "SAMLResponse"];
/// Shorter values hold no message.
const MIN_BYTES: usize = 20;
/// Messages are a few KB; the rest of a longer one is not inspected.
const MAX_MESSAGE: usize = 1 << 20;

/// Whether a parameter may hold a message.
pub(super) fn is_message<'n>(value: &[u8], name: impl FnOnce() -> Option<&'n str>) -> bool {
    value.len() >= MIN_BYTES && name().is_some_and(|name| PARAMETERS.contains(&name))
}

/// The XML of a message, with the point and the name of its encoding. A form turns the `+` of its base64
/// into a space.
pub(super) fn decoded(value: &[u8], budget: &mut Budget) -> Option<(Tag, &'static str, Vec<u8>)> {
    let encoded: Vec<u8> = value.iter().map(|&byte| if byte == b' ' { b'+' } else { byte }).collect();
    let data = base64::decode_declared(&encoded)?;
    let is_xml = |text: &[u8]| text.trim_ascii_start().starts_with(b"<");
    // XML that is not in UTF-8; other base64 was decoded before.
    if is_xml(&data) {
        return budget.spend_bytes(data.len()).then_some((Tag::Base64, base64::NAME, data));
    }
    let message = inflate::inflate_start(&data, MAX_MESSAGE);
    (is_xml(&message) && budget.spend_bytes(message.len())).then_some((Tag::Gzip, "gzip", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::{Engine as _, engine::general_purpose::STANDARD};
    use flate2::{Compression, write::DeflateEncoder};
    use std::io::Write;

    fn redirected(xml: &str) -> String {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(xml.as_bytes()).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    }

    #[test]
    fn a_compressed_message_is_xml() {
        let value = redirected("<samlp:AuthnRequest ID=\"a\"/>");
        let read = |value: &str| {
            decoded(value.as_bytes(), &mut Budget::for_request()).map(|(_, _, message)| message)
        };
        assert_eq!(read(&value).as_deref(), Some(b"<samlp:AuthnRequest ID=\"a\"/>".as_slice()));
        assert_eq!(read(&value.replace('+', " ")), read(&value));
        assert_eq!(read(&redirected("words, no markup")), None);
        assert_eq!(read("bm90IGNvbXByZXNzZWQgYXQgYWxs"), None);
        let latin = STANDARD.encode(b"<?xml version='1.0' encoding='iso-8859-1'?><a>caf\xE9</a>");
        assert!(read(&latin).is_some_and(|it| it.ends_with(b"\xE9</a>")));
        assert!(is_message(value.as_bytes(), || Some("SAMLRequest")));
        assert!(!is_message(value.as_bytes(), || Some("SAMLRequested")));
    }
}
