//! Command-line values that complete a description.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::Arc;

use crate::cloudfront::ErrorCaching;
use crate::lambda::Function;

/// Local values that are not in a description: zips and origin addresses.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// By the name in the function's ARN, or the whole text if it is not an ARN.
    pub functions: BTreeMap<String, Arc<Function>>,
    pub origins: Vec<OriginAt>,
    pub error_caching: ErrorCaching,
    /// Address of all origins without one of their own.
    pub other_origins: Option<SocketAddr>,
}

/// The address of an origin: `ID=URL`, by its id or domain name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginAt {
    pub name: String,
    pub address: SocketAddr,
}

impl FromStr for OriginAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, url) = text.split_once('=').ok_or("must be ID=URL, e.g. api=http://127.0.0.1:3001")?;
        if url.starts_with("https://") {
            return Err("origins are called by plain HTTP; use http://".to_owned());
        }
        let authority = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
        let authority =
            if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let addresses =
            authority.to_socket_addrs().map_err(|error| format!("cannot resolve {authority}: {error}"))?;
        // Local servers listen on 127.0.0.1 more often than on ::1.
        let address =
            addresses.min_by_key(SocketAddr::is_ipv6).ok_or(format!("{authority} has no address"))?;
        Ok(Self { name: name.to_owned(), address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_address_is_parsed_from_url_or_address() {
        let at = |text: &str| text.parse::<OriginAt>().map(|at| format!("{} {}", at.name, at.address));
        assert_eq!(at("api=http://127.0.0.1:3001/").unwrap(), "api 127.0.0.1:3001");
        assert_eq!(at("api.example.com=127.0.0.1").unwrap(), "api.example.com 127.0.0.1:80");
        assert!(at("api").unwrap_err().contains("ID=URL"));
        assert!(at("api=https://127.0.0.1").unwrap_err().contains("plain HTTP"));
    }
}
