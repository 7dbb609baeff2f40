use crate::{
    attack::Order,
    paging::Slice,
    query::{Filter, TimeRange},
    sealing::KeyFile,
    store::{DatabaseUrl, Store, StoreError, sql::statement::Statement},
};
use jiff::Timestamp;
use std::time::Duration;
use tempfile::TempDir;

const ENDLESS: &str =
    "with recursive n (x) as (select 1 union all select x + 1 - 1 from n) select count(*) from n";

/// A new SQLite database.
async fn store(dir: &TempDir, search_time: Duration) -> Store {
    let (at, keys) = (DatabaseUrl::in_dir(dir.path()), KeyFile::in_dir(dir.path()));
    Store::open_with(&at, &keys, search_time).await.unwrap()
}

async fn endless(store: &Store) -> Result<(i64,), StoreError> {
    Statement::new(ENDLESS).fetch_tuple(&store.searcher).await
}

async fn list(store: &Store) -> Result<usize, StoreError> {
    let slice = Slice { limit: 10, after: None };
    Ok(store.attacks(&Filter::default(), Order::default(), &slice).await?.items.len())
}

#[tokio::test]
async fn a_statement_is_interrupted_at_its_time_limit() {
    let dir = tempfile::tempdir().unwrap();
    let limit = Duration::from_millis(50);
    let store = store(&dir, limit).await;
    for _ in 0..2 {
        let error = endless(&store).await.unwrap_err();
        assert!(matches!(error, StoreError::SearchTime { limit: it } if it == limit), "{error}");
    }
    assert_eq!(list(&store).await.unwrap(), 0, "the connections work again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_searches_of_two_calls_leave_connections_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir, Duration::from_mins(10)).await;
    let endless: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { endless(&store).await })
        })
        .collect();
    while store.searcher.in_use() < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(list(&store).await.unwrap(), 0);
    assert_eq!(
        store.stats(&Filter::default(), TimeRange::default(), Timestamp::UNIX_EPOCH).await.unwrap().attacks,
        0
    );
    assert!(endless.iter().all(|search| !search.is_finished()));
    // A caller that leaves ends its search.
    endless.iter().for_each(tokio::task::JoinHandle::abort);
    while store.searcher.in_use() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(list(&store).await.unwrap(), 0);
}
