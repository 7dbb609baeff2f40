//! The zips that go to Lambda: `lambda_function.py` with its parameters, `bootstrap`, `VERSION`.
//!
//! The same input gives the same bytes: entries are in a fixed order and carry no time.

mod launcher;

use crate::{VERSION, parameters::FunctionKind};
use launcher::{Launcher, python_string};
use std::io::{Cursor, Read as _, Write as _};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

pub use launcher::Assignment;

const LAUNCHER: &str = "lambda_function.py";
const PROGRAM: &str = "bootstrap";
const VERSION_FILE: &str = "VERSION";
/// Says which of the two functions a bundle is; never carried from one to another.
const FUNCTION: &str = "wlrm_function";

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("{0:?} is not of the form wlrm_name=value")]
    Assignment(String),
    #[error("there is no parameter {name:?}; the launcher has {}", .known.join(", "))]
    UnknownParameter { name: String, known: Vec<String> },
    #[error(
        "the value of {name} spans lines in a way this tool cannot read; write it in one line or in triple quotes"
    )]
    Literal { name: String },
    #[error("one bundle is for {old}, the other for {new}")]
    OtherFunction { old: String, new: String },
    #[error("the zip is not a bundle of the connector")]
    Zip(#[from] ZipError),
    #[error("the zip cannot be read or written")]
    Io(#[from] std::io::Error),
}

/// What became of the parameters when they moved to a new version.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Values that differ from the new version's defaults, and were kept.
    pub kept: Vec<Assignment>,
    /// Parameters the old version did not have; they have their defaults.
    pub added: Vec<Assignment>,
    /// Parameters the new version does not have.
    pub dropped: Vec<Assignment>,
}

/// `wallarm-cloudfront-request-0.1.0.zip`
pub fn file_name(function: FunctionKind) -> String {
    format!("wallarm-cloudfront-{}-{VERSION}.zip", word(function))
}

/// Makes a bundle in memory.
pub fn bundle(
    function: FunctionKind,
    program: &[u8],
    assignments: &[Assignment],
) -> Result<Vec<u8>, BundleError> {
    let function = Assignment { name: FUNCTION.to_owned(), literal: python_string(word(function)) };
    let launcher = Launcher::built_in().with(assignments)?.with(&[function])?;
    pack(&launcher, program, &format!("{VERSION}\n"))
}

/// The new bundle with the values people set in the old one.
pub fn carry_over(old: &[u8], new: &[u8]) -> Result<(Vec<u8>, Moved), BundleError> {
    let mut new = ZipArchive::new(Cursor::new(new))?;
    let values = read_launcher(&mut ZipArchive::new(Cursor::new(old))?)?.assignments()?;
    let launcher = read_launcher(&mut new)?;
    let defaults = launcher.assignments()?;
    let function = |assignments: &[Assignment]| {
        assignments.iter().find(|it| it.name == FUNCTION).map(|it| it.literal.clone()).unwrap_or_default()
    };
    if function(&values) != function(&defaults) {
        return Err(BundleError::OtherFunction { old: function(&values), new: function(&defaults) });
    }
    let moved = Moved {
        kept: values
            .iter()
            .filter(|value| has(&defaults, value) && !defaults.contains(value))
            .cloned()
            .collect(),
        added: defaults.iter().filter(|default| !has(&values, default)).cloned().collect(),
        dropped: values.iter().filter(|value| !has(&defaults, value)).cloned().collect(),
    };
    Ok((repack(&mut new, &launcher.with(&values)?)?, moved))
}

/// The bundle with these values in place of its own.
pub fn assign(zip: &[u8], assignments: &[Assignment]) -> Result<Vec<u8>, BundleError> {
    let mut zip = ZipArchive::new(Cursor::new(zip))?;
    let launcher = read_launcher(&mut zip)?;
    let function: Vec<_> = launcher.assignments()?.into_iter().filter(|it| it.name == FUNCTION).collect();
    repack(&mut zip, &launcher.with(assignments)?.with(&function)?)
}

fn repack(zip: &mut ZipArchive<Cursor<&[u8]>>, launcher: &Launcher) -> Result<Vec<u8>, BundleError> {
    let (mut program, mut version) = (Vec::new(), String::new());
    zip.by_name(PROGRAM)?.read_to_end(&mut program)?;
    zip.by_name(VERSION_FILE)?.read_to_string(&mut version)?;
    pack(launcher, &program, &version)
}

fn has(assignments: &[Assignment], wanted: &Assignment) -> bool {
    assignments.iter().any(|assignment| assignment.name == wanted.name)
}

fn read_launcher(zip: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Launcher, BundleError> {
    let mut text = String::new();
    zip.by_name(LAUNCHER)?.read_to_string(&mut text)?;
    Ok(Launcher::read(text))
}

fn pack(launcher: &Launcher, program: &[u8], version: &str) -> Result<Vec<u8>, BundleError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in [
        (LAUNCHER, 0o644, launcher.text().as_bytes()),
        (PROGRAM, 0o755, program),
        (VERSION_FILE, 0o644, version.as_bytes()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn make(function: FunctionKind, texts: &[&str]) -> Vec<u8> {
        let assignments: Vec<_> = texts.iter().map(|text| Assignment::parse(text).unwrap()).collect();
        bundle(function, b"\x7fELF", &assignments).unwrap()
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let make = || make(FunctionKind::Response, &["wlrm_inline=True"]);
        assert_eq!(make(), make());
    }

    #[test]
    fn values_move_to_a_new_version_and_nothing_else_does() {
        let text = "wlrm_node_addr = 'https://node.example.com'  # ours\nwlrm_inline = False\nwlrm_gone = 1\nwlrm_function = \"request\"\n";
        let old = pack(&Launcher::read(text.to_owned()), b"old", "0.0.1\n").unwrap();
        let (zip, moved) = carry_over(&old, &make(FunctionKind::Request, &[])).unwrap();
        let names = |assignments: &[Assignment]| -> Vec<String> {
            assignments.iter().map(|assignment| assignment.name.clone()).collect()
        };
        assert_eq!(names(&moved.kept), ["wlrm_node_addr", "wlrm_inline"]);
        assert_eq!(names(&moved.dropped), ["wlrm_gone"]);
        assert!(names(&moved.added).contains(&"wlrm_fail_mode".to_owned()));

        let mut zip = ZipArchive::new(Cursor::new(&zip[..])).unwrap();
        let launcher = read_launcher(&mut zip).unwrap();
        assert!(launcher.text().contains("wlrm_node_addr = 'https://node.example.com'  # ours\n"));
        assert!(launcher.text().contains("def lambda_handler"));
        assert_eq!(zip.by_name(PROGRAM).unwrap().unix_mode(), Some(0o100_755));
    }

    #[test]
    fn every_parameter_moves() {
        let parameters = Launcher::built_in().assignments().unwrap();
        let values = parameters.into_iter().filter(|parameter| parameter.name != FUNCTION).map(|parameter| {
            let literal = python_string(&format!("mine, not {}", parameter.literal));
            Assignment { literal, ..parameter }
        });
        let values: Vec<_> = values.collect();
        let old = bundle(FunctionKind::Request, b"old", &values).unwrap();
        let (_, moved) = carry_over(&old, &make(FunctionKind::Request, &[])).unwrap();
        assert_eq!(moved, Moved { kept: values, added: Vec::new(), dropped: Vec::new() });
    }

    #[test]
    fn values_are_set_in_a_finished_bundle_but_never_which_function_it_is() {
        let assignments = ["wlrm_node_addr=https://n", "wlrm_function=response"];
        let assignments = assignments.map(|text| Assignment::parse(text).unwrap());
        let zip = assign(&make(FunctionKind::Request, &["wlrm_inline=False"]), &assignments).unwrap();
        assert_eq!(zip, make(FunctionKind::Request, &["wlrm_inline=False", "wlrm_node_addr=https://n"]));
    }

    #[test]
    fn a_request_bundle_does_not_become_one_for_responses() {
        let (request, response) = (make(FunctionKind::Request, &[]), make(FunctionKind::Response, &[]));
        assert!(matches!(carry_over(&request, &response), Err(BundleError::OtherFunction { .. })));
        assert!(matches!(carry_over(b"not a zip", &response), Err(BundleError::Zip(_))));
    }
}
