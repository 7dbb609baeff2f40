use super::*;
use proptest::{collection::vec, prelude::*};

fn frames(records: &[&str]) -> Vec<u8> {
    let mut frames = Frames::default();
    for record in records {
        frames.push(RecordKind::Blocked, record.as_bytes());
    }
    frames.bytes
}

/// The records read, and the number of damaged ranges between them.
fn read(bytes: &[u8]) -> (Vec<String>, usize) {
    let (mut records, mut damage) = (Vec::new(), 0);
    for piece in Pieces::new(bytes) {
        match piece {
            Piece::Record(_, record) => records.push(String::from_utf8(record.to_vec()).unwrap()),
            Piece::Damage(_) => damage += 1,
        }
    }
    (records, damage)
}

const RECORDS: [&str; 3] = ["{\"n\":1}", "{}", "{\"n\":\"ÿ\"}"];

#[test]
fn a_torn_write_costs_only_its_record() {
    let whole = frames(&RECORDS);
    let ends = [1, 2, 3].map(|n| frames(&RECORDS[..n]).len());
    for cut in 0..=whole.len() {
        let kept = ends.iter().filter(|end| **end <= cut).count();
        let is_torn = cut != 0 && !ends.contains(&cut);
        let (records, damage) = read(&whole[..cut]);
        assert_eq!(
            (&records[..], damage),
            (&RECORDS.map(str::to_owned)[..kept], usize::from(is_torn)),
            "{cut}"
        );
    }
}

#[test]
fn a_flipped_bit_costs_only_its_record() {
    let whole = frames(&RECORDS);
    let ends = [1, 2, 3].map(|n| frames(&RECORDS[..n]).len());
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let hit = ends.iter().position(|end| bit / 8 < *end).unwrap();
        let others: Vec<_> = (0..3).filter(|n| *n != hit).map(|n| RECORDS[n].to_owned()).collect();
        assert_eq!(read(&flipped), (others, 1), "bit {bit}");
    }
}

#[test]
fn zeros_after_a_power_loss_are_one_damaged_range() {
    let mut bytes = frames(&RECORDS[..1]);
    bytes.resize(bytes.len() + 5000, 0);
    bytes.extend(frames(&RECORDS[1..]));
    assert_eq!(read(&bytes), (RECORDS.map(str::to_owned).to_vec(), 1));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_exactly_the_intact_records(
        records in vec("\\PC{0,40}", 1..8),
        rubbish in vec(any::<u8>(), 1..60),
        offset in any::<prop::sample::Index>(),
    ) {
        let texts: Vec<_> = records.iter().map(String::as_str).collect();
        let mut bytes = frames(&texts);
        let start = offset.index(bytes.len());
        let end = bytes.len().min(start + rubbish.len());
        bytes[start..end].copy_from_slice(&rubbish[..end - start]);
        let intact = (0..texts.len()).filter(|n| {
            let (from, to) = (frames(&texts[..*n]).len(), frames(&texts[..=*n]).len());
            to <= start || end <= from
        });
        let read = read(&bytes).0;
        prop_assert!(read.iter().all(|record| records.contains(record)));
        let mut read = read.into_iter();
        for n in intact {
            prop_assert!(read.by_ref().any(|record| record == records[n]));
        }
    }

    #[test]
    fn pieces_cover_any_bytes(bytes in vec(any::<u8>(), 0..2000)) {
        let sum: usize = Pieces::new(&bytes).map(|piece| match piece {
            Piece::Record(_, record) => HEADER_BYTES + record.len(),
            Piece::Damage(bytes) => bytes,
        }).sum();
        prop_assert_eq!(sum, bytes.len());
    }
}
