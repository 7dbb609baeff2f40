//! Start and stop: log, exit code, files.

use crate::program::{Console, PROGRAM};
use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

#[test]
fn stops_on_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let mut console = Console::start(dir.path());
    let id = console.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(console.process.wait().unwrap().success());
    let mut rest = String::new();
    console.log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("the console has stopped"), "{rest}");
}

#[test]
fn logs_the_path_of_the_token_file_not_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let console = Console::start(dir.path());
    let file = dir.path().join("admin-token");
    assert!(console.started.contains(file.to_str().unwrap()), "{}", console.started);
    assert!(!console.started.contains("wlc_"), "{}", console.started);
}

#[test]
fn a_token_created_by_the_command_works_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let console = Console::start(dir.path());
    let data = dir.path().to_str().unwrap();
    let created = run(&["token", "create", "--data", data, "--role", "read_only", "--name", "Ann"]);
    let token = String::from_utf8(created.stdout).unwrap();
    assert!(console.call(token.trim(), "GET /api/v1/nodes", "").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_failed_start_reports_its_cause() {
    let dir = tempfile::tempdir().unwrap();
    let console = Console::start(dir.path());
    let data = dir.path().to_str().unwrap();
    let refused = run(&["serve", "--data", data, "--listen", &console.address]);
    let expected = format!("cannot listen on {}", console.address);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains(&expected), "{refused:?}");

    let broken = tempfile::tempdir().unwrap();
    fs::write(broken.path().join("console.db"), "this is no database, though it is long enough").unwrap();
    let refused = run(&["serve", "--data", broken.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(1));
    let file = broken.path().join("console.db");
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(reason.contains(file.to_str().unwrap()) && reason.contains("file is not a database"), "{reason}");

    let url = "mysql://ann:secret@127.0.0.1/console";
    let refused = run(&["serve", "--data", data, "--database-url", url, "--listen", "127.0.0.1:0"]);
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        reason.contains("a database URL must start with postgres://") && !reason.contains("secret"),
        "{reason}"
    );
}

#[test]
fn files_are_readable_by_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let backup = dir.path().join("backup.db");
    let _console = Console::start(&data);
    let saved = run(&["backup", "--data", data.to_str().unwrap(), backup.to_str().unwrap()]);
    assert!(saved.status.success(), "{saved:?}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&backup), 0o600);
    assert_eq!(mode(&data.join("secrets.key")), 0o600);
    for file in fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn the_group_may_read_the_node_token_only_if_configured() {
    let dir = tempfile::tempdir().unwrap();
    let _console = Console::start_with(dir.path(), &["--node-token-group-readable"]);
    let mode = |file: &str| fs::metadata(dir.path().join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("node-token"), mode("admin-token")], [0o640, 0o600]);
}

#[test]
fn starts_while_the_openid_provider_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let (config, secret) = (dir.path().join("console.toml"), dir.path().join("secret"));
    fs::write(&secret, "the-secret").unwrap();
    let section = format!(
        "[oidc]\nissuer = \"http://127.0.0.1:9\"\nclient_id = \"waf\"\nclient_secret_file = {secret:?}\n\
         [oidc.roles]\nsoc = \"analyst\"\n"
    );
    fs::write(&config, section).unwrap();
    let (data, config) = (dir.path().join("data"), config.to_str().unwrap());
    let console = Console::start_with(&data, &["--public-url", "http://127.0.0.1", "--config", config]);
    let page = console.call("", "GET /sign-in", "");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("href=\"/sign-in/oidc\""), "{page}");
    let failed = console.call("", "GET /sign-in/oidc", "");
    assert!(failed.starts_with("HTTP/1.1 502") && failed.contains("does not respond"), "{failed}");

    let refused = run(&["serve", "--data", data.to_str().unwrap(), "--config", config]);
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(reason.contains("the section `oidc` needs `--public-url`"), "{reason}");
}
