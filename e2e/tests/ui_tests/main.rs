//! UI tests: journeys of analysts and administrators through the console, in Chromium and in front
//! of a whole stack.
//!
//! Each has a browser and a stack of its own. Without Chromium they are skipped; where `CI` is set
//! they then fail.

mod access;
mod accessible;
mod jobs;
mod journey;
mod oidc;
mod poison;
mod rules;
mod versions;
mod views;
mod webhooks;

use anyhow::ensure;
use e2e::{browser::Browser, exclusive, visit::Visit};
use std::{
    env,
    io::{self, Write as _},
    thread,
};

macro_rules! ui_tests {
    ($($name:ident => $journey:path;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() -> anyhow::Result<()> {
            run(async |visit| $journey(visit).await).await
        }
    )+};
}

ui_tests! {
    attacks_appear_without_reload_and_are_searched_grouped_and_opened => journey::attacks;
    false_positive_is_explained_excluded_after_a_preview_and_restored => journey::false_positive;
    source_is_blocked_and_request_patched_without_scripts => journey::without_scripts;
    export_contains_the_results_of_its_search => journey::files;
    requests_are_listed_with_chosen_columns_grouped_and_opened => journey::requests;
    times_are_picked_compared_and_shown_in_both_zones => journey::times;
    overview_leads_from_each_number_to_what_it_counts => journey::overview;
    jobs_take_few_clicks => jobs::in_clicks;
    rows_are_selected_and_marked_with_and_without_scripts => jobs::selected_rows;
    rows_fit_phones_and_presses_are_answered_at_once => jobs::on_phones;
    view_is_saved_opened_renamed_and_deleted_with_and_without_scripts => views::saved;
    ruleset_versions_are_compared_rolled_back_and_replayed => versions::of_rulesets;
    users_tokens_and_sessions_are_managed_by_administrators => access::managed;
    rules_are_made_with_forms_and_their_changes_are_in_the_audit_log => rules::made_with_forms;
    users_change_their_own_password => rules::own_account;
    webhook_gets_a_digest_a_rate_limit_and_a_new_secret => webhooks::managed;
    users_sign_in_at_an_openid_provider_with_and_without_scripts => oidc::sign_in;
    payloads_are_shown_as_text_on_every_page => poison::everywhere;
    every_page_conforms_to_wcag_2_2_aa_in_both_themes_wide_and_narrow => accessible::pages;
}

/// Not `eprintln`, which the test runner hides.
pub(crate) fn skip(reason: &str) -> anyhow::Result<()> {
    ensure!(env::var_os("CI").is_none(), "CI must not skip: {reason}");
    let test = thread::current().name().unwrap_or_default().to_owned();
    Ok(writeln!(io::stderr(), "skipped: {test}: {reason}")?)
}

async fn run(journey: impl AsyncFnOnce(&Visit) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let Some(program) = Browser::program() else {
        return skip("Chromium is not installed");
    };
    let binaries = exclusive::binaries().await?;
    let visit = Visit::start(&binaries, &program).await?;
    let mut result = journey(&visit).await;
    if result.is_ok() {
        result = visit.is_quiet();
    }
    visit.end().await;
    result
}
