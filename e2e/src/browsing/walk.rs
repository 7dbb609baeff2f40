//! The ways people go.

use super::Visit;
use crate::scenarios::world::expect_status;

/// The rows of the list.
const ROWS: &str = "#results [data-row]";

fn rows(number: usize) -> String {
    format!("document.querySelectorAll('{ROWS}').length === {number}")
}

pub(super) async fn attacks(visit: &Visit) -> anyhow::Result<()> {
    visit.sign_in().await?;
    visit.reads(".empty", "No attacks yet").await?;
    visit.reads("[data-waiting]", "Waiting for the first attack").await?;

    expect_status(&visit.world.get("/etc/passwd").await?, 403)?;
    visit.until(&rows(1)).await?;
    visit.reads(".name a", "Path traversal from 1 source in uri").await?;
    visit.reads(".charts figcaption", "1 attack").await?;

    expect_status(&visit.world.get("/search?q='+OR+1=1").await?, 403)?;
    visit.reads(".new", "1 new").await?;
    visit.click(".new").await?;
    visit.until(&rows(2)).await?;

    // The search bar: completion, a mistake, a filter that can be taken away.
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
    visit.click(".chips a").await?;
    visit.until(&rows(2)).await?;
    visit.page("/attacks?q=hosst:x").await?;
    visit.reads(".problem", "did you mean").await?;
    // That page is an error, and Chromium says so.
    visit.complaints();

    // The menu of a value, and a chart.
    visit.page("/attacks").await?;
    visit.click_where("a.cell", "sqli").await?;
    visit.click_where(".menu a", "Exclude").await?;
    visit.until("location.search === '?q=-type%3Asqli'").await?;
    visit.until(&rows(1)).await?;
    visit.page("/attacks").await?;
    visit.click_where(".charts li a", "SQL injection").await?;
    visit.until(&rows(1)).await?;

    // By keys: the drawer, whose address is that of a page.
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
    visit.reads("dialog.help", "Next, previous attack").await
}
