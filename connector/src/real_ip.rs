//! Viewer address behind the site's own proxies in front of CloudFront.

use crate::cloudfront::Headers;
use shared::ruleset::Network;
use std::net::{IpAddr, SocketAddr};

/// Proxies that pass the viewer's address in a header. The header is ignored for other callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealIp {
    /// In lower case.
    pub header: String,
    pub proxies: Vec<Network>,
}

impl RealIp {
    /// The last address in the header that is not a proxy's, as the viewer may have forged earlier
    /// ones; without a trusted one, the caller of CloudFront.
    pub fn viewer(&self, caller: IpAddr, headers: &Headers) -> IpAddr {
        let mut viewer = caller;
        let values = headers.0.iter().filter(|(name, _)| *name == self.header).map(|(_, value)| value);
        let addresses: Vec<_> = values.flat_map(|value| value.split(',')).map(address).collect();
        for named in addresses.into_iter().rev() {
            match named {
                Some(named) if self.is_proxy(viewer) => viewer = named,
                _ => break,
            }
        }
        viewer
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address.to_canonical()))
    }
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7` or `[2001:db8::7]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    text.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(caller: &str, forwarded: &[&str]) -> String {
        let proxies = ["198.51.100.0/24", "2001:db8:1::/48", "192.0.2.1"];
        let real_ip = RealIp {
            header: "x-forwarded-for".into(),
            proxies: proxies.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let headers = forwarded.iter().map(|value| ("x-forwarded-for".into(), (*value).into())).collect();
        real_ip.viewer(caller.parse().unwrap(), &Headers(headers)).to_string()
    }

    #[test]
    fn trusts_the_header_only_from_a_proxy() {
        assert_eq!(viewer("198.51.100.9", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(viewer("203.0.113.99", &["203.0.113.7"]), "203.0.113.99");
        assert_eq!(viewer("2001:db8:1::5", &["[2001:db8:2::7]:443"]), "2001:db8:2::7");
        assert_eq!(viewer("::ffff:198.51.100.9", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(viewer("198.51.100.9", &[]), "198.51.100.9");
    }

    #[test]
    fn ignores_addresses_that_the_viewer_added() {
        assert_eq!(viewer("198.51.100.9", &["127.0.0.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(
            viewer("198.51.100.9", &["127.0.0.1, 203.0.113.7, 192.0.2.1, 198.51.100.9"]),
            "203.0.113.7"
        );
        assert_eq!(viewer("198.51.100.9", &["127.0.0.1", "203.0.113.7:80"]), "203.0.113.7");
        assert_eq!(viewer("198.51.100.9", &["127.0.0.1, ' or 1=1"]), "198.51.100.9");
    }
}
