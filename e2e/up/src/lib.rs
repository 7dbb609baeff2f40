//! The build of all programs: one cargo invocation, one set of features.

use std::{
    env,
    ffi::OsStr,
    io,
    path::PathBuf,
    process::{Command, Stdio},
};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");

/// Builds every program of the workspace that is out of date, in the profile of the running
/// program, and returns the directory they are in. Cargo's progress goes to standard error.
pub fn build() -> io::Result<PathBuf> {
    let directory = directory()?;
    let profile = match directory.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The workspace has no examples, but this is how `cargo build` selects the features that `cargo
    // test` does.
    cargo.args(["build", "--workspace", "--bins", "--examples", "--profile", profile]);
    cargo.args(["--manifest-path", MANIFEST]).stdin(Stdio::null());
    for (name, _) in env::vars_os().filter(|(name, _)| is_set_by_cargo(name)) {
        cargo.env_remove(name);
    }
    let status = cargo.status().map_err(|error| io::Error::other(format!("cannot run cargo: {error}")))?;
    if status.success() {
        Ok(directory)
    } else {
        Err(io::Error::other(format!("cargo build failed ({status}); its errors are above")))
    }
}

/// The directory of the programs that were built together with the running one.
pub fn directory() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    // Tests and benches are in `deps`, one level below the programs.
    let directory = program.ancestors().skip(1).find(|directory| !directory.ends_with("deps"));
    directory.map(PathBuf::from).ok_or_else(|| io::Error::other("the running program has no directory"))
}

/// Whether `cargo run` or `cargo test` set this variable for its program. Build scripts watch some
/// of them (ring's: `CARGO_MANIFEST_DIR`), so that handing them down would rebuild half of the
/// dependencies each time.
fn is_set_by_cargo(name: &OsStr) -> bool {
    const PREFIXES: [&str; 3] = ["CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    const NAMES: [&str; 5] =
        ["CARGO", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
    name.to_str()
        .is_some_and(|name| NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_users_variables_and_drops_those_of_the_outer_cargo() {
        let kept = ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_INCREMENTAL", "RUSTFLAGS", "PATH"];
        assert!(!kept.iter().any(|name| is_set_by_cargo(OsStr::new(name))));
        let dropped = ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_BIN_EXE_up"];
        assert!(dropped.iter().all(|name| is_set_by_cargo(OsStr::new(name))));
    }

    #[test]
    fn finds_the_programs_above_the_directory_of_tests() {
        assert!(!directory().unwrap().ends_with("deps"));
    }
}
