//! Accessibility: axe-core finds no violation of WCAG 2.2 A and AA.

use anyhow::{Context as _, ensure};
use e2e::browser::Window;
use e2e::visit::{Visit, WIDE, pages};
use serde::Deserialize;
use std::fs;

/// Installed by `just browser`.
const AXE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/axe-core/node_modules/axe-core/axe.min.js");

/// Wide and narrow, light and dark.
const WINDOWS: [Window; 4] = [
    Window { width: 1440, height: 900, dark: false },
    Window { width: 1440, height: 900, dark: true },
    Window { width: 390, height: 844, dark: false },
    Window { width: 390, height: 844, dark: true },
];

/// Number of rules per level.
const RULES: &str =
    "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'].map((level) => axe.getRules([level]).length)";

/// Checks the open page.
const RUN: &str = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then((result) => ({ \
     passes: result.passes.length, \
     levels: [...new Set(result.passes.flatMap((it) => it.tags))], \
     violations: result.violations.map((it) => \
         `${it.id}: ${it.help}: ${it.nodes.map((node) => node.html.slice(0, 200)).slice(0, 3).join(' ')}`)}))";

/// The elements that reach over the right edge of the window, the outer ones first.
const WIDE_ELEMENTS: &str = "[...document.querySelectorAll('body *')]\
     .filter((it) => it.getBoundingClientRect().right > innerWidth && !it.closest('nav, .scroll')).slice(0, 3).map((it) => it.outerHTML.slice(0, 200))";

#[derive(Deserialize)]
struct Verdict {
    /// Number of rules that passed.
    passes: u32,
    /// The levels of these rules.
    levels: Vec<String>,
    violations: Vec<String>,
}

pub(crate) async fn pages(visit: &Visit) -> anyhow::Result<()> {
    let Ok(axe) = fs::read_to_string(AXE) else {
        return super::skip("axe-core is not installed; `just browser` installs it");
    };
    let mut violations = Vec::new();
    visit.sign_in().await?;
    visit.reads("[data-waiting]", "Waiting for the first attack").await?;
    axe_core_reports_violations(visit, &axe).await?;
    for window in WINDOWS {
        visit.resize(window).await?;
        visit.page("/attacks").await?;
        violations.extend(check(visit, &axe, "welcome", window).await?);
    }
    // The list of attacks reloads itself with the first attack, which would end the next navigation.
    visit.page("/settings").await?;
    let pages = pages::pages(visit).await?;
    for window in WINDOWS {
        visit.resize(window).await?;
        for page in &pages {
            page.open(visit).await?;
            if page.is_mistake {
                visit.complaints();
            }
            violations.extend(check(visit, &axe, page.name, window).await?);
        }
    }
    ensure!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}

/// The violations of the open page, in both themes, wide and narrow. Without axe-core: none.
pub(crate) async fn of_page(visit: &Visit, name: &str) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    if let Ok(axe) = fs::read_to_string(AXE) {
        for window in WINDOWS {
            visit.resize(window).await?;
            violations.extend(check(visit, &axe, name, window).await?);
        }
        visit.resize(WIDE).await?;
    }
    Ok(violations)
}

/// Checks axe-core itself: it has rules of each level, and reports a violation.
async fn axe_core_reports_violations(visit: &Visit, axe: &str) -> anyhow::Result<()> {
    visit.value(axe).await?;
    let rules: Vec<u32> = serde_json::from_value(visit.value(RULES).await?)?;
    ensure!(rules.iter().all(|number| *number > 0), "axe-core has no rules of some level: {rules:?}");
    visit.value("document.documentElement.removeAttribute('lang')").await?;
    let found = verdict(visit).await?.violations;
    ensure!(
        found.len() == 1 && found[0].starts_with("html-has-lang"),
        "expected one violation for a page without a language: {found:?}"
    );
    Ok(())
}

async fn check(visit: &Visit, axe: &str, name: &str, window: Window) -> anyhow::Result<Vec<String>> {
    let theme = if window.dark { "dark" } else { "light" };
    let at = format!("{name} at {} px, {theme}", window.width);
    visit.value(axe).await?;
    let Verdict { passes, levels, violations } = verdict(visit).await?;
    ensure!(passes > 5, "{at}: only {passes} rules of axe-core passed");
    for level in ["wcag2a", "wcag2aa"] {
        ensure!(levels.iter().any(|it| it == level), "{at}: no rule of {level} passed");
    }
    let mut found: Vec<_> = violations.into_iter().map(|it| format!("{at}: {it}")).collect();
    if visit.value("document.documentElement.scrollWidth <= innerWidth").await? != true {
        found.push(format!("{at}: wider than the window: {}", visit.value(WIDE_ELEMENTS).await?));
    }
    Ok(found)
}

async fn verdict(visit: &Visit) -> anyhow::Result<Verdict> {
    serde_json::from_value(visit.value(RUN).await?).context("the result of axe-core has an unexpected format")
}
