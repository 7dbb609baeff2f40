//! A stack, and a visitor in front of it.

use crate::{
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions, TriggerPair},
};
use anyhow::ensure;
use cloudfront_sim::http1::{Client, Request, Response};
use serde_json::Value;
use std::{ops::Deref, time::Duration};

/// What happened at the edge is in the list after this time at most.
pub(crate) const LISTED_WITHIN: Duration = Duration::from_secs(2);
/// For what has no promised time; only a hang takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub stack: Stack,
    visitor: Client,
}

impl World {
    pub(crate) async fn start(binaries: &Binaries, options: StackOptions) -> anyhow::Result<Self> {
        Ok(Self { stack: Stack::start(binaries, options, false).await?, visitor: Client::default() })
    }

    /// With a wire tap between the functions and the node.
    pub(crate) async fn start_tapped(binaries: &Binaries, options: StackOptions) -> anyhow::Result<Self> {
        Ok(Self { stack: Stack::start(binaries, options, true).await?, visitor: Client::default() })
    }

    pub(crate) async fn get(&self, target: &str) -> anyhow::Result<Response> {
        self.send(Request::new("GET", target, "shop.example.com")).await
    }

    pub(crate) async fn post(
        &self,
        target: &str,
        content_type: &str,
        body: &str,
    ) -> anyhow::Result<Response> {
        let request = Request::new("POST", target, "shop.example.com").header("Content-Type", content_type);
        self.send(request.with_body(body)).await
    }

    pub(crate) async fn send(&self, request: Request) -> anyhow::Result<Response> {
        let request = request.header("User-Agent", "curl/8.5.0").header("Accept", "*/*");
        Ok(self.visitor.send(self.stack.addresses.cloudfront, &request).await?)
    }

    /// The attack of this type at this place, as soon as it is listed.
    pub(crate) async fn attack(&self, code: &str, parameter: &str) -> anyhow::Result<Value> {
        let console = self.stack.console_api();
        let fits = |item: &Value| item["type"] == code && item["parameter"] == parameter;
        console.wait_for("/api/v1/attacks", LISTED_WITHIN, fits).await
    }

    /// Until the node has handed over all it has.
    pub(crate) async fn all_delivered(&self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.node_status("/spool/pending").await? > 0 {
            ensure!(tokio::time::Instant::now() < deadline, "the node still has undelivered records");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    pub(crate) async fn end(self, detail: String) -> anyhow::Result<String> {
        self.stack.stop().await;
        Ok(detail)
    }
}

impl Deref for World {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}

/// Options of a scenario; the rest is as in `up`.
pub(crate) fn options(mode: Mode, trigger: TriggerPair) -> StackOptions {
    StackOptions { mode, trigger, ..StackOptions::default() }
}

pub(crate) fn expect_status(response: &Response, status: u16) -> anyhow::Result<()> {
    ensure!(
        response.status == status,
        "expected {status}, got {}: {}",
        response.status,
        response.body_text()
    );
    Ok(())
}

/// CloudFront's id of the request that was answered.
pub(crate) fn edge_request_id(response: &Response) -> anyhow::Result<String> {
    response.headers.text("X-Amz-Cf-Id").ok_or_else(|| anyhow::anyhow!("the answer has no X-Amz-Cf-Id"))
}
