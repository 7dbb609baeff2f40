//! Who the viewer is when proxies of the site's own stand before CloudFront.

use crate::cloudfront::Headers;
use shared::ruleset::Network;
use std::net::{IpAddr, SocketAddr};

/// Proxies that name the viewer in a header. From anybody else the header is hearsay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealIp {
    /// In lower case.
    pub header: String,
    pub proxies: Vec<Network>,
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
    fn a_proxy_is_believed_and_nobody_else() {
        assert_eq!(viewer("198.51.100.9", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(viewer("203.0.113.99", &["203.0.113.7"]), "203.0.113.99");
        assert_eq!(viewer("2001:db8:1::5", &["[2001:db8:2::7]:443"]), "2001:db8:2::7");
        assert_eq!(viewer("::ffff:198.51.100.9", &["203.0.113.7"]), "203.0.113.7");
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
}
