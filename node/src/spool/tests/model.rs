//! A model test: under any sequence of events each record is delivered, pending or counted as
//! dropped, exactly once.

use super::*;
use proptest::{collection::vec, prelude::*};

#[derive(Debug, Clone)]
enum Step {
    Append { is_high_priority: bool },
    Read { records: usize },
    Acknowledge,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => any::<bool>().prop_map(|is_high_priority| Step::Append { is_high_priority }),
        2 => (1..8usize).prop_map(|records| Step::Read { records }),
        3 => Just(Step::Acknowledge),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_record_has_exactly_one_outcome(steps in vec(step(), 1..120)) {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Some(open(&directory, 2_000));
        let (mut appended, mut delivered, mut batch) = (0, Vec::new(), None);
        for step in steps {
            let current = spool.take().unwrap();
            match step {
                Step::Append { is_high_priority } => {
                    let record = if is_high_priority { high_priority(appended) } else { low_priority(appended) };
                    let _ = current.append(&[record]);
                    appended += 1;
                }
                Step::Read { records } => batch = current.read(records, usize::MAX).unwrap(),
                Step::Acknowledge => {
                    if let Some(batch) = batch.take() {
                        delivered.extend(numbers(&batch));
                        current.acknowledge(&batch).unwrap();
                    }
                }
                Step::Restart => {
                    batch = None;
                    current.sync().unwrap();
                    drop(current);
                    spool = Some(open(&directory, 2_000));
                    continue;
                }
            }
            let stats = current.stats();
            prop_assert_eq!(delivered.len() as u128 + u128::from(stats.pending + stats.dropped), appended);
            prop_assert!(stats.pending_bytes <= 2_000);
            spool = Some(current);
        }
        let spool = spool.unwrap();
        let pending = spool.stats().pending;
        let rest = deliver(&spool, 3);
        prop_assert_eq!(rest.len() as u64, pending);
        delivered.extend(rest);
        let all = delivered.len();
        delivered.sort_unstable();
        delivered.dedup();
        prop_assert_eq!(delivered.len(), all, "one was delivered twice");
    }
}
