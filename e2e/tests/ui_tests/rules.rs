//! Rules made and changed with forms, their audit lines, and the own account.

use e2e::visit::Visit;

pub(crate) async fn made_with_forms(visit: &Visit) -> anyhow::Result<()> {
    visit.sign_in().await?;
    exclusion(visit, "a report builder").await?;
    visit.allow_scripts(false).await?;
    exclusion(visit, "without scripts").await?;

    // Who changed a rule, and what.
    visit.click_where("header nav a", "Audit log").await?;
    visit.reads("td", "changed rule").await?;
    visit.reads("td", "Ignore SQL injection in JSON field “query” of requests to /reports").await?;
    visit.click_where("td summary", "Show").await?;
    visit.sees("tbody tr:first-child pre.diff").await?;
    visit.click_where(".tabs a", "Sign-ins").await?;
    visit.reads("td", "signed in").await
}

async fn exclusion(visit: &Visit, comment: &str) -> anyhow::Result<()> {
    visit.page("/rules").await?;
    visit.click_where("summary", "Add rule").await?;
    visit.click_where("dt a", "Exclusion").await?;
    fill(visit, "[name=points]", "nowhere").await?;
    fill(visit, "[name=path]", "/reports").await?;
    fill(visit, "[name=comment]", comment).await?;
    visit.click_where("form button", "Add rule").await?;
    visit.reads(".field-error", "is not a step").await?;
    // The page's status is an error, which Chromium logs.
    visit.complaints();
    visit.reads("[name=points]", "nowhere").await?;
    visit.value("document.querySelector('[name=points]').value = ''").await?;
    fill(visit, "[name=points]", "post > json_doc > hash:query").await?;
    visit.click_where("form button", "Add rule").await?;
    visit.reads("td a", "Ignore SQL injection in JSON field “query” of requests to /reports").await?;
    visit.click_where("td a", "Edit").await?;
    fill(visit, "[name=host]", "shop.example.com").await?;
    visit.click_where("form button", "Save").await?;
    visit.reads("td a", "of requests to shop.example.com/reports").await?;
    visit.click_where("td button", "Delete").await?;
    visit.click_where(".done button", "Undo").await?;
    visit.reads("td", comment).await?;
    visit.click_where("td button", "Delete").await?;
    visit.reads(".done", "Rule deleted.").await
}

pub(crate) async fn own_account(visit: &Visit) -> anyhow::Result<()> {
    let user = serde_json::json!({"name": "ann", "role": "analyst", "password": "correct horse battery"});
    visit.stack.console_api().make("/api/v1/users", &user).await?;
    visit.sign_in().await?;
    visit.click_where("header button", "Sign out").await?;
    sign_in(visit, "correct horse battery").await?;
    visit.click_where("header nav a", "Settings").await?;
    visit.reads("td", "this browser").await?;
    visit.click_where("summary", "Change password").await?;
    fill(visit, "[name=current]", "correct horse battery").await?;
    fill(visit, "[name=password]", "staple of the correct horse").await?;
    visit.click_where("form button", "Change password").await?;
    visit.reads("[role=status]", "Password changed.").await?;
    visit.click_where("header button", "Sign out").await?;
    sign_in(visit, "staple of the correct horse").await
}

async fn sign_in(visit: &Visit, password: &str) -> anyhow::Result<()> {
    visit.reads("h1", "Sign in").await?;
    fill(visit, "[name=user]", "ann").await?;
    fill(visit, "[name=password]", password).await?;
    visit.press("Enter").await?;
    visit.reads("h1", "Attacks").await
}

async fn fill(visit: &Visit, selector: &str, text: &str) -> anyhow::Result<()> {
    visit.click(selector).await?;
    visit.write(text).await
}
