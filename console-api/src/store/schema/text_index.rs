//! An index of the parts of texts: a word is found without reading all of them. Both databases cut each text into all runs of
//! three signs (SQLite's FTS5, PostgreSQL's `pg_trgm`), and neither's way of saying so is known to the other.

use crate::store::{Connection, sql::dialect::Dialect};
use sqlx::Connection as _;

/// Takes the place of the view `term_parts`. Rows are known by number, so the table gets numbers that stay.
const FTS5: [&str; 10] = [
    "drop view term_parts",
    "create table numbered_terms (number integer primary key, id blob not null unique, field text not null, \
     text text not null)",
    "insert into numbered_terms (id, field, text) select id, field, text from terms",
    "drop table terms",
    "alter table numbered_terms rename to terms",
    "create index terms_by_field on terms (field) where field <> 'payload'",
    // What is found is read from the table: where a run stands, and how long texts are, is of no use.
    "create virtual table term_parts using fts5 (id unindexed, field unindexed, text, content = 'terms', \
     content_rowid = 'number', tokenize = 'trigram', detail = 'none', columnsize = 0)",
    "create trigger terms_made after insert on terms begin \
     insert into term_parts (rowid, text) values (new.number, new.text); end",
    "create trigger terms_forgotten after delete on terms begin \
     insert into term_parts (term_parts, rowid, text) values ('delete', old.number, old.text); end",
    "insert into term_parts (term_parts) values ('rebuild')",
];

/// The extension belongs to the whole database, whichever schema a console has; consoles that start together wait for each other.
const PG_TRGM: &str = "do $$ declare place text; begin \
    perform pg_advisory_xact_lock(hashtext('term_parts')); \
    create extension if not exists pg_trgm schema public; \
    select nspname into place from pg_extension join pg_namespace n on n.oid = extnamespace where extname = 'pg_trgm'; \
    execute format('create index if not exists terms_by_part on terms using gin (text %I.gin_trgm_ops)', place); end $$";

/// Makes the index, once.
pub(crate) async fn make(connection: &mut Connection) -> Result<(), sqlx::Error> {
    match Dialect::of(connection) {
        Dialect::Sqlite => make_fts5(connection).await,
        Dialect::Postgres => make_pg_trgm(connection).await,
    }
}

async fn make_pg_trgm(connection: &mut Connection) -> Result<(), sqlx::Error> {
    match sqlx::query(PG_TRGM).execute(connection).await {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(cause)) => {
            tracing::warn!(
                %cause,
                "searches read all texts: let an administrator say `create extension pg_trgm`, then start again"
            );
            Ok(())
        }
        Err(cause) => Err(cause),
    }
}

async fn make_fts5(connection: &mut Connection) -> Result<(), sqlx::Error> {
    if is_made(connection).await? {
        return Ok(());
    }
    // Another process may have begun: it is waited for.
    let mut transaction = connection.begin_with(Dialect::Sqlite.begin_ingest()).await?;
    if !is_made(&mut transaction).await? {
        for statement in FTS5 {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await
}

async fn is_made(connection: &mut Connection) -> Result<bool, sqlx::Error> {
    let view = "select 1 from sqlite_master where type = 'view' and name = 'term_parts'";
    Ok(sqlx::query(view).fetch_optional(connection).await?.is_none())
}

#[cfg(test)]
mod tests {
    use crate::{
        query::Filter,
        seed,
        store::{
            DatabaseUrl, Store,
            search::plan::{Plan, SearchScope},
            sql::statement::Statement,
        },
    };
    use jiff::Timestamp;
    use shared::Record;
    use sqlx::AssertSqlSafe;

    async fn store(url: &DatabaseUrl) -> Store {
        let store = Store::open(url).await.unwrap();
        for batch in seed::batches(600, 500, Timestamp::now()) {
            let records: Vec<&Record> = batch.iter().collect();
            store.ingest(&seed::node(), None, Timestamp::now(), &records).await.unwrap();
        }
        store
    }

    impl Store {
        async fn run(&self, statements: &[&str]) {
            for statement in statements {
                sqlx::query(AssertSqlSafe(*statement)).execute(&self.writer).await.unwrap();
            }
        }

        /// Fails when the index has other texts than the table.
        async fn check(&self) {
            self.run(&["insert into term_parts (term_parts, rank) values ('integrity-check', 1)"]).await;
        }

        async fn count(&self, from: &str) -> i64 {
            let count = AssertSqlSafe(format!("select count(*) from {from}"));
            sqlx::query_as::<_, (i64,)>(count).fetch_one(&self.reader).await.unwrap().0
        }

        async fn plan(&self, query: &str) -> String {
            let filter = Filter::parse(query, Timestamp::now()).unwrap();
            let mut statement = Statement::new("explain query plan ");
            let searches = Plan::new(&filter, SearchScope::All).into_searches();
            statement.push_matches(&searches[0], self.dialect, 10);
            let rows: Vec<(i64, i64, i64, String)> = statement.fetch_all(&self.reader).await.unwrap();
            rows.into_iter().map(|(.., step)| step + "\n").collect()
        }
    }

    #[tokio::test]
    async fn words_of_three_signs_and_more_are_looked_up() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&DatabaseUrl::in_dir(dir.path())).await;
        for query in ["passwd", "payload:uni*n", "payload:*1_7?abc"] {
            let plan = store.plan(query).await;
            // FTS5 names what it looks up: the third column, by `like`.
            assert!(plan.contains("SCAN x VIRTUAL TABLE INDEX 0:L2"), "{query}: {plan}");
        }
        assert!(!store.plan("un").await.contains("VIRTUAL TABLE"));
        for query in ["path:/g*", "host:*.example.net", "parameter:*cmd"] {
            let plan = store.plan(query).await;
            assert!(plan.contains("SEARCH x USING INDEX terms_by_field (field=?)"), "{query}: {plan}");
        }
    }

    #[tokio::test]
    async fn the_index_has_what_the_table_has() {
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::in_dir(dir.path());
        let store = store(&url).await;
        let all = store.count("terms").await;
        store.check().await;
        store.forget_beyond(300).await.unwrap();
        assert!((1..all).contains(&store.count("terms").await));
        store.check().await;
        store.vacuum().await.unwrap();
        store.check().await;
    }

    #[tokio::test]
    async fn a_database_without_the_index_gets_one() {
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::in_dir(dir.path());
        let old = store(&url).await;
        let hosts = "term_parts where text like '%.example.%'";
        let before = old.count(hosts).await;
        assert!(before > 0);
        old.run(&[
            "drop trigger terms_made",
            "drop trigger terms_forgotten",
            "drop table term_parts",
            "create view term_parts as select id, field, text from terms",
        ])
        .await;
        old.close().await;
        // Two processes at once.
        let (store, other) = tokio::join!(Store::open(&url), Store::open(&url));
        let store = store.unwrap();
        other.unwrap().close().await;
        assert_eq!(store.count(hosts).await, before);
        store.check().await;
        store.close().await;
    }
}
