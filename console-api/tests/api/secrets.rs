//! Secrets in the database: encrypted with the key file.

use crate::{
    harness::{Console, Database, attack, uuid},
    plain_secrets::{self, KEY, MARK, WEBHOOK},
    rules::admin,
    webhooks::{Receiver, add, deliveries, round},
};
use console_api::{actor::Role, sealing::KeyFile};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use std::fs;

/// The columns of the database that contain a text.
async fn columns_with(database: &Database, text: &str) -> Vec<String> {
    let mut connection = database.connect().await;
    let columns = [
        ("webhooks", "draft"),
        ("webhooks", "secret"),
        ("signing_keys", "secret"),
        ("audit", "coalesce(before, '')"),
        ("audit", "coalesce(after, '')"),
    ];
    let mut found = Vec::new();
    for (table, column) in columns {
        let rows = AssertSqlSafe(format!("select {column} from {table}"));
        let rows = connection.fetch_all(rows).await.unwrap();
        if rows.iter().any(|row| row.get::<String, _>(0).contains(text)) {
            found.push(format!("{table}.{column}"));
        }
    }
    found
}

async fn run(console: &Console, sql: &str) {
    console.database.connect().await.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
}

async fn upgraded() -> Console {
    let database = Database::empty().await;
    plain_secrets::create(&mut database.connect().await, 3).await;
    Console::on(database).await
}

/// The secret of the first signing key.
async fn signing_secret(console: &Console) -> String {
    console.store.signing_secret(KEY.parse().unwrap()).await.unwrap().unwrap().reveal().to_owned()
}

#[tokio::test]
async fn new_secrets_are_stored_encrypted_and_shown_to_administrators() {
    let console = Console::start().await;
    let url = format!("http://127.0.0.1:9/services/{MARK}");
    let (id, secret) = add(&console, &json!({"name": "Ops", "url": url})).await;
    let key = admin(&console, "POST", "/api/v1/connectors/keys", &json!({"name": "shop"})).await.json();
    let key_secret = key["secret"].as_str().unwrap();
    for text in [MARK, &secret["whsec_".len()..], key_secret] {
        assert_eq!(columns_with(&console.database, text).await, Vec::<String>::new());
    }
    assert_eq!(plain_secrets::files_with_plain_text(console.database.dir()), Vec::<String>::new());

    let console = console.restart().await;
    let shown = console.get_as(Role::Admin, &format!("/api/v1/webhooks/{id}")).await.json();
    assert_eq!(shown["url"], url);
    let line = console.get_as(Role::Admin, "/api/v1/audit?object=webhook").await.json()["items"][0].clone();
    assert_eq!(line["after"]["url"], url, "{line}");
    let stored = console.store.signing_secret(key["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    assert_eq!(stored.unwrap().reveal(), key_secret);
}

#[tokio::test]
async fn an_upgrade_encrypts_plain_text_and_erases_its_bytes() {
    let database = Database::empty().await;
    plain_secrets::create(&mut database.connect().await, 3).await;
    let places = ["webhooks.draft", "webhooks.secret", "signing_keys.secret"];
    let found = columns_with(&database, MARK).await;
    assert!(places.iter().all(|place| found.contains(&(*place).to_owned())) && found.len() == 5, "{found:?}");
    if database.is_sqlite() {
        assert_ne!(plain_secrets::files_with_plain_text(database.dir()), Vec::<String>::new());
    }
    let console = Console::on(database).await;
    assert_eq!(columns_with(&console.database, MARK).await, Vec::<String>::new());
    assert_eq!(plain_secrets::files_with_plain_text(console.database.dir()), Vec::<String>::new());
    assert_eq!(console.count("select count(*) from secret_key where is_clean = 'yes'").await, 1);

    assert_eq!(signing_secret(&console).await, plain_secrets::signing_secret(1));
    let due = console.store.webhook(WEBHOOK.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(due.secret.unwrap().reveal(), plain_secrets::webhook_secret());
    assert_eq!(due.webhook.draft.url.reveal(), plain_secrets::url());
    let lines = console.get_as(Role::Admin, "/api/v1/audit?object=webhook").await.json();
    assert_eq!(lines["items"][0]["before"]["url"], plain_secrets::url(), "{lines}");
    assert_eq!(lines["items"][1]["after"]["url"], plain_secrets::url(), "{lines}");
}

#[tokio::test]
async fn a_start_erases_again_what_a_kill_left() {
    let console = upgraded().await;
    run(&console, "update secret_key set is_clean = 'no'").await;
    let console = console.restart().await;
    assert_eq!(console.count("select count(*) from secret_key where is_clean = 'yes'").await, 1);
}

#[tokio::test]
async fn a_backup_has_no_plain_text_and_needs_the_key_file() {
    let console = upgraded().await;
    let dir = tempfile::tempdir().unwrap();
    let at = console_api::store::DatabaseUrl::in_dir(dir.path());
    let backup = console_api::store::Database::open(&at).await.unwrap();
    console.store.database().copy_to(&backup).await.unwrap();
    assert_eq!(plain_secrets::files_with_plain_text(dir.path()), Vec::<String>::new());
    let other = KeyFile::in_dir(dir.path());
    let missing = backup.verify(&other).await.unwrap_err().to_string();
    assert!(missing.contains("secrets.key does not exist"), "{missing}");
    other.load_or_create().unwrap();
    let wrong = backup.verify(&other).await.unwrap_err().to_string();
    assert!(wrong.contains("secrets.key does not contain key"), "{wrong}");
    let restored = Console::copied_from(&backup, &console.database.keys()).await;
    assert_eq!(signing_secret(&restored).await, plain_secrets::signing_secret(1));
}

#[tokio::test]
async fn a_console_with_another_key_file_is_refused() {
    let console = Console::start().await;
    let keys = console.database.keys();
    let saved = fs::read(keys.path()).unwrap();
    fs::remove_file(keys.path()).unwrap();
    let missing = console.database.open().await.map(drop).unwrap_err().to_string();
    assert!(missing.contains("secrets.key does not exist"), "{missing}");
    assert!(!keys.path().exists(), "no new key hides the mistake");
    keys.load_or_create().unwrap();
    let wrong = console.database.open().await.map(drop).unwrap_err().to_string();
    assert!(wrong.contains("secrets.key does not contain key"), "{wrong}");
    fs::write(keys.path(), saved).unwrap();
    console.database.open().await.unwrap();
}

#[tokio::test]
async fn of_two_consoles_that_create_a_database_with_different_keys_one_is_refused() {
    let database = Database::empty().await;
    let dir = tempfile::tempdir().unwrap();
    let (keys, other) = (database.keys(), KeyFile::in_dir(dir.path()));
    // Not the missing file is the error.
    keys.load_or_create().unwrap();
    other.load_or_create().unwrap();
    let (one, another) = (database.locked().await, database.locked().await);
    let (first, second) = tokio::join!(one.unlock(&keys), another.unlock(&other));
    let refused = first.map(drop).err().xor(second.map(drop).err()).unwrap().to_string();
    assert!(refused.contains("secrets.key does not contain key"), "{refused}");
}

#[tokio::test]
async fn an_unreadable_secret_fails_only_the_deliveries_of_its_webhook() {
    let console = Console::start().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let (intact, secret) = add(&console, &json!({"name": "intact", "url": url})).await;
    let (broken, _) = add(&console, &json!({"name": "broken", "url": url})).await;
    // As an attacker with access to the database: secrets of another row.
    for column in ["secret", "draft"] {
        let copied = format!("(select {column} from webhooks where id = '{intact}')");
        run(&console, &format!("update webhooks set {column} = {copied} where id = '{broken}'")).await;
    }
    console.ingest(&[attack(1, 0)]).await;
    round(&console, 0).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 1);
    calls[0].is_signed_with(&secret);
    let failed = &deliveries(&console, &broken, "").await[0];
    let expected = format!("table webhooks, row {broken}: column secret cannot be decrypted: ");
    assert!(failed["error"].as_str().unwrap().starts_with(&expected), "{failed}");

    let list = console.get_as(Role::Admin, "/api/v1/webhooks").await.json();
    let urls: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|webhook| &webhook["url"]).collect();
    assert_eq!(urls, [&json!("(cannot be decrypted)"), &json!(url)]);
    let tested =
        admin(&console, "POST", &format!("/api/v1/webhooks/{broken}/test"), &Value::Null).await.json();
    assert!(tested["error"].as_str().unwrap().starts_with(&expected), "{tested}");
    let audit = console.get_as(Role::Admin, "/api/v1/audit").await;
    assert_eq!(audit.status, 200, "{}", audit.text);
    run(&console, &format!("delete from webhooks where id = '{intact}'")).await;
    let page = console.get_as(Role::Admin, "/webhooks").await;
    assert!(page.text.contains("(cannot be decrypted)"), "{}", page.text);
}

#[tokio::test]
async fn a_rotation_reaches_a_running_console_and_the_old_key_can_be_dropped() {
    let console = upgraded().await;
    let keys = console.database.keys();
    let old = keys.load().unwrap().unwrap();
    let rotation = console.database.locked().await.rotate_key(&keys).await.unwrap();
    // Three signing keys, a webhook's secret and URL, three URLs in the audit log.
    assert_eq!((rotation.encrypted, rotation.unreadable), (8, 0));
    assert_eq!(rotation.old, [old.current().clone()]);
    assert_eq!(columns_with(&console.database, old.current().as_str()).await, Vec::<String>::new());
    assert_eq!(signing_secret(&console).await, plain_secrets::signing_secret(1));
    add(&console, &json!({"name": "new", "url": "http://127.0.0.1:9/"})).await;

    let current = fs::read_to_string(keys.path()).unwrap();
    let current = current.lines().find(|line| !line.starts_with('#')).unwrap();
    fs::write(keys.path(), current).unwrap();
    let console = console.restart().await;
    let list = console.get_as(Role::Admin, "/api/v1/webhooks").await.json();
    assert_eq!(list["items"][0]["url"], "http://127.0.0.1:9/");
    assert_eq!(list["items"][1]["url"], plain_secrets::url());
    assert_eq!(signing_secret(&console).await, plain_secrets::signing_secret(1));
}

#[tokio::test]
async fn an_interrupted_rotation_is_finished_without_another_key() {
    let console = upgraded().await;
    let keys = console.database.keys();
    let text = fs::read_to_string(keys.path()).unwrap();
    // Killed between the file and the database.
    let new = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    fs::write(keys.path(), format!("{new}\n{text}")).unwrap();
    let rotation = console.database.locked().await.rotate_key(&keys).await.unwrap();
    assert_eq!((rotation.encrypted, rotation.old.len()), (8, 1));
    assert_eq!(fs::read_to_string(keys.path()).unwrap(), format!("{new}\n{text}"));
    let again = console.database.locked().await.rotate_key(&keys).await.unwrap();
    assert_eq!((again.encrypted, again.old.len()), (8, 2));
}

#[tokio::test]
async fn a_start_encrypts_with_a_key_that_was_added_by_hand() {
    let console = upgraded().await;
    let keys = console.database.keys();
    let old = keys.load().unwrap().unwrap();
    let text = fs::read_to_string(keys.path()).unwrap();
    fs::write(keys.path(), format!("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\n{text}")).unwrap();
    let console = console.restart().await;
    assert_eq!(columns_with(&console.database, old.current().as_str()).await, Vec::<String>::new());
    assert_eq!(signing_secret(&console).await, plain_secrets::signing_secret(1));
}

#[tokio::test]
async fn a_lost_key_costs_the_secrets_and_nothing_else() {
    let console = upgraded().await;
    console.ingest(&[attack(1, 0)]).await;
    let keys = console.database.keys();
    fs::remove_file(keys.path()).unwrap();
    let done = console.database.locked().await.replace_lost_key(&keys).await.unwrap();
    assert_eq!((done.encrypted, done.unreadable), (0, 8));
    let console = console.restart().await;
    console.only_attack().await;
    let error = console.store.signing_secret(KEY.parse().unwrap()).await.map(drop).unwrap_err().to_string();
    assert!(error.starts_with(&format!("table signing_keys, row {KEY}: column secret cannot be")), "{error}");
    let list = console.get_as(Role::Admin, "/api/v1/webhooks").await.json();
    assert_eq!(list["items"][0]["url"], "(cannot be decrypted)", "{list}");
    let path = format!("/api/v1/webhooks/{WEBHOOK}/secret");
    let rotate = crate::rules::call(Role::Admin, "POST", &path, Some("\"4\""), &json!({"overlap_hours": 24}));
    let rotated = crate::harness::send(&console.router, rotate).await.json();
    assert_eq!(rotated["previous_secret_until"], rotated["updated_at"], "no overlap: {rotated}");
    let delete = |path: String, revision: Option<u32>| {
        let call = axum::http::Request::delete(path)
            .header("authorization", format!("Bearer {}", crate::harness::token_of(Role::Admin)));
        let call = match revision {
            Some(revision) => call.header("if-match", format!("\"{revision}\"")),
            None => call,
        };
        crate::harness::send(&console.router, call.body(axum::body::Body::empty()).unwrap())
    };
    assert_eq!(delete(format!("/api/v1/webhooks/{WEBHOOK}"), Some(5)).await.status, 204);
    assert_eq!(delete(format!("/api/v1/connectors/keys/{}", uuid(1)), None).await.status, 204);
}
