//! Lambda bundles: zips of `lambda_function.py` with its parameters, `bootstrap` and `VERSION`.
//!
//! Bundles are reproducible: entries have a fixed order and no time.

mod error;
mod launcher;
mod literal;

use crate::{
    VERSION,
    parameters::{FunctionKind, ParameterError, Parameters},
};
use launcher::{Launcher, python_string, shown};
use serde_json::{Map, Value};
use std::io::{self, Cursor, Read as _, Write as _};
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

pub use error::BundleError;
pub use launcher::Assignment;

/// The name of a file of a bundle, and its largest size: a small zip can inflate to gigabytes.
type Entry = (&'static str, u64);

const LAUNCHER: Entry = ("lambda_function.py", 1024 * 1024);
const PROGRAM: Entry = ("bootstrap", MAX_PROGRAM_BYTES);
const VERSION_FILE: Entry = ("VERSION", 1024);

/// An unoptimized program has 25 MB.
pub const MAX_PROGRAM_BYTES: u64 = 128 * 1024 * 1024;
/// Lambda accepts 50 MB.
pub const MAX_ZIP_BYTES: u64 = 64 * 1024 * 1024;
/// The parameter that selects the function; never copied from one bundle to another.
const FUNCTION: &str = "wlrm_function";

/// The deflate level of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// For tests that run a bundle once: an unoptimized program has 25 MB.
    Fast = 1,
    /// For Lambda: a smaller zip starts faster.
    Best = 9,
}

/// Result of copying parameters to a new version.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CarriedOver {
    /// Values that differ from the new version's defaults.
    pub kept: Vec<Assignment>,
    /// Parameters that only the new version has, with their defaults.
    pub added: Vec<Assignment>,
    /// Parameters that only the old version has.
    pub dropped: Vec<Assignment>,
}

/// `wallarm-cloudfront-request-0.1.0.zip`
pub fn file_name(function: FunctionKind) -> String {
    format!("wallarm-cloudfront-{}-{VERSION}.zip", function.as_str())
}

/// Builds a bundle in memory.
pub fn bundle(
    function: FunctionKind,
    program: &[u8],
    assignments: &[Assignment],
    compression: Compression,
) -> Result<Vec<u8>, BundleError> {
    let function = Assignment { name: FUNCTION.to_owned(), literal: python_string(function.as_str()) };
    let launcher = Launcher::built_in().with(assignments)?.with(&[function])?;
    pack(&launcher, program, &format!("{VERSION}\n"), compression)
}

/// Sets parameters in a bundle, after validating them as the function will. Parameters missing from
/// `values` keep their value.
pub fn configure(
    bundle: &[u8],
    function: FunctionKind,
    values: &Map<String, Value>,
) -> Result<Vec<u8>, BundleError> {
    if values.contains_key(FUNCTION) {
        let expected = "is fixed by the bundle and cannot be set";
        return Err(ParameterError { name: FUNCTION, value: String::new(), expected }.into());
    }
    let values = values.iter().map(|(name, value)| Assignment::from_json(name, value));
    let (assignments, mut texts): (Vec<_>, Vec<_>) =
        values.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    texts.push((FUNCTION.to_owned(), function.as_str().to_owned()));
    Parameters::read(|name| {
        texts.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    })?;
    let mut zip = ZipArchive::new(Cursor::new(bundle))?;
    let launcher = read_launcher(&mut zip)?;
    let known = launcher.assignments()?;
    if let Some(unknown) = assignments.iter().find(|assignment| !has(&known, assignment)) {
        let known = known.into_iter().map(|assignment| assignment.name).collect();
        return Err(BundleError::NotInBundle { name: unknown.name.clone(), known });
    }
    repack(&mut zip, &launcher.with(&assignments)?)
}

/// Copies the values of an old bundle to a new one.
pub fn carry_over(old: &[u8], new: &[u8]) -> Result<(Vec<u8>, CarriedOver), BundleError> {
    let mut new = ZipArchive::new(Cursor::new(new))?;
    let values = read_launcher(&mut ZipArchive::new(Cursor::new(old))?)?.assignments()?;
    let launcher = read_launcher(&mut new)?;
    let defaults = launcher.assignments()?;
    let function = |assignments: &[Assignment]| {
        assignments.iter().find(|it| it.name == FUNCTION).map(|it| it.literal.clone()).unwrap_or_default()
    };
    if function(&values) != function(&defaults) {
        let (old, new) = (shown(&function(&values)), shown(&function(&defaults)));
        return Err(BundleError::OtherFunction { old, new });
    }
    let carried = CarriedOver {
        kept: values
            .iter()
            .filter(|value| has(&defaults, value) && !defaults.contains(value))
            .cloned()
            .collect(),
        added: defaults.iter().filter(|default| !has(&values, default)).cloned().collect(),
        dropped: values.iter().filter(|value| !has(&defaults, value)).cloned().collect(),
    };
    Ok((repack(&mut new, &launcher.with(&values)?)?, carried))
}

/// Sets parameters in a bundle without validating them; the function stays the same.
pub fn assign(zip: &[u8], assignments: &[Assignment]) -> Result<Vec<u8>, BundleError> {
    let mut zip = ZipArchive::new(Cursor::new(zip))?;
    let launcher = read_launcher(&mut zip)?;
    let function: Vec<_> = launcher.assignments()?.into_iter().filter(|it| it.name == FUNCTION).collect();
    repack(&mut zip, &launcher.with(assignments)?.with(&function)?)
}

/// Replaces the launcher of a bundle.
fn repack(zip: &mut ZipArchive<Cursor<&[u8]>>, launcher: &Launcher) -> Result<Vec<u8>, BundleError> {
    let (program, version) = (read_entry(zip, PROGRAM)?, read_text(zip, VERSION_FILE)?);
    pack(launcher, &program, &version, Compression::Best)
}

fn has(assignments: &[Assignment], wanted: &Assignment) -> bool {
    assignments.iter().any(|assignment| assignment.name == wanted.name)
}

fn read_launcher(zip: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Launcher, BundleError> {
    read_text(zip, LAUNCHER).map(Launcher::read)
}

fn read_text(zip: &mut ZipArchive<Cursor<&[u8]>>, entry: Entry) -> Result<String, BundleError> {
    let text = String::from_utf8(read_entry(zip, entry)?);
    Ok(text.map_err(|cause| io::Error::new(io::ErrorKind::InvalidData, cause))?)
}

/// Inflates a file of a bundle up to its largest size, whatever size the zip declares.
fn read_entry(zip: &mut ZipArchive<Cursor<&[u8]>>, (name, limit): Entry) -> Result<Vec<u8>, BundleError> {
    let mut content = Vec::new();
    zip.by_name(name)?.take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit { Err(BundleError::TooLarge { name, limit }) } else { Ok(content) }
}

fn pack(
    launcher: &Launcher,
    program: &[u8],
    version: &str,
    compression: Compression,
) -> Result<Vec<u8>, BundleError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for ((name, _), mode, content) in [
        (LAUNCHER, 0o644, launcher.text().as_bytes()),
        (PROGRAM, 0o755, program),
        (VERSION_FILE, 0o644, version.as_bytes()),
    ] {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(compression as i64))
            .last_modified_time(DateTime::default())
            .unix_permissions(mode);
        zip.start_file(name, options)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn make(function: FunctionKind, texts: &[&str]) -> Vec<u8> {
        let assignments: Vec<_> = texts.iter().map(|text| Assignment::parse(text).unwrap()).collect();
        bundle(function, b"\x7fELF", &assignments, Compression::Best).unwrap()
    }

    #[test]
    fn builds_the_same_bytes_from_the_same_input() {
        let make = || make(FunctionKind::Response, &["wlrm_inline=True"]);
        assert_eq!(make(), make());
    }

    #[test]
    fn carries_only_parameter_values_over_to_a_new_version() {
        let text = "wlrm_node_addr = 'https://node.example.com'  # ours\nwlrm_inline = False\nwlrm_gone = 1\nwlrm_function = \"request\"\n";
        let old = pack(&Launcher::read(text.to_owned()), b"old", "0.0.1\n", Compression::Best).unwrap();
        let (zip, carried) = carry_over(&old, &make(FunctionKind::Request, &[])).unwrap();
        let names = |assignments: &[Assignment]| -> Vec<String> {
            assignments.iter().map(|assignment| assignment.name.clone()).collect()
        };
        assert_eq!(names(&carried.kept), ["wlrm_node_addr", "wlrm_inline"]);
        assert_eq!(names(&carried.dropped), ["wlrm_gone"]);
        assert!(names(&carried.added).contains(&"wlrm_fail_mode".to_owned()));

        let mut zip = ZipArchive::new(Cursor::new(&zip[..])).unwrap();
        let launcher = read_launcher(&mut zip).unwrap();
        assert!(launcher.text().contains("wlrm_node_addr = 'https://node.example.com'  # ours\n"));
        assert!(launcher.text().contains("def lambda_handler"));
        assert_eq!(zip.by_name(PROGRAM.0).unwrap().unix_mode(), Some(0o100_755));
    }

    fn configured(values: &Value) -> Result<Vec<u8>, BundleError> {
        configure(&make(FunctionKind::Request, &[]), FunctionKind::Request, values.as_object().unwrap())
    }

    #[test]
    fn converts_json_values_to_python_literals() {
        let values = json!({
            "wlrm_node_addr": "https://node.example.com", "wlrm_inline": false, "wlrm_deadline_ms": 500,
            "wlrm_node_ca": null,
        });
        let zip = configured(&values).unwrap();
        assert_eq!(zip, configured(&values).unwrap(), "the same input gives the same bytes");
        let launcher = read_launcher(&mut ZipArchive::new(Cursor::new(&zip[..])).unwrap()).unwrap();
        for line in [
            "wlrm_node_addr = \"https://node.example.com\"\n",
            "wlrm_inline = False\n",
            "wlrm_deadline_ms = 500\n",
            "wlrm_node_ca = None\n",
        ] {
            assert!(launcher.text().contains(line), "{line}");
        }
    }

    #[test]
    fn rejects_values_that_the_function_would_reject() {
        let node = "https://node.example.com";
        for (wrong, values) in [
            ("wlrm_node_addr", json!({})),
            ("wlrm_node_addr", json!({ "wlrm_node_addr": "http://node.example.com" })),
            ("wlrm_deadline_ms", json!({ "wlrm_node_addr": node, "wlrm_deadline_ms": 5000 })),
            ("wlrm_deadline_ms", json!({ "wlrm_node_addr": node, "wlrm_deadline_ms": 1.5 })),
            ("wlrm_signing_key", json!({ "wlrm_node_addr": node, "wlrm_signing_key_id": "edge" })),
            ("wlrm_inlien", json!({ "wlrm_node_addr": node, "wlrm_inlien": true })),
            ("wlrm_inline", json!({ "wlrm_node_addr": node, "wlrm_inline": [true] })),
            ("wlrm_function", json!({ "wlrm_node_addr": node, "wlrm_function": "response" })),
        ] {
            let error = configured(&values).unwrap_err();
            assert_eq!(error.parameter(), Some(wrong), "{error}");
        }
    }

    #[test]
    fn rejects_a_parameter_that_the_bundle_does_not_have() {
        let old = pack(
            &Launcher::read("wlrm_function = \"request\"\n".to_owned()),
            b"old",
            "0.0.1\n",
            Compression::Best,
        )
        .unwrap();
        let values = json!({ "wlrm_node_addr": "https://node.example.com" });
        let error = configure(&old, FunctionKind::Request, values.as_object().unwrap()).unwrap_err();
        assert_eq!(error.parameter(), Some("wlrm_node_addr"));
    }

    #[test]
    fn carries_every_parameter_over() {
        let parameters = Launcher::built_in().assignments().unwrap();
        let values = parameters.into_iter().filter(|parameter| parameter.name != FUNCTION).map(|parameter| {
            let literal = python_string(&format!("mine, not {}", parameter.literal));
            Assignment { literal, ..parameter }
        });
        let values: Vec<_> = values.collect();
        let old = bundle(FunctionKind::Request, b"old", &values, Compression::Best).unwrap();
        let (_, carried) = carry_over(&old, &make(FunctionKind::Request, &[])).unwrap();
        assert_eq!(carried, CarriedOver { kept: values, added: Vec::new(), dropped: Vec::new() });
    }

    #[test]
    fn sets_values_in_a_bundle_but_never_its_function() {
        let assignments = ["wlrm_node_addr=https://n", "wlrm_function=response"];
        let assignments = assignments.map(|text| Assignment::parse(text).unwrap());
        let zip = assign(&make(FunctionKind::Request, &["wlrm_inline=False"]), &assignments).unwrap();
        assert_eq!(zip, make(FunctionKind::Request, &["wlrm_inline=False", "wlrm_node_addr=https://n"]));
    }

    #[test]
    fn carries_no_code_over() {
        let text = "wlrm_node_addr = __import__('os').system('id')\nwlrm_function = \"request\"\n";
        let old = pack(&Launcher::read(text.to_owned()), b"old", "0.0.1\n", Compression::Best).unwrap();
        let error = carry_over(&old, &make(FunctionKind::Request, &[])).unwrap_err();
        assert!(matches!(&error, BundleError::Literal { name } if name == "wlrm_node_addr"), "{error}");
    }

    #[test]
    fn a_file_that_inflates_beyond_its_limit_is_rejected() {
        let new = make(FunctionKind::Request, &[]);
        let launcher = Launcher::read("#".repeat(2 * 1024 * 1024));
        let bomb = pack(&launcher, b"old", "0.0.1\n", Compression::Best).unwrap();
        assert!(bomb.len() < 10_000, "{}", bomb.len());
        let error = carry_over(&bomb, &new).unwrap_err().to_string();
        assert_eq!(error, "lambda_function.py in the zip is larger than 1048576 bytes");
        let long = pack(&Launcher::built_in(), b"old", &"1".repeat(2_000), Compression::Best).unwrap();
        let error = assign(&long, &[]).unwrap_err().to_string();
        assert_eq!(error, "VERSION in the zip is larger than 1024 bytes");
    }

    #[test]
    fn rejects_carrying_a_request_bundle_over_to_a_response_bundle() {
        let (request, response) = (make(FunctionKind::Request, &[]), make(FunctionKind::Response, &[]));
        assert!(matches!(carry_over(&request, &response), Err(BundleError::OtherFunction { .. })));
        assert!(matches!(carry_over(b"not a zip", &response), Err(BundleError::Zip(_))));
    }
}
