//! The `wlrm_*` parameters of the launcher, handed over as `WLRM_*` variables of the process.
//!
//! A new parameter is a field here, a line in [`Parameters::read`], a constant in `launcher/lambda_function.py`, and a
//! row in `docs/connector.md`.

mod node_address;
mod value;

pub use node_address::NodeAddress;
pub use value::ParameterError;

use node_address::Addresses;
use rustls::RootCertStore;
use shared::{Delivery, signature::SigningKey};
use std::{sync::Arc, time::Duration};
use value::{
    Contact, Count, HeaderName, Millis, PemCertificates, RedirectUrl, Status, Text, optional, required,
};

/// The parameters, checked.
#[derive(Debug, Clone)]
pub struct Parameters {
    pub function: FunctionKind,
    pub node: NodeParameters,
    pub delivery: Delivery,
    pub fail_mode: FailMode,
    /// At origin triggers: the header that carries the viewer's host.
    pub host_header: Option<String>,
    pub body: BodyParameters,
    pub block: BlockParameters,
    /// Whether the response function reports what came of requests.
    pub response_reports: bool,
}

/// How the node is called.
#[derive(Debug, Clone)]
pub struct NodeParameters {
    /// Tried in this order; never empty.
    pub addresses: Vec<NodeAddress>,
    /// How long the visitor waits for the node at most, all addresses and retries included.
    pub deadline: Duration,
    /// How many more times all addresses are tried.
    pub retries: u32,
    /// Instead of the public authorities.
    pub authorities: Option<Arc<RootCertStore>>,
    pub signing_key: Option<SigningKey>,
    pub breaker: BreakerParameters,
}

/// When to stop asking a node that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerParameters {
    /// So many failed calls one after the other; 0 never stops asking.
    pub failures: u32,
    /// Until the next call tries whether it answers again.
    pub pause: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyParameters {
    pub inspect: bool,
    pub truncated: TruncatedBody,
}

/// What the visitor sees of a block. What is not set, the node decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockParameters {
    pub status: Option<u16>,
    /// HTML; `{{request_id}}` stands for the request's id.
    pub page: Option<String>,
    /// Send the visitor there instead of showing a page.
    pub redirect: Option<String>,
    /// Whom a visitor who was wrongly blocked may ask.
    pub support: Option<String>,
    /// Answer in JSON to clients that ask for it.
    pub json: bool,
}

/// Which of the two functions this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    Request,
    Response,
}

/// What becomes of a request that could not be inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailMode {
    /// It goes on.
    Open,
    /// It is blocked.
    Closed,
}

/// What becomes of a request whose body CloudFront cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TruncatedBody {
    /// The node sees what there is of it.
    Inspect,
    /// It is blocked, and counted as not inspected.
    Block,
    /// It goes on, and is counted as not inspected.
    Pass,
}

impl Parameters {
    pub const DEFAULT_DEADLINE: Duration = Duration::from_millis(800);
    /// CloudFront has cut viewer triggers off at 5 s; the answer has to be out before.
    pub const MAX_DEADLINE: Duration = Duration::from_millis(4_500);
    const DEFAULT_BREAKER_FAILURES: u32 = 5;
    const DEFAULT_BREAKER_PAUSE: Duration = Duration::from_secs(1);

    /// Reads the parameters through `lookup`, which is given names such as `WLRM_NODE_ADDR`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        let inline = optional(&lookup, "wlrm_inline")?.unwrap_or(true);
        Ok(Self {
            function: required(&lookup, "wlrm_function")?,
            node: NodeParameters::read(&lookup)?,
            delivery: if inline { Delivery::Inline } else { Delivery::OutOfBand },
            fail_mode: FailMode::read(&lookup)?,
            host_header: optional(&lookup, "wlrm_host_header")?.map(|HeaderName(name)| name),
            body: BodyParameters {
                inspect: optional(&lookup, "wlrm_inspect_body")?.unwrap_or(true),
                truncated: optional(&lookup, "wlrm_truncated_body")?.unwrap_or(TruncatedBody::Inspect),
            },
            block: BlockParameters::read(&lookup)?,
            response_reports: optional(&lookup, "wlrm_response_reports")?.unwrap_or(true),
        })
    }
}

impl FailMode {
    /// The fail mode by itself: it holds even when other parameters are wrong.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        Ok(optional(lookup, "wlrm_fail_mode")?.unwrap_or(Self::Open))
    }
}

impl NodeParameters {
    fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        let Addresses(addresses) = required(&lookup, "wlrm_node_addr")?;
        let allow_plain: bool = optional(&lookup, "wlrm_allow_plain_http")?.unwrap_or(false);
        if let Some(plain) = addresses.iter().find(|address| !allow_plain && address.is_plain_abroad()) {
            return Err(ParameterError {
                name: "wlrm_node_addr",
                value: plain.to_string(),
                expected: "must be https, as requests hold secrets; wlrm_allow_plain_http = True allows http",
            });
        }
        let Millis(deadline) =
            optional(&lookup, "wlrm_deadline_ms")?.unwrap_or(Millis(Parameters::DEFAULT_DEADLINE));
        let Millis(pause) =
            optional(&lookup, "wlrm_breaker_pause_ms")?.unwrap_or(Millis(Parameters::DEFAULT_BREAKER_PAUSE));
        Ok(Self {
            addresses,
            deadline,
            retries: optional(&lookup, "wlrm_retries")?.map_or(0, |Count(retries)| retries),
            authorities: optional(&lookup, "wlrm_node_ca")?.map(|PemCertificates(store)| Arc::new(store)),
            signing_key: signing_key(&lookup)?,
            breaker: BreakerParameters {
                failures: optional(&lookup, "wlrm_breaker_failures")?
                    .map_or(Parameters::DEFAULT_BREAKER_FAILURES, |Count(failures)| failures),
                pause,
            },
        })
    }
}

impl BlockParameters {
    fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        Ok(Self {
            status: optional(&lookup, "wlrm_block_status")?.map(|Status(status)| status),
            page: optional(&lookup, "wlrm_block_page")?.map(|Text(page)| page),
            redirect: optional(&lookup, "wlrm_block_redirect")?.map(|RedirectUrl(url)| url),
            support: optional(&lookup, "wlrm_support_contact")?.map(|Contact(contact)| contact),
            json: optional(&lookup, "wlrm_block_json")?.unwrap_or(true),
        })
    }
}

/// Both halves or none: a connector that was meant to sign must not go on without.
fn signing_key(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<SigningKey>, ParameterError> {
    let id = optional(&lookup, "wlrm_signing_key_id")?.map(|Text(id)| id);
    let secret = optional(&lookup, "wlrm_signing_key")?.map(|Text(secret)| secret);
    let half = |name, value| ParameterError {
        name,
        value,
        expected: "must be set, as the other half of the key is",
    };
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(SigningKey::new(id, secret))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(half("wlrm_signing_key", String::new())),
        (None, Some(_)) => Err(half("wlrm_signing_key_id", String::new())),
    }
}

#[cfg(test)]
mod tests;
