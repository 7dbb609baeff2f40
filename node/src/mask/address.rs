//! Secrets in addresses: matrix parameters and tokens in paths, passwords before hosts.

use super::names::is_secret_encoded;
use std::ops::Range;

/// A shorter segment of a path after a word such as `token` is a page.
const MIN_TOKEN: usize = 16;
/// The longest password with characters that an address must encode.
const MAX_PASSWORD: usize = 200;
const ENDS: [char; 7] = ['"', '\'', '<', '>', '\\', '`', ' '];

/// Adds `x` of `/cart;jsessionid=x` and `/token/x`.
pub(super) fn find_in_path(path: &str, places: &mut Vec<Range<usize>>) {
    let (mut start, mut follows_name) = (0, false);
    for segment in path.split('/') {
        let inside = segment.split(['?', '#']).next().unwrap_or_default();
        let page = inside.split(';').next().unwrap_or_default();
        if follows_name && is_token(page) {
            places.push(start..start + page.len());
        }
        let mut at = start;
        for parameter in inside.split(';') {
            if let Some((name, value)) = parameter.split_once('=').filter(|(name, _)| is_secret_encoded(name))
            {
                places.push(at + name.len() + 1..at + name.len() + 1 + value.len());
            }
            at += parameter.len() + 1;
        }
        follows_name = is_secret_encoded(page);
        start += segment.len() + 1;
    }
}

fn is_token(segment: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%=+:".contains(&byte);
    segment.len() >= MIN_TOKEN
        && segment.bytes().all(is_letter)
        && segment.bytes().any(|byte| byte.is_ascii_digit())
}

/// Adds `password` of `//user:password@host`.
pub(super) fn find_passwords(text: &str, places: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("//") {
        let rest = text.get(at + 2..).unwrap_or_default();
        let end = |it: char| it.is_whitespace() || ENDS.contains(&it);
        let authority = rest.split(|it| end(it) || "/?#".contains(it)).next().unwrap_or_default();
        let Some((user, password)) = authority.split_once(':') else { continue };
        let password = match password.rfind('@') {
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
        let start = at + 2 + user.len() + 1;
        if password > 0 {
            places.push(start..start + password);
        }
    }
}
