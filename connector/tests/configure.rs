//! `wallarm-connector configure --from` with hostile zips.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use connector::{
    bundle::{Compression, bundle},
    parameters::FunctionKind,
};
use std::{
    fs,
    io::{Cursor, Write as _},
    process::Command,
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A zip with this launcher only.
fn zip(launcher: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("lambda_function.py", SimpleFileOptions::default()).unwrap();
    zip.write_all(launcher.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Carries the values of a zip over to a new bundle. Returns whether it succeeded, what it printed,
/// and the new bundle, which is the old one after a failure.
fn configure(old: &[u8]) -> (bool, String, Option<Vec<u8>>) {
    let dir = tempfile::tempdir().unwrap();
    let [from, to] = ["old.zip", "new.zip"].map(|name| dir.path().join(name));
    let new = bundle(FunctionKind::Request, b"\x7fELF", &[], Compression::Best).unwrap();
    fs::write(&from, old).unwrap();
    fs::write(&to, &new).unwrap();
    let program = env!("CARGO_BIN_EXE_wallarm-connector");
    let output = Command::new(program).args(["configure", "--from"]).arg(&from).arg(&to).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let written = fs::read(&to).unwrap();
    let is_success = output.status.success();
    (is_success, String::from_utf8(printed).unwrap(), (written != new).then_some(written))
}

#[test]
fn code_in_a_value_is_an_error() {
    for value in ["__import__('os').system('id')", "'a'; import os", "f'{open(0)}'", "'a' # b\rimport os"] {
        let launcher = format!("wlrm_node_addr = {value}\nwlrm_function = \"request\"\n");
        let (is_success, printed, written) = configure(&zip(&launcher));
        assert!(!is_success && written.is_none(), "{printed}");
        assert!(printed.contains("the value of wlrm_node_addr must be a text in quotes"), "{printed}");
    }
}

#[test]
fn printed_values_are_short_and_do_not_control_the_terminal() {
    let hostile = format!("\u{9b}31m\u{202e}\u{7f}{}", "x".repeat(500_000));
    let launcher =
        format!("wlrm_support_contact = '{hostile}'\nwlrm_gone = 1\nwlrm_function = \"request\"\n");
    let (is_success, printed, written) = configure(&zip(&launcher));
    assert!(is_success && written.is_some(), "{printed}");
    let line = printed.lines().find(|line| line.contains("wlrm_support_contact")).unwrap();
    assert!(line.starts_with(r"kept          wlrm_support_contact = '\u{9b}31m\u{202e}\u{7f}xxx"), "{line}");
    assert!(line.ends_with('…') && line.len() < 300, "{line}");
    assert!(printed.contains("dropped       wlrm_gone = 1"), "{printed}");
    assert!(!printed.contains(|it: char| it.is_control() && it != '\n'), "{printed:?}");
}

#[test]
fn a_zip_that_inflates_to_gigabytes_is_an_error() {
    let (is_success, printed, written) = configure(&zip(&"#".repeat(64 * 1024 * 1024)));
    assert!(!is_success && written.is_none(), "{printed}");
    assert!(printed.contains("lambda_function.py in the zip is larger than 1048576 bytes"), "{printed}");
    let (is_success, printed, _) = configure(&vec![0; 64 * 1024 * 1024 + 1]);
    assert!(!is_success && printed.contains("old.zip is larger than 67108864 bytes"), "{printed}");
    let (is_success, printed, _) = configure(&zip(&"wlrm_x = 1\n".repeat(50_000)));
    assert!(!is_success && printed.contains("the launcher has more than 200 parameters"), "{printed}");
    assert!(printed.len() < 1_000, "{printed}");
}
