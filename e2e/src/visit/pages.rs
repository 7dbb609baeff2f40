//! The pages of the console, with sample data on each.

use super::Visit;
use crate::{console::Console, stack::TIMEOUT};
use serde_json::json;

/// The pages without an id.
pub const LISTS: [&str; 25] = [
    "/overview",
    "/attacks",
    "/attacks/charts",
    "/requests",
    "/requests/charts",
    "/views",
    "/not-inspected",
    "/coverage",
    "/rules",
    "/rules/new",
    "/rules/new?kind=ignore",
    "/rulesets",
    "/rulesets/compare?from=0",
    "/replays",
    "/ip-lists",
    "/nodes",
    "/connectors",
    "/connectors/keys",
    "/audit",
    "/audit?sign_ins=true",
    "/settings",
    "/users",
    "/tokens",
    "/sessions",
    "/webhooks",
];

/// A page, and the element that shows that it is complete.
pub struct Page {
    pub name: &'static str,
    address: String,
    /// The element to click.
    click: Option<&'static str>,
    shows: &'static str,
    /// Its status is an error, which Chromium logs.
    pub is_mistake: bool,
}

impl Page {
    fn new(name: &'static str, address: impl Into<String>, shows: &'static str) -> Self {
        Self { name, address: address.into(), click: None, shows, is_mistake: false }
    }

    fn after_click(self, click: &'static str) -> Self {
        Self { click: Some(click), ..self }
    }

    fn with_error_status(self) -> Self {
        Self { is_mistake: true, ..self }
    }

    pub async fn open(&self, visit: &Visit) -> anyhow::Result<()> {
        visit.page(&self.address).await?;
        if let Some(click) = self.click {
            // Charts load after the page, and move the content below them.
            visit.sees(".charts .series").await?;
            visit.click(click).await?;
        }
        visit.sees(self.shows).await
    }
}

/// Sends attacks, creates resources of all kinds, signs in, and returns the pages.
pub async fn pages(visit: &Visit) -> anyhow::Result<Vec<Page>> {
    attacks(visit).await?;
    let console = visit.stack.console_api();
    create_resources(&console).await?;
    visit.stack.attack("sqli", "post > json_doc > hash:user").await?;
    visit.sign_in().await?;

    let union = visit.stack.attack("sqli", "get > id").await?;
    let id = union["id"].as_str().unwrap_or_default();
    let attack = format!("/attacks/{id}");
    let hits = console.get(&format!("/api/v1{attack}/hits")).await?;
    let hit = format!("/hits/{}", hits["items"][0]["id"].as_str().unwrap_or_default());
    let candidate = json!({"add": [{"effect": {"kind": "ignore", "findings": {"type": "sqli"}}}]});
    console.make("/api/v1/replays", &json!({"candidate": candidate})).await?;
    let replay = console.wait_for("/api/v1/replays", TIMEOUT, |replay| replay["status"] == "done").await?;
    let replay = format!("/replays/{}", replay["id"].as_str().unwrap_or_default());
    let webhook = console.items("/api/v1/webhooks").await?.swap_remove(0);
    let webhook = format!("/webhooks/{}", webhook["id"].as_str().unwrap_or_default());
    let rule = console.items("/api/v1/rules").await?.swap_remove(0);
    let rule = format!("/rules/{}", rule["id"].as_str().unwrap_or_default());
    let mut pages = lists();
    pages.extend([
        Page::new("views", "/views", "td"),
        Page::new("selected-sources", format!("/selection/sources?id={id}"), "[name=address]"),
        Page::new("selection-done", format!("/selection/done?batch={id}"), ".notice"),
        Page::new(
            "selection-group",
            "/selection/group?on=type%3Aptrav&group_by=type",
            "form[action='/selection/group']",
        ),
        Page::new("value-actions", "/actions?on=ip%3A203.0.113.7&list=requests", "#actions"),
        Page::new("attack", attack, "h1"),
        Page::new("exclusion", format!("{hit}/exclusion?width=type&location=here&requests=host"), "td"),
        Page::new("content", format!("{hit}/content?content=code&requests=host"), "pre"),
        Page::new("hit", hit, "h1"),
        Page::new("not-inspected", "/not-inspected", "h1"),
        Page::new("coverage", "/coverage", "h1"),
        Page::new("rules", "/rules", "td"),
        Page::new("rule", rule.clone(), "[name=points]"),
        Page::new("rule-json", format!("{rule}?json"), "[name=effect]"),
        Page::new("replays", "/replays", "td"),
        Page::new("replay", replay, "td"),
        Page::new("webhook", webhook, "h2"),
    ]);
    pages.extend(administration());
    Ok(pages)
}

/// The pages of rules, nodes and access that need no object.
fn administration() -> Vec<Page> {
    vec![
        Page::new("add-exclusion", "/rules/new?kind=ignore", "[name=findings]"),
        Page::new("add-detector", "/rules/new?kind=detector", "[name=pattern]"),
        Page::new("versions", "/rulesets", "td"),
        Page::new("versions-compared", "/rulesets/compare?from=0", ".diff ins"),
        Page::new("version", "/rulesets/1", ".diff del"),
        Page::new("ip-lists", "/ip-lists", "td"),
        Page::new("nodes", "/nodes", "td"),
        Page::new("connectors", "/connectors", "h2"),
        Page::new("signing-keys", "/connectors/keys", "h1"),
        Page::new("audit", "/audit", "td"),
        Page::new("sign-ins", "/audit?sign_ins=true", "td"),
        Page::new("settings", "/settings", "td"),
        Page::new("users", "/users", "td"),
        Page::new("tokens", "/tokens", "td"),
        Page::new("sessions", "/sessions", "td"),
        Page::new("webhooks", "/webhooks", "td"),
        Page::new("unknown-page", "/nowhere", "h1").with_error_status(),
        Page::new("sign-in", "/sign-in", "#user"),
    ]
}

/// The lists of attacks and requests, with their panels, and the overview.
fn lists() -> Vec<Page> {
    vec![
        Page::new("attacks", "/attacks", ".charts .series"),
        Page::new("drawer", "/attacks", ".drawer h1").after_click(".name a"),
        Page::new("save-view", "/attacks?q=type:sqli", "#keep:popover-open")
            .after_click("[popovertarget=keep]"),
        Page::new("value-menu", "/attacks", ".menu ul").after_click(".charts .more"),
        Page::new("groups", "/attacks?group_by=type,ip", ".charts .series"),
        Page::new("charts", "/attacks/charts", ".charts .series"),
        Page::new("search-mistake", "/attacks?q=hosst:shop", ".problem").with_error_status(),
        Page::new("requests", "/requests?action=any", ".charts .series"),
        Page::new("request-drawer", "/requests", ".drawer h1").after_click("#results [data-row] a"),
        Page::new("range", "/requests?from=-24h&compare=previous", "#range:popover-open")
            .after_click("[popovertarget=range]"),
        Page::new("overview", "/overview", ".figures"),
        Page::new("columns", "/requests?columns=country,node,signature", "#columns:popover-open")
            .after_click("[popovertarget=columns]"),
        Page::new("countries", "/requests?group_by=country", ".charts .series"),
    ]
}

async fn attacks(visit: &Visit) -> anyhow::Result<()> {
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
        visit.stack.get(target).await?;
    }
    let body = r#"{"user": "admin' or '1'='1", "password": "x"}"#;
    visit.stack.post("/api/login", "application/json", body).await.map(drop)
}

/// Creates rules, an IP list entry, views, a token, a webhook and a user.
async fn create_resources(console: &Console) -> anyhow::Result<()> {
    let rule = json!({"scope": {"path": "/report"}, "comment": "Until the report builder is mended",
        "effect": {"kind": "virtual_patch", "points": [[["get", "template"]]]}});
    console.make("/api/v1/rules", &rule).await?;
    let entry =
        json!({"list": "deny", "source": {"network": "203.0.113.0/24"}, "reason": "credential stuffing"});
    console.make("/api/v1/ip-lists", &entry).await?;
    for (name, query, from) in
        [("Injections of today", "type:sqli,nosqli", "-24h"), ("Let through", "status:monitoring", "-7d")]
    {
        let view = json!({"name": name, "query": query, "from": from, "shared": true});
        console.make("/api/v1/views", &view).await?;
    }
    let token = json!({"name": "report-builder", "role": "read_only", "expires_at": "2100-01-01T00:00:00Z"});
    console.make("/api/v1/tokens", &token).await?;
    // Disabled: tests send nothing to other machines.
    let webhook = json!({"name": "Security channel", "url": "https://hooks.example.com/waf", "format": "slack", "enabled": false});
    console.make("/api/v1/webhooks", &webhook).await?;
    let user = json!({"name": "ann", "role": "analyst", "password": "correct horse battery"});
    console.make("/api/v1/users", &user).await?;
    Ok(())
}
