//! Obfuscations: notations of a payload that do not change its effect.

use super::{
    InsertionPoint::{
        self, Cookie, Form, GraphqlVariable, Header, Json, Query, Segment, XmlAttribute, XmlText,
    },
    Language, Text,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obfuscation {
    /// One layer of percent-encoding more than the insertion point requires.
    PercentTwice,
    PercentThrice,
    /// Percent-encoding of every byte, letters included.
    PercentEach,
    /// `%u0027`, as IIS reads it.
    PercentU,
    /// `&#x27;`
    Entities,
    /// `\u0027`
    UnicodeEscapes,
    Base64,
    Hex,
    MixedCase,
    /// `/**/` for spaces.
    Comments,
    /// Line feeds for spaces.
    LineFeeds,
    Tabs,
    /// `/` for the space after a tag name.
    Slashes,
    /// `${IFS}` for spaces.
    Ifs,
    /// `c''at`
    SplitWords,
    /// Overlong UTF-8: dots and slashes in two bytes.
    Overlong,
    /// `\` for `/`.
    Backslashes,
    /// `....//`, against filters that remove `../` once.
    DoubledDots,
    /// Full-width quotes and brackets, which best-fit conversions turn into ASCII.
    FullWidth,
}

impl Obfuscation {
    /// All of them, with their names in reports.
    pub(super) const ALL: &[(Self, &str)] = &[
        (Self::PercentTwice, "percent-twice"),
        (Self::PercentThrice, "percent-thrice"),
        (Self::PercentEach, "percent-each"),
        (Self::PercentU, "percent-u"),
        (Self::Entities, "entities"),
        (Self::UnicodeEscapes, "unicode-escapes"),
        (Self::Base64, "base64"),
        (Self::Hex, "hex"),
        (Self::MixedCase, "mixed-case"),
        (Self::Comments, "comments"),
        (Self::LineFeeds, "line-feeds"),
        (Self::Tabs, "tabs"),
        (Self::Slashes, "slashes"),
        (Self::Ifs, "ifs"),
        (Self::SplitWords, "split-words"),
        (Self::Overlong, "overlong"),
        (Self::Backslashes, "backslashes"),
        (Self::DoubledDots, "doubled-dots"),
        (Self::FullWidth, "full-width"),
    ];

    /// Whether the target decodes it, for a payload of this language at this insertion point.
    pub(super) fn applies(self, language: Language, point: &InsertionPoint) -> bool {
        use Language::{Html, Path, Shell, Sql};
        let is_url = matches!(point, Query | Form | Segment);
        match self {
            Self::PercentTwice | Self::PercentThrice | Self::PercentEach | Self::PercentU => is_url,
            Self::Entities => matches!(point, XmlText | XmlAttribute),
            Self::UnicodeEscapes => matches!(point, Json | GraphqlVariable),
            Self::Base64 => matches!(point, Query | Form | Json | Cookie | Header(_)),
            Self::Hex => matches!(point, Query | Json),
            Self::MixedCase => matches!(language, Sql | Html),
            Self::Comments | Self::LineFeeds => language == Sql && point.accepts("\n", language),
            Self::Tabs | Self::Ifs | Self::SplitWords => language == Shell,
            Self::Slashes => language == Html,
            Self::Overlong => language == Path && is_url,
            Self::Backslashes | Self::DoubledDots => language == Path,
            Self::FullWidth => matches!(language, Sql | Html) && matches!(point, Query | Form | Json),
        }
    }

    /// The obfuscated payload; unchanged if it contains nothing to obfuscate.
    pub(super) fn apply(self, payload: &str) -> Text {
        match self {
            Self::PercentTwice => Text::Value(percent(payload)),
            Self::PercentThrice => Text::Value(percent(&percent(payload))),
            Self::PercentEach => Text::Escaped(each_byte(payload, "%")),
            Self::PercentU => Text::Escaped(each_unit(payload, "%u")),
            Self::Entities => Text::Escaped(entities(payload)),
            Self::UnicodeEscapes => Text::Escaped(each_unit(payload, "\\u")),
            Self::Base64 => Text::Value(STANDARD.encode(payload)),
            Self::Hex => Text::Value(each_byte(payload, "")),
            Self::MixedCase => Text::Value(mixed_case(payload)),
            Self::Comments => Text::Value(spaced(payload, "/**/")),
            Self::LineFeeds => Text::Value(spaced(payload, "\n")),
            Self::Tabs => Text::Value(payload.replace(' ', "\t")),
            Self::Slashes => Text::Value(slashes(payload)),
            Self::Ifs if is_quoted(payload) => Text::Value(payload.to_owned()),
            Self::Ifs => Text::Value(spaced(payload, "${IFS}")),
            Self::SplitWords => Text::Value(split_words(payload)),
            Self::Overlong => Text::Escaped(overlong(payload)),
            Self::Backslashes => Text::Value(payload.replace("../", "..\\")),
            Self::DoubledDots => Text::Value(payload.replace("../", "....//")),
            Self::FullWidth => Text::Value(payload.chars().map(full_width).collect()),
        }
    }
}

pub(super) fn percent(text: &str) -> String {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encoded =
        |byte| if is_unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encoded).collect()
}

/// The text with all characters except letters and digits replaced.
fn escape_each(text: &str, escape: impl Fn(char) -> String) -> String {
    let escaped = |it: char| if it.is_ascii_alphanumeric() { it.to_string() } else { escape(it) };
    text.chars().map(escaped).collect()
}

/// Special characters as UTF-16 code units.
fn each_unit(text: &str, introducer: &str) -> String {
    let unit = |unit: &mut u16| format!("{introducer}{unit:04x}");
    escape_each(text, |letter| letter.encode_utf16(&mut [0; 2]).iter_mut().map(unit).collect())
}

fn entities(text: &str) -> String {
    escape_each(text, |letter| format!("&#x{:x};", u32::from(letter)))
}

fn each_byte(text: &str, introducer: &str) -> String {
    let encoded = |byte| format!("{introducer}{byte:02x}");
    text.bytes().map(encoded).collect()
}

/// SQL words in alternating case; in markup only tags and handlers, because scripts are
/// case-sensitive.
fn mixed_case(payload: &str) -> String {
    let is_markup = payload.contains('<') || payload.contains("on");
    let mut out = String::new();
    for (start, word) in words(payload) {
        let before = &payload[..start];
        let is_name = before.ends_with('<') || before.ends_with("</") || word.starts_with("on");
        if is_quoted_here(before) || (is_markup && !is_name) {
            out.push_str(word);
        } else {
            let mixed = |(at, letter): (usize, char)| match at % 2 {
                0 => letter.to_ascii_uppercase(),
                _ => letter.to_ascii_lowercase(),
            };
            out.extend(word.chars().enumerate().map(mixed));
        }
    }
    out
}

/// Runs of letters, and single other characters, with their positions.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, letter) in text.char_indices() {
        if !letter.is_ascii_alphabetic() {
            if start < at {
                words.push((start, &text[start..at]));
            }
            start = at + letter.len_utf8();
            words.push((at, &text[at..start]));
        }
    }
    if start < text.len() {
        words.push((start, &text[start..]));
    }
    words
}

/// Whether the text ends inside a string: after an odd number of double quotes.
fn is_quoted_here(before: &str) -> bool {
    before.matches('"').count() % 2 == 1
}

fn is_quoted(payload: &str) -> bool {
    payload.contains(['\'', '"'])
}

/// Replaces spaces, except at the ends and after `--`, which starts a comment only before a space.
fn spaced(payload: &str, separator: &str) -> String {
    let mut out = String::new();
    for (at, letter) in payload.char_indices() {
        let is_needed = out.ends_with("--") || at == 0 || at + 1 == payload.len();
        match letter {
            ' ' if !is_needed => out.push_str(separator),
            other => out.push(other),
        }
    }
    out
}

/// `<img src` → `<img/src`
fn slashes(payload: &str) -> String {
    let Some(open) = payload.find('<') else { return payload.to_owned() };
    let (before, tag) = payload.split_at(open);
    let is_name = tag[1..].starts_with(|letter: char| letter.is_ascii_alphabetic());
    if is_name { format!("{before}{}", tag.replacen(' ', "/", 1)) } else { payload.to_owned() }
}

/// Empty quotes inside the words of a command, except variables and options. Only for Unix shells:
/// `cmd.exe`, PowerShell and programming languages do not join the parts, and entities must stay
/// whole.
fn split_words(payload: &str) -> String {
    let is_foreign =
        payload.contains(['%', '\\', ':', '(']) || payload.contains("&quot;") || payload.contains("&lt;");
    if is_quoted(payload) || is_foreign {
        return payload.to_owned();
    }
    let mut out = String::new();
    for (start, word) in words(payload) {
        let is_name = payload[..start].ends_with(['$', '{', '-']);
        if word.len() > 2 && !is_name && word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            let (first, rest) = word.split_at(1);
            let _infallible = write!(out, "{first}''{rest}");
        } else {
            out.push_str(word);
        }
    }
    out
}

fn overlong(payload: &str) -> String {
    percent(payload).replace("%2F", "%c0%af").replace('.', "%c0%ae").replace("%5C", "%c1%9c")
}

fn full_width(letter: char) -> char {
    match letter {
        '\'' | '"' | '<' | '>' | '(' | ')' | '=' => {
            char::from_u32(u32::from(letter) + 0xFEE0).unwrap_or(letter)
        }
        other => other,
    }
}
