//! A browser in front of the console of a whole stack.

pub mod pages;

use crate::{
    binaries::Binaries,
    browser::{Browser, Window},
    stack::{Stack, StackOptions},
};
use anyhow::ensure;
use std::{
    ops::Deref,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

pub const WIDE: Window = Window { width: 1280, height: 900, dark: false };

pub struct Visit {
    pub stack: Stack,
    browser: Browser,
    console: PathBuf,
}

impl Visit {
    pub async fn start(binaries: &Binaries, program: &PathBuf) -> anyhow::Result<Self> {
        let stack = Stack::start(binaries, StackOptions::default()).await?;
        let browser = Browser::start(program).await?;
        browser.resize(WIDE).await?;
        Ok(Self { stack, browser, console: binaries.console.clone() })
    }

    /// Opens a page of the console.
    pub async fn page(&self, path: &str) -> anyhow::Result<()> {
        self.browser.open(&format!("http://{}{path}", self.stack.addresses.console)).await
    }

    pub async fn sign_in(&self) -> anyhow::Result<()> {
        self.page("/sign-in").await?;
        self.click("[name=token]").await?;
        self.write(&self.stack.admin_token).await?;
        self.press("Enter").await?;
        self.reads("h1", "Attacks").await
    }

    /// Seeds the hits of a busy month.
    pub async fn seed(&self, hits: u32) -> anyhow::Result<()> {
        let data = self.stack.directory().join("console");
        let mut seed = Command::new(&self.console);
        seed.arg("seed").arg("--data").arg(data).args(["--hits", &hits.to_string()]).stdout(Stdio::null());
        ensure!(seed.status().await?.success(), "cannot seed the console");
        Ok(())
    }

    /// The program of the console, for another one.
    pub fn console_program(&self) -> &Path {
        &self.console
    }

    /// Checks that the browser's console is empty: no refused resource, no error, no message.
    pub fn is_quiet(&self) -> anyhow::Result<()> {
        let complaints = self.complaints();
        ensure!(complaints.is_empty(), "messages in the browser's console: {complaints:#?}");
        Ok(())
    }

    pub async fn end(self) {
        drop(self.browser);
        self.stack.stop().await;
    }
}

impl Deref for Visit {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}
