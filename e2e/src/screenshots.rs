//! Screenshots of each page for the documentation.

use crate::{
    binaries::Binaries,
    browser::{Browser, Window},
    visit::{Visit, pages},
};
use anyhow::Context as _;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The themes of the console.
const THEMES: [(&str, bool); 2] = [("light", false), ("dark", true)];

/// Options of the screenshots.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Output directory.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Width of the window.
    #[arg(long, default_value_t = 1280, value_name = "PIXELS")]
    width: u32,
}

/// Writes `<page>-<theme>.png` for every page and theme.
pub async fn run(Options { directory, width }: Options) -> anyhow::Result<()> {
    let program = Browser::program().context("Chromium is not installed; install it or set CHROMIUM")?;
    let visit = Visit::start(&Binaries::build()?, &program).await?;
    let result = take(&visit, &directory, width).await;
    visit.end().await;
    result
}

async fn take(visit: &Visit, folder: &Path, width: u32) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    visit.seed(4_000).await?;
    let pages = pages::pages(visit).await?;
    for (theme, dark) in THEMES {
        visit.resize(Window { width, height: 680, dark }).await?;
        for page in &pages {
            page.open(visit).await?;
            fs::write(folder.join(format!("{}-{theme}.png", page.name)), visit.picture().await?)?;
        }
    }
    Ok(())
}
