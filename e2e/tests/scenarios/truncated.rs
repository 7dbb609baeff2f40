//! Truncated bodies: format × position of an attack × deployment × policy, the same bodies without the
//! attack, and bodies of common programs. Each request is blocked, inspected as a whole, or passes and
//! is counted.

mod benign;
mod bodies;
mod random;
mod table;

use crate::stages::{distribution, request_function};
use anyhow::{Context as _, ensure};
use bodies::{Group, Kind};
use cloudfront_sim::{
    cloudfront::CloudFront,
    http1::{Client, Request},
    lambda::Function,
};
use e2e::{
    binaries::Binaries,
    stack::{MARK_KEY, Mode, Stack, StackOptions, TriggerPair},
};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

/// The part of a body that CloudFront shows.
const AT_VIEWER: usize = 40 << 10;
const AT_ORIGIN: usize = 1 << 20;

/// Positions of a value, with their names in the documentation.
const POSITIONS: [(&str, usize); 7] = [
    ("0", 0),
    ("39 KB", 39_000),
    ("41 KB", 41 << 10),
    ("200 KB", 200_000),
    ("0.99 MB", 1_038_000),
    ("1.5 MB", 1_500_000),
    ("5 MB", 5_000_000),
];
/// A body ends this many bytes behind the position, or at this length.
const TAIL: usize = 800;
const LONG: usize = 1_600_000;

/// A little less than CloudFront shows.
const ONE_MB: usize = 1_040_000;
/// Lengths of bodies of common programs.
const LENGTHS: [(&str, usize); 7] = [
    ("10 KB", 10_000),
    ("39 KB", 38_000),
    ("100 KB", 100_000),
    ("500 KB", 500_000),
    ("1 MB", ONE_MB),
    ("2 MB", 2_000_000),
    ("5 MB", 5_000_000),
];

/// How much of the tables is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Each deployment, format, policy, position and length, not combined.
    Diagonal,
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deployment {
    Viewer,
    Origin,
    Both,
}

impl Deployment {
    const ALL: [Self; 3] = [Self::Viewer, Self::Origin, Self::Both];

    /// The part of a body that the last stage shows.
    fn visible(self) -> usize {
        if self == Self::Viewer { AT_VIEWER } else { AT_ORIGIN }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Origin => "origin",
            Self::Both => "viewer+origin",
        }
    }
}

/// The value of `wlrm_truncated_body`, and the mode of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Policy {
    Auto,
    Inspect,
    Block,
    Pass,
    /// `auto`, in mode `monitoring`.
    Monitoring,
}

impl Policy {
    const ALL: [Self; 5] = [Self::Auto, Self::Inspect, Self::Block, Self::Pass, Self::Monitoring];

    fn parameter(self) -> &'static str {
        match self {
            Self::Auto | Self::Monitoring => "auto",
            Self::Inspect => "inspect",
            Self::Block => "block",
            Self::Pass => "pass",
        }
    }

    fn name(self) -> &'static str {
        if self == Self::Monitoring { "auto, mode monitoring" } else { self.parameter() }
    }

    fn mode(self) -> Mode {
        if self == Self::Monitoring { Mode::Monitoring } else { Mode::Block }
    }

    /// Whether truncated bodies are decided without a call to the node.
    fn refuses(self) -> bool {
        matches!(self, Self::Block | Self::Pass)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Blocked,
    /// Passed, and recorded as an attack.
    Recorded,
    /// Inspected to its end, without an attack.
    Inspected,
    /// Passed, and its rest is counted as not seen, or the request as not inspected.
    Counted,
}

impl Outcome {
    fn letter(self) -> &'static str {
        match self {
            Self::Blocked => "B",
            Self::Recorded => "R",
            Self::Inspected => "I",
            Self::Counted => "C",
        }
    }
}

/// A deployment with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Setting {
    deployment: Deployment,
    policy: Policy,
}

impl Setting {
    /// Of a body with an attack that ends at this position.
    fn expected(self, group: Group, length: usize, attack: Option<usize>) -> Outcome {
        let Self { deployment, policy } = self;
        let is_found = |visible: usize| attack.is_some_and(|end| end <= visible);
        let (is_text, is_whole) = (group != Group::Data, length <= deployment.visible());
        let outcome = match policy {
            // The viewer stage sees it, whatever follows.
            _ if deployment == Deployment::Both && is_found(AT_VIEWER) => Outcome::Blocked,
            _ if is_whole && is_found(length) => Outcome::Blocked,
            _ if is_whole => Outcome::Inspected,
            Policy::Block => Outcome::Blocked,
            Policy::Pass => Outcome::Counted,
            _ if is_found(deployment.visible()) => Outcome::Blocked,
            Policy::Inspect => Outcome::Counted,
            _ if is_text && deployment != Deployment::Viewer => Outcome::Blocked,
            _ if group == Group::Padding => Outcome::Blocked,
            _ => Outcome::Counted,
        };
        if policy == Policy::Monitoring && outcome == Outcome::Blocked { Outcome::Recorded } else { outcome }
    }
}

/// A request of the tables.
#[derive(Clone, Copy)]
enum Cell {
    /// A body that ends behind the position, or is longer than CloudFront ever shows.
    Placed {
        kind: Kind,
        position: usize,
        is_long: bool,
        is_attack: bool,
    },
    Common {
        family: usize,
        length: usize,
    },
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Placed { kind, position, is_long, is_attack } => {
                let value = if *is_attack { "attack" } else { "benign value" };
                let long = if *is_long { ", long" } else { "" };
                write!(f, "{kind:?} with an {value} at {position}{long}")
            }
            Self::Common { family, length } => {
                write!(f, "{} of {length} bytes", benign::FAMILIES[*family].name)
            }
        }
    }
}

/// The body of a cell.
struct Sample {
    content_type: Option<&'static str>,
    bytes: Vec<u8>,
}

impl Cell {
    /// The outcome in the tables, for a body of exactly this length.
    fn expected(self, setting: Setting) -> Outcome {
        match self {
            Self::Placed { kind, position, is_long, is_attack } => {
                let length = if is_long { LONG } else { position + TAIL };
                setting.expected(kind.group(), length, is_attack.then_some(position + TAIL / 2))
            }
            Self::Common { family, length } => setting.expected(benign::FAMILIES[family].group, length, None),
        }
    }

    fn sample(self) -> Sample {
        match self {
            Self::Placed { kind, position, is_long, is_attack } => {
                let length = if is_long { LONG } else { position + TAIL };
                let bytes = kind.body(position, length, is_attack);
                Sample { content_type: kind.content_type(), bytes }
            }
            Self::Common { family, length } => {
                let family = &benign::FAMILIES[family];
                Sample { content_type: Some(family.content_type), bytes: family.body(length) }
            }
        }
    }
}

/// All requests of the tables, or a diagonal through them.
fn cells(extent: Extent) -> Vec<(Setting, Cell)> {
    let mut cells = Vec::new();
    let is_full = extent == Extent::Full;
    for deployment in Deployment::ALL {
        for policy in Policy::ALL {
            let setting = Setting { deployment, policy };
            let mut push = |cell| cells.push((setting, cell));
            let turn = deployment as usize + 2 * policy as usize;
            for (row, kind) in Kind::ALL.into_iter().enumerate() {
                for (column, (_, position)) in POSITIONS.into_iter().enumerate() {
                    // A position for each format. The deployments share the formats with `auto`, the
                    // policies the others.
                    let is_next = (row + turn) % POSITIONS.len() == column;
                    let is_shared = match policy {
                        Policy::Auto => row % 3 == deployment as usize,
                        _ => row % 5 == policy as usize,
                    };
                    if !(is_full || is_next && is_shared) {
                        continue;
                    }
                    for is_attack in [true, false] {
                        push(Cell::Placed { kind, position, is_long: false, is_attack });
                    }
                    if policy == Policy::Auto && position < AT_ORIGIN {
                        push(Cell::Placed { kind, position, is_long: true, is_attack: true });
                    }
                }
            }
            if policy != Policy::Auto {
                continue;
            }
            for family in 0..benign::FAMILIES.len() {
                for (column, (_, length)) in LENGTHS.into_iter().enumerate() {
                    let is_next = (family + turn) % LENGTHS.len() == column;
                    if is_full || is_next && family % 3 == deployment as usize {
                        push(Cell::Common { family, length });
                    }
                }
            }
        }
    }
    cells
}

pub(crate) async fn every_cell_is_blocked_or_counted(
    binaries: &Binaries,
    extent: Extent,
) -> anyhow::Result<()> {
    let cells = cells(extent);
    for mode in [Mode::Block, Mode::Monitoring] {
        let stack = Stack::start(binaries, StackOptions::new(mode, TriggerPair::Both)).await?;
        let mut distributions = BTreeMap::new();
        for (setting, cell) in cells.iter().filter(|(setting, _)| setting.policy.mode() == mode) {
            if !distributions.contains_key(setting) {
                distributions.insert(*setting, deploy(&stack, binaries, *setting).await?);
            }
            let (sample, expected) = (cell.sample(), cell.expected(*setting));
            let (cloudfront, function) = &distributions[setting];
            let outcome = outcome(&stack, (cloudfront, function), *setting, sample);
            let outcome = outcome.await.with_context(|| format!("{cell}, {setting:?}"))?;
            ensure!(outcome == expected, "{cell}, {setting:?}: {outcome:?} instead of {expected:?}");
        }
        stack.stop().await;
    }
    println!("{} requests, each as in the tables:\n\n{}", cells.len(), table::tables());
    Ok(())
}

async fn deploy(
    stack: &Stack,
    binaries: &Binaries,
    setting: Setting,
) -> anyhow::Result<(CloudFront, Arc<Function>)> {
    let Setting { deployment, policy } = setting;
    let keys = if deployment == Deployment::Both { MARK_KEY } else { "None" };
    let parameters = [("wlrm_truncated_body", policy.parameter()), ("wlrm_mark_keys", keys)];
    let name = format!("{deployment:?}-{policy:?}").to_lowercase();
    let function = request_function(stack, binaries, &name, &parameters).await?;
    let cloudfront = distribution(stack, function.clone(), function.clone(), |config| {
        let functions = &mut config.default_behavior.functions;
        match deployment {
            Deployment::Viewer => functions.origin_request = None,
            Deployment::Origin => functions.viewer_request = None,
            Deployment::Both => {}
        }
    });
    Ok((cloudfront.await?, function))
}

/// What the node counts.
#[derive(Debug, Clone, Copy)]
struct Counts {
    attacks: u64,
    blocked: u64,
    truncated: u64,
    unseen_bytes: u64,
    not_inspected: u64,
}

impl Counts {
    async fn read(stack: &Stack) -> anyhow::Result<Self> {
        let request = Request::new("GET", "/metrics", "node");
        let metrics = Client::default().send(stack.addresses.metrics, &request).await?.body_text();
        let not_inspected = metrics.lines().find_map(|line| line.split_once("not_inspected_told_total "));
        Ok(Self {
            attacks: stack.node_status("/attacks").await?,
            blocked: stack.node_status("/blocked").await?,
            truncated: stack.node_status("/truncated_bodies").await?,
            unseen_bytes: stack.node_status("/unseen_bytes").await?,
            not_inspected: not_inspected.context("no counter of requests not inspected")?.1.parse()?,
        })
    }
}

/// Sends a request, and checks what is counted of it.
async fn outcome(
    stack: &Stack,
    (cloudfront, function): (&CloudFront, &Function),
    setting: Setting,
    sample: Sample,
) -> anyhow::Result<Outcome> {
    let client = Client::new(Duration::from_mins(1));
    let unseen = sample.bytes.len().saturating_sub(setting.deployment.visible()) as u64;
    let before = Counts::read(stack).await?;
    let mut request = Request::new("POST", "/order", "shop.example.com").header("User-Agent", "curl/8.5.0");
    if let Some(content_type) = sample.content_type {
        request = request.header("Content-Type", content_type);
    }
    let status = client.send(cloudfront.address(), &request.with_body(sample.bytes)).await?.status;
    ensure!(matches!(status, 200 | 403), "status {status}");
    // An environment reports the requests that it decides with its next call. One that is at rest gets
    // the next request.
    if setting.policy.refuses() && unseen > 0 {
        function.at_rest().await;
        let next = Request::new("GET", "/", "shop.example.com").header("User-Agent", "curl/8.5.0");
        client.send(cloudfront.address(), &next).await?;
        function.at_rest().await;
    }
    let after = Counts::read(stack).await?;
    let blocked = after.blocked - before.blocked;
    let not_inspected = after.not_inspected - before.not_inspected;
    let truncated = (after.truncated - before.truncated, after.unseen_bytes - before.unseen_bytes);
    if status == 403 {
        ensure!(
            (blocked, not_inspected) == (1, 0) || (blocked, not_inspected) == (0, 1),
            "{before:?} {after:?}"
        );
        return Ok(Outcome::Blocked);
    }
    let counted = match (unseen, setting.policy.refuses()) {
        (0, _) => (0, (0, 0)),
        (_, true) => (1, (0, 0)),
        (_, false) => (0, (1, unseen)),
    };
    ensure!((not_inspected, truncated) == counted, "{unseen} bytes not seen: {before:?} {after:?}");
    Ok(match (after.attacks > before.attacks, unseen) {
        (true, _) => Outcome::Recorded,
        (false, 0) => Outcome::Inspected,
        (false, _) => Outcome::Counted,
    })
}
