//! Saved views.

use e2e::stack::expect_status;
use e2e::visit::Visit;

pub(crate) async fn saved(visit: &Visit) -> anyhow::Result<()> {
    for target in ["/search?q='+OR+1=1", "/etc/passwd"] {
        expect_status(&visit.stack.get(target).await?, 403)?;
    }
    visit.stack.attack("sqli", "get > q").await?;
    visit.stack.attack("ptrav", "uri").await?;
    visit.sign_in().await?;
    save_and_delete(visit, "Injections of today").await?;
    visit.allow_scripts(false).await?;
    save_and_delete(visit, "Injections, without scripts").await
}

async fn save_and_delete(visit: &Visit, name: &str) -> anyhow::Result<()> {
    visit.page("/attacks?q=type:sqli&from=-24h&sort=-hits").await?;
    visit.until("document.readyState === 'complete'").await?;
    visit.click_where("button", "Save view").await?;
    visit.sees("#keep:popover-open").await?;
    visit.write(name).await?;
    visit.press("Enter").await?;
    visit.reads(".views [aria-current]", name).await?;
    visit.until("location.search === '?q=type%3Asqli&from=-24h&sort=-hits'").await?;

    visit.page("/attacks").await?;
    visit.until("document.querySelector('.views [aria-current]') === null").await?;
    visit.click_where(".views a", name).await?;
    visit.reads(".chips code", "type:sqli").await?;
    visit.until("document.querySelectorAll('#results [data-row]').length === 1").await?;

    visit.click_where(".views a", "All views").await?;
    visit.reads("td", "type:sqli · sorted by -hits · since -24h").await?;
    visit.click_where("summary", "Rename").await?;
    visit.click("td [name=name]").await?;
    visit.write("Renamed: ").await?;
    visit.click("td [name=shared]").await?;
    visit.click_where("td button", "Save").await?;
    visit.reads("td a", "Renamed: ").await?;
    visit.reads("td", "All users").await?;
    visit.click_where("td button", "Delete").await?;
    visit.reads(".empty", "No views yet").await?;
    visit.click_where(".done button", "Undo").await?;
    visit.reads("td a", "Renamed: ").await?;
    visit.click_where("td button", "Delete").await?;
    visit.reads(".empty", "No views yet").await
}
