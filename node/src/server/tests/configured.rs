//! What the configuration changes in the answers.

use super::*;
use crate::metrics::ReasonLabels;

fn configured(more: &str) -> World {
    let world = world(Mode::Block);
    world.node.config.store(Arc::new(config_of(more)));
    world
}

#[tokio::test]
async fn the_route_gives_mode_application_and_what_becomes_of_the_oversized() {
    let world = configured(
        "route_config:\n  wallarm_mode: block\n  routes:\n    \
         - {route: /api, wallarm_mode: monitoring, wallarm_application: 7, overlimit: block}\n    \
         - {route: /big, overlimit: block}",
    );
    let verdict = world.inspect(&get("/%61pi/x", "a=/etc/passwd")).await.verdict();
    assert_eq!((verdict.action, verdict.mode_source.as_str()), (Action::Allow, "route:/api"));
    assert_eq!(world.attack().request.connector.unwrap().application, Some(7));

    let many: Vec<String> = (0..30_000).map(|n| format!("p{n}=1")).collect();
    let actions = ["/other", "/big"].map(|path| get(path, &many.join("&")));
    for (message, action) in actions.iter().zip([Action::Allow, Action::Block]) {
        assert_eq!(world.inspect(message).await.verdict().action, action);
    }
}

#[tokio::test]
async fn hosts_that_are_not_allowed_are_refused_and_counted() {
    let world = world(Mode::Block);
    let file = "version: 4\nmode: connector-server\nconnector: {address: ':1', allowed_hosts: ['*.example.com', h]}\n";
    world.node.config.store(Arc::new(parsed(file)));
    for (host, status) in [("h:443", 200), ("a.example.com", 200), ("example.com", 403), ("other", 403)] {
        let mut message = get("/", "");
        message["host"] = json!(host);
        assert_eq!(world.inspect(&message).await.status, status, "{host}");
    }
    let refused = world.node.metrics.rejected.get_or_create(&ReasonLabels { reason: "host" }).get();
    assert_eq!(refused, 2);
}
