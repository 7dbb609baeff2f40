//! A stack, and somebody in front of a browser.

use crate::{
    binaries::Binaries,
    browser::{Browser, Window},
    scenarios::world::World,
    stack::StackOptions,
};
use anyhow::ensure;
use std::{ops::Deref, path::PathBuf};

pub(super) const WIDE: Window = Window { width: 1280, height: 900, dark: false };

pub(super) struct Visit {
    pub(super) world: World,
    browser: Browser,
}

impl Visit {
    pub(super) async fn start(binaries: &Binaries, program: &PathBuf) -> anyhow::Result<Self> {
        let world = World::start(binaries, StackOptions::default()).await?;
        let browser = Browser::start(program).await?;
        browser.resize(WIDE).await?;
        Ok(Self { world, browser })
    }

    /// Opens a page of the console.
    pub(super) async fn page(&self, path: &str) -> anyhow::Result<()> {
        self.browser.open(&format!("http://{}{path}", self.world.addresses.console)).await
    }

    pub(super) async fn sign_in(&self) -> anyhow::Result<()> {
        self.page("/sign-in").await?;
        self.click("[name=token]").await?;
        self.write(&self.world.admin_token).await?;
        self.press("Enter").await?;
        self.reads("h1", "Attacks").await
    }

    /// That nothing was refused, failed or written to the console.
    pub(super) fn is_quiet(&self) -> anyhow::Result<()> {
        let complaints = self.complaints();
        ensure!(complaints.is_empty(), "the browser complains: {complaints:#?}");
        Ok(())
    }

    pub(super) async fn end(self) {
        drop(self.browser);
        self.world.stack.stop().await;
    }
}

impl Deref for Visit {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}
