use crate::{
    digest::sha256_hex,
    query::Filter,
    sealing::KeyFile,
    seed,
    store::{
        DatabaseUrl, Delivery, Store, ValidRecord,
        search::plan::{Plan, SearchScope},
        sql::statement::Statement,
    },
};
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

fn keys(dir: &TempDir) -> KeyFile {
    KeyFile::in_dir(dir.path())
}

async fn store(dir: &TempDir) -> Store {
    let store = Store::open(&DatabaseUrl::in_dir(dir.path()), &keys(dir)).await.unwrap();
    for batch in seed::batches(600, 500, Timestamp::now()) {
        let (node, now) = (seed::node(), Timestamp::now());
        let records: Vec<_> = batch.into_iter().map(|record| ValidRecord::new(record, now)).collect();
        let delivery = Delivery { node: &node, token: None, status: None, now };
        store.ingest(delivery, &records).await.unwrap();
    }
    store
}

impl Store {
    async fn run(&self, statements: &[&str]) {
        for statement in statements {
            sqlx::query(AssertSqlSafe(*statement)).execute(&self.writer).await.unwrap();
        }
    }

    /// Fails when the index differs from the table.
    async fn check(&self) {
        self.run(&["insert into term_parts (term_parts, rank) values ('integrity-check', 1)"]).await;
    }

    async fn count(&self, from: &str) -> i64 {
        let count = AssertSqlSafe(format!("select count(*) from {from}"));
        sqlx::query_as::<_, (i64,)>(count).fetch_one(&self.reader).await.unwrap().0
    }

    async fn plan(&self, query: &str) -> String {
        let filter = Filter::parse(query, Timestamp::now()).unwrap();
        let mut statement = Statement::new("");
        let searches = Plan::new(&filter, SearchScope::All).into_searches();
        statement.push_matches(&searches[0], self.dialect, 10);
        statement.plan(&self.reader).await.unwrap()
    }
}

#[tokio::test]
async fn texts_of_three_characters_and_more_use_the_trigram_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    for query in ["passwd", "payload:uni*n", "payload:*1_7?abc"] {
        let plan = store.plan(query).await;
        // FTS5 names its lookup: the third column, by `like`.
        assert!(plan.contains("SCAN x VIRTUAL TABLE INDEX 0:L2"), "{query}: {plan}");
    }
    assert!(!store.plan("un").await.contains("VIRTUAL TABLE"));
    for query in ["path:/g*", "host:*.example.net", "parameter:*cmd"] {
        let plan = store.plan(query).await;
        assert!(plan.contains("SEARCH x USING INDEX terms_by_field (field=?)"), "{query}: {plan}");
    }
}

#[tokio::test]
async fn the_trigram_index_follows_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    let all = store.count("terms").await;
    store.check().await;
    store.delete_beyond(300).await.unwrap();
    assert!((1..all).contains(&store.count("terms").await));
    store.check().await;
    store.vacuum().await.unwrap();
    store.check().await;
}

#[tokio::test]
async fn two_processes_can_create_one_database() {
    let dir = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::in_dir(dir.path());
    let keys = keys(&dir);
    let (first, second) = tokio::join!(Store::open(&url, &keys), Store::open(&url, &keys));
    first.unwrap().close().await;
    second.unwrap().close().await;
    let old = store(&dir).await;
    let hosts = "term_parts where text like '%.example.%'";
    let before = old.count(hosts).await;
    assert!(before > 0);
    old.close().await;
    let store = Store::open(&url, &keys).await.unwrap();
    assert_eq!(store.count(hosts).await, before);
    store.check().await;
    store.close().await;
}

/// A database does not open when a migration differs from the one that it was created with.
#[test]
fn a_migration_does_not_change_once_it_is_listed() {
    let sqlite = [
        "9938b888bb31258572fdea5e25090d03341c7321f14006146802db0de828dd9d",
        "ed3d1eee2f10850009d0c1951e075666692965ed684432ca2be4c0ad1ec6e626",
        "e77a47768dca411924b49b75fbf268c871e16197a6d20770decb00e5a1cab2e3",
        "679c6b7bfd97d873f210cba1c905410edf1c86740d777522e008c891438f6aec",
        "24de11e16429d388da72fb2ecf9457fd93548445b34a01b7573fa6da02fab0dc",
        "4ee80985d5b4d5d57f5544f1f2e51678ef0e4ff6a683bd2d62082952a80778f3",
        "e07c6cd99b852d7b1b723bb221b4866f95ac012e49e0bfc537f05cecaed36369",
        "ddfac563863c7ecdbf5bdbb88c90824ff5d9c8e0e2b8c698118ce48d3b305f65",
        "0710c5c108a8ba0135d3d2aeba6f4b082df418ba9458f847272d72e8fed230c7",
        "fe10d93cdc2ed78c121c6194f34aa1387deb733d7f4e511b6b60f49f3e1a2b89",
        "2681094fea711b03d982e1fe7b68adcbbcbc790604a6b440ab5e2b168e4b6269",
        "cf14deec02af18df9b5a9deb0beed757de069a8adc47e5773953ffed28c8ca2a",
        "8037b9d7916126d440df318a117da17379734d7eec1d090b75560e27318c950d",
        "d2edc1ccd5ae50a3743e6892296a17a61888d9dafce3de2bdf19eca435cfa170",
        "7024cde9daefe02c69326a9a88ceadf680b82b4e3dd7b1c92ba14a614be2193c",
        "f9cce8ba247dfa2af989abaa3fe7fd693b35d757804bf0d66ae55eab8639e325",
        "a8d2fe4ceba7ca838e701ea15d5d28d91dee8a9d3a13206534c548033ab164a6",
        "5a02913253ec65a87b4deca84473e815b7f20d2f2aea6f848f83e06173230568",
    ];
    let postgres = [
        "963920033bc5065460cf320501ec598b59309cf4b60f84b63900be7ab23c0175",
        "ed3d1eee2f10850009d0c1951e075666692965ed684432ca2be4c0ad1ec6e626",
        "e77a47768dca411924b49b75fbf268c871e16197a6d20770decb00e5a1cab2e3",
        "679c6b7bfd97d873f210cba1c905410edf1c86740d777522e008c891438f6aec",
        "24de11e16429d388da72fb2ecf9457fd93548445b34a01b7573fa6da02fab0dc",
        "596615a677b5988379a2d18d84e72c8f039457091807b8efc2624911068afa5c",
        "e07c6cd99b852d7b1b723bb221b4866f95ac012e49e0bfc537f05cecaed36369",
        "ddfac563863c7ecdbf5bdbb88c90824ff5d9c8e0e2b8c698118ce48d3b305f65",
        "2272dd8c4587e829b83fe5edf50341d2f809206c28b53b758bd611bc0500ed85",
        "fe10d93cdc2ed78c121c6194f34aa1387deb733d7f4e511b6b60f49f3e1a2b89",
        "3bd978db8f65e076cb56ef5bdd1bde6dda0a421d5fcda3be3a7828526282e836",
        "cf14deec02af18df9b5a9deb0beed757de069a8adc47e5773953ffed28c8ca2a",
        "8037b9d7916126d440df318a117da17379734d7eec1d090b75560e27318c950d",
        "d2edc1ccd5ae50a3743e6892296a17a61888d9dafce3de2bdf19eca435cfa170",
        "7024cde9daefe02c69326a9a88ceadf680b82b4e3dd7b1c92ba14a614be2193c",
        "f9cce8ba247dfa2af989abaa3fe7fd693b35d757804bf0d66ae55eab8639e325",
        "42588abac140185dc0650e3417c0f69a5d40ac7e369fa35fda29ccf64eb02e88",
        "5a02913253ec65a87b4deca84473e815b7f20d2f2aea6f848f83e06173230568",
    ];
    for (migrations, digests) in
        [(sqlx::migrate!("migrations/sqlite"), sqlite), (sqlx::migrate!("migrations/postgres"), postgres)]
    {
        let found: Vec<_> = migrations.iter().map(|it| sha256_hex(it.sql.as_str().as_bytes())).collect();
        assert_eq!(found, digests, "change the schema by a new migration");
    }
}
