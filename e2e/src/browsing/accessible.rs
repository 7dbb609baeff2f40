//! That everybody can use the pages: no violation of WCAG 2.1 A and AA, as far as axe-core can tell.

use super::{Visit, data};
use crate::browser::Window;
use anyhow::{Context as _, ensure};
use std::fs;

/// Where `just browser` puts it.
const AXE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/axe-core/node_modules/axe-core/axe.min.js");

/// Wide and narrow, light and dark.
const WINDOWS: [Window; 4] = [
    Window { width: 1280, height: 900, dark: false },
    Window { width: 1280, height: 900, dark: true },
    Window { width: 360, height: 740, dark: false },
    Window { width: 360, height: 740, dark: true },
];

/// What it says of the page that is open: an empty text when all is well.
const RUN: &str = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then((result) => \
     result.violations.map((it) => `${it.id}: ${it.help}: ${it.nodes.map((node) => node.html.slice(0, 200)).slice(0, 3).join(' ')}`).join('\\n'))";

pub(super) async fn pages(visit: &Visit) -> anyhow::Result<()> {
    let axe = fs::read_to_string(AXE).context("`just browser` installs axe-core")?;
    let pages = data::pages(visit).await?;
    let mut violations = Vec::new();
    for window in WINDOWS {
        visit.resize(window).await?;
        for page in &pages {
            page.open(visit).await?;
            if page.is_mistake {
                visit.complaints();
            }
            let at = format!(
                "{} at {} px, {}",
                page.name,
                window.width,
                if window.dark { "dark" } else { "light" }
            );
            let fits = visit.value("document.documentElement.scrollWidth <= innerWidth").await?;
            if fits != true {
                violations.push(format!("{at}: wider than the window"));
            }
            visit.value(&axe).await?;
            let found = visit.value(RUN).await?;
            let found = found.as_str().context("axe-core answers a text")?;
            violations.extend(found.lines().map(|line| format!("{at}: {line}")));
        }
    }
    ensure!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}
