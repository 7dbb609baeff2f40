//! Disks that lose, change or reject written bytes.

use super::*;
use std::os::unix::fs::symlink;

fn only_segment(directory: &TempDir) -> PathBuf {
    let sequences = segment::list(directory.path(), Priority::High).unwrap();
    assert_eq!(sequences.len(), 1);
    path(directory.path(), Priority::High, sequences[0])
}

#[test]
fn a_torn_tail_costs_only_its_record() {
    for torn_bytes in [1, 50, 100] {
        let directory = tempfile::tempdir().unwrap();
        fill(&open(&directory, 1 << 20), high_priority, 0..3);
        let torn = only_segment(&directory);
        let length = fs::metadata(&torn).unwrap().len();
        File::options().write(true).open(torn).unwrap().set_len(length - torn_bytes).unwrap();

        let spool = open(&directory, 1 << 20);
        fill(&spool, high_priority, 3..4);
        assert_eq!(deliver(&spool, 2), [0, 1, 3]);
        let stats = spool.stats();
        assert_eq!((stats.lost.damaged, stats.pending), (1, 0));
        assert!(stats.lost.damaged_bytes > 0);
    }
}

#[test]
fn skips_and_counts_a_record_that_changed_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, 1 << 20);
    fill(&spool, high_priority, 0..3);
    let file = only_segment(&directory);
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(deliver(&spool, usize::MAX), [1, 2]);
    assert_eq!((spool.stats().lost.damaged, spool.stats().pending), (1, 0));
}

#[test]
fn a_removed_segment_does_not_block_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, SMALL);
    fill(&spool, high_priority, 0..12);
    let sequences = segment::list(directory.path(), Priority::High).unwrap();
    assert!(sequences.len() > 1);
    fs::remove_file(path(directory.path(), Priority::High, sequences[0])).unwrap();
    assert_eq!(deliver(&spool, usize::MAX).last(), Some(&11));
    assert_eq!((spool.stats().lost.damaged, spool.stats().pending), (1, 0));
}

#[test]
fn a_malformed_state_is_renamed_and_all_records_are_delivered_again() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, 1 << 20);
    fill(&spool, high_priority, 0..3);
    spool.acknowledge(&spool.read(1, usize::MAX).unwrap().unwrap()).unwrap();
    drop(spool);
    fs::write(directory.path().join("state.json"), "").unwrap();
    assert_eq!(deliver(&open(&directory, 1 << 20), usize::MAX), [0, 1, 2]);
    assert!(directory.path().join("state.json.damaged").exists());
}

#[test]
fn a_dropped_segment_is_neither_delivered_nor_counted_again() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, SMALL);
    fill(&spool, high_priority, 0..8);
    let oldest = segment::list(directory.path(), Priority::High).unwrap()[0];
    let oldest = path(directory.path(), Priority::High, oldest);
    let bytes = fs::read(&oldest).unwrap();
    fill(&spool, high_priority, 8..100);
    let dropped = spool.stats().dropped;
    drop(spool);
    // As after a kill between the save of the state and the removal of the file.
    fs::write(&oldest, bytes).unwrap();
    let state = directory.path().join("state.json");
    let mut saved: serde_json::Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    saved["blocked"]["gone"] = serde_json::json!([1]);
    fs::write(&state, saved.to_string()).unwrap();

    let spool = open(&directory, SMALL);
    assert_eq!(spool.stats().dropped, dropped);
    assert_eq!(deliver(&spool, usize::MAX).len() as u64 + dropped, 100);
    assert!(!oldest.exists());
}

#[test]
fn counts_failed_writes_and_recovers() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("spool");
    let config = SpoolConfig {
        directory: directory.clone(),
        max_bytes: 1 << 20,
        sync_interval: Duration::from_millis(1),
    };
    let spool = Spool::open(&config).unwrap();
    let moved = parent.path().join("away");
    fs::rename(&directory, &moved).unwrap();
    for n in 0..3 {
        assert!(spool.append(&[high_priority(n)]).is_err());
    }
    assert!(!spool.is_writable());
    assert!(spool.sync().is_err());
    fs::rename(&moved, &directory).unwrap();
    spool.sync().unwrap();
    assert!(spool.is_writable());
    fill(&spool, high_priority, 3..5);
    assert_eq!(deliver(&spool, usize::MAX), [3, 4]);
    drop(spool);
    assert_eq!(Spool::open(&config).unwrap().stats().lost.dropped.unwritable.not_inspected, 3);
}

#[test]
fn a_full_disk_drops_the_oldest_records_of_low_priority() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory, 1 << 20);
    fill(&spool, low_priority, 0..3);
    symlink("/dev/full", path(directory.path(), Priority::High, 1)).unwrap();
    assert!(matches!(spool.append(&[high_priority(9)]), Err(SpoolError::Io { .. })));
    let dropped = spool.stats().lost.dropped;
    assert_eq!((dropped.full.responses, dropped.unwritable.not_inspected), (3, 1));
    assert_eq!(spool.stats().pending, 0);
}
