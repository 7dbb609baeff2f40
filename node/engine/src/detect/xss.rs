//! Cross-site scripting: markup that runs. Script without markup is in `signatures/xss.toml`.

mod url;

use super::Match;
use crate::token::html::{Attribute, Tag, attributes, tags};
use shared::{
    AttackType,
    Severity::{self, Critical, High, Medium},
};
use std::ops::Range;

/// Markup in attributes of markup is read this deep.
const MAX_MARKUP_DEPTH: usize = 2;

pub(super) fn detect(value: &[u8]) -> Vec<Match<'static>> {
    let mut matches = Vec::new();
    if memchr::memchr(b'<', value).is_some() {
        judge_markup(value, 0, &mut matches);
    }
    judge_breakout(value, &mut matches);
    judge_url(value, &mut matches);
    matches
}

/// Each signature once per value: an attacker repeats himself, and one is enough.
fn add(matches: &mut Vec<Match<'static>>, signature: &'static str, severity: Severity, span: Range<usize>) {
    if !matches.iter().any(|known| known.signature == signature) {
        matches.push(Match { attack_type: AttackType::Xss, signature, severity, span });
    }
}

/// Markup may sit in the attributes of markup: where the value lands, their quotes may not be quotes.
fn judge_markup(value: &[u8], depth: usize, matches: &mut Vec<Match<'static>>) {
    for tag in tags(value) {
        judge_tag(&tag, depth, matches);
        let sheet = value[tag.span.end..].split(|&byte| byte == b'<').next().unwrap_or_default();
        if tag.name == "style" && !tag.is_end && is_active_style(sheet) {
            add(matches, "xss-style", High, tag.span);
        }
    }
}

fn judge_tag(tag: &Tag<'_>, depth: usize, matches: &mut Vec<Match<'static>>) {
    if tag.name == "script" {
        add(matches, "xss-script-tag", Critical, tag.span.clone());
    }
    if tag.is_end {
        return;
    }
    if is_active(tag) {
        add(matches, "xss-active-tag", Medium, tag.span.clone());
    }
    for attribute in &tag.attributes {
        judge_attribute(attribute, tag.span.clone(), depth, matches);
    }
}

fn judge_attribute(
    attribute: &Attribute<'_>,
    span: Range<usize>,
    depth: usize,
    matches: &mut Vec<Match<'static>>,
) {
    let Some(value) = attribute.value else { return };
    if is_handler(&attribute.name) {
        add(matches, "xss-event-handler", Critical, span.clone());
    }
    if url::runs_script(value) {
        add(matches, "xss-script-url", Critical, span.clone());
    }
    if attribute.name == "style" && is_active_style(value) {
        add(matches, "xss-style", High, span.clone());
    }
    if depth < MAX_MARKUP_DEPTH && memchr::memchr(b'<', value).is_some() {
        let mut inner = Vec::new();
        judge_markup(value, depth + 1, &mut inner);
        for found in inner {
            add(matches, found.signature, found.severity, span.clone());
        }
    }
}

/// `onload`, `onerror`: any name of that form, since browsers gain new ones every year.
fn is_handler(name: &str) -> bool {
    let event = name.strip_prefix("on").unwrap_or_default();
    (3..=30).contains(&event.len()) && event.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Tags that load or run something by themselves.
fn is_active(tag: &Tag<'_>) -> bool {
    let has = |name: &str| tag.attributes.iter().any(|it| it.name == name && it.value.is_some());
    match tag.name.as_str() {
        "iframe" | "frame" | "frameset" | "object" | "embed" | "applet" | "isindex" | "ilayer"
        | "bgsound" | "portal" | "foreignobject" | "?import" | "listener" | "handler" => true,
        "xml" => has("src") || has("id"),
        "meta" => has("http-equiv"),
        "base" => has("href"),
        "link" => has("href") || has("rel"),
        "form" | "button" | "input" => has("action") || has("formaction"),
        "svg" | "math" | "animate" | "set" | "import" | "layer" => {
            !tag.attributes.is_empty() && !has("viewbox")
        }
        _ => false,
    }
}

fn is_active_style(value: &[u8]) -> bool {
    let compact = url::compact(value);
    [b"expression(".as_slice(), b"-moz-binding", b"behavior:", b"javascript:", b"@import"]
        .iter()
        .any(|needle| memchr::memmem::find(&compact, needle).is_some())
}

/// A quote, then an event handler: the value leaves the attribute it landed in.
fn judge_breakout(value: &[u8], matches: &mut Vec<Match<'static>>) {
    for quote in [b'"', b'\'', b'`'] {
        let Some(at) = memchr::memchr(quote, value).filter(|&at| has_handler_after(&value[at + 1..])) else {
            continue;
        };
        add(matches, "xss-attribute-breakout", High, at..value.len());
    }
}

fn has_handler_after(rest: &[u8]) -> bool {
    if memchr::memchr(b'=', rest).is_none() {
        return false;
    }
    attributes(rest)
        .iter()
        .take(12)
        .any(|it| it.value.is_some_and(|value| !value.is_empty()) && is_handler(&it.name))
}

/// The whole value is a URL that runs script.
fn judge_url(value: &[u8], matches: &mut Vec<Match<'static>>) {
    let opened = value.trim_ascii_start();
    let opened = opened.strip_prefix(b"\"").or(opened.strip_prefix(b"'")).unwrap_or(opened);
    if url::runs_script(opened) {
        add(matches, "xss-script-url", High, 0..value.len());
    }
}

#[cfg(test)]
mod tests;
