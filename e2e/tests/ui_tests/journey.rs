//! Journeys of analysts: from the list of attacks to a decision.

use anyhow::ensure;
use e2e::browser::Window;
use e2e::stack::{TIMEOUT, expect_status};
use e2e::visit::{Visit, WIDE};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Rows of the list.
const ROWS: &str = "#results [data-row]";

/// Cumulative layout shift since the page was opened.
const MOVED: &str = "new Promise((done) => { \
     new PerformanceObserver((list) => done(list.getEntries().reduce((sum, shift) => sum + shift.value, 0))) \
         .observe({type: 'layout-shift', buffered: true}); \
     setTimeout(() => done(0), 500); })";

fn rows(number: usize) -> String {
    format!("document.querySelectorAll('{ROWS}').length === {number}")
}

pub(crate) async fn attacks(visit: &Visit) -> anyhow::Result<()> {
    visit.sign_in().await?;
    visit.reads(".empty", "No attacks yet").await?;
    visit.reads("[data-waiting]", "Waiting for the first attack").await?;

    expect_status(&visit.stack.get("/etc/passwd").await?, 403)?;
    visit.until(&rows(1)).await?;
    visit.reads(".name a", "Path traversal from 1 source in uri").await?;
    visit.reads(".charts figcaption", "1 attack").await?;

    expect_status(&visit.stack.get("/search?q='+OR+1=1").await?, 403)?;
    visit.reads(".new", "1 new").await?;
    visit.click(".new").await?;
    visit.until(&rows(2)).await?;
    search_bar(visit).await?;
    late_scripts(visit).await?;
    value_menu_and_chart(visit).await?;
    drawer(visit).await
}

/// Completion, a removable filter, a syntax error.
async fn search_bar(visit: &Visit) -> anyhow::Result<()> {
    visit.press("/").await?;
    visit.write("ty").await?;
    visit.reads("#choices", "type:").await?;
    visit.press("ArrowDown").await?;
    visit.press("Enter").await?;
    visit.write("sq").await?;
    visit.reads("#choices li", "type:sqli").await?;
    visit.press("ArrowDown").await?;
    visit.press("Enter").await?;
    visit.press("Enter").await?;
    visit.until("location.search === '?q=type%3Asqli'").await?;
    visit.until(&rows(1)).await?;
    visit.click(".chips [aria-label^=Remove]").await?;
    visit.until(&rows(2)).await?;
    visit.page("/attacks?q=hosst:x").await?;
    visit.reads(".problem", "did you mean").await?;
    // The page's status is an error, which Chromium logs.
    visit.complaints();
    Ok(())
}

/// Charts and controls that need scripts load after the list, without layout shift even if late.
async fn late_scripts(visit: &Visit) -> anyhow::Result<()> {
    visit.slow_down(20).await?;
    for width in [360, 1280] {
        visit.resize(Window { width, ..WIDE }).await?;
        visit.page("/attacks").await?;
        visit.sees(".charts .series").await?;
        let moved = visit.value(MOVED).await?;
        ensure!(moved.as_f64().is_some_and(|moved| moved < 0.01), "at {width} px the page moves by {moved}");
    }
    visit.slow_down(1).await
}

async fn value_menu_and_chart(visit: &Visit) -> anyhow::Result<()> {
    visit.click_where("a.cell", "sqli").await?;
    visit.click_where(".menu a", "Search without it").await?;
    visit.until("location.search === '?q=-type%3Asqli'").await?;
    visit.until(&rows(1)).await?;
    visit.page("/attacks").await?;
    visit.click_where(".charts li a", "SQL injection").await?;
    visit.until(&rows(1)).await?;
    time_axis(visit).await
}

/// The label of a bar at the pointer, and a drag over the chart, which selects a time range.
async fn time_axis(visit: &Visit) -> anyhow::Result<()> {
    visit.page("/attacks?from=-1h").await?;
    visit.reads(".legend", "Hits per 5 minutes, UTC").await?;
    visit
        .value(
            "document.querySelector('[data-tip] .room').dispatchEvent(new PointerEvent('pointerover', \
             { bubbles: true, clientX: 300, clientY: 300 }))",
        )
        .await?;
    visit.reads(".tip", "blocked").await?;
    visit
        .value(
            "(() => { const plot = document.querySelector('svg[data-chart]'); const box = plot.getBoundingClientRect(); \
             for (const [kind, share] of [['pointerdown', 0.5], ['pointermove', 0.9], ['pointerup', 1]]) \
             plot.dispatchEvent(new PointerEvent(kind, { bubbles: true, button: 0, \
             clientX: box.left + box.width * share, clientY: box.top + 5 })); })()",
        )
        .await?;
    visit.until("/^.from=.+&to=.+Z$/.test(location.search)").await?;
    visit.until(&rows(2)).await
}

/// By keyboard. The drawer's address is that of a page.
async fn drawer(visit: &Visit) -> anyhow::Result<()> {
    visit.page("/attacks").await?;
    visit.until(&rows(2)).await?;
    visit.press("j").await?;
    visit.press("Enter").await?;
    visit.reads(".drawer h1", "SQL injection").await?;
    visit.until("/^.attacks.[0-9a-f-]{36}$/.test(location.pathname)").await?;
    visit.press("j").await?;
    visit.reads(".drawer h1", "Path traversal").await?;
    visit.press("Escape").await?;
    visit.until("document.querySelector('.drawer') === null && location.pathname === '/attacks'").await?;
    visit.press("?").await?;
    visit.reads("dialog.help", "Next, previous row").await
}

/// From an attack to its explanation, to an exclusion, and undo.
pub(crate) async fn false_positive(visit: &Visit) -> anyhow::Result<()> {
    const BENIGN: &str = "/search?q=%2527+OR+1=1";
    expect_status(&visit.stack.get(BENIGN).await?, 403)?;
    visit.stack.attack("sqli", "get > q").await?;
    visit.sign_in().await?;
    visit.sees(".charts .series").await?;
    visit.click(".name a").await?;
    visit.reads(".drawer h1", "SQL injection").await?;
    visit.click(".drawer tbody a").await?;
    // The explanation: decoding steps, classification, position in the request.
    visit.reads(".drawer .chain li:first-child", "%2527+OR+1=1").await?;
    visit.reads(".drawer .chain mark", "' OR 1=1").await?;
    visit.reads(".drawer .classes", "CWE-89 SQL injection").await?;
    visit.reads(".drawer .request mark", "%2527+OR+1=1").await?;
    visit.reads(".drawer dl", "block, set by config").await?;

    visit.click_where(".drawer summary", "Exclude (false positive)").await?;
    visit.click_where(".drawer button", "Preview exclusion").await?;
    // Three signatures found it, so the type is what the form offers first.
    visit.reads(".drawer .notice", "It would have suppressed 1 recorded hit.").await?;
    visit.click_where(".drawer button", "Save exclusion").await?;
    visit.reads(".drawer .done", "Exclusion saved: matching requests now pass.").await?;
    answered(visit, BENIGN, 200).await?;
    visit.click_where(".drawer .done button", "Undo").await?;
    visit.until("document.querySelector('.drawer h1') !== null && document.querySelector('.drawer .done') === null").await?;
    answered(visit, BENIGN, 403).await
}

/// Blocks a source and creates a virtual patch, without scripts.
pub(crate) async fn without_scripts(visit: &Visit) -> anyhow::Result<()> {
    expect_status(&visit.stack.get("/search?q='+OR+1=1").await?, 403)?;
    visit.stack.attack("sqli", "get > q").await?;
    visit.allow_scripts(false).await?;
    visit.sign_in().await?;
    visit.click(".charts a").await?;
    visit.reads("figcaption", "1 attack").await?;
    visit.click_where(".charts li a", "SQL injection").await?;
    visit.reads(".chips code", "type:sqli").await?;
    visit.click(".name a").await?;
    visit.reads("h1", "SQL injection").await?;
    visit.click("tbody a").await?;
    visit.click_where("summary", "Block IP").await?;
    visit.click_where("button", "Block").await?;
    visit.reads(".done", "Source added to the denylist.").await?;
    answered(visit, "/", 403).await?;
    visit.click_where(".done button", "Undo").await?;
    answered(visit, "/", 200).await?;
    visit.click_where("summary", "Virtual patch").await?;
    visit.click_where("button", "Create virtual patch").await?;
    visit.reads(".done", "Virtual patch created: matching requests are now blocked.").await?;
    visit.page("/audit").await?;
    visit.click_where("td button", "Undo").await?;
    visit.reads("tbody tr:first-child", "delete").await?;
    visit.page("/rules").await?;
    visit.reads(".empty", "No rules").await
}

/// One row per hit, live; columns, a filter by action, groups, a hit by keyboard; then without scripts.
pub(crate) async fn requests(visit: &Visit) -> anyhow::Result<()> {
    expect_status(&visit.stack.get("/search?q='+OR+1=1").await?, 403)?;
    visit.stack.attack("sqli", "get > q").await?;
    visit.sign_in().await?;
    visit.click_where(".sections a", "Requests").await?;
    visit.until(&rows(1)).await?;
    visit.reads(".charts figcaption", "1 hit").await?;
    expect_status(&visit.stack.get("/search?q='+OR+2=2").await?, 403)?;
    visit.reads(".new", "1 new").await?;
    visit.click(".new").await?;
    visit.until(&rows(2)).await?;

    visit.click("[popovertarget=columns]").await?;
    visit.click_where("#columns a", "Show Signature").await?;
    visit.until("location.search.includes('signature') && location.pathname === '/requests'").await?;
    visit.reads("#results tbody", "sqli-").await?;
    visit.until("document.readyState === 'complete'").await?;
    // Rows that arrive while a hit is open have these columns, too.
    visit.press("j").await?;
    visit.press("Enter").await?;
    visit.reads(".drawer h1", "SQL injection").await?;
    expect_status(&visit.stack.get("/search?q='+OR+3=3").await?, 403)?;
    visit.reads(".new", "1 new").await?;
    visit.click(".new").await?;
    visit.until(&rows(3)).await?;
    visit.reads("#results tbody", "sqli-").await?;
    visit.press("Escape").await?;
    visit.click_where("a.cell", "sqli").await?;
    visit.click_where(".menu a", "Search without it").await?;
    visit.reads(".empty", "No requests match this search.").await?;
    visit.page("/requests?action=passed").await?;
    visit.reads(".empty", "No requests match this search.").await?;

    visit.page("/requests").await?;
    visit.until(&rows(3)).await?;
    visit.press("j").await?;
    visit.press("Enter").await?;
    visit.reads(".drawer h1", "SQL injection").await?;
    visit.until("/^.hits.[0-9a-f-]{36}$/.test(location.pathname)").await?;
    visit.press("Escape").await?;
    visit.until("location.pathname === '/requests'").await?;

    visit.allow_scripts(false).await?;
    visit.page("/requests?group_by=user_agent").await?;
    visit.click("#results [data-row] a").await?;
    visit.reads(".chips code", "user_agent:").await?;
    visit.click(".charts a").await?;
    visit.reads("figcaption", "3 hits").await
}

/// A picked range, the period before it, ages, and the zone of the browser.
pub(crate) async fn times(visit: &Visit) -> anyhow::Result<()> {
    expect_status(&visit.stack.get("/search?q='+OR+1=1").await?, 403)?;
    visit.stack.attack("sqli", "get > q").await?;
    visit.sign_in().await?;
    visit.page("/requests?from=-1h").await?;
    visit.until("/just now|ago/.test(document.querySelector('#results time').textContent)").await?;
    visit.until("/UTC$/.test(document.querySelector('#results time').title)").await?;
    visit.click_where(".charts a", "Compare with previous period").await?;
    visit.reads(".change", "hits new").await?;
    visit.sees(".series .previous").await?;
    visit.click_where(".change a", "Do not compare").await?;

    visit.click("[popovertarget=range]").await?;
    visit.value("document.querySelector('#range [name=from]').value = '2020-01-01T00:00:00'").await?;
    visit.value("document.querySelector('#range [name=to]').value = '2020-01-02T00:00:00'").await?;
    visit.click("#range .primary").await?;
    visit.until("location.search.includes('2020-01-01T00%3A00%3A00.000Z')").await?;
    visit.reads(".empty", "No requests match this search.").await?;

    visit.page("/requests").await?;
    visit.click("[data-zone-switch]").await?;
    visit.reads("[data-zone-switch]", "Local time").await?;
    visit.until("/local time$/.test(document.querySelector('#results time').title)").await?;
    visit.reads(".foot", "Times are in local time.").await?;
    visit.click("[data-zone-switch]").await?;
    visit.reads("[data-zone-switch]", "UTC").await
}

/// Without scripts: numbers and what needs attention lead to the requests that they count.
pub(crate) async fn overview(visit: &Visit) -> anyhow::Result<()> {
    expect_status(&visit.stack.get("/search?q='+OR+1=1").await?, 403)?;
    visit.stack.attack("sqli", "get > q").await?;
    visit.allow_scripts(false).await?;
    visit.sign_in().await?;
    visit.click(".brand").await?;
    visit.reads("h1", "Overview").await?;
    visit.reads(".figures", "Blocked 1 new").await?;
    visit.click_where(".figures a", "Blocked").await?;
    visit.reads("h1", "Requests").await?;
    visit.reads("#results tbody", "sqli").await?;
    visit.page("/overview").await?;
    visit.click(".charts a[href='/nodes']").await?;
    visit.reads("h1", "Nodes").await
}

/// CSV exports of searches.
pub(crate) async fn files(visit: &Visit) -> anyhow::Result<()> {
    expect_status(&visit.stack.get("/search?q='+OR+1=1").await?, 403)?;
    visit.stack.attack("sqli", "get > q").await?;
    visit.sign_in().await?;
    visit.page("/attacks?q=type:sqli").await?;
    let csv = "fetch(document.querySelector('a[href*=\".csv\"]').href).then((answer) => answer.text())";
    let text = visit.value(csv).await?;
    let lines: Vec<_> = text.as_str().unwrap_or_default().lines().collect();
    ensure!(lines.len() == 2 && lines[1].contains("sqli"), "not a table of one attack: {text}");
    visit.page("/attacks?q=type:xss").await?;
    let text = visit.value(csv).await?;
    ensure!(
        text.as_str().unwrap_or_default().lines().count() == 1,
        "the file is not of the same search: {text}"
    );
    Ok(())
}

/// Repeats the request until it gets this status: nodes follow the console within a second.
pub(crate) async fn answered(visit: &Visit, target: &str, status: u16) -> anyhow::Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    while visit.stack.get(target).await?.status != status {
        ensure!(Instant::now() < deadline, "{target} is never answered {status}");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
