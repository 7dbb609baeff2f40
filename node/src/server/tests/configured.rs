//! Effects of the configuration on replies.

use super::*;
use crate::reload::Reload;
use listener::Peer;
use std::{fs, net::SocketAddr};

fn configured(more: &str) -> Harness {
    let harness = harness(Mode::Block);
    harness.node.config.store(Arc::new(config_of(more)));
    harness
}

fn connector(keys: &str) -> Harness {
    let harness = harness(Mode::Block);
    let file = format!(
        "version: 4\nmode: connector-server\nroute_config: {{wallarm_mode: block}}\nconnector: {{address: ':1', {keys}}}\n"
    );
    harness.node.config.store(Arc::new(parsed(&file)));
    harness
}

impl Harness {
    fn counted(&self, reason: &'static str) -> [u64; 2] {
        let metrics = &self.node.metrics;
        [&metrics.rejected, &metrics.bypassed]
            .map(|family| family.get_or_create(&ReasonLabels { reason }).get())
    }
}

#[tokio::test]
async fn a_route_sets_mode_application_and_overlimit() {
    let harness = configured(
        "route_config:\n  wallarm_mode: block\n  overlimit: monitor\n  routes:\n    \
         - {route: /api, wallarm_mode: monitoring, wallarm_application: 7, overlimit: block}\n    \
         - {route: /big, overlimit: block}",
    );
    let verdict = harness.inspect(&get("/%61pi/x", "a=/etc/passwd")).await.verdict();
    assert_eq!((verdict.action, verdict.mode_source.as_str()), (Action::Allow, "route:/api"));
    assert_eq!(harness.attack().request.connector.unwrap().application, Some(7));

    let many: Vec<String> = (0..110_000).map(|n| format!("p{n}=1")).collect();
    let messages = ["/other", "/big"].map(|path| get(path, &many.join("&")));
    for (message, action) in messages.iter().zip([Action::Allow, Action::Block]) {
        assert_eq!(harness.inspect(message).await.verdict().action, action);
    }
}

#[tokio::test]
async fn rejects_and_counts_hosts_that_are_not_allowed() {
    let harness = connector("allowed_hosts: ['*.example.com', h]");
    for (host, status) in [("h:443", 200), ("a.example.com", 200), ("example.com", 403), ("other", 403)] {
        let mut message = get("/", "");
        message["host"] = json!(host);
        assert_eq!(harness.inspect(&message).await.status, status, "{host}");
    }
    assert_eq!(harness.counted("host"), [2, 0]);
}

#[tokio::test]
async fn rejects_and_counts_calls_from_networks_that_are_not_allowed() {
    let harness = connector("allowed_networks: [10.0.0.0/8, '2001:db8::/32']");
    for (peer, status) in [
        ("10.1.2.3:1", 200),
        ("[::ffff:10.1.2.3]:1", 200),
        ("[2001:db8::1]:1", 200),
        ("11.0.0.1:1", 403),
        ("[::1]:1", 403),
    ] {
        let peer: SocketAddr = peer.parse().unwrap();
        let call = Request::post(INSPECT_REQUEST_PATH)
            .header(header::CONTENT_TYPE, "application/json")
            .extension(Peer::new(peer))
            .body(HttpBody::from(get("/", "").to_string()))
            .unwrap();
        assert_eq!(reply(connector_router(harness.node.clone()), call).await.status, status, "{peer}");
    }
    assert_eq!(harness.counted("remote_address"), [2, 0]);
}

#[tokio::test]
async fn without_blocking_attacks_are_recorded_only() {
    let harness = connector("blocking: false");
    let verdict = harness.inspect(&get("/etc/passwd", "")).await.verdict();
    assert_eq!((verdict.action, verdict.mode, verdict.would_block), (Action::Allow, Mode::Block, true));
    assert_eq!(harness.attack().decision.outcome, Outcome::Monitored);
}

#[tokio::test]
async fn a_late_reply_has_the_configured_status() {
    let harness = connector("app_reply_timeout: 0s, app_reply_timeout_code: 503");
    let (status, detail) = harness.inspect(&get("/", "")).await.problem();
    assert_eq!(status, 503);
    assert_eq!(detail, "the response took longer than 0ns, see connector.app_reply_timeout");
    assert_eq!(harness.counted("reply_timeout"), [1, 0]);
}

#[tokio::test]
async fn serves_the_configured_health_path() {
    let harness = connector("external_health_check: {enabled: true, endpoint: '/up/{now}'}");
    for (path, status) in [("/up/%7Bnow%7D", 404), ("/wallarm-external-health", 404)] {
        let call = Request::get(path).body(HttpBody::empty()).unwrap();
        assert_eq!(reply(connector_router(harness.node.clone()), call).await.status, status, "{path}");
    }
    let harness = connector("external_health_check: {enabled: true, endpoint: /up}");
    let call = Request::get("/up").body(HttpBody::empty()).unwrap();
    assert_eq!(reply(connector_router(harness.node.clone()), call).await.status, StatusCode::OK);
}

#[tokio::test]
async fn input_filters_select_requests_and_bypass_takes_precedence() {
    let harness = configured(
        "route_config: {wallarm_mode: block}\ninput_filters:\n  inspect:\n    \
         - {path: '^/api/', headers: {authorization: ^Bearer}}\n    - {ip_addresses: [203.0.113.0/24]}\n  \
         bypass:\n    - {url: '\\.png$'}",
    );
    let bearer = json!([["Authorization", "Bearer x"]]);
    for (ip, path, headers, action) in [
        ("10.0.0.1", "/api/x", bearer.clone(), Action::Block),
        ("10.0.0.1", "/%61pi/x", bearer.clone(), Action::Block),
        ("10.0.0.1", "/api/x", json!([]), Action::Allow),
        ("10.0.0.1", "/x", bearer.clone(), Action::Allow),
        ("203.0.113.5", "/x", json!([]), Action::Block),
        ("203.0.113.5", "/x.png", json!([]), Action::Allow),
    ] {
        let mut message = get(path, "a=/etc/passwd");
        message["client_ip"] = json!(ip);
        message["headers"] = headers;
        assert_eq!(harness.inspect(&message).await.verdict().action, action, "{ip} {path}");
    }
    assert_eq!(harness.counted("input_filters"), [0, 3]);
}

#[tokio::test]
async fn reloads_a_changed_file_and_rejects_an_invalid_one() {
    let harness = harness(Mode::Block);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("node.yaml");
    let write = |mode: &str| {
        let file = format!(
            "version: 4\nmode: connector-server\nconnector: {{address: ':1'}}\nroute_config: {{wallarm_mode: {mode}}}\n"
        );
        fs::write(&path, file).unwrap();
    };
    let mode = || harness.node.config.load().route_config.default.mode.mode;
    let counts =
        || (harness.node.metrics.config_reloads.get(), harness.node.metrics.config_reload_errors.get());
    write("monitoring");
    let mut reload = Reload::new(path.clone(), harness.node.clone()).unwrap();
    reload.check(false);
    assert_eq!((mode(), counts()), (Mode::Block, (0, 0)), "the file is unchanged");
    write("safe_blocking");
    reload.check(false);
    assert_eq!((mode(), counts()), (Mode::SafeBlocking, (1, 0)));
    write("blocking");
    reload.check(false);
    reload.check(false);
    assert_eq!((mode(), counts()), (Mode::SafeBlocking, (1, 1)), "an error is counted once");
    fs::remove_file(&path).unwrap();
    reload.check(false);
    reload.check(true);
    assert_eq!((mode(), counts()), (Mode::SafeBlocking, (1, 2)));
    write("safe_blocking");
    reload.check(true);
    reload.check(true);
    assert_eq!(counts(), (3, 2), "a signal reloads an unchanged file");
}
