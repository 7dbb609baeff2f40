//! The decision table shared with the console's simulation, decided by a real node.

#[path = "../../../decision/tests/cases/table.rs"]
mod table;

use super::*;
use table::{Case, Expected};

#[tokio::test]
async fn a_node_agrees_with_every_case_of_the_shared_table() {
    let mut harness = harness(Mode::Off);
    let config = config_of("behaviour: {payloads: {enabled: false}}");
    Arc::get_mut(&mut harness.node).unwrap().behaviour = Arc::new(Behaviour::new(&config.behaviour));
    for case in Case::all() {
        let (mode, allowed) = (case.configured, case.allow_override.as_str());
        harness.node.config.store(Arc::new(config_of(&format!(
            "route_config: {{wallarm_mode: '{mode}', wallarm_mode_allow_override: '{allowed}'}}"
        ))));
        harness.node.policy.replace(case.policy());
        let verdict = harness.inspect(&serde_json::to_value(&case.request).unwrap()).await.verdict();
        let decided = Expected {
            mode: verdict.mode,
            attack_type: verdict.attack_types.first().cloned(),
            blocks: verdict.action == Action::Block,
        };
        assert_eq!(decided, case.expected, "{}", case.name);
        assert!(verdict.attack_types.len() <= 1, "{}", case.name);
    }
}
