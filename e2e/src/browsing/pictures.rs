//! Pictures of each page for the documentation.

use super::{Visit, data};
use crate::browser::Window;
use std::{fs, path::Path};

/// In both themes, and as wide as a documentation shows them.
const THEMES: [(&str, bool); 2] = [("light", false), ("dark", true)];

/// Writes `<page>-<theme>.png` into the folder.
pub(super) async fn take(visit: &Visit, folder: &Path, width: u32) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    visit.seed(4_000).await?;
    let pages = data::pages(visit).await?;
    for (theme, dark) in THEMES {
        visit.resize(Window { width, height: 680, dark }).await?;
        for page in &pages {
            page.open(visit).await?;
            fs::write(folder.join(format!("{}-{theme}.png", page.name)), visit.picture().await?)?;
        }
    }
    Ok(())
}
