//! Quotations in a value: what a Markdown or HTML page shows as code.

use crate::{
    detect::Match,
    token::markdown::{self, blank},
};
use memchr::memmem;
use shared::AttackType;
use std::{borrow::Cow, cell::OnceCell};

/// Elements whose content is code.
const ELEMENTS: [(&[u8], &[u8]); 2] = [(b"<code", b"</code"), (b"<pre", b"</pre")];

/// The quotations of a value.
pub(crate) struct Quotations<'v> {
    value: &'v [u8],
    /// The signatures that match in a text.
    detect: &'v dyn Fn(&[u8]) -> Vec<String>,
    /// Without Markdown code.
    text: OnceCell<Text<'v>>,
    /// Without code elements as well. A browser runs script in them, so they quote no markup.
    plain_text: OnceCell<Text<'v>>,
}

/// A value with blanks in place of its quotations, and the signatures that match in it.
struct Text<'v> {
    text: Cow<'v, [u8]>,
    signatures: OnceCell<Vec<String>>,
}

impl<'v> Quotations<'v> {
    pub(crate) fn of(value: &'v [u8], detect: &'v dyn Fn(&[u8]) -> Vec<String>) -> Self {
        Self { value, detect, text: OnceCell::new(), plain_text: OnceCell::new() }
    }

    /// Whether a quotation holds the match, and the rest of the value has none of its signature: an
    /// attack that is repeated as a quotation stays an attack.
    pub(super) fn hold(&self, hit: &Match<'_>) -> bool {
        let Text { text, signatures } = match hit.attack_type {
            AttackType::Xss => self.text(),
            _ => self.plain_text.get_or_init(|| Text::new(without_elements(&self.text().text))),
        };
        let first =
            hit.span.clone().find(|&at| self.value.get(at).is_some_and(|it| !it.is_ascii_whitespace()));
        let is_inside = first.is_some_and(|at| text.get(at) == Some(&b' '));
        let found = || signatures.get_or_init(|| (self.detect)(text));
        is_inside && !found().iter().any(|known| known == hit.signature)
    }

    fn text(&self) -> &Text<'v> {
        self.text.get_or_init(|| Text::new(markdown::without_code(self.value)))
    }
}

impl<'v> Text<'v> {
    fn new(text: Cow<'v, [u8]>) -> Self {
        Self { text, signatures: OnceCell::new() }
    }
}

/// An element that is not closed extends to the end.
fn without_elements<'v>(value: &Cow<'v, [u8]>) -> Cow<'v, [u8]> {
    let mut text = value.clone();
    for (start, end) in ELEMENTS {
        let mut at = 0;
        while let Some(open) = memmem::find(&value[at..], start).map(|offset| at + offset + start.len()) {
            at = memmem::find(&value[open..], end).map_or(value.len(), |offset| open + offset);
            blank(&mut text.to_mut()[open..at]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Severity;

    fn is_quoted(value: &str, payload: &str, attack_type: AttackType) -> bool {
        let detect = |text: &[u8]| match memmem::find(text, payload.as_bytes()) {
            Some(_) => vec!["test".to_owned()],
            None => Vec::new(),
        };
        let start = value.find(payload).unwrap();
        let span = start..start + payload.len();
        let hit = Match { attack_type, signature: "test", severity: Severity::High, span };
        Quotations::of(value.as_bytes(), &detect).hold(&hit)
    }

    const PROSE: &str = "This is what I wrote about it, and there are so many words here that it is \
                         plainly a message and nothing else.\n";

    #[test]
    fn markdown_and_elements_quote_code() {
        for quoted in
            ["`x; id`", "```\nx; id\n```", "<code>x; id</code>", "<pre class=a>x; id</pre>", "<pre>x; id"]
        {
            assert!(is_quoted(&format!("{PROSE}{quoted}"), "x; id", AttackType::Rce), "{quoted}");
        }
        for plain in ["x; id", "<b>x; id</b>", "<code>y</code> x; id", "`y` x; id"] {
            assert!(!is_quoted(&format!("{PROSE}{plain}"), "x; id", AttackType::Rce), "{plain}");
        }
    }

    #[test]
    fn elements_quote_no_markup() {
        let script = "<script>x</script>";
        assert!(is_quoted(&format!("{PROSE}`{script}`"), script, AttackType::Xss));
        assert!(!is_quoted(&format!("{PROSE}<code>{script}</code>"), script, AttackType::Xss));
    }

    #[test]
    fn a_quotation_does_not_excuse_the_same_attack_outside() {
        assert!(!is_quoted(&format!("{PROSE}`x; id`\n x; id"), "x; id", AttackType::Rce));
    }
}
