//! XML external entities: external document types and references to their entities. Declarations of
//! entities are in `signatures/xxe.toml`.

use super::Match;
use crate::words::WORDS;
use shared::{AttackType, Severity};

/// Longer documents may declare entities of their own.
const SHORT: usize = 2_000;

/// A document type of an unknown publisher, or one with entities that a short value does not need.
pub(super) fn detect(value: &[u8]) -> Option<Match<'static>> {
    let start = find_doctype(value)?;
    external(value, start).or_else(|| internal(value, start))
}

/// `<!DOCTYPE a [<!ENTITY b "c">` in a short value, which could contain `c` itself. Drawing
/// programs declare namespaces this way, and benign documents declare characters.
fn internal(value: &[u8], start: usize) -> Option<Match<'static>> {
    let subset = &value[start..];
    let bracket =
        subset.iter().position(|byte| matches!(byte, b'[' | b'>')).filter(|&at| subset[at] == b'[')?;
    let entity = memchr::memmem::find(&subset[bracket..].to_ascii_lowercase(), b"<!entity")? + bracket;
    let literal = literals(&subset[entity..]).next()?;
    let is_benign = literal.starts_with(b"http") || literal.starts_with(b"&#");
    (value.len() < SHORT && !is_benign).then(|| Match {
        attack_type: AttackType::Xxe,
        signature: "xxe-internal-entity",
        severity: Severity::Medium,
        span: start..start + entity,
    })
}

/// `%eval; %exfiltrate;`: names of parameter entities and nothing else. `%s;` is a format string.
pub(super) fn detect_reference(value: &[u8]) -> Option<Match<'static>> {
    const LONGEST: usize = 100;
    let is_name = |it: &[u8]| {
        it.len() > 2
            && it[0].is_ascii_alphabetic()
            && it.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
    };
    let mut rest = value.trim_ascii();
    let end = value.len();
    if rest.len() > LONGEST || !rest.starts_with(b"%") {
        return None;
    }
    while let Some(after) = rest.strip_prefix(b"%") {
        let length = memchr::memchr(b';', after).filter(|&it| is_name(&after[..it]))?;
        rest = after[length + 1..].trim_ascii_start();
    }
    (rest.is_empty() || rest == b"]>").then_some(Match {
        attack_type: AttackType::Xxe,
        signature: "xxe-reference",
        severity: Severity::Medium,
        span: 0..end,
    })
}

fn external(value: &[u8], start: usize) -> Option<Match<'static>> {
    let declaration = &value[start..];
    let bounded = &declaration[..declaration.len().min(2_000)];
    let end = bounded.iter().position(|byte| matches!(byte, b'>' | b'[')).unwrap_or(bounded.len());
    let head = &declaration[..end];
    let lower = head.to_ascii_lowercase();
    let (is_system, at) = match (keyword(&lower, b"system"), keyword(&lower, b"public")) {
        (Some(at), None) => (true, at),
        (None, Some(at)) => (false, at),
        (Some(system), Some(public)) => (system < public, system.min(public)),
        (None, None) => return None,
    };
    let mut literals = literals(&head[at..]);
    let identifier = if is_system { literals.next() } else { literals.nth(1) }?;
    (!is_well_known(identifier)).then(|| Match {
        attack_type: AttackType::Xxe,
        signature: "xxe-external-dtd",
        severity: Severity::High,
        span: start..start + end,
    })
}

fn find_doctype(value: &[u8]) -> Option<usize> {
    let mut starts = memchr::memmem::find_iter(value, b"<!");
    starts.find(|&at| value[at + 2..].get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"doctype")))
}

/// The end of a keyword after a blank.
fn keyword(lower: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(lower, word)
        .find(|&at| at > 0 && lower[at - 1].is_ascii_whitespace())
        .map(|at| at + word.len())
}

fn literals(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let open = memchr::memchr2(b'"', b'\'', rest)?;
        let inside = &rest[open + 1..];
        let close = memchr::memchr(rest[open], inside)?;
        rest = &inside[close + 1..];
        Some(&inside[..close])
    })
}

fn is_well_known(identifier: &[u8]) -> bool {
    let lower = identifier.to_ascii_lowercase();
    if lower == b"about:legacy-compat" || lower.is_empty() {
        return true;
    }
    let host = lower.strip_prefix(b"http://").or(lower.strip_prefix(b"https://"));
    host.and_then(|rest| rest.split(|&byte| byte == b'/').next())
        .is_some_and(|host| WORDS.xxe.publishers.contains(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_document_types_of_unknown_publishers() {
        for text in [
            "<!DOCTYPE a SYSTEM \"http://evil.example/x.dtd\">",
            "<?xml version='1.0'?><!doctype a system 'file:///x' [",
            "<!DOCTYPE a PUBLIC \"x\" \"https://evil.example/x\">",
            "<!DOCTYPE a SYSTEM 'http://evil.example/'",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        ] {
            assert!(detect(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn finds_references_to_parameter_entities() {
        for text in ["%eval;", " %remote-dtd;%send; ", "%local_dtd;\n]>"] {
            assert!(detect_reference(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["%s;", "%d; %s;", "100%", "50 %off;", "%name; is printed", "%20;", "%name", "%%;"] {
            assert!(detect_reference(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn passes_document_types_of_known_publishers() {
        for text in [
            "<!DOCTYPE html>",
            "<!DOCTYPE html SYSTEM \"about:legacy-compat\">",
            "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">",
            "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">",
            "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">",
            "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML//EN\">",
            "<!DOCTYPE system>",
            "<!DOCTYPE svg [<!ENTITY ns_svg \"http://www.w3.org/2000/svg\">]>",
            "<!DOCTYPE a [<!ENTITY copy \"&#169;\">]>",
        ] {
            assert!(detect(text.as_bytes()).is_none(), "{text}");
        }
    }
}
