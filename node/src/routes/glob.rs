//! Glob patterns with the syntax of Go's `path.Match`: `*`, `?`, `[a-z]`, `[^a]`, `\c`. A pattern
//! matches whole names.

use regex::{Regex, RegexBuilder};

/// Matched against lower-case names, as hosts are case-insensitive.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    regex: Regex,
    literals: usize,
}

/// Specificity: a plain name before a pattern, and patterns by their number of literal characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precision {
    is_name: bool,
    literals: usize,
}

impl Glob {
    pub fn new(text: &str) -> Result<Self, String> {
        let (mut regex, mut literals) = (String::from("^(?:"), 0);
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '*' => regex.push_str("[^/]*"),
                '?' => regex.push_str("[^/]"),
                '[' => regex.push_str(&class(&mut letters)?),
                letter => {
                    let letter =
                        if letter == '\\' { letters.next().ok_or(ENDS_IN_BACKSLASH)? } else { letter };
                    literals += 1;
                    regex.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
                }
            }
        }
        regex.push_str(")$");
        let regex =
            RegexBuilder::new(&regex).case_insensitive(true).build().map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), regex, literals })
    }

    pub fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn precision(&self) -> Precision {
        Precision { is_name: !self.text.contains(['*', '?', '[']), literals: self.literals }
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for Glob {}

const ENDS_IN_BACKSLASH: &str = "must not end in a backslash";
const OPEN_CLASS: &str = "must close its [ with ]";

/// A character class, from after `[` to `]`.
fn class(letters: &mut std::str::Chars<'_>) -> Result<String, &'static str> {
    let mut class = String::from("[");
    let mut is_empty = true;
    loop {
        match letters.next().ok_or(OPEN_CLASS)? {
            ']' if is_empty => return Err("must have something between [ and ]"),
            ']' => break,
            '^' if class.len() == 1 => {
                class.push('^');
                continue;
            }
            '-' => class.push('-'),
            letter => {
                let letter = if letter == '\\' { letters.next().ok_or(ENDS_IN_BACKSLASH)? } else { letter };
                class.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
            }
        }
        is_empty = false;
    }
    class.push(']');
    Ok(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        for (glob, matching, not) in [
            (
                "shop.example.com",
                &["shop.example.com", "SHOP.example.com"][..],
                &["shopxexample.com", "a.shop.example.com"][..],
            ),
            (
                "*.example.com",
                &["a.example.com", "a.b.example.com", ".example.com"],
                &["example.com", "a.example.org"],
            ),
            (
                "api-?.example.[a-c^]om",
                &["api-1.example.com"],
                &["api-.example.com", "api-12.example.com", "api-1.example.dom"],
            ),
            ("[^a]*", &["b", "ba"], &["a", "ab", ""]),
            (r"a\*", &["a*"], &["ab", r"a\*"]),
            ("*", &["", "x.y"], &["a/b"]),
        ] {
            let glob = Glob::new(glob).unwrap();
            for name in matching {
                assert!(glob.matches(name), "{} {name}", glob.text());
            }
            for name in not {
                assert!(!glob.matches(name), "{} {name}", glob.text());
            }
        }
    }

    #[test]
    fn rejects_an_incomplete_glob() {
        let refused = ["a[b", "a[]", r"a\", "[z-a]"].map(|text| Glob::new(text).unwrap_err());
        assert_eq!(refused[..3], [OPEN_CLASS, "must have something between [ and ]", ENDS_IN_BACKSLASH]);
        assert!(refused[3].contains("range"));
    }
}
