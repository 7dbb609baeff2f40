use super::*;
use jiff::Timestamp;
use shared::{NotInspected, NotInspectedReason, RequestId};
use std::time::Duration;

fn config(directory: &Path, max_bytes: u64) -> SpoolConfig {
    SpoolConfig { directory: directory.to_owned(), max_bytes, sync_interval: Duration::from_millis(1) }
}

fn record(n: u128) -> Record {
    Record::NotInspected(NotInspected {
        id: Uuid::from_u128(n),
        request_id: RequestId::derive("E1", "a"),
        reason: NotInspectedReason::NodeTimeout,
        at: Timestamp::UNIX_EPOCH,
    })
}

/// The numbers of the records read.
fn numbers(batch: &Batch) -> Vec<u128> {
    let ids = batch.records.iter().map(|record| match serde_json::from_slice(record).unwrap() {
        Record::NotInspected(entry) => entry.id.as_u128(),
        other => panic!("{other:?}"),
    });
    ids.collect()
}

fn read_all(spool: &Spool) -> Batch {
    spool.read(usize::MAX, usize::MAX).unwrap()
}

fn fill(spool: &Spool, numbers: std::ops::Range<u128>) {
    for n in numbers {
        spool.append(&[record(n)]).unwrap();
    }
}

#[test]
fn what_is_not_acknowledged_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(&config(directory.path(), 1 << 20)).unwrap();
    fill(&spool, 0..5);
    let batch = spool.read(2, usize::MAX).unwrap();
    assert_eq!(numbers(&batch), [0, 1]);
    spool.acknowledge(&batch).unwrap();
    drop(spool);

    let spool = Spool::open(&config(directory.path(), 1 << 20)).unwrap();
    assert_eq!(spool.stats().pending, 3);
    fill(&spool, 5..7);
    assert_eq!(numbers(&read_all(&spool)), [2, 3, 4, 5, 6]);
    spool.acknowledge(&read_all(&spool)).unwrap();
    assert_eq!(
        spool.stats(),
        SpoolStats { pending: 0, pending_bytes: 0, dropped: 0, rejected: 0, damaged: 0 }
    );
    assert_eq!(segment::list(directory.path()).unwrap().len(), 1, "segments that were read are gone");
}

#[test]
fn a_torn_tail_costs_only_the_record_it_tore() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(&config(directory.path(), 1 << 20)).unwrap();
    fill(&spool, 0..3);
    drop(spool);
    let torn = segment::list(directory.path()).unwrap()[0].path(directory.path());
    let length = fs::metadata(&torn).unwrap().len();
    File::options().write(true).open(torn).unwrap().set_len(length - 1).unwrap();

    let spool = Spool::open(&config(directory.path(), 1 << 20)).unwrap();
    fill(&spool, 3..4);
    let batch = read_all(&spool);
    assert_eq!(numbers(&batch), [0, 1, 3]);
    spool.acknowledge(&batch).unwrap();
    assert_eq!((spool.stats().damaged, spool.stats().pending), (1, 0));
}

#[test]
fn a_full_spool_drops_its_oldest_and_counts_them_across_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(&config(directory.path(), 4_000)).unwrap();
    fill(&spool, 0..100);
    let kept = numbers(&read_all(&spool));
    let dropped = spool.stats().dropped;
    assert!(dropped > 0 && *kept.last().unwrap() == 99, "{dropped} {kept:?}");
    assert_eq!(kept.len() as u64 + dropped, 100);
    assert_eq!(spool.stats().pending, kept.len() as u64);
    assert!(spool.stats().pending_bytes <= 4_000);
    drop(spool);
    let spool = Spool::open(&config(directory.path(), 4_000)).unwrap();
    assert_eq!(spool.stats().dropped, dropped);
    assert_eq!(numbers(&read_all(&spool)), kept);
}

#[test]
fn a_batch_that_was_dropped_meanwhile_is_not_counted_twice() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(&config(directory.path(), 4_000)).unwrap();
    fill(&spool, 0..10);
    let batch = spool.read(5, usize::MAX).unwrap();
    fill(&spool, 10..100);
    spool.acknowledge(&batch).unwrap();
    assert_eq!(spool.stats().pending, read_all(&spool).records.len() as u64);
}

#[test]
fn a_spool_has_one_owner() {
    let directory = tempfile::tempdir().unwrap();
    let _owner = Spool::open(&config(directory.path(), 1 << 20)).unwrap();
    let second = Spool::open(&config(directory.path(), 1 << 20));
    assert!(matches!(second, Err(SpoolError::InUse(_))));
}

#[test]
fn the_node_keeps_its_id() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Spool::open(&config(directory.path(), 1 << 20)).unwrap().node_id().unwrap();
    assert_eq!(open(), open());
}
