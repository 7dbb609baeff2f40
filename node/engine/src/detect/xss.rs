//! Cross-site scripting: markup that runs script. Script without markup is in
//! `signatures/xss.toml`.
//!
//! Posts may quote markup as code. Whole pages, as an editor sends them, may contain forms and
//! styles; other values may not.

mod active;
mod breakout;
mod disguise;
mod idle;
mod style;
mod url;

use super::Match;
use crate::{
    field::FieldKind,
    token::{
        html::{Attribute, Tag, tags},
        markdown,
    },
};
use shared::{
    AttackType,
    Severity::{self, Critical, High, Medium},
};
use std::{borrow::Cow, ops::Range};

/// Limit of markup nested in attributes.
const MAX_MARKUP_DEPTH: usize = 2;

/// The matches in a value, and its event handlers without effect.
pub(super) struct Markup {
    pub matches: Vec<Match<'static>>,
    idle_handlers: Vec<Range<usize>>,
}

impl Markup {
    /// The value with blanks in place of its event handlers without effect, if it has any: what
    /// looks like a handler in the rest is one.
    pub(super) fn without_idle_handlers(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut rest = (!self.idle_handlers.is_empty()).then(|| value.to_vec())?;
        self.idle_handlers.iter().for_each(|span| markdown::blank(&mut rest[span.clone()]));
        Some(rest)
    }
}

pub(super) fn detect(value: &[u8], kind: FieldKind, is_post: bool) -> Markup {
    let mut collector = Collector::new(false);
    if memchr::memchr(b'<', value).is_some() && !idle::is_sentence_about_tags(value) {
        let text = if is_post { markdown::without_code(value) } else { Cow::Borrowed(value) };
        collector.is_document = is_post || is_page(value);
        collector.inspect_markup(&text, 0);
        if let Some(stripped) = breakout::without_tags_in_words(&text) {
            collector.inspect_breakouts(&stripped, value.len());
        }
    }
    if let Some(start) = disguise::script_tag(value).filter(|_| !collector.is_document) {
        collector.add("xss-script-tag", Critical, start..value.len());
    }
    let rest = collector.markup.without_idle_handlers(value);
    collector.inspect_breakouts(rest.as_deref().unwrap_or(value), value.len());
    collector.inspect_url(value);
    if kind == FieldKind::Name && breakout::ends_with_handler(value) {
        collector.add("xss-attribute-breakout", High, 0..value.len());
    }
    collector.markup
}

/// Whether a script tag has no attributes, and its end tag comes next.
fn is_bare_script(tag: &Tag<'_>, next: &[u8]) -> bool {
    const END: &[u8] = b"</script";
    let is_closed = next.get(..END.len()).is_some_and(|end| end.eq_ignore_ascii_case(END));
    tag.name == "script" && tag.attributes.is_empty() && is_closed
}

/// A whole page, as a mail or an editor sends it.
fn is_page(value: &[u8]) -> bool {
    let page = value.trim_ascii();
    let starts = |name: &[u8]| page.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
    let ends = page.len() > 7 && page[page.len() - 7..].eq_ignore_ascii_case(b"</html>");
    starts(b"<!doctype") || starts(b"<html") && ends
}

struct Collector {
    markup: Markup,
    is_document: bool,
}

impl Collector {
    fn new(is_document: bool) -> Self {
        Self { markup: Markup { matches: Vec::new(), idle_handlers: Vec::new() }, is_document }
    }

    /// Adds each signature once per value.
    fn add(&mut self, signature: &'static str, severity: Severity, span: Range<usize>) {
        if !self.markup.matches.iter().any(|known| known.signature == signature) {
            self.markup.matches.push(Match { attack_type: AttackType::Xss, signature, severity, span });
        }
    }

    /// Whether there are scripts as editors save them.
    fn has_saved_script(&self) -> bool {
        let is_saved = |known: &Match<'_>| matches!(known.signature, "xss-script-source" | "xss-idle-script");
        self.markup.matches.iter().any(is_saved)
    }

    /// Attributes may contain markup: their quotes may be text where the value lands.
    fn inspect_markup(&mut self, value: &[u8], depth: usize) {
        // Once: a search for each tag would be quadratic.
        let last_bracket = memchr::memrchr(b'>', value);
        for tag in tags(value) {
            // The style sheet or the script, up to the next tag.
            let sheet = value[tag.span.end..].split(|&byte| byte == b'<').next().unwrap_or_default();
            if tag.name == "style" && !tag.is_end && style::is_active(sheet) {
                self.add("xss-style", High, tag.span.clone());
            }
            // Blanks inside a scheme separate attributes, but some browsers drop them.
            if memchr::memchr(b'=', &value[tag.span.clone()]).is_some()
                && url::is_split(&value[tag.span.clone()])
            {
                self.add("xss-script-url", High, tag.span.clone());
            }
            let is_mentioned = tag.attributes.is_empty() && value[tag.span.end..].starts_with(b"</code>");
            if is_bare_script(&tag, &value[tag.span.end + sheet.len()..]) && idle::is_idle_script(sheet) {
                self.add("xss-idle-script", Critical, tag.span.clone());
            } else if !is_mentioned
                && !idle::is_placeholder(&tag, value)
                && !idle::is_line_of_list(&tag, value, last_bracket)
            {
                self.inspect_tag(&tag, depth);
            }
        }
    }

    fn inspect_tag(&mut self, tag: &Tag<'_>, depth: usize) {
        if tag.name == "script" && idle::is_script_source(tag) {
            self.add("xss-script-source", Critical, tag.span.clone());
        } else if tag.name == "script" && !(tag.is_end && self.has_saved_script())
            || active::is_spelled_out(tag)
        {
            self.add("xss-script-tag", Critical, tag.span.clone());
        }
        if active::is_active(tag) || !self.is_document && active::is_foreign(tag) {
            let signature = if idle::is_embed(tag) { "xss-embed" } else { "xss-active-tag" };
            self.add(signature, Medium, tag.span.clone());
        }
        if tag.is_end {
            return;
        }
        for attribute in &tag.attributes {
            self.inspect_attribute(attribute, tag.span.clone(), depth);
        }
    }

    fn inspect_attribute(&mut self, attribute: &Attribute<'_>, span: Range<usize>, depth: usize) {
        let Some(value) = attribute.value else { return };
        if breakout::is_handler(attribute.name.as_bytes()) && idle::is_idle_handler(&attribute.name, value) {
            self.add("xss-idle-handler", Medium, span.clone());
            self.markup.idle_handlers.push(attribute.span.clone());
        } else if breakout::is_handler(attribute.name.as_bytes()) {
            self.add("xss-event-handler", Critical, span.clone());
        }
        if !self.is_document && active::is_directive(&attribute.name, value) {
            self.add("xss-directive", High, span.clone());
        }
        if url::runs_script(value) {
            self.add("xss-script-url", Critical, span.clone());
        }
        let is_link = matches!(attribute.name.as_str(), "href" | "src" | "action");
        if is_link && !self.is_document && url::is_disguised(value) {
            self.add("xss-link-disguise", Medium, span.clone());
        }
        if attribute.name == "style" && (style::is_active(value) || style::is_odd(value)) {
            self.add("xss-style", High, span.clone());
        }
        if depth < MAX_MARKUP_DEPTH && memchr::memchr(b'<', value).is_some() {
            let mut inner = Self::new(self.is_document);
            inner.inspect_markup(value, depth + 1);
            for matched in inner.markup.matches {
                self.add(matched.signature, matched.severity, span.clone());
            }
        }
    }

    /// A quote, then an attribute that runs: the value leaves the attribute it landed in.
    fn inspect_breakouts(&mut self, value: &[u8], end: usize) {
        for quote in [b'"', b'\'', b'`'] {
            let Some(at) = memchr::memchr(quote, value).filter(|&at| breakout::runs(&value[at + 1..])) else {
                continue;
            };
            self.add("xss-attribute-breakout", High, at..end);
        }
    }

    /// The whole value is a URL that runs script.
    fn inspect_url(&mut self, value: &[u8]) {
        let opened = value.trim_ascii_start();
        let opened = opened.strip_prefix(b"\"").or(opened.strip_prefix(b"'")).unwrap_or(opened);
        // A picture as a whole value: script in it is found by its own rules.
        let is_picture = opened.starts_with(b"data:image/svg");
        if !is_picture && url::runs_script(opened) && !url::is_title(opened) {
            self.add("xss-script-url", High, 0..value.len());
        }
    }
}

#[cfg(test)]
mod tests;
