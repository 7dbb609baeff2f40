//! Jobs of an analyst, each with its number of clicks from the page after sign-in.

use crate::journey::answered;
use anyhow::ensure;
use e2e::{
    browser::Window,
    stack::{TIMEOUT, expect_status},
    visit::Visit,
};
use serde_json::{Value, json};
use std::cell::Cell;

/// A request that is blocked and harmless.
const BENIGN: &str = "/search?q='+OR+1=1";

/// Counts the clicks of a job.
struct Job<'v> {
    visit: &'v Visit,
    clicks: Cell<u32>,
}

impl<'v> Job<'v> {
    /// Starts at the page after sign-in.
    async fn start(visit: &'v Visit) -> anyhow::Result<Self> {
        visit.page("/attacks").await?;
        visit.sees(".charts .series").await?;
        Ok(Self { visit, clicks: Cell::new(0) })
    }

    async fn click(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        self.clicks.set(self.clicks.get() + 1);
        self.visit.click_where(selector, text).await
    }

    fn took(&self, clicks: u32) -> anyhow::Result<()> {
        ensure!(self.clicks.get() == clicks, "took {} clicks instead of {clicks}", self.clicks.get());
        Ok(())
    }
}

pub(crate) async fn in_clicks(visit: &Visit) -> anyhow::Result<()> {
    expect_status(&visit.stack.get(BENIGN).await?, 403)?;
    let attack = visit.stack.attack("sqli", "get > q").await?;
    visit.sign_in().await?;
    requests_of_an_address(visit).await?;
    is_a_path_under_attack(visit).await?;
    this_week_against_the_last(visit).await?;
    what_a_rule_did(visit).await?;
    who_changed_a_rule(visit).await?;
    block_from_a_chart(visit).await?;
    silence_a_false_positive(visit, &attack).await
}

/// All requests of an address in 24 hours.
async fn requests_of_an_address(visit: &Visit) -> anyhow::Result<()> {
    let job = Job::start(visit).await?;
    job.click(".charts a.more[href*='ip%3A']", "").await?;
    job.click(".menu a", "Requests of the last 24 hours").await?;
    visit.until("location.pathname === '/requests' && /q=ip%3A.+from=-24h/.test(location.search)").await?;
    visit.sees("#results [data-row]").await?;
    job.took(2)
}

async fn is_a_path_under_attack(visit: &Visit) -> anyhow::Result<()> {
    let job = Job::start(visit).await?;
    job.click(".charts a.more[href*='path%3A']", "").await?;
    job.click(".menu a", "Requests of the last hour").await?;
    visit.until("location.pathname === '/requests' && /q=path%3A.+from=-1h/.test(location.search)").await?;
    visit.reads("#results time", "just now").await?;
    job.took(2)
}

async fn this_week_against_the_last(visit: &Visit) -> anyhow::Result<()> {
    let job = Job::start(visit).await?;
    job.click(".sections a", "Overview").await?;
    visit.reads("figcaption", "Hits of seven days, against the seven days before").await?;
    visit.sees(".series .previous").await?;
    job.took(1)
}

async fn what_a_rule_did(visit: &Visit) -> anyhow::Result<()> {
    let console = visit.stack.console_api();
    let effect = json!({"kind": "virtual_patch", "points": [[["get", "template"]]]});
    let rule = console.make("/api/v1/rules", &json!({"effect": effect})).await?;
    answered(visit, "/report?template=x", 403).await?;
    let blocked = |attack: &Value| attack["parameter"] == "get > template";
    console.wait_for("/api/v1/attacks", TIMEOUT, blocked).await?;
    let job = Job::start(visit).await?;
    job.click(".sections a", "Rules").await?;
    job.click("td[data-label='Hits, 24 h'] a", "").await?;
    visit
        .until(&format!("location.search.includes('rule%3A{}')", rule["id"].as_str().unwrap_or_default()))
        .await?;
    visit.reads("#results", "get > template").await?;
    job.took(2)
}

async fn who_changed_a_rule(visit: &Visit) -> anyhow::Result<()> {
    let job = Job::start(visit).await?;
    job.click(".sections a", "Audit log").await?;
    job.click(".links a", "Rules, last 7 days").await?;
    visit.reads("td[data-label=What]", "rule").await?;
    visit.until("document.querySelectorAll('tbody tr').length === 1").await?;
    job.took(2)
}

async fn block_from_a_chart(visit: &Visit) -> anyhow::Result<()> {
    let job = Job::start(visit).await?;
    job.click(".charts a.more[href*='ip%3A']", "").await?;
    job.click(".menu button", "24 hours").await?;
    visit.reads(".menu .done", "Blocked: ").await?;
    job.took(2)?;
    answered(visit, "/", 403).await?;
    visit.click_where(".menu .done button", "Undo").await?;
    visit.reads(".menu b", "Block for").await?;
    answered(visit, "/", 200).await
}

async fn silence_a_false_positive(visit: &Visit, attack: &Value) -> anyhow::Result<()> {
    let job = Job::start(visit).await?;
    job.click(".name a", attack["title"].as_str().unwrap_or_default()).await?;
    job.click(".drawer button", "Exclude false positive …").await?;
    visit.reads(".drawer .notice", "It would have suppressed 1 recorded hit.").await?;
    job.click(".drawer button", "Save exclusion").await?;
    visit.reads(".drawer .done", "Exclusion saved: matching requests now pass.").await?;
    visit.reads(".drawer .done", "1 attack: marked as false positive.").await?;
    job.took(3)?;
    answered(visit, BENIGN, 200).await?;
    visit.click_where(".drawer .done button", "Undo").await?;
    visit.reads(".drawer h1", "SQL injection").await?;
    answered(visit, BENIGN, 403).await
}

/// Rows are selected with the keyboard, marked together, and the marks are undone; without scripts, with
/// check boxes.
pub(crate) async fn selected_rows(visit: &Visit) -> anyhow::Result<()> {
    for target in [BENIGN, "/etc/passwd", "/search?name=%3Cscript%3Ealert(1)%3C/script%3E"] {
        expect_status(&visit.stack.get(target).await?, 403)?;
    }
    visit.stack.attack("xss", "get > name").await?;
    visit.sign_in().await?;
    let rows = |number: u32| format!("document.querySelectorAll('#results [data-row]').length === {number}");
    visit.page("/attacks").await?;
    visit.until(&rows(3)).await?;
    visit.sees(".charts .series").await?;
    visit.press("j").await?;
    visit.press("x").await?;
    visit.reads("[data-count]", "1 selected").await?;
    visit.press("j").await?;
    visit.press("j").await?;
    let range = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'X', shiftKey: true, bubbles: true}))";
    visit.value(range).await?;
    visit.reads("[data-count]", "3 selected").await?;
    visit.press("Escape").await?;
    visit.reads("[data-count]", "0 selected").await?;
    visit.value(range).await?;
    visit.reads("[data-count]", "1 selected").await?;
    visit.click_where("#selection button", "Show as search").await?;
    visit.until("/^.q=attack%3A/.test(location.search)").await?;
    visit.until(&rows(1)).await?;

    visit.allow_scripts(false).await?;
    visit.page("/attacks").await?;
    visit.click(".select input").await?;
    visit.click_where("#selection button", "Mark as false positive").await?;
    visit.reads(".done", "1 attack: marked as false positive.").await?;
    visit.click_where(".back a", "Attacks").await?;
    visit.until(&rows(2)).await?;
    visit.page("/requests?action=any").await?;
    visit.click(".select input").await?;
    visit.click_where("#selection button", "Block sources").await?;
    visit.sees("[name=address]").await?;
    visit.click_where("button", "1 hour").await?;
    visit.reads(".done", "1 source blocked.").await?;
    visit.click_where(".done button", "Undo").await?;
    visit.reads("h1", "Requests").await
}

/// On a phone a row has three lines and nothing is too wide; a press is answered at once.
pub(crate) async fn on_phones(visit: &Visit) -> anyhow::Result<()> {
    let long = format!("/search/{}?q='+OR+1=1", "long-path/".repeat(20));
    expect_status(&visit.stack.get(&long).await?, 403)?;
    expect_status(&visit.stack.get(BENIGN).await?, 403)?;
    visit.stack.attack("sqli", "get > q").await?;
    visit.sign_in().await?;
    for width in [360, 390] {
        visit.resize(Window { width, height: 800, dark: false }).await?;
        for page in [
            "/attacks",
            "/requests",
            "/requests?columns=source,country,network,host,path,type,rule,signature",
        ] {
            visit.page(page).await?;
            visit.sees("#results [data-row]").await?;
            let tallest = "Math.max(...[...document.querySelectorAll('#results [data-row]')].map((row) => row.offsetHeight))";
            let tallest = visit.value(tallest).await?;
            // Three lines of 24 pixels, and the padding; more columns than lines have room for take more.
            let most = if page.contains("signature") { 150.0 } else { 100.0 };
            ensure!(
                tallest.as_f64().is_some_and(|it| it < most),
                "{page} at {width} px: a row of {tallest} px"
            );
            visit.until("document.documentElement.scrollWidth <= innerWidth").await?;
        }
    }
    pressed(visit).await
}

async fn pressed(visit: &Visit) -> anyhow::Result<()> {
    visit.page("/attacks").await?;
    visit.sees(".charts .series").await?;
    let is_busy = "document.documentElement.classList.contains('busy')";
    let press = "(() => { const link = document.querySelector('.sections a[href=\"/rules\"]'); link.click(); \
         return link.getAttribute('aria-busy') === 'true' && document.documentElement.classList.contains('busy'); })()";
    ensure!(visit.value(press).await? == true, "a pressed link is not marked");
    visit.reads("h1", "Rules").await?;
    visit.value("history.back()").await?;
    visit.reads("h1", "Attacks").await?;
    visit.until(&format!("!{is_busy} && document.querySelector('[aria-busy]') === null")).await
}
