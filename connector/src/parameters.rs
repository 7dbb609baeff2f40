//! The `wlrm_*` parameters of the launcher, handed over as `WLRM_*` variables of the process.
//!
//! A new parameter is a field here, a line in [`Parameters::read`], a constant in `launcher/lambda_function.py`, a row in
//! `docs/connector.md`, and rows in `tests/connector/parameters/rows.rs`.

mod list;
mod node;
mod secret;
mod value;

pub use node::{BreakerParameters, Deadlines, NodeAddress, NodeParameters};
pub use secret::{BlockMe, Pin, Trust};
pub use value::ParameterError;

use crate::{bypass::Bypass, log::Level, real_ip::RealIp};
use list::{Extensions, Methods, Networks, Paths};
use shared::Delivery;
use value::{
    Application, Bytes, Contact, HeaderName, RedirectUrl, Status, Text, missing, optional, required,
};

/// The parameters, checked.
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
    pub body: BodyParameters,
    pub block: BlockParameters,
    pub block_me: Option<BlockMe>,
    /// Whether the response function reports what came of requests.
    pub response_reports: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyParameters {
    pub inspect: bool,
    /// The node gets at most so many bytes.
    pub limit: Option<usize>,
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

/// What becomes of a request whose body was cut.
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
    /// Whether every request goes on, whatever it and the node say: then it need not be read before its reply.
    pub fn always_passes(&self) -> bool {
        self.delivery == Delivery::OutOfBand
            && self.fail_mode == FailMode::Open
            && self.body.truncated == TruncatedBody::Inspect
    }

    /// Reads the parameters through `lookup`, which is given names such as `WLRM_NODE_ADDR`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        log_level(&lookup)?;
        let inline = optional(&lookup, "wlrm_inline")?.unwrap_or(true);
        Ok(Self {
            function: required(&lookup, "wlrm_function")?,
            node: NodeParameters::read(&lookup)?,
            delivery: if inline { Delivery::Inline } else { Delivery::OutOfBand },
            fail_mode: FailMode::read(&lookup)?,
            application: optional(&lookup, "wlrm_application")?.map(|Application(id)| id),
            host_header: optional(&lookup, "wlrm_host_header")?.map(|HeaderName(name)| name),
            real_ip: real_ip(&lookup)?,
            bypass: bypass(&lookup)?,
            body: BodyParameters::read(&lookup)?,
            block: BlockParameters::read(&lookup)?,
            block_me: optional(&lookup, "wlrm_block_me")?,
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

impl BodyParameters {
    fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        let limit = optional(&lookup, "wlrm_body_limit")?.map(|Bytes(limit)| limit as usize);
        Ok(Self {
            inspect: optional(&lookup, "wlrm_inspect_body")?.unwrap_or(true),
            limit,
            truncated: optional(&lookup, "wlrm_truncated_body")?.unwrap_or(TruncatedBody::Inspect),
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

/// The log level by itself: what is wrong with other parameters has to be written, too.
pub fn log_level(lookup: impl Fn(&str) -> Option<String>) -> Result<Level, ParameterError> {
    Ok(optional(lookup, "wlrm_log_level")?.unwrap_or(Level::Warn))
}

/// The header alone would let every visitor choose an address.
fn real_ip(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<RealIp>, ParameterError> {
    let header = optional(&lookup, "wlrm_real_ip_header")?.map(|HeaderName(name)| name);
    let proxies = optional(&lookup, "wlrm_real_ip_from")?.map(|Networks(networks)| networks);
    match (header, proxies) {
        (Some(header), Some(proxies)) => Ok(Some(RealIp { header, proxies })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(missing("wlrm_real_ip_from", "must be set, as wlrm_real_ip_header is")),
        (None, Some(_)) => Err(missing("wlrm_real_ip_header", "must be set, as wlrm_real_ip_from is")),
    }
}

fn bypass(lookup: impl Fn(&str) -> Option<String>) -> Result<Bypass, ParameterError> {
    Ok(Bypass {
        paths: optional(&lookup, "wlrm_bypass_paths")?.map(|Paths(paths)| paths).unwrap_or_default(),
        methods: optional(&lookup, "wlrm_bypass_methods")?
            .map(|Methods(methods)| methods)
            .unwrap_or_default(),
        extensions: optional(&lookup, "wlrm_bypass_extensions")?
            .map(|Extensions(extensions)| extensions)
            .unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
