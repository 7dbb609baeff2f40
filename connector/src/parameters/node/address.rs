//! Address of a node.

use crate::parameters::{list::items, source::Format};
use hyper::Uri;
use std::{fmt, net::IpAddr};

/// Scheme and authority, no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAddress(Uri);

impl NodeAddress {
    /// The URL of an endpoint of the node.
    pub fn endpoint(&self, path: &'static str) -> Uri {
        let mut parts = self.0.clone().into_parts();
        parts.path_and_query = Some(path.parse().expect("endpoint paths are constants"));
        Uri::from_parts(parts).expect("an address has a scheme and an authority")
    }

    /// Whether requests would cross a network unencrypted.
    pub(super) fn is_plain_remote(&self) -> bool {
        let host = self.0.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_local = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        self.0.scheme_str() == Some("http") && !is_local
    }

    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?;
        let plain = uri.path() == "/" && uri.query().is_none() && !uri.authority()?.as_str().contains('@');
        (plain && matches!(scheme, "http" | "https")).then_some(Self(uri))
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub(super) const ADDRESSES: Format<Vec<NodeAddress>> = Format::new(
    "must be comma-separated node addresses without a path, such as https://node.example.com:5050",
    |text| items(text, NodeAddress::parse),
);
