//! The maintenance commands of the database.

use crate::{
    postgres_server,
    program::{Console, PROGRAM, json_of, token},
};
use std::{fs, path::Path, process::Command};

/// Runs a command on a data directory. Returns standard output, or standard error if it fails.
pub(crate) fn run(data: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new(PROGRAM).args(args).arg("--data").arg(data).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// The number of hits of the attacks on the first page, with suspicious ones.
fn hits(data: &Path, options: &[&str]) -> u64 {
    let console = Console::start_with(data, options);
    let path = "GET /api/v1/attacks?limit=200&q=status:suspicious,monitoring,partially_blocked,blocked";
    let list = console.call(&token(data, "admin-token"), path, "");
    json_of(&list)["items"].as_array().unwrap().iter().map(|attack| attack["hits"].as_u64().unwrap()).sum()
}

#[test]
fn a_backup_is_restored_into_a_new_directory() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = data.path().join("backup.db");
    let file = file.to_str().unwrap();
    assert_eq!(run(data.path(), &["seed", "--hits", "150"]).unwrap(), "recorded 150 hits\n");
    run(data.path(), &["backup", file]).unwrap();
    assert!(run(data.path(), &["backup", file]).unwrap_err().contains("already exists"));
    let refused = run(other.path(), &["restore", file]).unwrap_err();
    assert!(
        refused.contains("secrets.key does not exist") && refused.contains("restore the file"),
        "{refused}"
    );
    fs::copy(data.path().join("secrets.key"), other.path().join("secrets.key")).unwrap();
    run(other.path(), &["restore", file]).unwrap();
    run(other.path(), &["vacuum"]).unwrap();
    assert_eq!(hits(other.path(), &[]), 150);
    assert!(run(other.path(), &["restore", file]).unwrap_err().contains("is not empty"));
}

#[test]
fn migrates_from_sqlite_to_postgresql() {
    postgres_server::with_server(|server| {
        let data = tempfile::tempdir().unwrap();
        let (url, migrate) = (server.url(), ["migrate", "--from", "sqlite", "--to", "postgres"]);
        let database = ["--database-url", &url];
        assert!(run(data.path(), &migrate).unwrap_err().contains("missing `--database-url`"));
        assert!(run(data.path(), &[&migrate[..], &database].concat()).unwrap_err().contains("no database"));
        run(data.path(), &["seed", "--hits", "150"]).unwrap();
        run(data.path(), &[&migrate[..], &database].concat()).unwrap();
        assert_eq!(hits(data.path(), &database), 150);
    });
}
