//! The console, as somebody with a token sees it.

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

    /// A JSON answer of the REST API.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let body = self.fetch(path).await?;
        serde_json::from_str(&body).with_context(|| format!("{path} is not JSON: {body}"))
    }

    /// A page, or anything else that answers 200.
    pub async fn fetch(&self, path: &str) -> anyhow::Result<String> {
        let request =
            Request::new("GET", path, "console").header("Authorization", format!("Bearer {}", self.token));
        let response = self.client.send(self.address, &request).await?;
        ensure!(response.status == 200, "{path} answers {}: {}", response.status, response.body_text());
        Ok(response.body_text())
    }

    /// Makes something; answers what was made.
    pub async fn make(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = Request::new("POST", path, "console")
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json")
            .with_body(body.to_string());
        let response = self.client.send(self.address, &request).await?;
        let text = response.body_text();
        // What takes a while has begun with 202.
        ensure!(matches!(response.status, 201 | 202), "POST {path} answers {}: {text}", response.status);
        serde_json::from_str(&text).with_context(|| format!("{path} is not JSON: {text}"))
    }

    /// Changes something that has this revision; answers what came of it.
    pub async fn change(&self, path: &str, revision: u32, body: &Value) -> anyhow::Result<Value> {
        let request = Request::new("POST", path, "console")
            .header("Authorization", format!("Bearer {}", self.token))
            .header("If-Match", format!("\"{revision}\""))
            .header("Content-Type", "application/json")
            .with_body(body.to_string());
        let response = self.client.send(self.address, &request).await?;
        let text = response.body_text();
        ensure!(response.status == 200, "POST {path} answers {}: {text}", response.status);
        Ok(serde_json::from_str(&text)?)
    }

    /// Delivers what a node recorded.
    pub async fn deliver(&self, node_token: &str, batch: &Value) -> anyhow::Result<Value> {
        let request = Request::new("POST", "/api/v1/ingest", "console")
            .header("Authorization", format!("Bearer {node_token}"))
            .header("Content-Type", "application/json")
            .with_body(batch.to_string());
        let response = self.client.send(self.address, &request).await?;
        let text = response.body_text();
        ensure!(response.status == 200, "the delivery is answered {}: {text}", response.status);
        Ok(serde_json::from_str(&text)?)
    }

    /// Deletes something; `revision` where it has one.
    pub async fn delete(&self, path: &str, revision: &str) -> anyhow::Result<()> {
        let request = Request::new("DELETE", path, "console")
            .header("Authorization", format!("Bearer {}", self.token))
            .header("If-Match", revision);
        let response = self.client.send(self.address, &request).await?;
        ensure!(
            response.status == 204,
            "DELETE {path} answers {}: {}",
            response.status,
            response.body_text()
        );
        Ok(())
    }

    /// The items of a list, over all its pages.
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

    /// Every hit of every attack.
    pub async fn hits(&self) -> anyhow::Result<Vec<Value>> {
        let mut hits = Vec::new();
        for attack in self.items("/api/v1/attacks?limit=200").await? {
            let id = attack["id"].as_str().context("an attack has an id")?;
            hits.extend(self.items(&format!("/api/v1/attacks/{id}/hits?limit=200")).await?);
        }
        Ok(hits)
    }

    /// The first item of a list that fits, as soon as there is one.
    pub async fn wait_for(
        &self,
        path: &str,
        patience: Duration,
        fits: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let deadline = Instant::now() + patience;
        loop {
            let items = self.items(path).await?;
            if let Some(found) = items.iter().find(|item| fits(item)) {
                return Ok(found.clone());
            }
            ensure!(Instant::now() < deadline, "nothing fits in {path} after {patience:?}: {items:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
