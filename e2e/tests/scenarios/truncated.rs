//! Truncated bodies: content type × length of a body with an attack at its start or end × deployment × policy, and benign twins.
//! Each request is blocked, inspected as a whole, or passes and is counted with what was not seen.

use crate::stages::{distribution, request_function};
use anyhow::{Context as _, ensure};
use cloudfront_sim::{
    cloudfront::CloudFront,
    http1::{Client, Request},
};
use e2e::{
    binaries::Binaries,
    stack::{MARK_KEY, Mode, Stack, StackOptions, TriggerPair},
};
use std::{collections::BTreeMap, fmt, time::Duration};

/// The part of a body that CloudFront shows.
const AT_VIEWER: usize = 40 << 10;
const AT_ORIGIN: usize = 1 << 20;

const SMALL: [usize; 3] = [0, 39_000, 41 << 10];
const LARGE: [usize; 4] = [200_000, 1_038_000, 1_500_000, 5_000_000];

/// How much of the table is tested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Positions around 40 KB, and of JSON and files beyond 1 MB with the default policy.
    Quick,
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deployment {
    Viewer,
    Origin,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Auto,
    Inspect,
    Block,
    Pass,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
    Xml,
    Graphql,
    Field,
    /// A field behind filler that repeats.
    Padded,
    /// A file in a multipart body.
    File,
    Binary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Blocked,
    Inspected,
    /// It passed, and its rest is counted as not seen, or the request as not inspected.
    Counted,
}

/// One cell of the table.
#[derive(Clone, Copy)]
struct Cell {
    deployment: Deployment,
    policy: Policy,
    kind: Kind,
    /// Of the text between the first and the last value.
    length: usize,
    attack: Attack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    None,
    Start,
    End,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deployment, policy, kind, length, attack } = self;
        write!(f, "{kind:?} of {length} bytes, attack: {attack:?}, {deployment:?}, {policy:?}")
    }
}

impl Kind {
    const TEXT: [Self; 6] = [Self::Json, Self::Form, Self::Xml, Self::Graphql, Self::Field, Self::Padded];
    const DATA: [Self; 2] = [Self::File, Self::Binary];

    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form | Self::Padded => "application/x-www-form-urlencoded",
            Self::Xml => "application/xml",
            Self::Graphql => "application/graphql",
            Self::Field | Self::File => "multipart/form-data; boundary=b",
            Self::Binary => "application/octet-stream",
        }
    }

    /// A body with text of this length between two values.
    fn body(self, length: usize, first: &str, last: &str) -> String {
        let part =
            |disposition: &str| format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        let plus = |text: &str| text.replace(' ', "+");
        let text = if self == Self::Padded { "a".repeat(length) } else { text(length) };
        match self {
            Self::Json => format!("{{\"p\":\"{first}\",\"text\":\"{text}\",\"q\":\"{last}\"}}"),
            Self::Form | Self::Padded => format!("p={}&text={}&q={}", plus(first), plus(&text), plus(last)),
            Self::Xml => format!("<?xml version=\"1.0\"?><o><p>{first}</p><t>{text}</t><q>{last}</q></o>"),
            Self::Graphql => {
                format!("query {{ a(p: \"{first}\", text: \"{text}\", q: \"{last}\") {{ id }} }}")
            }
            Self::Field => [
                part("name=\"p\"") + first,
                part("name=\"text\"") + &text,
                part("name=\"q\"") + last,
                "--b--\r\n".to_owned(),
            ]
            .join("\r\n"),
            Self::File => {
                format!("{}{first}{text}{last}\r\n--b--\r\n", part("name=\"f\"; filename=\"a.bin\""))
            }
            Self::Binary => format!("{first}{text}{last}"),
        }
    }
}

/// Words of an order.
fn text(length: usize) -> String {
    let mut text = String::with_capacity(length + 20);
    for number in 0_usize.. {
        if text.len() >= length {
            break;
        }
        text.extend(["article ", &(number * 7_919 % 100_003).to_string(), " "]);
    }
    text.truncate(length);
    text
}

impl Cell {
    fn body(&self) -> String {
        let value = |at| if self.attack == at { "' or 1=1 -- x" } else { "blue" };
        self.kind.body(self.length, value(Attack::Start), value(Attack::End))
    }

    /// Whether the table says what happens: attacks in the visible part of data are a matter of the detectors.
    fn is_decided(&self) -> bool {
        let is_visible = match self.attack {
            Attack::None => false,
            Attack::Start => true,
            Attack::End => self.body().len() <= self.visible(),
        };
        !is_visible || Kind::TEXT.contains(&self.kind)
    }

    fn visible(&self) -> usize {
        if self.deployment == Deployment::Viewer { AT_VIEWER } else { AT_ORIGIN }
    }

    /// The expected outcome, from the table in `docs/node.md`.
    fn expected(&self) -> Outcome {
        let (is_text, body) = (Kind::TEXT.contains(&self.kind), self.body().len());
        let is_found = |visible: usize| match self.attack {
            Attack::None => false,
            Attack::Start => is_text,
            Attack::End => is_text && body <= visible,
        };
        let is_at_origin = self.deployment != Deployment::Viewer;
        if self.deployment == Deployment::Both && is_found(AT_VIEWER) {
            return Outcome::Blocked;
        }
        match self.policy {
            _ if body <= self.visible() && is_found(self.visible()) => Outcome::Blocked,
            _ if body <= self.visible() => Outcome::Inspected,
            Policy::Block => Outcome::Blocked,
            Policy::Pass => Outcome::Counted,
            _ if is_found(self.visible()) => Outcome::Blocked,
            Policy::Auto if is_text && (is_at_origin || self.kind == Kind::Padded) => Outcome::Blocked,
            Policy::Auto | Policy::Inspect => Outcome::Counted,
        }
    }
}

pub(crate) async fn every_cell_is_blocked_or_counted(
    binaries: &Binaries,
    extent: Extent,
) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Both)).await?;
    let mut edges = BTreeMap::new();
    let client = Client::new(Duration::from_mins(1));
    for cell in cells(extent) {
        let name = format!("{:?}-{:?}", cell.deployment, cell.policy).to_lowercase();
        if !edges.contains_key(&name) {
            edges.insert(name.clone(), deploy(&stack, binaries, &cell, &name).await?);
        }
        let outcome =
            outcome(&stack, &client, &edges[&name], &cell).await.with_context(|| cell.to_string())?;
        ensure!(outcome == cell.expected(), "{cell}: {outcome:?} instead of {:?}", cell.expected());
        let is_benign =
            cell.attack == Attack::None && cell.kind != Kind::Padded && cell.policy != Policy::Block;
        let is_short = cell.body().len() <= AT_ORIGIN;
        ensure!(outcome != Outcome::Blocked || !is_benign || !is_short, "{cell}: a benign body is blocked");
    }
    stack.stop().await;
    Ok(())
}

fn cells(extent: Extent) -> Vec<Cell> {
    let mut cells = Vec::new();
    for deployment in [Deployment::Viewer, Deployment::Origin, Deployment::Both] {
        for policy in [Policy::Auto, Policy::Inspect, Policy::Block, Policy::Pass] {
            for kind in Kind::TEXT.into_iter().chain(Kind::DATA) {
                for length in SMALL.into_iter().chain(LARGE) {
                    let is_common = policy == Policy::Auto && matches!(kind, Kind::Json | Kind::File);
                    let is_quick = SMALL.contains(&length) && policy == Policy::Auto
                        || length == SMALL[2] && kind == Kind::Json
                        || length == 1_500_000 && is_common;
                    for attack in [Attack::None, Attack::Start, Attack::End] {
                        let cell = Cell { deployment, policy, kind, length, attack };
                        if (extent == Extent::Full || is_quick) && cell.is_decided() {
                            cells.push(cell);
                        }
                    }
                }
            }
        }
    }
    cells
}

/// A distribution of this deployment with this policy.
async fn deploy(stack: &Stack, binaries: &Binaries, cell: &Cell, name: &str) -> anyhow::Result<CloudFront> {
    let policy = format!("{:?}", cell.policy).to_lowercase();
    let keys = if cell.deployment == Deployment::Both { MARK_KEY } else { "None" };
    let parameters = [("wlrm_truncated_body", &*policy), ("wlrm_mark_keys", keys)];
    let function = request_function(stack, binaries, name, &parameters).await?;
    distribution(stack, function.clone(), function, |config| {
        let functions = &mut config.default_behavior.functions;
        match cell.deployment {
            Deployment::Viewer => functions.origin_request = None,
            Deployment::Origin => functions.viewer_request = None,
            Deployment::Both => {}
        }
    })
    .await
}

async fn outcome(
    stack: &Stack,
    client: &Client,
    cloudfront: &CloudFront,
    cell: &Cell,
) -> anyhow::Result<Outcome> {
    let body = cell.body();
    let unseen = body.len().saturating_sub(cell.visible()) as u64;
    let counted = async || {
        let (requests, bytes) = (stack.node_status("/truncated_bodies"), stack.node_status("/unseen_bytes"));
        anyhow::Ok((requests.await?, bytes.await?))
    };
    let before = counted().await?;
    let request = Request::new("POST", "/order", "shop.example.com").header("User-Agent", "curl/8.5.0");
    let request = request.header("Content-Type", cell.kind.content_type()).with_body(body);
    let status = client.send(cloudfront.address(), &request).await?.status;
    ensure!(matches!(status, 200 | 403), "status {status}");
    let after = counted().await?;
    let (requests, bytes) = (after.0 - before.0, after.1 - before.1);
    // `block` and `pass` decide without the node; such requests are reported with the next call.
    let is_decided_by_node = matches!(cell.policy, Policy::Auto | Policy::Inspect);
    if status == 403 {
        return Ok(Outcome::Blocked);
    }
    if unseen > 0 && is_decided_by_node {
        ensure!((requests, bytes) == (1, unseen), "{requests} counted, {bytes} of {unseen} bytes");
    } else {
        ensure!(requests == 0, "{requests} counted");
    }
    Ok(if unseen > 0 { Outcome::Counted } else { Outcome::Inspected })
}
