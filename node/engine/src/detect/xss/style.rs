//! Style sheets that run or load script, or break out of their attribute.

use super::url;
use memchr::memmem;

/// Expressions, bindings and imports.
pub(super) fn is_active(sheet: &[u8]) -> bool {
    let compact = url::compact(sheet);
    let has = |needle: &[u8]| memmem::find(&compact, needle).is_some();
    [b"expression(".as_slice(), b"binding:url(", b"-moz-binding", b"javascript:", b"vbscript:", b"@import"]
        .iter()
        .any(|needle| has(needle))
        || is_behaviour(&compact)
        || has(b"url(") && [b".svg".as_slice(), b".xml", b".htc", b"data:text"].iter().any(|it| has(it))
}

/// `behavior:url(x)`, but not `scroll-behavior:smooth`.
fn is_behaviour(compact: &[u8]) -> bool {
    [b"behavior:".as_slice(), b"behaviour:"]
        .iter()
        .any(|name| memmem::find_iter(compact, name).any(|at| at == 0 || compact[at - 1] != b'-'))
}

/// Brackets and escapes, which the declarations of an attribute do not need.
pub(super) fn is_odd(declarations: &[u8]) -> bool {
    let is_escape = |pair: &[u8]| pair[0] == b'\\' && pair[1].is_ascii_hexdigit();
    declarations.iter().any(|it| b"{}[]".contains(it)) && !has_template(declarations)
        || declarations.windows(2).any(is_escape)
}

/// `{{width}}` is a placeholder of a template.
fn has_template(declarations: &[u8]) -> bool {
    memmem::find(declarations, b"{{").is_some() || memmem::find(declarations, b"${").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_sheets_that_run_or_load_script() {
        for sheet in [
            "width:expression(x)",
            "x: behaviour: url(a)",
            "binding: url(x)",
            "@im\nport 'x'",
            "a{background:url( x.svg#y )}",
        ] {
            assert!(is_active(sheet.as_bytes()), "{sheet}");
        }
        for sheet in ["color:red", "scroll-behavior: smooth", "background:url(/a.png)", "binding: none"] {
            assert!(!is_active(sheet.as_bytes()), "{sheet}");
        }
    }

    #[test]
    fn finds_brackets_and_escapes_in_an_attribute() {
        for text in ["font-family:a[b;c:d", "x}y{", "font:'\\22\\3e'"] {
            assert!(is_odd(text.as_bytes()), "{text}");
        }
        for text in ["color:rgb(1,2,3)", "width:{{width}}px", "font-family:\"A B\""] {
            assert!(!is_odd(text.as_bytes()), "{text}");
        }
    }
}
