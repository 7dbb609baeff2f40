//! The `wlrm_*` parameters of the launcher, passed as `WLRM_*` environment variables.
//!
//! A new parameter is a field here, a line in [`Parameters::read`], a constant in
//! `launcher/lambda_function.py`, a row in `docs/connector.md`, and rows in
//! `tests/connector/parameters/rows.rs`.

mod choice;
mod format;
mod list;
mod node;
mod secret;
mod source;

pub use choice::{FailMode, FunctionKind, TruncatedBody};
pub use node::{BreakerParameters, Deadlines, NodeAddress, NodeParameters};
pub use secret::{BlockMe, Pin, Trust};
pub use source::ParameterError;

use crate::{bypass::Bypass, log::Level, mark::MarkKeys, real_ip::RealIp};
use format::{APPLICATION, BLOCK_STATUS, BODY_BYTES, BOOL, CONTACT, HEADER_NAME, LEVEL, REDIRECT_URL, TEXT};
use list::{EXTENSIONS, METHODS, NETWORKS, PATHS};
use secret::MARK_KEYS;
use shared::Delivery;
use source::{Half, Source};

/// The validated parameters.
#[derive(Debug, Clone)]
pub struct Parameters {
    pub function: FunctionKind,
    pub node: NodeParameters,
    pub delivery: Delivery,
    pub fail_mode: FailMode,
    pub application: Option<u32>,
    /// At origin triggers: the header that carries the viewer's host.
    pub host_header: Option<String>,
    pub real_ip: Option<RealIp>,
    pub bypass: Bypass,
    /// Set: the function is attached to viewer-request and origin-request of a behavior.
    pub mark_keys: Option<MarkKeys>,
    pub body: BodyParameters,
    pub block: BlockParameters,
    pub block_me: Option<BlockMe>,
    /// Whether the response function reports responses to the node.
    pub response_reports: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyParameters {
    pub inspect: bool,
    /// The largest part of a body that the node receives, in bytes.
    pub limit: Option<usize>,
    pub truncated: TruncatedBody,
}

/// The block page. The node's settings apply to unset fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockParameters {
    pub status: Option<u16>,
    /// HTML; `{{request_id}}` is replaced by the request's id.
    pub page: Option<String>,
    /// Redirect to this URL instead of showing a page.
    pub redirect: Option<String>,
    /// The contact for visitors who were blocked by mistake.
    pub support: Option<String>,
    /// Answer clients that accept JSON in JSON.
    pub json: bool,
}

impl Parameters {
    /// Whether no verdict or failure can stop a request: it then need not be parsed before its
    /// reply.
    pub fn always_passes(&self) -> bool {
        self.delivery == Delivery::OutOfBand
            && self.fail_mode == FailMode::Open
            && self.mark_keys.is_none()
            && matches!(self.body.truncated, TruncatedBody::Auto | TruncatedBody::Inspect)
    }

    /// Reads the parameters through `lookup`, which receives names such as `WLRM_NODE_ADDR`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        log_level(&lookup)?;
        let source = &Source(&lookup);
        let inline = source.or("wlrm_inline", &BOOL, true)?;
        Ok(Self {
            function: source.required("wlrm_function", &FunctionKind::FORMAT)?,
            node: NodeParameters::read(source)?,
            delivery: if inline { Delivery::Inline } else { Delivery::OutOfBand },
            fail_mode: fail_mode(&lookup)?,
            application: source.optional("wlrm_application", &APPLICATION)?,
            host_header: source.optional("wlrm_host_header", &HEADER_NAME)?,
            real_ip: real_ip(source)?,
            bypass: Bypass {
                paths: source.or("wlrm_bypass_paths", &PATHS, Vec::new())?,
                methods: source.or("wlrm_bypass_methods", &METHODS, Vec::new())?,
                extensions: source.or("wlrm_bypass_extensions", &EXTENSIONS, Vec::new())?,
            },
            mark_keys: source.optional("wlrm_mark_keys", &MARK_KEYS)?,
            body: BodyParameters {
                limit: source.optional("wlrm_body_limit", &BODY_BYTES)?,
                inspect: source.or("wlrm_inspect_body", &BOOL, true)?,
                truncated: source.or("wlrm_truncated_body", &TruncatedBody::FORMAT, TruncatedBody::Auto)?,
            },
            block: BlockParameters {
                status: source.optional("wlrm_block_status", &BLOCK_STATUS)?,
                page: source.optional("wlrm_block_page", &TEXT)?,
                redirect: source.optional("wlrm_block_redirect", &REDIRECT_URL)?,
                support: source.optional("wlrm_support_contact", &CONTACT)?,
                json: source.or("wlrm_block_json", &BOOL, true)?,
            },
            block_me: source.optional("wlrm_block_me", &BlockMe::FORMAT)?,
            response_reports: source.or("wlrm_response_reports", &BOOL, true)?,
        })
    }
}

/// The fail mode alone: it applies even when other parameters are invalid.
pub fn fail_mode(lookup: impl Fn(&str) -> Option<String>) -> Result<FailMode, ParameterError> {
    Source(&lookup).or("wlrm_fail_mode", &FailMode::FORMAT, FailMode::Open)
}

/// The log level alone: errors about other parameters have to be logged.
pub fn log_level(lookup: impl Fn(&str) -> Option<String>) -> Result<Level, ParameterError> {
    Source(&lookup).or("wlrm_log_level", &LEVEL, Level::Warn)
}

/// The header without the proxies would let every visitor choose an address.
fn real_ip(source: &Source<'_>) -> Result<Option<RealIp>, ParameterError> {
    let header = Half("wlrm_real_ip_header", HEADER_NAME, "is required when wlrm_real_ip_from is set");
    let proxies = Half("wlrm_real_ip_from", NETWORKS, "is required when wlrm_real_ip_header is set");
    Ok(source.pair(&header, &proxies)?.map(|(header, proxies)| RealIp { header, proxies }))
}

#[cfg(test)]
mod tests;
