//! The decision table, evaluated by this crate. Tests of the node and the console share it.

mod table;

use decision::{Evaluator, RouteSettings};
use engine::Engine;
use jiff::Timestamp;
use shared::Action;
use table::Case;

#[test]
fn an_evaluation_agrees_with_every_case() {
    let engine = Engine::new();
    let cases = Case::all();
    assert_eq!(cases.len(), 20 * 3 * 4 * 7);
    for case in cases {
        let policy = case.policy();
        let settings = RouteSettings::of_mode(case.configured, "config");
        let evaluator =
            Evaluator { mode_allow_override: case.allow_override, ..Evaluator::new(&engine, &policy) };
        let evaluation = evaluator.evaluate(&case.request, &settings, Timestamp::UNIX_EPOCH);
        let mut attack_types: Vec<_> =
            evaluation.findings.into_iter().map(|finding| finding.attack_type).collect();
        attack_types.dedup();
        assert_eq!(attack_types, Vec::from_iter(case.expected.attack_type), "{}", case.name);
        assert_eq!(evaluation.mode.mode, case.expected.mode, "{}", case.name);
        assert_eq!(evaluation.ruling.action == Action::Block, case.expected.blocks, "{}", case.name);
    }
}
