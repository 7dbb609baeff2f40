//! Versions of the ruleset: comparison, rollback and replay.

use e2e::stack::expect_status;
use e2e::visit::Visit;
use serde_json::json;

pub(crate) async fn of_rulesets(visit: &Visit) -> anyhow::Result<()> {
    expect_status(&visit.stack.get("/search?q='+OR+1=1").await?, 403)?;
    visit.stack.attack("sqli", "get > q").await?;
    let patch = json!({"scope": {"path": "/report"}, "effect": {"kind": "virtual_patch", "points": [[["get", "template"]]]}});
    visit.stack.console_api().make("/api/v1/rules", &patch).await?;
    let entry = json!({"list": "deny", "source": {"network": "203.0.113.0/24"}});
    visit.stack.console_api().make("/api/v1/ip-lists", &entry).await?;
    visit.sign_in().await?;

    visit.click_where("header nav a", "Rules").await?;
    visit.click_where(".tabs a", "Versions").await?;
    visit.click_where("tbody tr:last-child a", "View changes").await?;
    visit.reads("h1", "Changes from version 0 to version 1").await?;
    visit.reads(".diff ins", "\"/report\"").await?;
    visit.click_where(".back a", "All versions").await?;
    visit.click_where("a", "Roll back").await?;
    visit.reads("h2", "Preview: changes this rollback would make").await?;
    visit.reads(".diff del", "203.0.113.0/24").await?;
    visit.click_where("button", "Roll back to version 1").await?;
    visit.reads("tbody tr:first-child", "rollback to version 1").await?;
    visit.page("/ip-lists").await?;
    visit.reads(".empty", "No IP list entries yet").await?;

    // A replay with one more rule: the injection is no longer found.
    visit.page("/replays").await?;
    visit.click_where("summary", "Add a rule").await?;
    visit.click("[name=effect]").await?;
    visit.write(r#"{"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["get", "q"]]]}"#).await?;
    visit.click_where("button", "Start").await?;
    visit.reads("h1", "Replay").await?;
    visit.until("document.querySelector('#replay:not([data-follow])') !== null").await?;
    visit.reads("h2", "Lost: 1").await?;
    visit.reads("td", "sqli blocked").await?;
    visit.reads("td", "passes").await?;
    visit.click("td a").await?;
    visit.reads("h1", "SQL injection").await?;
    visit.page("/replays").await?;
    visit.reads("td", "active ruleset, plus 1 rule").await
}
