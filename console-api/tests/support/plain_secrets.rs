//! A database of a version that stored secrets in plain text.

use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, migrate::Migrator};
use std::{fs, path::Path};

/// A part of every secret.
pub(crate) const MARK: &str = "PLAIN5ecretPLAIN5ecret";
pub(crate) const WEBHOOK: &str = "00000000-0000-7000-8000-000000000801";
pub(crate) const KEY: &str = "00000000-0000-7000-8000-000000000001";

pub(crate) fn webhook_secret() -> String {
    format!("whsec_{MARK}12")
}

pub(crate) fn url() -> String {
    format!("https://hooks.example.com/services/{MARK}")
}

pub(crate) fn signing_secret(key: u32) -> String {
    format!("{MARK}-{key:06}")
}

/// Creates the tables of the last version that stored secrets in plain text, and this number of
/// signing keys, a webhook, and deleted ones.
pub(crate) async fn create(connection: &mut AnyConnection, keys: u32) {
    let all = if connection.backend_name() == "SQLite" {
        sqlx::migrate!("migrations/sqlite")
    } else {
        sqlx::migrate!("migrations/postgres")
    };
    let first = all.migrations[..3].to_vec();
    Migrator { migrations: first.into(), ..Migrator::DEFAULT }.run(&mut *connection).await.unwrap();
    let mut run = async |sql: String| {
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    };
    for key in 1..=keys + 9 {
        let (id, secret) = (format!("00000000-0000-7000-8000-{key:012}"), signing_secret(key));
        run(format!(
            "insert into signing_keys (id, name, secret, created_at) values ('{id}', 'k', '{secret}', 1)"
        ))
        .await;
    }
    run(format!("delete from signing_keys where id > '00000000-0000-7000-8000-{keys:012}'")).await;
    let (url, secret) = (url(), webhook_secret());
    let draft = format!(r#"{{"name":"Ops","url":"{url}","query":"","format":"standard","enabled":true}}"#);
    run(format!(
        "insert into webhooks (id, revision, created_at, updated_at, draft, enabled, secret, dropped) \
         values ('{WEBHOOK}', 1, 1, 1, '{draft}', 'yes', '{secret}', 0)"
    ))
    .await;
    // Each update leaves the bytes of the row before.
    for revision in 2..5 {
        run(format!("update webhooks set revision = {revision}")).await;
    }
    let line = |n: u32, action: &str, before: &str, after: &str| {
        format!(
            "insert into audit (id, at, actor, role, action, kind, object, before, after) values \
             ('00000000-0000-7000-8000-{n:012}', {n}, 'jo', 'admin', '{action}', 'webhook', '{WEBHOOK}', {before}, {after})"
        )
    };
    run(line(1, "create", "null", &format!("'{draft}'"))).await;
    run(line(2, "change", &format!("'{draft}'"), &format!("'{draft}'"))).await;
}

/// The files in a directory that contain a secret in plain text.
pub(crate) fn files_with_plain_text(dir: &Path) -> Vec<String> {
    let contains =
        |path: &Path| fs::read(path).unwrap().windows(MARK.len()).any(|window| window == MARK.as_bytes());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with_plain_text(&path));
        } else if contains(&path) {
            found.push(path.display().to_string());
        }
    }
    found
}
