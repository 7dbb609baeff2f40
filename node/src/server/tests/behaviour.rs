//! Behavior controls and their effect on verdicts.

use super::*;
use shared::{AttackType, Reason};

fn watching(mode: Mode, controls: &str) -> Harness {
    let mut harness = harness(mode);
    let config = config_of(&format!("behaviour:\n  controls:\n    - {controls}"));
    Arc::get_mut(&mut harness.node).unwrap().behaviour = Arc::new(Behaviour::new(&config.behaviour));
    harness
}

async fn verdict(harness: &Harness, path: &str, query: &str) -> Verdict {
    let mut message = get(path, query);
    message["request_id"] = Value::Null;
    harness.inspect(&message).await.verdict()
}

/// The result for a request: blocked or not, the reason, the recorded types.
fn result(verdict: &Verdict) -> (bool, Option<Reason>, Vec<&str>) {
    let types = verdict.attack_types.iter().map(AttackType::as_str).collect();
    (verdict.action == Action::Block, verdict.reason.clone(), types)
}

#[tokio::test]
async fn denies_a_source_above_the_threshold() {
    let harness = watching(Mode::Block, "{type: brute, path: /login, more_than: 2, reaction: deny}");
    for _ in 0..2 {
        assert_eq!(result(&verdict(&harness, "/login", "").await), (false, None, vec![]));
    }
    let third = verdict(&harness, "/login", "").await;
    assert_eq!(result(&third), (true, Some(Reason::Attack), vec!["brute"]));
    assert_eq!(third.block.unwrap().status, 403);
    assert_eq!(result(&verdict(&harness, "/", "").await), (true, Some(Reason::Denylist), vec!["brute"]));
    assert_eq!(harness.records().len(), 2);
}

#[tokio::test]
async fn the_reaction_record_does_not_block() {
    let harness = watching(Mode::Block, "{type: bola, count: 'get:id', more_than: 1}");
    assert_eq!(result(&verdict(&harness, "/", "id=1").await), (false, None, vec![]));
    assert_eq!(result(&verdict(&harness, "/", "id=2").await), (false, None, vec!["bola"]));
    assert_eq!(harness.attack().decision.outcome, Outcome::Monitored);
}

#[tokio::test]
async fn exceeding_a_rate_gives_429_with_retry_after() {
    for mode in [Mode::Block, Mode::Monitoring] {
        let harness = watching(mode, "{type: rate_limit, more_than: 1, within: 1m, reaction: limit}");
        verdict(&harness, "/", "").await;
        let second = verdict(&harness, "/", "").await;
        assert_eq!(result(&second), (mode == Mode::Block, Some(Reason::RateLimit), vec!["rate_limit"]));
        let Some(block) = second.block else { continue };
        assert_eq!(block.status, 429);
        let (_, wait) = block.headers.iter().find(|(name, _)| name == "retry-after").unwrap();
        assert!((1..=60).contains(&wait.parse::<u32>().unwrap()), "{wait}");
    }
}

#[tokio::test]
async fn safe_blocking_blocks_a_source_after_many_payloads() {
    let harness = harness(Mode::SafeBlocking);
    let mut blocked = Vec::new();
    for n in 0..6 {
        let verdict = verdict(&harness, "/", &format!("x=/etc/passwd%00{n}&y='+or+{n}=1--")).await;
        assert!(!verdict.attack_types.is_empty());
        blocked.push(verdict.action == Action::Block);
    }
    assert_eq!((blocked[0], blocked[5]), (false, true), "{blocked:?}");
    assert_eq!(result(&verdict(&harness, "/", "q=shoes").await), (false, None, vec![]));
}

#[tokio::test]
async fn detects_forced_browsing_from_response_reports() {
    let harness = watching(Mode::Block, "{type: dirbust, more_than: 1, reaction: deny}");
    for n in 0..2 {
        let request_id = verdict(&harness, &format!("/backup{n}"), "").await.request_id;
        let report = json!({"request_id": request_id, "status": 404}).to_string();
        harness.post(INSPECT_RESPONSE_PATH, "application/json", report).await;
    }
    assert_eq!(result(&verdict(&harness, "/", "").await), (true, Some(Reason::Denylist), vec!["dirbust"]));
}

#[tokio::test]
async fn explain_counts_nothing() {
    let harness = watching(Mode::Block, "{type: brute, more_than: 1, reaction: deny}");
    let mut request: InspectRequest = serde_json::from_value(get("/", "")).unwrap();
    let (routed, policy) = (harness.node.route(&mut request).unwrap(), harness.node.policy.get());
    harness.node.evaluate(&policy, &request, &routed, None);
    assert_eq!(harness.node.behaviour.stats().sources, 0);
}
