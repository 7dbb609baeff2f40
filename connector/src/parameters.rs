//! The `wlrm_*` parameters of the launcher, handed over as `WLRM_*` variables of the process.
//!
//! A new parameter is a field here, a line in [`Parameters::read`], a constant in `launcher/lambda_function.py`, and a
//! row in `docs/connector.md`.

use hyper::Uri;
use shared::Delivery;
use std::time::Duration;

/// The parameters, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    pub function: FunctionKind,
    pub node_address: NodeAddress,
    pub delivery: Delivery,
    pub fail_mode: FailMode,
    /// How long the visitor waits for the node at most, all in all.
    pub deadline: Duration,
    /// At origin triggers: the header that carries the viewer's host.
    pub host_header: Option<String>,
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

/// Where the node listens: scheme and authority, no path.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeAddress(Uri);

/// How long the visitor may wait.
struct Deadline(Duration);

/// The name of a header, in lower case.
struct HeaderName(String);

/// A parameter with a value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} = {value:?}: {expected}")]
pub struct ParameterError {
    pub name: &'static str,
    pub value: String,
    pub expected: &'static str,
}

impl Parameters {
    pub const DEFAULT_DEADLINE: Duration = Duration::from_millis(800);
    /// CloudFront cuts a viewer trigger off at 5 s; the answer has to be out before.
    pub const MAX_DEADLINE: Duration = Duration::from_millis(4_500);

    /// Reads the parameters through `lookup`, which is given names such as `WLRM_NODE_ADDR`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        let inline = optional(&lookup, "wlrm_inline")?.unwrap_or(true);
        let Deadline(deadline) =
            optional(&lookup, "wlrm_deadline_ms")?.unwrap_or(Deadline(Self::DEFAULT_DEADLINE));
        Ok(Self {
            function: required(&lookup, "wlrm_function")?,
            node_address: required(&lookup, "wlrm_node_addr")?,
            delivery: if inline { Delivery::Inline } else { Delivery::OutOfBand },
            fail_mode: FailMode::read(&lookup)?,
            deadline,
            host_header: optional(&lookup, "wlrm_host_header")?.map(|HeaderName(name)| name),
        })
    }
}

impl FailMode {
    /// The fail mode by itself: it holds even when other parameters are wrong.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ParameterError> {
        Ok(optional(lookup, "wlrm_fail_mode")?.unwrap_or(Self::Open))
    }
}

impl NodeAddress {
    /// The URL of an endpoint of the node.
    pub fn endpoint(&self, path: &'static str) -> Uri {
        let mut parts = self.0.clone().into_parts();
        parts.path_and_query = Some(path.parse().expect("endpoint paths are constants"));
        Uri::from_parts(parts).expect("an address has a scheme and an authority")
    }
}

/// A value as the launcher hands it over: Python's `str()` of what the user wrote.
trait Value: Sized {
    const EXPECTED: &'static str;
    fn parse(text: &str) -> Option<Self>;
}

/// Unset, empty and Python's `None` all mean the default.
fn optional<T: Value>(
    lookup: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<Option<T>, ParameterError> {
    let value = lookup(&name.to_ascii_uppercase()).unwrap_or_default();
    match value.trim() {
        "" | "None" => Ok(None),
        text => match T::parse(text) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(ParameterError { name, value, expected: T::EXPECTED }),
        },
    }
}

fn required<T: Value>(
    lookup: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<T, ParameterError> {
    let missing = ParameterError { name, value: String::new(), expected: T::EXPECTED };
    optional(lookup, name)?.ok_or(missing)
}

impl Value for FunctionKind {
    const EXPECTED: &'static str = "must be \"request\" or \"response\"";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "request" => Some(Self::Request),
            "response" => Some(Self::Response),
            _ => None,
        }
    }
}

impl Value for FailMode {
    const EXPECTED: &'static str = "must be \"open\" or \"closed\"";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "must be True or False";
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

impl Value for Deadline {
    const EXPECTED: &'static str = "must be a number of milliseconds from 1 to 4500";
    fn parse(text: &str) -> Option<Self> {
        let deadline = Duration::from_millis(text.parse().ok()?);
        (!deadline.is_zero() && deadline <= Parameters::MAX_DEADLINE).then_some(Self(deadline))
    }
}

impl Value for HeaderName {
    const EXPECTED: &'static str = "must be the name of a header";
    fn parse(text: &str) -> Option<Self> {
        let name: hyper::header::HeaderName = text.parse().ok()?;
        Some(Self(name.as_str().to_owned()))
    }
}

impl Value for NodeAddress {
    const EXPECTED: &'static str =
        "must be the node's address without a path, such as https://node.example.com:5050";
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?;
        let plain = uri.path() == "/" && uri.query().is_none() && !uri.authority()?.as_str().contains('@');
        (plain && matches!(scheme, "http" | "https")).then_some(Self(uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(overrides: &[(&str, &str)]) -> Result<Parameters, ParameterError> {
        Parameters::read(|name| {
            let base = [("WLRM_FUNCTION", "request"), ("WLRM_NODE_ADDR", "https://node.example.com")];
            let set = overrides.iter().chain(&base).find(|(known, _)| *known == name);
            set.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn only_function_and_node_address_have_no_default() {
        let parameters = read(&[("WLRM_INLINE", "True"), ("WLRM_HOST_HEADER", "None")]).unwrap();
        assert_eq!(parameters, read(&[]).unwrap());
        assert_eq!(parameters.delivery, Delivery::Inline);
        assert_eq!(parameters.fail_mode, FailMode::Open);
        assert_eq!(parameters.deadline, Parameters::DEFAULT_DEADLINE);
        assert_eq!(read(&[("WLRM_NODE_ADDR", "")]).unwrap_err().name, "wlrm_node_addr");
        assert_eq!(read(&[("WLRM_FUNCTION", "")]).unwrap_err().name, "wlrm_function");
    }

    #[test]
    fn a_wrong_value_is_named_with_what_was_expected() {
        let wrong = [
            ("WLRM_FUNCTION", "both"),
            ("WLRM_NODE_ADDR", "node.example.com:5050"),
            ("WLRM_NODE_ADDR", "ftp://node.example.com"),
            ("WLRM_NODE_ADDR", "https://node.example.com/inspect"),
            ("WLRM_NODE_ADDR", "https://user@node.example.com"),
            ("WLRM_INLINE", "yes"),
            ("WLRM_FAIL_MODE", "ajar"),
            ("WLRM_DEADLINE_MS", "0"),
            ("WLRM_DEADLINE_MS", "5000"),
            ("WLRM_HOST_HEADER", "x host"),
        ];
        for (name, value) in wrong {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error.name.to_ascii_uppercase(), name);
            assert!(error.to_string().contains(value), "{error}");
        }
    }

    #[test]
    fn an_endpoint_is_below_the_address() {
        let address = read(&[("WLRM_NODE_ADDR", "http://127.0.0.1:5050/")]).unwrap().node_address;
        assert_eq!(address.endpoint("/v1/inspect/request"), "http://127.0.0.1:5050/v1/inspect/request");
    }
}
