//! Rules tried on what was recorded, before nodes decide by them.
//!
//! | module | holds |
//! |---|---|
//! | [`scan`] | recorded hits, and their requests, in pieces |
//! | [`exclusion`] | from a hit to an exclusion |
//! | [`preview`] | which recorded hits an exclusion would have silenced |
//! | [`replay`], [`policy`] | what another ruleset would have made of it |
//! | [`selection`] | which of it, as people write it |
//! | [`detector`] | what a custom detector would have found |

pub mod detector;
pub mod exclusion;
pub mod policy;
pub mod preview;
pub mod replay;
pub mod scan;
pub mod selection;

use crate::query::{Filter, Times};
use engine::{Engine, ExplainedField};
use shared::{InspectRequest, RecordedRequest};
use std::sync::LazyLock;

/// Compiled when it is first needed: most consoles only record.
static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

/// Which recorded hits rules are tried on: those of the attacks a filter leaves, that came in this time.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    pub filter: Filter,
    pub times: Times,
}

/// What the engine sees in a recorded request, stage by stage.
pub(crate) fn explain(recorded: RecordedRequest) -> Vec<ExplainedField> {
    ENGINE.explain(&again(recorded))
}

/// The request as a node would get it again. What was masked, or cut off, stays so.
fn again(recorded: RecordedRequest) -> InspectRequest {
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
        not_inspected: Vec::new(),
    }
}

/// Of the application that the connector named; one that only the node's configuration knows is not recorded.
fn application(request: &InspectRequest) -> Option<u32> {
    request.connector.as_ref().and_then(|connector| connector.application)
}
