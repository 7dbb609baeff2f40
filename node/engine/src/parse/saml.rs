//! SAML messages of the redirect binding: XML, compressed with raw deflate, in base64 (SAML bindings,
//! section 3.4.4.1). Those of the POST binding are base64 without compression.

use crate::{
    budget::Budget,
    decode::{base64, inflate},
};

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

/// The XML of a message. A form turns the `+` of its base64 into a space.
pub(super) fn inflated(value: &[u8], budget: &mut Budget) -> Option<Vec<u8>> {
    let encoded: Vec<u8> = value.iter().map(|&byte| if byte == b' ' { b'+' } else { byte }).collect();
    let message = inflate::inflate_start(&base64::decode_declared(&encoded)?, MAX_MESSAGE);
    let is_xml = message.trim_ascii_start().starts_with(b"<");
    (is_xml && budget.spend_bytes(message.len())).then_some(message)
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
        let read = |value: &str| inflated(value.as_bytes(), &mut Budget::for_request());
        assert_eq!(read(&value).as_deref(), Some(b"<samlp:AuthnRequest ID=\"a\"/>".as_slice()));
        assert_eq!(read(&value.replace('+', " ")), read(&value));
        assert_eq!(read(&redirected("words, no markup")), None);
        assert_eq!(read("bm90IGNvbXByZXNzZWQgYXQgYWxs"), None);
        assert!(is_message(value.as_bytes(), || Some("SAMLRequest")));
        assert!(!is_message(value.as_bytes(), || Some("SAMLRequested")));
    }
}
