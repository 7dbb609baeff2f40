//! Webhooks: digest, rate limit, events, and the rotation of the secret, with and without scripts.

use anyhow::ensure;
use e2e::visit::Visit;

pub(crate) async fn managed(visit: &Visit) -> anyhow::Result<()> {
    visit.sign_in().await?;
    added_and_rotated(visit, "Chat").await?;
    visit.allow_scripts(false).await?;
    added_and_rotated(visit, "Chat without scripts").await
}

async fn added_and_rotated(visit: &Visit, name: &str) -> anyhow::Result<()> {
    visit.page("/webhooks").await?;
    fill(visit, "[name=name]", name).await?;
    fill(visit, "[name=url]", "https://hooks.example.com/waf").await?;
    visit.value("document.querySelector('[name=digest]').value = 'hour'").await?;
    fill(visit, "[name=rate_limit]", "30").await?;
    // Tests send nothing to other machines.
    visit.value("document.querySelector('[name=enabled]').value = 'false'").await?;
    visit.click_where("form button", "Add webhook").await?;
    visit.reads(".done pre", "whsec_").await?;
    let first = secret(visit).await?;
    visit.click_where("td a", name).await?;
    visit.reads("dd", "Digest per hour, at most 30 messages per minute").await?;
    visit.click_where("summary", "Edit").await?;
    ensure!(
        visit.value("document.querySelector('[name=rules]').checked").await? == true,
        "a new webhook is notified of changed rules"
    );

    visit.click_where("summary", "Rotate secret").await?;
    visit.click_where("button", "Rotate the secret of").await?;
    visit.reads(".done", "New signing secret").await?;
    visit.reads("dd", "signs until").await?;
    ensure!(secret(visit).await? != first, "the secret did not change");
    // It is shown once.
    visit.click_where("header nav a", "Audit log").await?;
    visit.reads("td", "new secret; the previous one is valid until").await?;
    visit.page("/webhooks").await?;
    visit.click_where("td a", name).await?;
    visit.reads("dd", "signs until").await?;
    ensure!(
        visit.value("document.querySelector('.done') === null").await? == true,
        "the secret is shown again"
    );
    visit.click_where("summary", "Delete").await?;
    visit.click_where("button", &format!("Delete {name}")).await?;
    visit.reads("h1", "Webhooks").await
}

async fn secret(visit: &Visit) -> anyhow::Result<String> {
    let secret = visit.value("document.querySelector('.done pre').textContent").await?;
    Ok(secret.as_str().unwrap_or_default().to_owned())
}

async fn fill(visit: &Visit, selector: &str, text: &str) -> anyhow::Result<()> {
    visit.click(selector).await?;
    visit.write(text).await
}
