//! Parameters in the text of `lambda_function.py`. Their values are read as text, never evaluated.

use super::{error::BundleError, literal};
use serde_json::Value;
use std::{fmt, ops::Range};

/// Far more than the launcher has; the bounds are for files that are no launchers.
const MAX_PARAMETERS: usize = 200;
const MAX_NAME_BYTES: usize = 64;
/// The part of a value that is shown.
const MAX_SHOWN_CHARS: usize = 200;
/// Parameters whose values must not appear in terminal output.
const SECRETS: [&str; 3] = ["wlrm_signing_key", "wlrm_mark_keys", "wlrm_block_me"];

const BUILT_IN: &str = include_str!("../../launcher/lambda_function.py");

/// The launcher, whose parameters a user may have edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Launcher(String);

/// A parameter's value, as a Python literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub name: String,
    pub literal: String,
}

impl Assignment {
    /// Parses `wlrm_name=value`. True, False, None and numbers stay Python literals; the rest is
    /// text.
    pub fn parse(text: &str) -> Result<Self, BundleError> {
        let (name, value) = text.split_once('=').ok_or_else(|| BundleError::Assignment(text.to_owned()))?;
        let name = known(name)?;
        let bare = matches!(value, "True" | "False" | "None") || value.parse::<u32>().is_ok();
        let literal = if bare { value.to_owned() } else { python_string(value) };
        Ok(Self { name, literal })
    }

    /// Converts a JSON value. Also returns the name and the text the launcher passes, Python's
    /// `str()`.
    pub(super) fn from_json(name: &str, value: &Value) -> Result<(Self, (String, String)), BundleError> {
        let name = known(name)?;
        let both = |text: String| (text.clone(), text);
        let (literal, text) = match value {
            // Environment variables cannot contain NUL.
            Value::String(text) if !text.contains('\0') => (python_string(text), text.clone()),
            Value::Bool(true) => both("True".to_owned()),
            Value::Bool(false) => both("False".to_owned()),
            Value::Null => both("None".to_owned()),
            Value::Number(number) if number.is_u64() => both(number.to_string()),
            _ => return Err(BundleError::Value { name }),
        };
        Ok((Self { name: name.clone(), literal }, (name, text)))
    }
}

impl fmt::Display for Assignment {
    /// In one line of bounded length, without secrets and without characters that control a
    /// terminal: the value comes from a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_secret = SECRETS.contains(&&*self.name) && self.literal != "None";
        write!(f, "{} = {}", self.name, if is_secret { "…".to_owned() } else { shown(&self.literal) })
    }
}

/// The start of a text from a file, with control characters escaped.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(MAX_SHOWN_CHARS) {
        if matches!(character, '"' | '\'' | '\\') {
            shown.push(character);
        } else {
            shown.extend(character.escape_debug());
        }
    }
    if text.chars().nth(MAX_SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Rejects names that are not parameters of the launcher.
fn known(name: &str) -> Result<String, BundleError> {
    let known = Launcher::built_in().assignments()?;
    if known.iter().any(|assignment| assignment.name == name) {
        return Ok(name.to_owned());
    }
    let known = known.into_iter().map(|assignment| assignment.name).collect();
    Err(BundleError::UnknownParameter { name: name.to_owned(), known })
}

impl Launcher {
    pub(super) fn built_in() -> Self {
        Self(BUILT_IN.to_owned())
    }

    pub(super) fn read(text: String) -> Self {
        Self(text)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// The parameters in the order of the file.
    pub(super) fn assignments(&self) -> Result<Vec<Assignment>, BundleError> {
        Ok(self.located()?.into_iter().map(|(assignment, _)| assignment).collect())
    }

    /// Replaces values; names that the launcher does not have are ignored.
    pub(super) fn with(&self, values: &[Assignment]) -> Result<Self, BundleError> {
        let mut text = self.0.clone();
        // From the end, so that earlier ranges stay valid.
        for (assignment, lines) in self.located()?.into_iter().rev() {
            if let Some(value) = values.iter().rfind(|value| value.name == assignment.name) {
                text.replace_range(lines, &format!("{} = {}\n", value.name, value.literal));
            }
        }
        Ok(Self(text))
    }

    /// The parameters, and the byte range of the lines of each.
    fn located(&self) -> Result<Vec<(Assignment, Range<usize>)>, BundleError> {
        let mut located = Vec::new();
        let mut at = 0;
        while let Some(rest) = self.0.get(at..).filter(|rest| !rest.is_empty()) {
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            let Some((name, value)) = parameter(line) else {
                at += line.len();
                continue;
            };
            let start = at + line.len() - value.len();
            let length = literal::length(&self.0[start..]);
            let end = start + length.ok_or_else(|| BundleError::Literal { name: name.to_owned() })?;
            let literal = self.0[start..end].trim_end().to_owned();
            if located.len() == MAX_PARAMETERS {
                return Err(BundleError::TooManyParameters { limit: MAX_PARAMETERS });
            }
            located.push((Assignment { name: name.to_owned(), literal }, at..end));
            at = end;
        }
        Ok(located)
    }
}

/// Splits a line that sets a parameter at its equals sign.
fn parameter(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let is_name = name.starts_with("wlrm_")
        && name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (name, value.trim_start_matches(' ')))
}

/// A JSON string is a valid Python string literal.
pub(super) fn python_string(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assign(texts: &[&str]) -> Vec<Assignment> {
        texts.iter().map(|text| Assignment::parse(text).unwrap()).collect()
    }

    #[test]
    fn replaces_only_the_lines_of_the_parameters_given() {
        let values =
            assign(&["wlrm_node_addr=http://127.0.0.1:5050", "wlrm_inline=False", "wlrm_deadline_ms=500"]);
        let launcher = Launcher::built_in().with(&values).unwrap();
        let differing = launcher.text().lines().zip(BUILT_IN.lines()).filter(|(new, old)| new != old);
        let new: Vec<_> = differing.map(|(new, _)| new).collect();
        assert_eq!(
            new,
            ["wlrm_node_addr = \"http://127.0.0.1:5050\"", "wlrm_inline = False", "wlrm_deadline_ms = 500"]
        );
        assert_eq!(launcher.text().lines().count(), BUILT_IN.lines().count());
    }

    #[test]
    fn escapes_a_value_that_would_end_its_string() {
        let [quoted] = &assign(&["wlrm_node_addr=\"\nimport os #\\"])[..] else { panic!("one") };
        assert_eq!(quoted.literal, r#""\"\nimport os #\\""#);
    }

    #[test]
    fn names_an_unknown_parameter() {
        let error = Assignment::parse("wlrm_node_adr=x").unwrap_err().to_string();
        assert!(error.contains("wlrm_node_adr") && error.contains("wlrm_node_addr"), "{error}");
        assert!(Assignment::parse("wlrm_node_addr").is_err());
    }

    #[test]
    fn reads_edited_values_back_unchanged() {
        let text = "# top\nwlrm_node_addr = 'https://a'  # ours\nwlrm_node_ca=\"\"\"\nPEM = x\n\"\"\"\nimport os\nwlrm_inline = False";
        let launcher = Launcher::read(text.to_owned());
        let literals: Vec<_> =
            launcher.assignments().unwrap().into_iter().map(|assignment| assignment.literal).collect();
        assert_eq!(literals, ["'https://a'  # ours", "\"\"\"\nPEM = x\n\"\"\"", "False"]);
        let again = launcher.with(&launcher.assignments().unwrap()).unwrap();
        assert_eq!(again.assignments().unwrap(), launcher.assignments().unwrap());
        assert!(again.text().contains("import os\n"));
    }

    #[test]
    fn names_a_parameter_whose_value_is_no_literal() {
        for text in [
            "wlrm_node_addr = (\n  'a'\n)",
            "wlrm_node_ca = '''never closed",
            "wlrm_node_addr = open('/etc/passwd').read()\n",
            "wlrm_node_addr = 'a'; import os\n",
        ] {
            let error = Launcher::read(text.to_owned()).assignments().unwrap_err().to_string();
            assert!(error.contains("wlrm_node_"), "{error}");
        }
    }

    #[test]
    fn a_value_is_shown_in_one_short_line_without_control_characters() {
        let shown = |name: &str, literal: &str| {
            Assignment { name: name.to_owned(), literal: literal.to_owned() }.to_string()
        };
        assert_eq!(shown("wlrm_inline", "False  # ours"), "wlrm_inline = False  # ours");
        assert_eq!(shown("wlrm_node_addr", r#""a\"b'é""#), r#"wlrm_node_addr = "a\"b'é""#);
        let hostile = shown("wlrm_node_ca", "'a\u{1b}[2J\r\n\u{202e}'");
        assert_eq!(hostile, r"wlrm_node_ca = 'a\u{1b}[2J\r\n\u{202e}'");
        assert_eq!(
            shown("wlrm_node_ca", &"x".repeat(100_000)),
            format!("wlrm_node_ca = {}…", "x".repeat(200))
        );
        assert_eq!(shown("wlrm_signing_key", "'6b6579'"), "wlrm_signing_key = …");
        assert_eq!(shown("wlrm_mark_keys", "'6b6579'"), "wlrm_mark_keys = …");
        assert_eq!(shown("wlrm_block_me", "None"), "wlrm_block_me = None");
    }

    #[test]
    fn a_text_with_endless_parameters_is_rejected() {
        let error = Launcher::read("wlrm_x = 1\n".repeat(100_000)).assignments().unwrap_err();
        assert_eq!(error.to_string(), "the launcher has more than 200 parameters");
        let long = format!("wlrm_{} = 1\n", "x".repeat(100_000));
        assert_eq!(Launcher::read(long).assignments().unwrap(), []);
    }

    #[test]
    fn the_program_reads_exactly_the_parameters_of_the_launcher() {
        use std::cell::RefCell;
        let requested = RefCell::new(Vec::new());
        let _ = crate::Parameters::read(|name| {
            requested.borrow_mut().push(name.to_ascii_lowercase());
            let valid = [("WLRM_FUNCTION", "request"), ("WLRM_NODE_ADDR", "https://n")];
            valid.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let known = Launcher::built_in().assignments().unwrap().into_iter().map(|assignment| assignment.name);
        let (mut requested, mut known) = (requested.into_inner(), known.collect::<Vec<_>>());
        requested.sort();
        known.sort();
        assert_eq!(requested, known);
    }
}
