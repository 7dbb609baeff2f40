//! Something to look at on every page, and the pages.

use super::Visit;
use serde_json::json;

/// The pages that need no id.
pub(super) const LISTS: [&str; 8] = [
    "/attacks",
    "/attacks/charts",
    "/not-inspected",
    "/rules",
    "/ip-lists",
    "/nodes",
    "/connectors",
    "/audit",
];

/// A page, and what shows that all of it is there.
pub(super) struct Page {
    pub(super) name: &'static str,
    address: String,
    shows: &'static str,
    /// It is answered 400, which Chromium notes.
    pub(super) is_mistake: bool,
}

impl Page {
    pub(super) async fn open(&self, visit: &Visit) -> anyhow::Result<()> {
        visit.page(&self.address).await?;
        visit.sees(self.shows).await
    }
}

/// Sends what an attacker might, makes a rule and an entry of a list, signs in, and says which pages there are.
pub(super) async fn pages(visit: &Visit) -> anyhow::Result<Vec<Page>> {
    const ATTACKS: [&str; 7] = [
        "/etc/passwd",
        "/search?q='+OR+1=1--",
        "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/api/items?id=1%2520union%2520select%2520password%2520from%2520users",
        "/fetch?url=http://169.254.169.254/latest/meta-data/",
        "/run?cmd=;cat%20/etc/shadow",
        "/search?q='+OR+2=2--",
    ];
    for target in ATTACKS {
        visit.world.get(target).await?;
    }
    visit
        .world
        .post("/api/login", "application/json", r#"{"user": "admin' or '1'='1", "password": "x"}"#)
        .await?;
    let console = visit.world.console_api();
    let rule = json!({"scope": {"path": "/report"}, "comment": "Until the report builder is mended",
        "effect": {"kind": "virtual_patch", "points": [[["get", "template"]]]}});
    console.make("/api/v1/rules", &rule).await?;
    let entry =
        json!({"list": "deny", "source": {"network": "203.0.113.0/24"}, "reason": "credential stuffing"});
    console.make("/api/v1/ip-lists", &entry).await?;
    visit.world.attack("sqli", "post > json_doc > hash:user").await?;
    visit.sign_in().await?;

    let union = visit.world.attack("sqli", "get > id").await?;
    let attack = format!("/attacks/{}", union["id"].as_str().unwrap_or_default());
    let hits = console.get(&format!("/api/v1{attack}/hits")).await?;
    let hit = format!("/hits/{}", hits["items"][0]["id"].as_str().unwrap_or_default());
    let page = |name, address: &str, shows| Page {
        name,
        address: address.to_owned(),
        shows,
        is_mistake: name == "search-mistake",
    };
    Ok(vec![
        page("attacks", "/attacks", ".charts .series"),
        page("attack", &attack, "h1"),
        page("hit", &hit, "h1"),
        page("not-inspected", "/not-inspected", "h1"),
        page("rules", "/rules", "td"),
        page("ip-lists", "/ip-lists", "td"),
        page("nodes", "/nodes", "td"),
        page("connectors", "/connectors", "h2"),
        page("audit", "/audit", "td"),
        page("search-mistake", "/attacks?q=hosst:shop", ".problem"),
    ])
}
