//! Who the viewer is when proxies of the site's own stand before CloudFront.

use crate::cloudfront::Headers;
use std::net::{IpAddr, SocketAddr};

/// Proxies that name the viewer in a header. From anybody else the header is hearsay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealIp {
    /// In lower case.
    pub header: String,
    pub proxies: Vec<Network>,
}

/// Addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl RealIp {
    /// The viewer's address: the last one of the header that is no proxy's. What stands before it, the viewer may have made
    /// up; where nothing can be believed, it is who called CloudFront.
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
        self.proxies.iter().any(|network| network.contains(address))
    }
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7` or `[2001:db8::7]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    text.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

impl Network {
    /// `203.0.113.0/24`, or one address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(left, right)| (left, Some(right)));
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix =
            prefix.map_or(Some(bits), |prefix| prefix.parse().ok().filter(|prefix| *prefix <= bits))?;
        Some(Self { address, prefix })
    }

    fn contains(self, other: IpAddr) -> bool {
        let differ = match (self.address, other.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => (ours.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(ours), IpAddr::V6(other)) => (ours.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differ >= self.prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(caller: &str, forwarded: &[&str]) -> String {
        let proxies = ["198.51.100.0/24", "2001:db8:1::/48", "192.0.2.1"];
        let real_ip = RealIp {
            header: "x-forwarded-for".into(),
            proxies: proxies.iter().map(|text| Network::parse(text).unwrap()).collect(),
        };
        let headers = forwarded.iter().map(|value| ("x-forwarded-for".into(), (*value).into())).collect();
        real_ip.viewer(caller.parse().unwrap(), &Headers(headers)).to_string()
    }

    #[test]
    fn a_proxy_is_believed_and_nobody_else() {
        assert_eq!(viewer("198.51.100.9", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(viewer("203.0.113.99", &["203.0.113.7"]), "203.0.113.99");
        assert_eq!(viewer("2001:db8:1::5", &["[2001:db8:2::7]:443"]), "2001:db8:2::7");
        assert_eq!(viewer("198.51.100.9", &[]), "198.51.100.9");
    }

    #[test]
    fn what_the_viewer_wrote_before_is_not_believed() {
        assert_eq!(viewer("198.51.100.9", &["127.0.0.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(
            viewer("198.51.100.9", &["127.0.0.1, 203.0.113.7, 192.0.2.1, 198.51.100.9"]),
            "203.0.113.7"
        );
        assert_eq!(viewer("198.51.100.9", &["127.0.0.1", "203.0.113.7:80"]), "203.0.113.7");
        assert_eq!(viewer("198.51.100.9", &["127.0.0.1, ' or 1=1"]), "198.51.100.9");
    }

    #[test]
    fn networks_end_where_their_prefix_says() {
        assert!(Network::parse("10.0.0.0/0").unwrap().contains("203.0.113.7".parse().unwrap()));
        assert!(Network::parse("10.0.0.0/8").unwrap().contains("::ffff:10.1.2.3".parse().unwrap()));
        for text in ["", "10.0.0.0/33", "2001:db8::/129", "10.0.0/8", "10.0.0.0/", "a/8", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
