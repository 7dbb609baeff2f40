//! The ruleset feed: long polling of the console.

use super::{CurrentPolicy, copy::LastCopy};
use crate::{
    config::ConsoleConfig,
    console_client::{Backoff, ConsoleClient, Unreachable},
};
use decision::{GeoFields, Policy};
use hyper::{
    Method, StatusCode,
    body::Bytes,
    header::{ETAG, HeaderValue, IF_NONE_MATCH},
};
use shared::{NODE_CONFIG_PATH, ruleset::Ruleset};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How long the console may hold a poll open.
const WAIT: Duration = Duration::from_secs(30);
/// Additional time for the response.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Keeps the policy up to date with the console.
pub struct Feed {
    console: ConsoleClient,
    policy: Arc<CurrentPolicy>,
    copy: LastCopy,
    /// Fields of sources that can be looked up.
    known: GeoFields,
    /// Of the last ruleset received, valid or not.
    etag: Option<HeaderValue>,
    backoff: Backoff,
}

/// Why a poll failed.
#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("the console responds with status {0}")]
    Status(StatusCode),
    #[error("the response is not a ruleset: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("cannot compile the ruleset")]
    Compilation,
}

impl Feed {
    pub fn new(
        config: &ConsoleConfig,
        policy: Arc<CurrentPolicy>,
        copy: LastCopy,
        known: GeoFields,
    ) -> anyhow::Result<Self> {
        let console = ConsoleClient::new(config, &format!("{NODE_CONFIG_PATH}?wait={}", WAIT.as_secs()))?;
        Ok(Self { console, policy, copy, known, etag: None, backoff: Backoff::default() })
    }

    /// Applies the last good ruleset, until the console is reachable.
    pub fn start_from_copy(&mut self) {
        match self.copy.read() {
            Ok(Some(ruleset)) => {
                self.etag = Ruleset::etag(ruleset.id).parse().ok();
                let policy = Policy::compile(&ruleset, self.known, jiff::Timestamp::now());
                self.apply(policy, "the copy on disk");
            }
            Ok(None) => {}
            Err(cause) => warn!("cannot use the copy of the ruleset: {cause}"),
        }
    }

    pub async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.poll_once()).await.is_some() {}
    }

    /// Polls once, or waits after a failure.
    pub async fn poll_once(&mut self) {
        match self.poll().await {
            Ok(()) => {
                if self.backoff.has_failed() {
                    info!("the console is reachable again");
                }
                self.backoff = Backoff::default();
            }
            Err(cause) => {
                if !self.backoff.has_failed() {
                    warn!("cannot update rules and lists, the current ones stay in force: {cause}");
                }
                self.backoff.wait().await;
            }
        }
    }

    /// Waits for a change and applies it.
    async fn poll(&mut self) -> Result<(), FeedError> {
        let known = self.etag.iter().map(|etag| (IF_NONE_MATCH, etag.clone()));
        let limits = (WAIT + TIMEOUT, Ruleset::MAX_BYTES);
        let reply = self.console.send(Method::GET, known, Bytes::new(), limits).await?;
        match reply.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED => return Ok(()),
            status => return Err(FeedError::Status(status)),
        }
        // Also for an invalid ruleset: polling for it again would not help.
        self.etag = reply.headers().get(ETAG).cloned();
        // Compiling 100,000 rules takes long; it must not delay requests.
        let known = self.known;
        let body = reply.into_body();
        let (policy, body) = tokio::task::spawn_blocking(move || compile(body, known))
            .await
            .map_err(|_| FeedError::Compilation)??;
        self.apply(policy, "the console");
        if let Err(cause) = self.copy.write(&body) {
            error!("cannot save the ruleset for the next start: {cause}");
        }
        Ok(())
    }

    fn apply(&self, policy: Policy, from: &str) {
        let summary = &policy.summary;
        let (version, rules, list_entries) = (summary.version, summary.rules, summary.list_entries);
        info!(version, rules, list_entries, "applied new rules and lists from {from}");
        for left_out in &summary.left_out {
            warn!(id = left_out.id, "not applied from the ruleset: {}", left_out.cause);
        }
        if let Some(more) =
            summary.left_out_count.checked_sub(summary.left_out.len()).filter(|more| *more > 0)
        {
            warn!("{more} more items are not applied");
        }
        self.policy.replace(policy);
    }
}

fn compile(body: Bytes, known: GeoFields) -> Result<(Policy, Bytes), FeedError> {
    let ruleset: Ruleset = serde_json::from_slice(&body)?;
    Ok((Policy::compile(&ruleset, known, jiff::Timestamp::now()), body))
}
