//! `bench-page`: load time of the lists and the overview with many hits.

use crate::{
    binaries::Binaries,
    browser::{Browser, Window},
};
use anyhow::{Context as _, ensure};
use cloudfront_sim::http1::{Client, Request};
use std::{fs, net::TcpListener, process::ExitCode, time::Duration};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

/// Options of the benchmark.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Options {
    /// Number of hits in the database.
    #[arg(long, default_value_t = 1_000_000, value_name = "COUNT")]
    hits: u64,
}

/// Bound of the first contentful paint, in milliseconds.
const BOUND_MS: f64 = 1_000.0;
/// Bound of the transferred size of the page and its resources.
const BOUND_KB: f64 = 200.0;
/// The encoded size of all resources, cached ones included.
const WEIGHT: &str =
    "performance.getEntries().reduce((sum, it) => sum + (it.encodedBodySize ?? 0), 0) / 1000";
/// The end of the last response.
const LOADED: &str = "Math.max(...performance.getEntries().map((it) => it.responseEnd ?? 0))";
const TIMES: usize = 5;

/// A page to open.
struct Page {
    path: &'static str,
    /// What its main content has.
    content: &'static str,
}

const PAGES: &[Page] = &[
    Page { path: "/attacks", content: "#results [data-row]" },
    Page { path: "/requests", content: "#results [data-row]" },
    Page { path: "/overview", content: ".series" },
];

/// Seeds a console and opens its pages in Chromium; exits 1 when a bound is exceeded.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let program = Browser::program().context("Chromium is not installed; install it or set CHROMIUM")?;
    let console = Binaries::build()?.console;
    let directory = tempfile::tempdir()?;
    let data = directory.path().display().to_string();
    let hits = options.hits.to_string();
    let seeded = Command::new(&console).args(["seed", "--data", &data, "--hits", &hits]).status().await?;
    ensure!(seeded.success(), "cannot seed the console ({seeded})");
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let _server = Command::new(&console)
        .args(["serve", "--data", &data, "--listen", &address.to_string()])
        .kill_on_drop(true)
        .spawn()?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while Client::default().send(address, &Request::new("GET", "/ready", "console")).await.is_err() {
        ensure!(Instant::now() < deadline, "the console does not respond at {address}");
        sleep(Duration::from_millis(50)).await;
    }
    let token = fs::read_to_string(directory.path().join("admin-token"))?;

    let browser = Browser::start(&program).await?;
    browser.resize(Window { width: 1280, height: 900, dark: false }).await?;
    browser.open(&format!("http://{address}/sign-in")).await?;
    browser.click("[name=token]").await?;
    browser.write(token.trim()).await?;
    browser.press("Enter").await?;
    browser.reads("h1", "Attacks").await?;
    let mut are_within = true;
    for page in PAGES {
        are_within &= measure(&browser, &format!("http://{address}"), page, &hits).await?;
    }
    Ok(if are_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Opens a page several times; returns whether it is within the bounds.
async fn measure(browser: &Browser, console: &str, page: &Page, hits: &str) -> anyhow::Result<bool> {
    let (mut contents, mut charts, mut weight) = (Vec::new(), Vec::new(), 0.0_f64);
    for _ in 0..TIMES {
        browser.open("about:blank").await?;
        browser.open(&format!("{console}{}", page.path)).await?;
        browser.sees(page.content).await?;
        browser.until("performance.getEntriesByName('first-contentful-paint').length === 1").await?;
        let paint =
            browser.value("performance.getEntriesByName('first-contentful-paint')[0].startTime").await?;
        contents.push(paint.as_f64().context("a time")?);
        browser.sees(".series").await?;
        charts.push(browser.value(LOADED).await?.as_f64().context("a time")?);
        weight = weight.max(browser.value(WEIGHT).await?.as_f64().context("a size")?);
    }
    contents.sort_by(f64::total_cmp);
    charts.sort_by(f64::total_cmp);
    let (content, chart) = (contents[TIMES / 2], charts[TIMES / 2]);
    let verdict = |is_ok| if is_ok { "ok" } else { "MISSED" };
    let (is_soon, is_light) = (content <= BOUND_MS, weight <= BOUND_KB);
    println!(
        "{}, {hits} hits: first content after {content:.0} ms (at most {BOUND_MS:.0}: {}), all after {chart:.0} ms, \
         {weight:.0} KB (at most {BOUND_KB:.0}: {})",
        page.path,
        verdict(is_soon),
        verdict(is_light)
    );
    Ok(is_soon && is_light)
}
