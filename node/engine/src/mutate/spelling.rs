//! How a payload can be written without changing what it does.

use super::{InsertionPoint, Language, Text};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// One layer of percent signs more than the place asks for.
    PercentTwice,
    PercentThrice,
    /// Every byte, letters included.
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
    /// `/` for the space after a tag's name.
    Slashes,
    /// `${IFS}` for spaces.
    Ifs,
    /// `c''at`
    SplitWords,
    /// Dots and slashes in two bytes instead of one.
    Overlong,
    /// `\` for `/`.
    Backslashes,
    /// `....//`, for filters that remove `../` once.
    DoubledDots,
    /// Full-width quotes and brackets, which best-fit conversions make plain.
    FullWidth,
}

impl Spelling {
    pub(super) const ALL: &[Self] = &[
        Self::PercentTwice,
        Self::PercentThrice,
        Self::PercentEach,
        Self::PercentU,
        Self::Entities,
        Self::UnicodeEscapes,
        Self::Base64,
        Self::Hex,
        Self::MixedCase,
        Self::Comments,
        Self::LineFeeds,
        Self::Tabs,
        Self::Slashes,
        Self::Ifs,
        Self::SplitWords,
        Self::Overlong,
        Self::Backslashes,
        Self::DoubledDots,
        Self::FullWidth,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PercentTwice => "percent-twice",
            Self::PercentThrice => "percent-thrice",
            Self::PercentEach => "percent-each",
            Self::PercentU => "percent-u",
            Self::Entities => "entities",
            Self::UnicodeEscapes => "unicode-escapes",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::MixedCase => "mixed-case",
            Self::Comments => "comments",
            Self::LineFeeds => "line-feeds",
            Self::Tabs => "tabs",
            Self::Slashes => "slashes",
            Self::Ifs => "ifs",
            Self::SplitWords => "split-words",
            Self::Overlong => "overlong",
            Self::Backslashes => "backslashes",
            Self::DoubledDots => "doubled-dots",
            Self::FullWidth => "full-width",
        }
    }

    /// Whether something behind this place undoes it for a payload of this language.
    pub(super) fn fits(self, language: Language, place: &InsertionPoint) -> bool {
        use Language::{Html, Path, Shell, Sql};
        let is_url = matches!(place, InsertionPoint::Query | InsertionPoint::Form | InsertionPoint::Segment);
        match self {
            Self::PercentTwice | Self::PercentThrice | Self::PercentEach | Self::PercentU => is_url,
            Self::Entities => matches!(place, InsertionPoint::XmlText | InsertionPoint::XmlAttribute),
            Self::UnicodeEscapes => matches!(place, InsertionPoint::Json | InsertionPoint::GraphqlVariable),
            Self::Base64 => {
                matches!(
                    place,
                    InsertionPoint::Query
                        | InsertionPoint::Form
                        | InsertionPoint::Json
                        | InsertionPoint::Cookie
                        | InsertionPoint::Header(_)
                )
            }
            Self::Hex => matches!(place, InsertionPoint::Query | InsertionPoint::Json),
            Self::MixedCase => matches!(language, Sql | Html),
            Self::Comments | Self::LineFeeds => language == Sql && place.takes("\n", language),
            Self::Tabs | Self::Ifs | Self::SplitWords => language == Shell,
            Self::Slashes => language == Html,
            Self::Overlong => language == Path && is_url,
            Self::Backslashes | Self::DoubledDots => language == Path,
            Self::FullWidth => {
                matches!(language, Sql | Html)
                    && matches!(place, InsertionPoint::Query | InsertionPoint::Form | InsertionPoint::Json)
            }
        }
    }

    /// The payload in this spelling; unchanged when there is nothing to change.
    pub(super) fn apply(self, payload: &str) -> Text {
        match self {
            Self::PercentTwice => Text::Value(percent(payload)),
            Self::PercentThrice => Text::Value(percent(&percent(payload))),
            Self::PercentEach => Text::Escaped(percent_each(payload)),
            Self::PercentU => Text::Escaped(each_unit(payload, "%u")),
            Self::Entities => Text::Escaped(entities(payload)),
            Self::UnicodeEscapes => Text::Escaped(each_unit(payload, "\\u")),
            Self::Base64 => Text::Value(STANDARD.encode(payload)),
            Self::Hex => Text::Value(hex(payload)),
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
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn percent_each(text: &str) -> String {
    each_byte(text, "%")
}

/// What is no letter or digit as a UTF-16 code unit.
fn each_unit(text: &str, introducer: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(out, "{introducer}{unit:04x}");
            }
        }
    }
    out
}

fn entities(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            out.push(letter);
        } else {
            let _infallible = write!(out, "&#x{:x};", u32::from(letter));
        }
    }
    out
}

fn hex(text: &str) -> String {
    each_byte(text, "")
}

fn each_byte(text: &str, introducer: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let _infallible = write!(out, "{introducer}{byte:02x}");
    }
    out
}

/// SQL words in changing case; of markup only tags and handlers, as scripts mind their case.
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

/// The text in runs of letters and single other characters, with their positions.
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

/// After an odd number of double quotes: inside a string.
fn is_quoted_here(before: &str) -> bool {
    before.matches('"').count() % 2 == 1
}

fn is_quoted(payload: &str) -> bool {
    payload.contains(['\'', '"'])
}

/// Another separator for spaces, but for the space that makes `--` a comment, and those at the ends.
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

/// Empty quotes inside the words of a command, variables and options left alone. Only shells of Unix join the parts: not
/// `cmd.exe`, PowerShell or a language; nor is an entity one that is split.
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
