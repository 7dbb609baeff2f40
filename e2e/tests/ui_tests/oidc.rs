//! Sign-in at an OpenID provider: npm's `oidc-provider`, in a console without passwords.

use super::accessible;
use anyhow::{Context as _, ensure};
use cloudfront_sim::http1::{Client, Request};
use e2e::{stack::TIMEOUT, visit::Visit};
use std::{fs, net::SocketAddr, path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Installed by `just browser`.
const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/oidc-provider/node_modules");
const PROVIDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui_tests/oidc/provider.mjs");
const SECRET: &str = "the-secret-of-the-client";

pub(crate) async fn sign_in(visit: &Visit) -> anyhow::Result<()> {
    if !Path::new(MODULES).join("oidc-provider").exists() {
        return super::skip("oidc-provider is not installed; `just browser` installs it");
    }
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let console = format!("http://{address}");
    let (_provider, issuer) = start_provider(&format!("{console}/sign-in/oidc/callback")).await?;
    let _console = start_console(visit, address, &issuer).await?;

    visit.open(&format!("{console}/rules")).await?;
    visit.reads("h1", "Sign in").await?;
    ensure!(
        visit.value("document.querySelector('[name=password]') === null").await? == true,
        "a password form"
    );
    let mut violations = accessible::of_page(visit, "sign-in").await?;
    at_provider(visit, "ann").await?;
    visit.reads("h1", "Rules").await?;
    visit.open(&format!("{console}/settings")).await?;
    visit.reads("dd", "ann").await?;
    visit.reads("dd", "Analyst").await?;
    ensure!(
        visit.value("document.querySelector('[name=current]') === null").await? == true,
        "a password to change"
    );
    visit.click_where("header button", "Sign out").await?;
    visit.reads("h1", "Sign in").await?;

    // The provider still knows the user: it asks nothing. Scripts are not needed.
    visit.allow_scripts(false).await?;
    visit.click_where("a", "Sign in with the test").await?;
    visit.reads("h1", "Attacks").await?;
    visit.click_where("header button", "Sign out").await?;
    visit.reads("h1", "Sign in").await?;
    visit.allow_scripts(true).await?;

    visit.open(&format!("{issuer}/session/end")).await?;
    visit.click_where("button", "Yes").await?;
    visit.reads("h1", "Sign-out Success").await?;
    visit.open(&format!("{console}/sign-in")).await?;
    at_provider(visit, "bob").await?;
    visit.reads("[role=alert]", "None of your groups has access to this console.").await?;
    violations.extend(accessible::of_page(visit, "refused sign-in").await?);
    ensure!(violations.is_empty(), "{}", violations.join("\n"));
    // The refusal is an error status, and the provider's own pages load a font.
    visit.complaints();
    Ok(())
}

/// Signs in at the provider, and consents to the claims.
async fn at_provider(visit: &Visit, user: &str) -> anyhow::Result<()> {
    visit.click_where("a", "Sign in with the test").await?;
    for (field, text) in [("login", user), ("password", "any")] {
        visit.click(&format!("[name={field}]")).await?;
        visit.write(text).await?;
    }
    visit.press("Enter").await?;
    visit.click_where("button", "Continue").await
}

/// Starts the provider; its issuer.
async fn start_provider(redirect: &str) -> anyhow::Result<(Child, String)> {
    let mut command = Command::new("node");
    command.args([PROVIDER, MODULES, SECRET, redirect]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut provider = command.kill_on_drop(true).spawn().context("cannot start Node.js")?;
    let lines = BufReader::new(provider.stdout.take().context("the output is piped")?);
    let issuer = lines.lines().next_line().await?.context("the provider did not start")?;
    Ok((provider, issuer))
}

/// Starts another console, with its own database.
async fn start_console(visit: &Visit, address: SocketAddr, issuer: &str) -> anyhow::Result<Child> {
    let directory = visit.stack.directory().join("oidc");
    fs::create_dir(&directory)?;
    let (config, secret) = (directory.join("console.toml"), directory.join("secret"));
    fs::write(&secret, SECRET)?;
    let section = format!(
        "[oidc]\nissuer = \"{issuer}\"\nclient_id = \"waf-console\"\nclient_secret_file = \"{}\"\n\
         passwords = false\nbutton = \"Sign in with the test\"\n[oidc.roles]\nsoc = \"analyst\"\nstaff = \"read_only\"\n",
        secret.display()
    );
    fs::write(&config, section)?;
    let mut command = Command::new(visit.console_program());
    command.args(["serve", "--listen", &address.to_string(), "--public-url", &format!("http://{address}")]);
    command.arg("--config").arg(config).arg("--data").arg(directory);
    let console = command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
    let deadline = Instant::now() + TIMEOUT;
    while Client::default().send(address, &Request::new("GET", "/ready", "console")).await.is_err() {
        ensure!(Instant::now() < deadline, "the console did not start");
        sleep(std::time::Duration::from_millis(50)).await;
    }
    Ok(console)
}
