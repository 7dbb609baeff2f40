//! Users, tokens and sessions.

use anyhow::ensure;
use e2e::visit::Visit;

pub(crate) async fn managed(visit: &Visit) -> anyhow::Result<()> {
    visit.sign_in().await?;
    visit.click_where("header nav a", "Settings").await?;
    visit.reads("td", "Forever").await?;

    visit.click_where(".tabs a", "Users").await?;
    fill(visit, "[name=name]", "ann").await?;
    fill(visit, "[name=password]", "correct horse battery").await?;
    visit.press("Enter").await?;
    visit.reads("td", "ann").await?;

    // A token is shown once, after its creation.
    visit.click_where(".tabs a", "Tokens").await?;
    fill(visit, "[name=name]", "report-builder").await?;
    visit.value("document.querySelector('select[name=role]').value = 'read_only'").await?;
    visit.click_where("form button", "Create token").await?;
    visit.reads(".done pre", "wlc_").await?;
    let secret = visit.value("document.querySelector('.done pre').textContent").await?;
    let secret = secret.as_str().unwrap_or_default().to_owned();
    visit.page("/tokens").await?;
    visit.reads("td", "report-builder").await?;
    ensure!(
        visit.value("document.querySelector('.done') === null").await? == true,
        "the secret is shown again"
    );

    // A session with this token is read-only.
    sign_in_again(visit, &[("[name=token]", &secret)]).await?;
    visit.page("/settings").await?;
    visit.reads("dd", "Read only").await?;
    ensure!(
        visit.value("document.querySelectorAll('.tabs a').length === 1").await? == true,
        "a read-only session has more than one tab"
    );
    visit.page("/tokens").await?;
    visit.reads("h1", "Forbidden").await?;
    // The page's status is an error, which Chromium logs.
    visit.complaints();

    // Signs in by password; then an administrator deletes the token and the user.
    sign_in_again(visit, &[("[name=user]", "ann"), ("[name=password]", "correct horse battery")]).await?;
    visit.click_where("header button", "Sign out").await?;
    visit.reads("h1", "Sign in").await?;
    visit.sign_in().await?;
    visit.page("/sessions").await?;
    visit.reads("td", "this browser").await?;
    visit.page("/tokens").await?;
    visit.click_where("tbody tr:first-child summary", "Revoke").await?;
    visit.click_where("tbody tr:first-child button", "Revoke report-builder").await?;
    visit
        .until("![...document.querySelectorAll('td')].some((it) => it.textContent === 'report-builder')")
        .await?;
    visit.page("/users").await?;
    visit.click_where("tbody tr:first-child .confirm summary", "Delete").await?;
    visit.click_where("tbody tr:first-child button", "Delete ann").await?;
    visit.until("document.querySelectorAll('tbody tr').length === 1").await
}

async fn fill(visit: &Visit, selector: &str, text: &str) -> anyhow::Result<()> {
    visit.click(selector).await?;
    visit.write(text).await
}

/// Signs in as another user.
async fn sign_in_again(visit: &Visit, fields: &[(&str, &str)]) -> anyhow::Result<()> {
    visit.click_where("header button", "Sign out").await?;
    visit.reads("h1", "Sign in").await?;
    for (selector, text) in fields {
        fill(visit, selector, text).await?;
    }
    visit.press("Enter").await?;
    visit.reads("h1", "Attacks").await
}
