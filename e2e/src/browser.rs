//! Headless Chromium over its remote debugging protocol.
//!
//! The connection is a pipe (`--remote-debugging-pipe`, JSON messages that end with a NUL), so no
//! port is open.

mod pipe;

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use pipe::Pipe;
use serde_json::{Value, json};
use std::{env, path::PathBuf, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Names of the program in Debian and other distributions.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A browser with one tab.
pub struct Browser {
    pipe: Pipe,
    session: String,
    _process: Child,
    _profile: TempDir,
}

/// Size and theme of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

impl Browser {
    /// Time limit for a page; long, as the machine may be busy.
    const TIMEOUT: Duration = Duration::from_secs(30);

    /// The installed program; `CHROMIUM` overrides it.
    pub fn program() -> Option<PathBuf> {
        if let Some(named) = env::var_os("CHROMIUM") {
            return Some(named.into());
        }
        let path = env::var_os("PATH")?;
        let folders: Vec<_> = env::split_paths(&path).collect();
        NAMES
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|file| file.is_file())
    }

    pub async fn start(program: &PathBuf) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        // Chromium expects the pipe at descriptors 3 and 4; the shell moves it there and becomes
        // Chromium.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(program)
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--no-first-run",
                "--disable-gpu",
            ])
            .args(["--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking"])
            .args([
                "--disable-component-update",
                "--disable-sync",
                "--force-color-profile=srgb",
                "--hide-scrollbars",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let pipe = Pipe::new(&mut process)?;
        let target = pipe.call(None, "Target.createTarget", json!({"url": "about:blank"})).await?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = pipe.call(None, "Target.attachToTarget", attach).await?;
        let session = session["sessionId"].as_str().context("a session has an id")?.to_owned();
        let browser = Self { pipe, session, _process: process, _profile: profile };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({})).await?;
        }
        Ok(browser)
    }

    async fn call(&self, method: &str, parameters: Value) -> anyhow::Result<Value> {
        self.pipe.call(Some(&self.session), method, parameters).await
    }

    /// Opens an address and waits until it is loaded.
    pub async fn open(&self, address: &str) -> anyhow::Result<()> {
        let answer = self.call("Page.navigate", json!({"url": address})).await?;
        if let Some(error) = answer["errorText"].as_str() {
            bail!("cannot open {address}: {error}");
        }
        self.until("document.readyState === 'complete'").await
    }

    /// Evaluates a JavaScript expression in the page.
    pub async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        let call = json!({"expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let answer = self.call("Runtime.evaluate", call).await?;
        if let Some(exception) = answer.get("exceptionDetails") {
            bail!("{expression}: {exception}");
        }
        Ok(answer["result"]["value"].clone())
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + Self::TIMEOUT;
        loop {
            // Evaluation fails while another page is loading.
            let now = self.value(expression).await;
            if now.as_ref().is_ok_and(|value| value.as_bool() == Some(true)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let text =
                    self.value("location.href + '\\n' + document.body.innerText").await.unwrap_or_default();
                bail!("not true in time: {expression} ({now:?}), at {}", text.as_str().unwrap_or("no page"));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for an element.
    pub async fn sees(&self, selector: &str) -> anyhow::Result<()> {
        self.until(&format!("document.querySelector({}) !== null", json!(selector))).await
    }

    /// Waits for an element that contains this text.
    pub async fn reads(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let condition = format!(
            "[...document.querySelectorAll({})].some((it) => (it.matches('input, textarea') ? it.value : it.textContent).includes({}))",
            json!(selector),
            json!(text)
        );
        self.until(&condition).await
    }

    /// Clicks the first matching element.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        self.click_where(selector, "").await
    }

    /// Clicks the first visible matching element that contains this text.
    pub async fn click_where(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let find = format!(
            "[...document.querySelectorAll({})].find((it) => it.textContent.includes({}) && it.getClientRects().length > 0)",
            json!(selector),
            json!(text)
        );
        self.until(&format!("{find} !== undefined")).await?;
        let center = self
            .value(&format!(
                "(() => {{ const it = {find}; it.scrollIntoView({{block: 'center'}}); const box = it.getClientRects()[0]; \
                 return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
            ))
            .await?;
        for event in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let at =
                json!({"type": event, "x": center[0], "y": center[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", at).await?;
        }
        Ok(())
    }

    /// Inserts text into the focused element.
    pub async fn write(&self, text: &str) -> anyhow::Result<()> {
        self.call("Input.insertText", json!({"text": text})).await.map(drop)
    }

    /// Presses a key by its name, such as `Enter` or `j`.
    pub async fn press(&self, key: &str) -> anyhow::Result<()> {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "ArrowDown" => 40,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            "Escape" | "ArrowDown" => "",
            letter => letter,
        };
        let down = json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", down).await?;
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}),
        )
        .await
        .map(drop)
    }

    pub async fn resize(&self, Window { width, height, dark }: Window) -> anyhow::Result<()> {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size).await?;
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", media).await.map(drop)
    }

    /// Slows the processor down by this factor.
    pub async fn slow_down(&self, times: u32) -> anyhow::Result<()> {
        self.call("Emulation.setCPUThrottlingRate", json!({"rate": times})).await.map(drop)
    }

    /// Enables or disables JavaScript.
    pub async fn allow_scripts(&self, allowed: bool) -> anyhow::Result<()> {
        self.call("Emulation.setScriptExecutionDisabled", json!({"value": !allowed})).await.map(drop)
    }

    /// A screenshot of the window, as PNG.
    pub async fn picture(&self) -> anyhow::Result<Vec<u8>> {
        let picture =
            self.call("Page.captureScreenshot", json!({"format": "png", "optimizeForSpeed": false})).await?;
        Ok(STANDARD.decode(picture["data"].as_str().context("a screenshot has data")?)?)
    }

    /// Takes the console output since the last call: messages, errors, violations of the content
    /// security policy.
    pub fn complaints(&self) -> Vec<String> {
        self.pipe.complaints()
    }
}
