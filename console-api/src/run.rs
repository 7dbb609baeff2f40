//! The commands `serve` and `token create`.

use anyhow::{Context, bail};
use axum::extract::FromRef as _;
use console_api::{
    access::User,
    actor::Role,
    app::{App, Site},
    audit::Author,
    authorities::Authorities,
    bundles::Bundles,
    clock::Clock,
    config::{ConfigFile, CreateToken, Data, Readers, Serve, TokenFile},
    coverage::CoverageMargin,
    error::with_sources,
    ingest_quota::IngestQuota,
    notification::{PublicUrl, Sender},
    oidc::Oidc,
    password::Password,
    retention::Retention,
    server::{self, Bound},
    store::{ChangeError, Store, TokenSource},
    token::Token,
    transport::Transport,
    use_cases::{RulesetWriter, rules},
    webhook::Targets,
};
use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt, time::Duration};
use tokio::signal::unix;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) async fn serve(flags: Serve) -> anyhow::Result<()> {
    let config = flags.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
    let oidc = config.oidc(flags.public_url.as_deref())?;
    // First, so that a second console on the same address fails before it changes anything.
    let tls = flags.tls();
    let bound = Bound::open(flags.listen, tls.as_ref())?;
    let authorities = flags.webhook_ca_file.as_deref().map(Authorities::of_file);
    let authorities = authorities.transpose().context("--webhook-ca-file")?.unwrap_or_default();
    make_dir(&flags.data)?;
    let search_time = Duration::from_secs(flags.search_seconds);
    let store = Store::open_with(&flags.data.database_url()?, &flags.data.key_file(), search_time).await?;
    provision(&flags, &store).await?;
    first_user(&flags.data, &store).await?;
    let stop = stop_on_signal()?;
    tracing::info!(address = %bound.address()?, tls = tls.is_some(), data = %flags.data.dir.display(), "the console is ready");
    let retention = Retention { days: flags.keep_days, hits: flags.keep_hits };
    let retention_task = tokio::spawn(retention.run(store.clone(), Clock::System, stop.clone()));
    let mut app = App::new(store, Clock::System, Bundles::of(flags.bundle_dir));
    app.ingest_quota = IngestQuota::default().limited(flags.node_records);
    app.sender = Sender::new(Targets::allowing(flags.webhook_allow), &authorities);
    app.public_url = PublicUrl(flags.public_url);
    app.coverage_margin = CoverageMargin(flags.coverage_margin);
    app.retention = retention;
    app.site = Site(flags.site_url);
    if let Some(oidc) = &oidc {
        tokio::spawn(prepare(oidc.clone()));
    }
    app.oidc = oidc;
    app.transport = Transport { has_tls: tls.is_some(), trusted_proxies: flags.trusted_proxies };
    let dispatcher_task = tokio::spawn(app.dispatcher().run(stop.clone()));
    let expiry_task = tokio::spawn(rules::expire(RulesetWriter::from_ref(&app), Clock::System, stop.clone()));
    server::run(app, bound, stop).await;
    retention_task.abort();
    dispatcher_task.abort();
    expiry_task.abort();
    tracing::info!("the console has stopped");
    Ok(())
}

/// Fetches the metadata of the OpenID provider. The console starts without them.
async fn prepare(oidc: Oidc) {
    if let Err(error) = oidc.prepare().await {
        tracing::warn!(
            error = with_sources(&error),
            "single sign-on is not available; each sign-in tries again"
        );
    }
}

/// Prints a new token; it cannot be shown again.
pub(crate) async fn create_token(flags: CreateToken) -> anyhow::Result<()> {
    let store = open(&flags.data).await?;
    let token = Token::generate();
    store.add_token(&token, flags.role, &flags.name, TokenSource::Command, Clock::System.now()).await?;
    store.close().await;
    println!("{}", token.reveal());
    Ok(())
}

pub(crate) async fn open(data: &Data) -> anyhow::Result<Store> {
    make_dir(data)?;
    Ok(Store::open(&data.database_url()?, &data.key_file()).await?)
}

pub(crate) fn make_dir(data: &Data) -> anyhow::Result<()> {
    let dir = &data.dir;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot create the data directory {}", dir.display()))
}

/// Registers the tokens of the token files. The log names the files, never their contents.
async fn provision(flags: &Serve, store: &Store) -> anyhow::Result<()> {
    let mut provided: Vec<Token> = Vec::new();
    for file in flags.token_files() {
        let (role, path) = (file.role, file.path.display());
        let token_file = file.provide()?;
        if provided.contains(&token_file.token) {
            bail!("the token file {path} contains the token of another role; use one token per role");
        }
        if !store.provision(&token_file.token, role, Clock::System.now()).await? {
            tracing::warn!(
                role = role.as_str(),
                file = %path,
                "the token of the token file was revoked and is not valid; delete the file to get a new token at the \
                 next start"
            );
        }
        if token_file.is_new {
            tracing::info!(role = role.as_str(), file = %path, "created the token file");
        }
        provided.push(token_file.token);
    }
    Ok(())
}

/// Adds the user `admin` with the password of a file, if there are no users.
async fn first_user(data: &Data, store: &Store) -> anyhow::Result<()> {
    if store.has_users().await? {
        return Ok(());
    }
    let file =
        TokenFile { path: data.dir.join("admin-password"), role: Role::Admin, readers: Readers::Owner };
    let password = Password::parse(file.provide()?.token.reveal().to_owned())?;
    let at = Clock::System.now();
    let user = User {
        id: Uuid::now_v7(),
        name: "admin".to_owned(),
        role: Role::Admin,
        revision: 1,
        created_at: at,
        identity: None,
    };
    let author = Author { id: None, name: "the first start".to_owned(), role: None, at };
    match store.add_user(user, &password.hash().await?, &author).await {
        Ok(_) => {
            tracing::info!(file = %file.path.display(), "created the user admin; the file contains its password");
            Ok(())
        }
        // Another console on the same database added it.
        Err(ChangeError::NameTaken { .. }) => Ok(()),
        Err(cause) => Err(cause.into()),
    }
}

fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = unix::signal(unix::SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = unix::signal(unix::SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        signalled.cancel();
    });
    Ok(stop)
}
