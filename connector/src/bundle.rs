//! The zips that go to Lambda: `lambda_function.py` with its parameters, `bootstrap`, `VERSION`.
//!
//! The same input gives the same bytes: entries are in a fixed order and carry no time.

use crate::{VERSION, parameters::FunctionKind};
use std::io::{Cursor, Write as _};
use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipError, write::SimpleFileOptions};

const LAUNCHER: &str = include_str!("../launcher/lambda_function.py");

/// A parameter's new value, as a Python literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    name: String,
    literal: String,
}

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("{0:?} is not of the form wlrm_name=value")]
    Assignment(String),
    #[error("there is no parameter {0:?}; the launcher has {known}", known = known_parameters().join(", "))]
    UnknownParameter(String),
    #[error("the zip cannot be written")]
    Zip(#[from] ZipError),
    #[error("the zip cannot be written")]
    Io(#[from] std::io::Error),
}

impl Assignment {
    /// Reads `wlrm_name=value`. True, False, None and numbers stay what they are in Python; all else is text.
    pub fn parse(text: &str) -> Result<Self, BundleError> {
        let (name, value) = text.split_once('=').ok_or_else(|| BundleError::Assignment(text.to_owned()))?;
        if !known_parameters().contains(&name) {
            return Err(BundleError::UnknownParameter(name.to_owned()));
        }
        let bare = matches!(value, "True" | "False" | "None") || value.parse::<u32>().is_ok();
        let literal = if bare { value.to_owned() } else { python_string(value) };
        Ok(Self { name: name.to_owned(), literal })
    }
}

/// `wallarm-cloudfront-request-0.1.0.zip`
pub fn file_name(function: FunctionKind) -> String {
    format!("wallarm-cloudfront-{}-{VERSION}.zip", word(function))
}

/// Makes a bundle in memory.
pub fn bundle(
    function: FunctionKind,
    bootstrap: &[u8],
    assignments: &[Assignment],
) -> Result<Vec<u8>, BundleError> {
    let function = Assignment { name: "wlrm_function".to_owned(), literal: python_string(word(function)) };
    let launcher = launcher(&[assignments, &[function]].concat());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in [
        ("lambda_function.py", 0o644, launcher.as_bytes()),
        ("bootstrap", 0o755, bootstrap),
        ("VERSION", 0o644, format!("{VERSION}\n").as_bytes()),
    ] {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default())
            .unix_permissions(mode);
        zip.start_file(name, options)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn word(function: FunctionKind) -> &'static str {
    match function {
        FunctionKind::Request => "request",
        FunctionKind::Response => "response",
    }
}

/// The launcher with each assigned parameter's line replaced.
fn launcher(assignments: &[Assignment]) -> String {
    let lines = LAUNCHER.lines().map(|line| {
        let parameter = parameter_of(line);
        let assigned = assignments.iter().rfind(|assigned| parameter == Some(&assigned.name));
        assigned.map_or_else(|| line.to_owned(), |Assignment { name, literal }| format!("{name} = {literal}"))
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn known_parameters() -> Vec<&'static str> {
    LAUNCHER.lines().filter_map(parameter_of).collect()
}

fn parameter_of(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(" = ")?;
    name.starts_with("wlrm_").then_some(name)
}

/// JSON's strings are Python's, too.
fn python_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assign(texts: &[&str]) -> Vec<Assignment> {
        texts.iter().map(|text| Assignment::parse(text).unwrap()).collect()
    }

    #[test]
    fn parameters_replace_their_lines_and_nothing_else() {
        let assignments =
            assign(&["wlrm_node_addr=http://127.0.0.1:5050", "wlrm_inline=False", "wlrm_deadline_ms=500"]);
        let text = launcher(&assignments);
        let differing = text.lines().zip(LAUNCHER.lines()).filter(|(new, old)| new != old);
        let new: Vec<_> = differing.map(|(new, _)| new).collect();
        assert_eq!(
            new,
            ["wlrm_node_addr = \"http://127.0.0.1:5050\"", "wlrm_inline = False", "wlrm_deadline_ms = 500"]
        );
        assert_eq!(text.lines().count(), LAUNCHER.lines().count());
    }

    #[test]
    fn a_value_cannot_leave_its_string() {
        let [quoted] = &assign(&["wlrm_node_addr=\"\nimport os #\\"])[..] else { panic!("one") };
        assert_eq!(quoted.literal, r#""\"\nimport os #\\""#);
    }

    #[test]
    fn an_unknown_parameter_is_named() {
        let error = Assignment::parse("wlrm_node_adr=x").unwrap_err().to_string();
        assert!(error.contains("wlrm_node_adr") && error.contains("wlrm_node_addr"), "{error}");
        assert!(Assignment::parse("wlrm_node_addr").is_err());
    }

    #[test]
    fn every_parameter_of_the_launcher_is_one_the_program_reads() {
        use std::cell::RefCell;
        let asked = RefCell::new(Vec::new());
        let _ = crate::Parameters::read(|name| {
            asked.borrow_mut().push(name.to_ascii_lowercase());
            let valid = [("WLRM_FUNCTION", "request"), ("WLRM_NODE_ADDR", "https://n")];
            valid.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let (mut asked, mut known) = (asked.into_inner(), known_parameters());
        asked.sort();
        known.sort_unstable();
        assert_eq!(asked, known);
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let make = || bundle(FunctionKind::Response, b"\x7fELF", &assign(&["wlrm_inline=True"])).unwrap();
        assert_eq!(make(), make());
    }
}
