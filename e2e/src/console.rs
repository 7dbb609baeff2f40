//! A client of the console's REST API.

use anyhow::{Context as _, ensure};
use cloudfront_sim::http1::{Client, Request};
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::time::Instant;

pub struct Console {
    client: Client,
    address: SocketAddr,
    token: String,
}

impl Console {
    pub fn new(address: SocketAddr, token: String) -> Self {
        Self { client: Client::new(Duration::from_secs(10)), address, token }
    }

    /// A JSON response of the REST API.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        json(path, &self.fetch(path).await?)
    }

    /// The body of a page or another resource with status 200.
    pub async fn fetch(&self, path: &str) -> anyhow::Result<String> {
        self.send(Request::new("GET", path, "console"), &self.token, &[200]).await
    }

    /// Creates a resource and returns it.
    pub async fn make(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        // Long operations return 202.
        json(path, &self.send(post(path, body), &self.token, &[201, 202]).await?)
    }

    /// Changes a resource with this revision and returns it.
    pub async fn change(&self, path: &str, revision: u32, body: &Value) -> anyhow::Result<Value> {
        let request = post(path, body).header("If-Match", format!("\"{revision}\""));
        json(path, &self.send(request, &self.token, &[200]).await?)
    }

    /// Delivers records of a node.
    pub async fn deliver(&self, node_token: &str, batch: &Value) -> anyhow::Result<Value> {
        let path = "/api/v1/ingest";
        json(path, &self.send(post(path, batch), node_token, &[200]).await?)
    }

    /// Deletes a resource; `revision` is its `If-Match`.
    pub async fn delete(&self, path: &str, revision: &str) -> anyhow::Result<()> {
        let request = Request::new("DELETE", path, "console").header("If-Match", revision);
        self.send(request, &self.token, &[204]).await.map(drop)
    }

    async fn send(&self, request: Request, token: &str, expected: &[u16]) -> anyhow::Result<String> {
        let request = request.header("Authorization", format!("Bearer {token}"));
        let response = self.client.send(self.address, &request).await?;
        let (method, path) = (&request.method, request.target.escape_ascii());
        let (status, text) = (response.status, response.body_text());
        ensure!(expected.contains(&status), "{method} {path} returned {status}: {text}");
        Ok(text)
    }

    /// The items of all pages of a list.
    pub async fn items(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let (mut items, mut next) = (Vec::new(), path.to_owned());
        loop {
            let page = self.get(&next).await?;
            items.extend(page["items"].as_array().context("a list has items")?.iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return Ok(items) };
            let joint = if path.contains('?') { '&' } else { '?' };
            next = format!("{path}{joint}cursor={cursor}");
        }
    }

    /// All hits of the attacks that a search finds, e.g. `query=type:sqli`.
    pub async fn hits(&self, search: &str) -> anyhow::Result<Vec<Value>> {
        let mut hits = Vec::new();
        for attack in self.items(&format!("/api/v1/attacks?limit=200&{search}")).await? {
            let id = attack["id"].as_str().context("an attack has an id")?;
            hits.extend(self.items(&format!("/api/v1/attacks/{id}/hits?limit=200")).await?);
        }
        Ok(hits)
    }

    /// Waits for an item of a list that matches.
    pub async fn wait_for(
        &self,
        path: &str,
        limit: Duration,
        is_match: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let deadline = Instant::now() + limit;
        loop {
            let items = self.items(path).await?;
            if let Some(found) = items.iter().find(|item| is_match(item)) {
                return Ok(found.clone());
            }
            ensure!(Instant::now() < deadline, "no item of {path} matches after {limit:?}: {items:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn post(path: &str, body: &Value) -> Request {
    let request = Request::new("POST", path, "console").header("Content-Type", "application/json");
    request.with_body(body.to_string())
}

fn json(path: &str, text: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).with_context(|| format!("{path} did not return JSON: {text}"))
}
