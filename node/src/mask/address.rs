//! Secrets in addresses: matrix parameters and tokens in paths, passwords and tokens before hosts.

use super::names::{is_of_link, is_secret_encoded};
use std::ops::Range;

/// A shorter segment of a path is no token.
const MIN_TOKEN: usize = 8;
/// From this length on, a segment with digits and letters is a token, unless it is a title.
const MIN_MIXED: usize = 12;
/// From this length on, one with digits.
const MIN_DIGITS: usize = 16;
/// A longer run of letters in one case is no word.
const MAX_LETTERS: usize = 31;
/// The longest number in a title: a date.
const MAX_NUMBER: usize = 8;
/// The longest part of a title with digits and letters: `256gb`.
const MAX_SHORT: usize = 6;
/// `k8s`, `i18n`
const MAX_ABBREVIATION: usize = 4;
/// A longer segment names nothing.
const MAX_NAME: usize = 100;
/// The segments after a word of links that may be its token: `/verify/email/x`.
const REACH: usize = 2;
/// The longest password with characters that an address must encode.
const MAX_PASSWORD: usize = 200;
/// Passwords of clients whose user name is a token: `https://x:x-oauth-basic@host`.
const NO_PASSWORDS: &[&str] = &["", "x", "x-oauth-basic", "x-token-auth"];
/// The longest word in the name of a user.
const MAX_USER: usize = 14;
/// Files of a page have digests in their names: `/login/app.3f9c2b1a.js`.
const FILES: &[&str] = &[
    ".css", ".gif", ".ico", ".jpeg", ".jpg", ".js", ".map", ".mjs", ".png", ".svg", ".webp", ".woff",
    ".woff2",
];
const ENDS: [char; 7] = ['"', '\'', '<', '>', '\\', '`', ' '];

/// Adds `x` of `/cart;jsessionid=x`, `/token/x` and `/reset-password/x`.
pub(super) fn find_in_path(path: &str, places: &mut Vec<Range<usize>>) {
    find_tokens(path, 0, places);
    let mut at = 0;
    for segment in path.split('/') {
        let mut start = at;
        for parameter in segment.split(['?', '#']).next().unwrap_or_default().split(';') {
            if let Some((name, value)) = parameter.split_once('=').filter(|(name, _)| is_secret_encoded(name))
            {
                let value_start = start + name.len() + 1;
                places.push(value_start..value_start + value.len());
            }
            start += parameter.len() + 1;
        }
        at += segment.len() + 1;
    }
}

/// Adds tokens in the paths of addresses in any text.
pub(super) fn find_in_links(text: &str, places: &mut Vec<Range<usize>>) {
    let is_end = |it: char| it.is_whitespace() || ENDS.contains(&it);
    let mut at = 0;
    for word in text.split_inclusive(is_end) {
        if word.contains('/') {
            find_tokens(word, at, places);
        }
        at += word.len();
    }
}

/// Adds the segments of a path at this place that are tokens by a segment before them.
fn find_tokens(path: &str, start: usize, places: &mut Vec<Range<usize>>) {
    let mut at = start;
    // The segments before this one, the next one last.
    let mut before = [""; REACH];
    for segment in path.split('/') {
        let length = segment.bytes().take_while(|byte| is_of_token(*byte)).count();
        let page = segment.get(..length).unwrap_or_default();
        // Names are read for tokens only: they cost more.
        if is_token(page) {
            let [.., last] = before;
            let is_link = !is_web_token(page) && before.iter().any(|name| names_link(name));
            let is_file = FILES.iter().any(|end| page.ends_with(end));
            if !is_file && (is_link || last.len() <= MAX_NAME && is_secret_encoded(last)) {
                places.push(at..at + length);
            }
        }
        before.rotate_left(1);
        before[REACH - 1] = segment.split([';', '?', '#']).next().unwrap_or_default();
        at += segment.len() + 1;
    }
}

fn names_link(segment: &str) -> bool {
    segment.len() <= MAX_NAME && is_of_link(segment)
}

/// A JSON web token, of which only the signature is masked.
fn is_web_token(segment: &str) -> bool {
    segment.starts_with("ey") && segment.contains('.')
}

fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~%=+:".contains(&byte)
}

/// Whether a segment is neither a word nor a short number nor a title: `0f3c5bb6d1e9`, but not
/// `step-2-of-3`.
pub(super) fn is_token(segment: &str) -> bool {
    if segment.len() < MIN_TOKEN || !segment.bytes().all(is_of_token) {
        return false;
    }
    let has = |is_one: fn(&u8) -> bool| parts(segment).any(|part| part.as_bytes().iter().any(is_one));
    let (has_digit, has_letter) = (has(u8::is_ascii_digit), has(u8::is_ascii_alphabetic));
    let is_long = segment.len() >= if has_letter { MIN_MIXED } else { MIN_DIGITS };
    parts(segment).any(is_random) || has_digit && is_long && !is_title(segment)
}

/// Letters and digits between punctuation and percent-encoded bytes.
fn parts(segment: &str) -> impl Iterator<Item = &str> {
    let mut digits = 0_u8;
    let parts = segment.split(move |letter: char| {
        let is_encoded = digits > 0;
        digits = if letter == '%' { 2 } else { digits.saturating_sub(1) };
        is_encoded || !letter.is_ascii_alphanumeric()
    });
    parts.filter(|part| !part.is_empty())
}

/// Whether all parts are words and short numbers.
fn is_title(segment: &str) -> bool {
    let is_letters = |part: &str| part.len() >= 3 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    parts(segment).all(is_word) && parts(segment).any(is_letters)
}

fn is_word(part: &str) -> bool {
    match changes(part) {
        _ if is_random(part) => false,
        0 if part.bytes().all(|byte| byte.is_ascii_digit()) => part.len() <= MAX_NUMBER,
        0 => true,
        1 => part.len() <= MAX_SHORT,
        _ => part.len() <= MAX_ABBREVIATION,
    }
}

/// Whether letters and digits are mixed, or letters of both cases, as in no word.
fn is_random(part: &str) -> bool {
    let upper = part.bytes().skip(1).filter(u8::is_ascii_uppercase).count();
    let is_both = part.len() >= MIN_DIGITS && part.bytes().any(|byte| byte.is_ascii_lowercase());
    match changes(part) {
        0 if part.bytes().all(|byte| byte.is_ascii_digit()) => false,
        // Words in one, as in `resetYourPassword`, have fewer capitals.
        0 => part.len() > MAX_LETTERS || is_both && upper * 4 > part.len(),
        1 => part.len() >= MIN_MIXED,
        _ => part.len() >= MIN_TOKEN,
    }
}

/// How often letters and digits alternate.
fn changes(part: &str) -> usize {
    let digits = part.bytes().map(|byte| byte.is_ascii_digit());
    digits.clone().zip(digits.skip(1)).filter(|(one, next)| one != next).count()
}

/// Adds `password` of `//user:password@host`, and `token` of `//token@host`.
pub(super) fn find_passwords(text: &str, places: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("//") {
        let rest = text.get(at + 2..).unwrap_or_default();
        let end = |it: char| it.is_whitespace() || ENDS.contains(&it);
        let authority = rest.split(|it| end(it) || "/?#".contains(it)).next().unwrap_or_default();
        let user_start = at + 2;
        let Some((user, password)) = authority.split_once(':') else {
            let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
            if !is_user(user) {
                places.push(user_start..user_start + user.len());
            }
            continue;
        };
        let length = match password.rfind('@') {
            Some(length) => length,
            // A port, and a path with an `@`.
            None if password.bytes().all(|byte| byte.is_ascii_digit()) => continue,
            None => {
                let rest = rest.get(user.len() + 1..).unwrap_or_default();
                let window = rest.get(..rest.floor_char_boundary(MAX_PASSWORD)).unwrap_or_default();
                let Some(length) = window.split(end).next().and_then(|it| it.rfind('@')) else { continue };
                length
            }
        };
        let has_none = password.get(..length).is_some_and(|it| NO_PASSWORDS.contains(&it));
        if is_token(user) || has_none && !is_user(user) {
            places.push(user_start..user_start + user.len());
        }
        let start = user_start + user.len() + 1;
        if length > 0 {
            places.push(start..start + length);
        }
    }
}

/// Whether the text before a host is the name of a user: `git`, `ann.smith`, or an address of mail.
fn is_user(text: &str) -> bool {
    parts(text).all(|part| part.len() <= MAX_USER && is_word(part))
}
