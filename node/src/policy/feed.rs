//! The ruleset feed: long polling of the console.

use super::{CurrentPolicy, copy::LastCopy};
use crate::{config::ConsoleConfig, http_client::HttpClient};
use anyhow::Context as _;
use decision::{GeoFields, Policy};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    body::Bytes,
    header::{AUTHORIZATION, ETAG, HeaderValue, IF_NONE_MATCH},
};
use shared::{NODE_CONFIG_PATH, ruleset::Ruleset};
use std::{error::Error, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How long the console may hold a poll open.
const WAIT: Duration = Duration::from_secs(30);
/// Additional time for the response.
const TIMEOUT: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest time until a recovered console is noticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Keeps the policy up to date with the console.
pub struct Feed {
    http: HttpClient,
    endpoint: Uri,
    authorization: String,
    policy: Arc<CurrentPolicy>,
    copy: LastCopy,
    /// Fields of sources that can be looked up.
    known: GeoFields,
    /// Of the last ruleset received, valid or not.
    etag: Option<HeaderValue>,
    pause: Duration,
}

/// Why a poll failed.
#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error("cannot reach the console: {0}")]
    Unreachable(Box<dyn Error + Send + Sync>),
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
        let endpoint = format!("{}{NODE_CONFIG_PATH}?wait={}", config.url, WAIT.as_secs());
        Ok(Self {
            http: crate::http_client::new(),
            endpoint: endpoint.parse().context("console.url is not a URL")?,
            authorization: format!("Bearer {}", config.token.expose()),
            policy,
            copy,
            known,
            etag: None,
            pause: FIRST_PAUSE,
        })
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
        while stop.run_until_cancelled(self.round()).await.is_some() {}
    }

    async fn round(&mut self) {
        match self.poll().await {
            Ok(()) => {
                if self.pause > FIRST_PAUSE {
                    info!("the console is reachable again");
                }
                self.pause = FIRST_PAUSE;
            }
            Err(cause) => {
                if self.pause == FIRST_PAUSE {
                    warn!("cannot update rules and lists, the current ones stay in force: {cause}");
                }
                tokio::time::sleep(self.pause).await;
                self.pause = LONGEST_PAUSE.min(self.pause * 2);
            }
        }
    }

    /// Waits for a change and applies it.
    async fn poll(&mut self) -> Result<(), FeedError> {
        let exchange = tokio::time::timeout(WAIT + TIMEOUT, self.exchange()).await;
        let Some((etag, body)) =
            exchange.map_err(|_| FeedError::Unreachable("no response in time".into()))??
        else {
            return Ok(());
        };
        // Also for an invalid ruleset: polling for it again would not help.
        self.etag = etag;
        // Compiling 100,000 rules takes long; it must not delay requests.
        let known = self.known;
        let (policy, body) = tokio::task::spawn_blocking(move || compile(body, known))
            .await
            .map_err(|_| FeedError::Compilation)??;
        self.apply(policy, "the console");
        if let Err(cause) = self.copy.write(&body) {
            error!("cannot save the ruleset for the next start: {cause}");
        }
        Ok(())
    }

    async fn exchange(&self) -> Result<Option<(Option<HeaderValue>, Bytes)>, FeedError> {
        let mut request = Request::get(&self.endpoint).header(AUTHORIZATION, &self.authorization);
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let request = request.body(Full::default()).map_err(|cause| FeedError::Unreachable(cause.into()))?;
        let reply = self.http.request(request).await.map_err(|cause| FeedError::Unreachable(cause.into()))?;
        match reply.status() {
            StatusCode::NOT_MODIFIED => Ok(None),
            StatusCode::OK => {
                let etag = reply.headers().get(ETAG).cloned();
                let body = Limited::new(reply.into_body(), Ruleset::MAX_BYTES).collect().await;
                Ok(Some((etag, body.map_err(FeedError::Unreachable)?.to_bytes())))
            }
            status => Err(FeedError::Status(status)),
        }
    }

    fn apply(&self, policy: Policy, from: &str) {
        let summary = &policy.summary;
        let (version, rules, list_entries) = (summary.version, summary.rules, summary.list_entries);
        info!(version, rules, list_entries, "applied new rules and lists from {from}");
        for left_out in &summary.left_out {
            warn!(id = left_out.id, "not applied from the ruleset: {}", left_out.cause);
        }
        self.policy.replace(policy);
    }
}

fn compile(body: Bytes, known: GeoFields) -> Result<(Policy, Bytes), FeedError> {
    let ruleset: Ruleset = serde_json::from_slice(&body)?;
    Ok((Policy::compile(&ruleset, known, jiff::Timestamp::now()), body))
}
