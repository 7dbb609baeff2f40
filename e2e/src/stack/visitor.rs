//! A visitor of the distribution, and the console's records of its requests.

use super::Stack;
use anyhow::{Context as _, ensure};
use cloudfront_sim::http1::{Request, Response};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A request at the edge is listed within this time.
pub const LISTED_WITHIN: Duration = Duration::from_secs(2);
/// Time limit of operations without a documented one.
pub const TIMEOUT: Duration = Duration::from_secs(20);

impl Stack {
    pub async fn get(&self, target: &str) -> anyhow::Result<Response> {
        self.send(Request::new("GET", target, "shop.example.com")).await
    }

    pub async fn post(&self, target: &str, content_type: &str, body: &str) -> anyhow::Result<Response> {
        let request = Request::new("POST", target, "shop.example.com").header("Content-Type", content_type);
        self.send(request.with_body(body)).await
    }

    pub async fn send(&self, request: Request) -> anyhow::Result<Response> {
        let request = request.header("User-Agent", "curl/8.5.0").header("Accept", "*/*");
        Ok(self.visitor.send(self.addresses.cloudfront, &request).await?)
    }

    /// The attack of this type at this point, as soon as it is listed.
    pub async fn attack(&self, code: &str, parameter: &str) -> anyhow::Result<Value> {
        let matches = |item: &Value| item["type"] == code && item["parameter"] == parameter;
        self.console_api().wait_for("/api/v1/attacks", LISTED_WITHIN, matches).await
    }

    /// Waits until the node's spool is empty, as long as it shrinks.
    pub async fn all_delivered(&self) -> anyhow::Result<()> {
        let (mut least, mut since) = (u64::MAX, Instant::now());
        loop {
            let pending = self.node_status("/spool/pending").await?;
            if pending == 0 {
                return Ok(());
            }
            if pending < least {
                (least, since) = (pending, Instant::now());
            }
            ensure!(since.elapsed() < TIMEOUT, "{pending} records remain in the spool");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

pub fn expect_status(response: &Response, status: u16) -> anyhow::Result<()> {
    let actual = response.status;
    ensure!(actual == status, "expected {status}, got {actual}: {}", response.body_text());
    Ok(())
}

/// CloudFront's id of the request behind this response.
pub fn edge_request_id(response: &Response) -> anyhow::Result<String> {
    response.headers.text("X-Amz-Cf-Id").context("the response has no X-Amz-Cf-Id")
}
