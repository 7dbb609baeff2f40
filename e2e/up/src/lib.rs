//! The build of all programs: one cargo invocation, one set of features.

use std::{
    env,
    ffi::OsStr,
    io,
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");

/// The documented port of each part.
pub const PORTS: [(&str, u16); 7] = [
    ("CloudFront", 8000),
    ("origin", 8001),
    ("node", 5050),
    ("console", 3000),
    ("metrics of the node", 9000),
    ("health check of the node", 8080),
    ("status of the node", 10246),
];

/// Fails if documented ports are in use, and names all of them.
pub fn check_ports() -> io::Result<()> {
    check(&PORTS)
}

fn check(ports: &[(&str, u16)]) -> io::Result<()> {
    let in_use = ports.iter().filter(|(_, port)| TcpListener::bind(("127.0.0.1", *port)).is_err());
    let in_use: Vec<_> = in_use.map(|(part, port)| format!("{port} ({part})")).collect();
    if in_use.is_empty() {
        return Ok(());
    }
    let ports = in_use.join(", ");
    Err(io::Error::other(format!(
        "ports in use: {ports}. Stop the processes that use them, or start with --ports random"
    )))
}

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
    fn names_all_ports_in_use_and_no_others() {
        let listeners = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let [one, two] = listeners.each_ref().map(|it| it.local_addr().unwrap().port());
        // Port 0 is any free one.
        let error = check(&[("CloudFront", one), ("origin", 0), ("console", two)]).unwrap_err();
        let expected = format!("ports in use: {one} (CloudFront), {two} (console). Stop");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }

    #[test]
    fn finds_the_programs_above_the_directory_of_tests() {
        assert!(!directory().unwrap().ends_with("deps"));
    }
}
