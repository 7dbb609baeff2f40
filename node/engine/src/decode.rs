//! Decoders: each removes one layer of encoding from a value, or returns `None`.
//!
//! They are tried in the order of [`LAYERS`] until none applies. Every stage is inspected, so
//! decoding too much hides nothing.

pub(crate) mod base64;
mod cdata;
pub(crate) mod charset;
mod comment;
mod ebcdic;
mod escape;
pub(crate) mod hex;
mod html;
pub(crate) mod inflate;
mod null;
pub(crate) mod percent;
pub(crate) mod quoted_printable;
mod unicode;
mod utf7;

use crate::{budget::Budget, prefilter::Bytes};
use std::{array::IntoIter, iter::Take};

pub(crate) use html::decode as html_text;

/// The most layers decoded on one value.
const MAX_LAYERS: usize = 8;

/// Shorter values are not binary data.
const BINARY_BYTES: usize = 16 << 10;

/// The name of a stage of all decoders.
const COMBINED: &str = "combined";

/// Removes one layer, or returns `None` if there is none. The result is never longer than the
/// value.
type Decoder = fn(&[u8]) -> Option<Vec<u8>>;

/// The name of each decoder, the bytes of which it requires one, and the decoder.
const LAYERS: &[(&str, Bytes, Decoder)] = &[
    (percent::NAME, Bytes::PERCENT, percent::decode),
    ("utf7", Bytes::PLUS, utf7::decode),
    ("unicode", Bytes::HIGH, unicode::decode),
    ("null", Bytes::INVISIBLE, null::decode),
    (escape::NAME, Bytes::BACKSLASH, escape::decode),
    ("cdata", Bytes::OPEN_TAG, cdata::decode),
    ("html", Bytes::AMPERSAND, html::decode),
    (comment::NAME, Bytes::WILDCARD, comment::decode),
];

/// A decoding stage: the name of the decoder and its result.
pub(crate) struct Layer {
    pub name: &'static str,
    pub value: Vec<u8>,
    pub bytes: Bytes,
}

/// All decoding stages of a value, outermost first. The escapes of JSON are left to its parser if it
/// read the value to the end: each level of nested JSON would be parsed twice.
pub(crate) fn decode_all(value: &[u8], bytes: Bytes, is_parsed: bool, budget: &mut Budget) -> Vec<Layer> {
    let is_binary = is_binary(value);
    let mut layers: Vec<Layer> = Vec::new();
    loop {
        let (current, bytes) = layers.last().map_or((value, bytes), |layer| (&layer.value, layer.bytes));
        let is_parsed = is_parsed && layers.is_empty();
        let layer =
            if is_binary { decode_combined(current, bytes) } else { decode_one(current, bytes, is_parsed) };
        let Some(layer) = layer else { return layers };
        if layers.len() == MAX_LAYERS {
            budget.too_deep();
            return layers;
        }
        if !budget.spend_step() {
            return layers;
        }
        layers.push(layer);
    }
}

/// Replaces parts of a value: `read` is called with the rest of the value from each of `starts`,
/// and returns a replacement and the number of bytes it replaces. `None` if nothing is replaced.
fn replace<'v, R: IntoIterator<Item = u8>>(
    value: &'v [u8],
    starts: impl Iterator<Item = usize>,
    read: impl Fn(&'v [u8]) -> Option<(R, usize)>,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut copied = 0;
    for start in starts {
        // A start inside a replaced part belongs to that part.
        if start < copied {
            continue;
        }
        if let Some((replacement, length)) = read(&value[start..]) {
            if copied == 0 {
                out.reserve(value.len());
            }
            out.extend_from_slice(&value[copied..start]);
            out.extend(replacement);
            copied = start + length;
        }
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&value[copied..]);
    Some(out)
}

/// The UTF-8 bytes of a character.
fn utf8(letter: char) -> Take<IntoIter<u8, 4>> {
    let mut buffer = [0; 4];
    let length = letter.encode_utf8(&mut buffer).len();
    buffer.into_iter().take(length)
}

/// Whether a value has the control bytes of binary data.
pub(crate) fn is_binary(value: &[u8]) -> bool {
    let is_odd = |byte: &&u8| matches!(**byte, 1..9 | 14..32);
    value.len() > BINARY_BYTES && value.iter().filter(is_odd).count() * 20 > value.len()
}

fn decode_one(value: &[u8], bytes: Bytes, is_parsed: bool) -> Option<Layer> {
    let is_left = |name: &str| is_parsed && name == escape::NAME && !escape::has_foreign(value);
    let mut layers = LAYERS.iter().filter(|(name, needed, _)| bytes.has(*needed) && !is_left(name));
    layers.find_map(|&(name, _, decode)| {
        let value = decode(value)?;
        Some(Layer { name, bytes: Bytes::of(&value), value })
    })
}

/// Applies each decoder once. Random bytes contain an escape of each kind, so that one stage for
/// each would cost a pass of all detectors and exceed the limit of layers.
fn decode_combined(value: &[u8], bytes: Bytes) -> Option<Layer> {
    let mut combined: Option<Layer> = None;
    for (_, needed, decode) in LAYERS {
        let (current, bytes) = combined.as_ref().map_or((value, bytes), |layer| (&layer.value, layer.bytes));
        if let Some(value) = bytes.has(*needed).then(|| decode(current)).flatten() {
            combined = Some(Layer { name: COMBINED, bytes: Bytes::of(&value), value });
        }
    }
    combined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(value: &[u8], budget: &mut Budget) -> Vec<Layer> {
        decode_all(value, Bytes::of(value), false, budget)
    }

    fn chain(value: &str) -> Vec<(&'static str, String)> {
        let layers = decoded(value.as_bytes(), &mut Budget::for_request());
        layers.into_iter().map(|it| (it.name, String::from_utf8_lossy(&it.value).into_owned())).collect()
    }

    #[test]
    fn layers_are_decoded_outermost_first() {
        assert_eq!(
            chain("%2526lt%3Bb"),
            [("percent", "%26lt;b".into()), ("percent", "&lt;b".into()), ("html", "<b".into())]
        );
    }

    #[test]
    fn plain_text_has_no_layers() {
        assert_eq!(chain("100% of it, & more \\o/"), []);
    }

    #[test]
    fn escapes_of_json_are_left_to_its_parser_but_others_are_decoded() {
        let count = |value: &str| {
            let value = value.as_bytes();
            decode_all(value, Bytes::of(value), true, &mut Budget::for_request()).len()
        };
        assert_eq!(count(r#"{"a":"\u003cb\u003e \n"}"#), 0);
        assert_eq!(decoded(br#"{"a":"\u003c"}"#, &mut Budget::for_request()).len(), 1);
        for other in [r"\x3c", r"\u{3c}", r"\U003c", r"\074", "%3c", "&lt;"] {
            assert_eq!(count(&format!(r#"{{"a":"\u003c{other}"}}"#)).min(1), 1, "{other}");
        }
    }

    #[test]
    fn binary_values_are_decoded_by_all_decoders_at_a_time() {
        let noise: Vec<u8> = (1..8).cycle().take(20_000).collect();
        let mut budget = Budget::for_request();
        let layers = decoded(&[noise.as_slice(), b"%2527 &#x26;lt;"].concat(), &mut budget);
        let shown: Vec<_> =
            layers.iter().map(|it| (it.name, String::from_utf8_lossy(&it.value).into_owned())).collect();
        assert_eq!(shown, [("combined", "%27 &lt;".to_owned()), ("combined", "' <".to_owned())]);
        assert_eq!(budget.exhausted(), None);
    }

    #[test]
    fn random_bytes_do_not_exhaust_the_layers() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        let value: Vec<u8> = (0..1 << 20).map(|_| byte()).collect();
        let mut budget = Budget::for_request();
        assert!(decoded(&value, &mut budget).len() < 6);
        assert_eq!(budget.exhausted(), None);
    }

    #[test]
    fn letters_of_a_data_url_are_not_decoded_as_utf7_but_text_is() {
        let run = "+ADw-script+AD4-";
        let url = format!("data:image/png;base64,{}+ADw+{}", "iVBO".repeat(300), "Rw0K".repeat(300));
        assert_eq!(chain(&url), []);
        assert_eq!(chain(&format!("data:text/html,{}{run}", "x ".repeat(2_000))).len(), 1);
        assert_eq!(chain(&format!("{url}{run}")).len(), 1);
    }

    #[test]
    fn too_many_layers_exhaust_the_budget() {
        let mut budget = Budget::for_request();
        decoded(format!("%{}41", "25".repeat(50)).as_bytes(), &mut budget);
        assert!(budget.exhausted().is_some());
    }

    proptest! {
        #[test]
        fn a_decoder_never_makes_a_value_longer(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            for (name, needed, decode) in LAYERS {
                if let Some(decoded) = decode(&value) {
                    prop_assert!(decoded.len() <= value.len());
                    prop_assert!(Bytes::of(&value).has(*needed), "{name}");
                }
            }
        }

        #[test]
        fn decoding_terminates(value in "[%0-9a-fu\\\\x&#;lt]{0,200}") {
            prop_assert!(decoded(value.as_bytes(), &mut Budget::for_request()).len() <= MAX_LAYERS);
        }
    }
}
