mod delivery;
mod faults;
mod model;

use super::*;
use frame::{Piece, Pieces};
use jiff::Timestamp;
use segment::path;
use shared::{NotInspected, NotInspectedReason, RequestId, ResponseReport};
use state::QueueState;
use std::{ops::Range, time::Duration};
use tempfile::TempDir;

/// Small enough that a test fills it: segments of 1 kB.
const SMALL: u64 = 4_000;

fn open(directory: &TempDir, max_bytes: u64) -> Spool {
    let directory = directory.path().to_owned();
    Spool::open(&SpoolConfig { directory, max_bytes, sync_interval: Duration::from_millis(1) }).unwrap()
}

/// A record of high priority.
fn high_priority(n: u128) -> Record {
    Record::NotInspected(NotInspected {
        id: Uuid::from_u128(n),
        request_id: RequestId::derive("E1", "a"),
        reason: NotInspectedReason::NodeTimeout,
        at: Timestamp::UNIX_EPOCH,
    })
}

/// A record of low priority.
fn low_priority(n: u128) -> Record {
    Record::Response(ResponseReport {
        request_id: RequestId::derive("E1", "a"),
        connector: None,
        edge_request_id: Some(n.to_string()),
        status: 200,
        headers: Vec::new(),
        logged: None,
        not_inspected: Vec::new(),
    })
}

fn number(record: &Record) -> u128 {
    match record {
        Record::NotInspected(entry) => entry.id.as_u128(),
        Record::Response(report) => report.edge_request_id.as_ref().unwrap().parse().unwrap(),
        Record::Attack(_) | Record::Coverage(_) => panic!("these tests have none"),
    }
}

/// The numbers of the records read.
fn numbers(batch: &Batch) -> Vec<u128> {
    batch.records.iter().map(|record| number(&serde_json::from_slice(record).unwrap())).collect()
}

fn fill(spool: &Spool, record: impl Fn(u128) -> Record, numbers: Range<u128>) {
    for n in numbers {
        spool.append(&[record(n)]).unwrap();
    }
}

/// The numbers of all pending records, delivered in batches of this size.
fn deliver(spool: &Spool, batch_records: usize) -> Vec<u128> {
    let mut delivered = Vec::new();
    while let Some(batch) = spool.read(batch_records, usize::MAX).unwrap() {
        delivered.extend(numbers(&batch));
        spool.acknowledge(&batch).unwrap();
    }
    delivered
}

impl Spool {
    /// The pending records, without delivering them.
    pub(crate) fn waiting(&self) -> Vec<Record> {
        let state = self.files().state();
        let mut records = Vec::new();
        for (priority, QueueState { position, gone }) in
            Priority::ALL.into_iter().zip([state.monitored, state.blocked])
        {
            for sequence in segment::list(&self.directory, priority).unwrap() {
                let offset = if sequence == position.sequence { position.offset } else { 0 };
                if sequence < position.sequence || gone.contains(&sequence) {
                    continue;
                }
                let bytes =
                    segment::read(&path(&self.directory, priority, sequence), offset, u64::MAX).unwrap();
                records.extend(Pieces::new(&bytes).filter_map(|piece| match piece {
                    Piece::Record(_, record) => Some(serde_json::from_slice::<Record>(record).unwrap()),
                    Piece::Damage(_) => None,
                }));
            }
        }
        records
    }
}

#[test]
fn unacknowledged_records_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, 1 << 20);
    fill(&spool, high_priority, 0..5);
    let batch = spool.read(2, usize::MAX).unwrap().unwrap();
    assert_eq!(numbers(&batch), [0, 1]);
    spool.acknowledge(&batch).unwrap();
    drop(spool);

    let spool = open(&directory, 1 << 20);
    assert_eq!(spool.stats().pending, 3);
    fill(&spool, high_priority, 5..7);
    assert_eq!(deliver(&spool, usize::MAX), [2, 3, 4, 5, 6]);
    let empty =
        SpoolStats { pending: 0, pending_bytes: 0, writable: true, dropped: 0, lost: Tally::default() };
    assert_eq!(spool.stats(), empty);
    assert!(
        segment::list(directory.path(), Priority::High).unwrap().len() <= 1,
        "settled segments are removed"
    );
}

#[test]
fn queues_alternate() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, 1 << 20);
    fill(&spool, high_priority, 0..3);
    fill(&spool, low_priority, 10..13);
    assert_eq!(deliver(&spool, 2), [10, 11, 0, 1, 12, 2]);
}

#[test]
fn a_full_spool_drops_and_counts_the_oldest_records_of_low_priority() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, SMALL);
    fill(&spool, high_priority, 0..3);
    fill(&spool, low_priority, 100..200);
    let lost = spool.stats().lost.dropped;
    assert!(lost.full.responses > 0, "{lost:?}");
    assert_eq!(lost.total(), lost.full.responses, "no other kind was dropped");
    assert_eq!((spool.stats().pending + lost.total(), spool.stats().dropped), (103, lost.total()));
    assert!(spool.stats().pending_bytes <= SMALL);
    drop(spool);

    let spool = open(&directory, SMALL);
    assert_eq!(spool.stats().lost.dropped, lost);
    let mut delivered = deliver(&spool, usize::MAX);
    delivered.sort_unstable();
    assert_eq!(delivered, (0..3).chain(100 + u128::from(lost.total())..200).collect::<Vec<_>>());
}

#[test]
fn a_spool_full_of_high_priority_drops_its_oldest_and_rejects_low_priority() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, SMALL);
    fill(&spool, low_priority, 0..10);
    fill(&spool, high_priority, 100..200);
    let lost = spool.stats().lost.dropped.full;
    assert_eq!(lost.responses, 10);
    assert!(lost.not_inspected > 0);
    for n in 0..50 {
        let _ = spool.append(&[low_priority(n)]);
    }
    let after = spool.stats().lost.dropped.full;
    assert_eq!(after.not_inspected, lost.not_inspected);
    assert!(after.responses > lost.responses);
}

#[test]
fn never_drops_a_batch_in_delivery() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, SMALL);
    fill(&spool, high_priority, 0..10);
    let batch = spool.read(5, usize::MAX).unwrap().unwrap();
    fill(&spool, high_priority, 10..100);
    spool.acknowledge(&batch).unwrap();
    let rest = deliver(&spool, usize::MAX);
    assert_eq!(numbers(&batch).len() + rest.len() + usize::try_from(spool.stats().dropped).unwrap(), 100);
}

#[test]
fn rejects_and_counts_a_record_larger_than_a_segment() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, SMALL);
    let mut large = low_priority(1);
    if let Record::Response(report) = &mut large {
        report.headers.push(("x".into(), "x".repeat(2_000)));
    }
    assert!(matches!(spool.append(&[large]), Err(SpoolError::TooLarge { .. })));
    assert_eq!(spool.stats().lost.dropped.too_large.responses, 1);
}

#[test]
fn bounds_the_size_of_dead_letters() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, 1 << 20);
    let large = vec![b'x'; 3 << 20];
    for _ in 0..8 {
        spool.dead_letter(&large, "no such type").unwrap();
    }
    let files = ["rejected.jsonl", "rejected.old.jsonl"]
        .map(|name| fs::metadata(directory.path().join(name)).unwrap());
    assert!(files.iter().all(|file| file.len() < 12 << 20));
    assert_eq!(spool.stats().lost.rejected, 8);
}

#[test]
fn rejects_a_directory_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let _owner = open(&directory, 1 << 20);
    let config = SpoolConfig {
        directory: directory.path().to_owned(),
        max_bytes: 1 << 20,
        sync_interval: Duration::from_millis(1),
    };
    assert!(matches!(Spool::open(&config), Err(SpoolError::InUse(_))));
}

#[test]
fn the_node_id_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let id = || open(&directory, 1 << 20).node_id().unwrap();
    assert_eq!(id(), id());
}
