//! Simulation: rules evaluated on recorded requests before nodes use them.
//!
//! | module | holds |
//! |---|---|
//! | [`scan`] | recorded hits and their requests, in batches |
//! | [`exclusion`] | a hit → an exclusion |
//! | [`content`] | a hit → a rule on the content of its field, and its effect on scores |
//! | [`preview`] | the recorded hits that such a rule would suppress |
//! | [`replay`] | another ruleset on recorded requests, decided as nodes do |
//! | [`detector`] | the recorded requests in which a custom detector finds something |
//! | [`cost`] | the time that a custom detector adds to the analysis of recorded requests |

pub mod content;
pub mod cost;
pub mod detector;
pub mod exclusion;
pub mod preview;
pub mod replay;
pub mod scan;

use crate::{hit::RecordedHit, ruleset::RuleDraft, validation::ValidationError};
use engine::{Engine, ExplainedField};
use shared::{InspectRequest, RecordedRequest};
use std::sync::LazyLock;
use tokio::task;

/// Compiled at first use: most consoles only record.
static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

/// A rule to make from a hit.
pub trait HitRule: Send {
    /// The rule. `attack_path` is the path of the hit's attack, cut where a payload in the path
    /// starts.
    fn rule(self, hit: &RecordedHit, attack_path: &str) -> Result<RuleDraft, ValidationError>;
}

/// Runs the engine on a blocking thread: compiling rules or analyzing a batch takes long.
pub(crate) async fn on_blocking_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    task::spawn_blocking(work).await.expect("the engine does not panic")
}

/// The fields that the engine sees in a recorded request, stage by stage.
pub(crate) fn explain(recorded: RecordedRequest) -> Vec<ExplainedField> {
    ENGINE.explain(&to_inspect_request(recorded))
}

/// The call that a node would receive. Masked or truncated parts stay so.
fn to_inspect_request(recorded: RecordedRequest) -> InspectRequest {
    InspectRequest {
        request_id: Some(recorded.request_id),
        connector: recorded.connector,
        delivery: shared::Delivery::default(),
        client_ip: recorded.client_ip,
        method: recorded.method,
        scheme: recorded.scheme,
        http_version: recorded.http_version,
        host: recorded.host,
        path: recorded.path,
        query: recorded.query,
        headers: recorded.headers,
        body: recorded.body,
        body_truncated: recorded.body_truncated,
        unseen_body: None,
        not_inspected: Vec::new(),
    }
}
