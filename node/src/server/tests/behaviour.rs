//! What sources do over time, and what follows for their requests.

use super::*;
use shared::{AttackType, Reason};

fn watching(mode: Mode, controls: &str) -> World {
    let mut world = world(mode);
    let config = config_of(&format!("behaviour:\n  controls:\n    - {controls}"));
    Arc::get_mut(&mut world.node).unwrap().behaviour = Arc::new(Behaviour::new(&config.behaviour));
    world
}

async fn verdict(world: &World, path: &str, query: &str) -> Verdict {
    let mut message = get(path, query);
    message["request_id"] = Value::Null;
    world.inspect(&message).await.verdict()
}

/// What is said of a request: blocked or not, why, and as what it is recorded.
fn said(verdict: &Verdict) -> (bool, Option<Reason>, Vec<&str>) {
    let types = verdict.attack_types.iter().map(AttackType::as_str).collect();
    (verdict.action == Action::Block, verdict.reason.clone(), types)
}

#[tokio::test]
async fn who_guesses_too_often_is_denied_for_a_time() {
    let world = watching(Mode::Block, "{type: brute, path: /login, more_than: 2, reaction: deny}");
    for _ in 0..2 {
        assert_eq!(said(&verdict(&world, "/login", "").await), (false, None, vec![]));
    }
    let third = verdict(&world, "/login", "").await;
    assert_eq!(said(&third), (true, Some(Reason::Attack), vec!["brute"]));
    assert_eq!(third.block.unwrap().status, 403);
    assert_eq!(said(&verdict(&world, "/", "").await), (true, Some(Reason::Denylist), vec!["brute"]));
    assert_eq!(world.records().len(), 2);
}

#[tokio::test]
async fn what_is_only_to_be_recorded_passes() {
    let world = watching(Mode::Block, "{type: bola, count: 'get:id', more_than: 1}");
    assert_eq!(said(&verdict(&world, "/", "id=1").await), (false, None, vec![]));
    assert_eq!(said(&verdict(&world, "/", "id=2").await), (false, None, vec!["bola"]));
    assert_eq!(world.attack().decision.outcome, Outcome::Monitored);
}

#[tokio::test]
async fn over_the_rate_the_answer_is_429_with_the_time_to_wait() {
    for mode in [Mode::Block, Mode::Monitoring] {
        let world = watching(mode, "{type: rate_limit, more_than: 1, within: 1m, reaction: limit}");
        verdict(&world, "/", "").await;
        let second = verdict(&world, "/", "").await;
        assert_eq!(said(&second), (mode == Mode::Block, Some(Reason::RateLimit), vec!["rate_limit"]));
        let Some(block) = second.block else { continue };
        assert_eq!(block.status, 429);
        let (_, wait) = block.headers.iter().find(|(name, _)| name == "retry-after").unwrap();
        assert!((1..=60).contains(&wait.parse::<u32>().unwrap()), "{wait}");
    }
}

#[tokio::test]
async fn safe_blocking_blocks_a_source_once_it_has_tried_many_payloads() {
    let world = world(Mode::SafeBlocking);
    let mut blocked = Vec::new();
    for n in 0..6 {
        let verdict = verdict(&world, "/", &format!("x=/etc/passwd%00{n}&y='+or+{n}=1--")).await;
        assert!(!verdict.attack_types.is_empty());
        blocked.push(verdict.action == Action::Block);
    }
    assert_eq!((blocked[0], blocked[5]), (false, true), "{blocked:?}");
    assert_eq!(said(&verdict(&world, "/", "q=shoes").await), (false, None, vec![]));
}

#[tokio::test]
async fn looking_for_pages_that_are_not_there_is_noticed_by_their_answers() {
    let world = watching(Mode::Block, "{type: dirbust, more_than: 1, reaction: deny}");
    for n in 0..2 {
        let request_id = verdict(&world, &format!("/backup{n}"), "").await.request_id;
        let report = json!({"request_id": request_id, "status": 404}).to_string();
        world.post(INSPECT_RESPONSE_PATH, "application/json", report).await;
    }
    assert_eq!(said(&verdict(&world, "/", "").await), (true, Some(Reason::Denylist), vec!["dirbust"]));
}

#[tokio::test]
async fn explaining_a_request_counts_nothing() {
    let world = watching(Mode::Block, "{type: brute, more_than: 1, reaction: deny}");
    let mut request: InspectRequest = serde_json::from_value(get("/", "")).unwrap();
    let (routed, policy) = (world.node.route(&mut request).unwrap(), world.node.policy.get());
    world.node.evaluate(&policy, &request, &routed, None);
    assert_eq!(world.node.behaviour.stats().sources, 0);
}
