//! The load, and the verdicts received.

use super::traffic::Numbered;
use anyhow::{Context as _, bail, ensure};
use cloudfront_sim::http1::{Client, Request, Response};
use serde_json::Value;
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

pub(super) struct Load {
    node: SocketAddr,
    pub(super) requests: u32,
    started: AtomicU32,
    answered: AtomicU32,
    /// Retries of calls, after the node was killed before it responded.
    retries: AtomicU32,
    acknowledged: Mutex<Acknowledged>,
}

/// Requests acknowledged by the node.
#[derive(Debug, Clone, Default)]
pub(super) struct Acknowledged {
    /// Attacks with a verdict, or a 202 for copies.
    pub(super) ids: HashSet<String>,
    /// Ids and attack types of the verdicts.
    pub(super) hits: HashSet<(String, String)>,
}

impl Load {
    /// Time limit of a restart of the node.
    const TIMEOUT: Duration = Duration::from_mins(2);

    pub(super) fn new(node: SocketAddr, requests: u32) -> Self {
        Self {
            node,
            requests,
            started: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            retries: AtomicU32::new(0),
            acknowledged: Mutex::default(),
        }
    }

    pub(super) fn start(self: Arc<Self>, connections: u32) -> JoinSet<anyhow::Result<()>> {
        (0..connections).map(|_| self.clone().send_all()).collect()
    }

    async fn send_all(self: Arc<Self>) -> anyhow::Result<()> {
        let client = Client::default();
        loop {
            let n = self.started.fetch_add(1, Ordering::SeqCst);
            if n >= self.requests {
                return Ok(());
            }
            let response = self.send(&client, Numbered(n)).await?;
            self.record(Numbered(n), &response).with_context(|| format!("request {n}"))?;
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Retries until it is answered, with the same id, as connectors do.
    async fn send(&self, client: &Client, number: Numbered) -> anyhow::Result<Response> {
        let request = Request::new("POST", "/v1/inspect/request", "node")
            .header("Content-Type", "application/json")
            .with_body(number.message().to_string());
        let start = Instant::now();
        loop {
            match client.send(self.node, &request).await {
                Ok(response) => return Ok(response),
                Err(error) if start.elapsed() > Self::TIMEOUT => bail!("the node does not respond: {error}"),
                Err(_) => {
                    self.retries.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    fn record(&self, number: Numbered, response: &Response) -> anyhow::Result<()> {
        let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        if number.is_copy() {
            ensure!(response.status == 202, "a copy got {}: {}", response.status, response.body_text());
            acknowledged.ids.insert(number.id());
            return Ok(());
        }
        ensure!(response.status == 200, "the answer is {}: {}", response.status, response.body_text());
        let verdict: Value = serde_json::from_slice(&response.body)?;
        ensure!(verdict["request_id"] == number.id(), "a verdict on another request: {verdict}");
        let expected = if number.is_attack() { "block" } else { "allow" };
        ensure!(verdict["action"] == expected, "expected {expected}, got {verdict}");
        for code in verdict["attack_types"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            acknowledged.ids.insert(number.id());
            acknowledged.hits.insert((number.id(), code.to_owned()));
        }
        Ok(())
    }

    pub(super) fn answered(&self) -> u32 {
        self.answered.load(Ordering::SeqCst)
    }

    pub(super) fn retries(&self) -> u32 {
        self.retries.load(Ordering::SeqCst)
    }

    pub(super) fn in_flight(&self) -> u32 {
        // In this order, so that a request that ends in between is not counted.
        let answered = self.answered();
        self.started.load(Ordering::SeqCst).min(self.requests).saturating_sub(answered)
    }

    pub(super) fn acknowledged(&self) -> Acknowledged {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
