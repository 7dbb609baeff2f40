//! The key file of secrets: wrong keys, rotation, and kill -9 in the middle.

use crate::{
    maintenance::run,
    plain_secrets::{self, KEY},
    postgres_server,
    program::{Console, PROGRAM, json_of, token},
};
use serde_json::Value;
use sqlx::{AnyConnection, Connection as _, Executor as _};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// Enough for the encryption to take a while: in a debug build, it runs from about 100 to 350 ms after
/// the start, and erases until 450 ms.
const KEYS: u32 = 900;
/// With a webhook's secret and URL, and three URLs in the audit log.
const SECRETS: u32 = KEYS + 5;
const DELAYS: [u64; 10] = [20, 60, 100, 150, 200, 250, 300, 350, 400, 500];

/// Writes a database with secrets in plain text.
fn old_database(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(url).await.unwrap();
        plain_secrets::create(&mut connection, KEYS).await;
        connection.close().await.unwrap();
    });
}

fn old_directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    old_database(&format!("sqlite:{}?mode=rwc", dir.path().join("console.db").display()));
    assert_ne!(plain_secrets::files_with_plain_text(dir.path()), Vec::<String>::new());
    dir
}

/// The tables' files of a PostgreSQL server that contain a secret in plain text.
fn tables_with_plain_text(url: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let data: String = runtime.block_on(async {
        let mut connection = AnyConnection::connect(url).await.unwrap();
        connection.execute("checkpoint").await.unwrap();
        sqlx::query_scalar("show data_directory").fetch_one(&mut connection).await.unwrap()
    });
    plain_secrets::files_with_plain_text(&Path::new(&data).join("base"))
}

/// Runs the program and kills it after a time.
fn kill_after(delay: u64, data: &Path, args: &[&str]) {
    let mut process = Command::new(PROGRAM)
        .args(args)
        .arg("--data")
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(delay));
    process.kill().unwrap();
    process.wait().unwrap();
}

/// All secrets can be read with the key file: a rotation reads each of them.
#[track_caller]
fn assert_readable(data: &Path, database: &[&str]) {
    let rotated = run(data, &[&["rotate-key"], database].concat()).unwrap();
    assert!(rotated.starts_with(&format!("encrypted {SECRETS} secrets")), "{rotated}");
    assert!(!rotated.contains("unreadable"), "{rotated}");
}

#[test]
fn a_wrong_key_file_stops_the_start_with_its_name_and_the_way_out() {
    let data = tempfile::tempdir().unwrap();
    drop(Console::start(data.path()));
    let file = data.path().join("secrets.key");
    fs::rename(&file, data.path().join("saved.key")).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let missing = run(data.path(), &serve).unwrap_err();
    assert!(missing.contains(&format!("{} does not exist", file.display())), "{missing}");
    let other = tempfile::tempdir().unwrap();
    drop(Console::start(other.path()));
    fs::copy(other.path().join("secrets.key"), &file).unwrap();
    let wrong = run(data.path(), &serve).unwrap_err();
    assert!(wrong.contains(&format!("{} does not contain key", file.display())), "{wrong}");
    assert!(wrong.contains("rotate-key --lost-key"), "{wrong}");
    let saved = data.path().join("saved.key");
    drop(Console::start_with(data.path(), &["--key-file", saved.to_str().unwrap()]));
    let done = run(data.path(), &["rotate-key", "--lost-key"]).unwrap();
    assert!(done.starts_with("encrypted 0 secrets with the key "), "{done}");
    drop(Console::start(data.path()));
}

#[test]
fn a_key_file_that_everyone_can_read_is_reported() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    drop(Console::start(data.path()));
    let file = data.path().join("secrets.key");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let console = Console::start(data.path());
    assert!(console.started.contains("every user can read the key file"), "{}", console.started);
}

#[test]
fn a_kill_during_the_first_encryption_is_harmless() {
    let old = old_directory();
    for delay in DELAYS {
        let data = tempfile::tempdir().unwrap();
        fs::copy(old.path().join("console.db"), data.path().join("console.db")).unwrap();
        kill_after(delay, data.path(), &["serve", "--listen", "127.0.0.1:0"]);
        let console = Console::start(data.path());
        let left = plain_secrets::files_with_plain_text(data.path());
        assert_eq!(left, Vec::<String>::new(), "killed after {delay} ms");
        let backup = data.path().join("backup.db");
        run(data.path(), &["backup", backup.to_str().unwrap()]).unwrap();
        let left = plain_secrets::files_with_plain_text(data.path());
        assert_eq!(left, Vec::<String>::new(), "killed after {delay} ms");
        drop(console);
        assert_readable(data.path(), &[]);
    }
}

#[test]
fn a_killed_rotation_can_be_run_again() {
    let data = old_directory();
    run(data.path(), &["vacuum"]).unwrap();
    for delay in DELAYS {
        kill_after(delay, data.path(), &["rotate-key"]);
        assert_readable(data.path(), &[]);
    }
    assert_eq!(plain_secrets::files_with_plain_text(data.path()), Vec::<String>::new());
}

#[test]
fn postgresql_survives_kills_during_encryption_and_rotation() {
    postgres_server::with_server(|server| {
        let (data, url) = (tempfile::tempdir().unwrap(), server.url());
        let database = ["--database-url", &url];
        old_database(&url);
        assert_ne!(tables_with_plain_text(&url), Vec::<String>::new());
        for delay in DELAYS {
            kill_after(delay, data.path(), &[&["serve", "--listen", "127.0.0.1:0"], &database[..]].concat());
        }
        for delay in DELAYS {
            kill_after(delay, data.path(), &[&["rotate-key"], &database[..]].concat());
        }
        assert_readable(data.path(), &database);
        assert_eq!(tables_with_plain_text(&url), Vec::<String>::new());
    });
}

#[test]
fn a_running_console_follows_a_rotation() {
    let data = old_directory();
    let bundle = format!(r#"{{"function": "request", "signing_key": "{KEY}"}}"#);
    let console = Console::start(data.path());
    let admin = token(data.path(), "admin-token");
    assert_readable(data.path(), &[]);
    let list = json_of(&console.call(&admin, "GET /api/v1/webhooks", ""));
    assert_eq!(list["items"][0]["url"], plain_secrets::url(), "{list}");
    // The key is read before the bundle: there is none in this folder.
    let answer = console.call(&admin, "POST /api/v1/connectors/cloudfront/bundle", &bundle);
    let problem: Value = json_of(&answer);
    assert_eq!(problem["status"], 409, "{answer}");
}
