//! Webhook targets, and the protection against requests to internal services (SSRF), such as
//! credential services of clouds.

use hyper::Uri;
use hyper_util::client::legacy::connect::dns::Name;
use shared::ruleset::Network;
use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};
use tower::Service;

/// The default port of syslog servers.
const SYSLOG_PORT: u16 = 514;
/// The same with TLS (RFC 5425).
const SYSLOG_TLS_PORT: u16 = 6514;

/// The parsed URL of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
    protocol: Protocol,
    /// The host as an address; `None` if it is a name.
    ip: Option<IpAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http,
    SyslogTls,
    SyslogTcp,
    SyslogUdp,
}

impl Protocol {
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "http" | "https" => Some(Self::Http),
            "syslog+tls" => Some(Self::SyslogTls),
            "syslog+tcp" => Some(Self::SyslogTcp),
            "syslog+udp" => Some(Self::SyslogUdp),
            _ => None,
        }
    }
}

/// Completes "`url` …".
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    #[error(
        "must be a URL such as https://example.com/hook, or syslog+tls://example.com:6514 (or syslog+tcp, syslog+udp), in at most {} characters",
        Target::MAX_LENGTH
    )]
    Unknown,
    #[error("must not contain a user or password: receivers authenticate calls by their signature")]
    User,
    #[error("resolves to {0}, which is not a public address; allow its network with `--webhook-allow`")]
    Private(IpAddr),
}

impl Target {
    pub const MAX_LENGTH: usize = 2000;

    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        if text.len() > Self::MAX_LENGTH || text.contains('#') {
            return Err(InvalidTarget::Unknown);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidTarget::Unknown)?;
        let protocol = uri.scheme_str().and_then(Protocol::of).ok_or(InvalidTarget::Unknown)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(InvalidTarget::Unknown)?;
        if protocol != Protocol::Http && !(matches!(uri.path(), "" | "/") && uri.query().is_none()) {
            return Err(InvalidTarget::Unknown);
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(InvalidTarget::User);
        }
        let ip = without_brackets(host).parse().ok();
        Ok(Self { uri, protocol, ip })
    }

    /// The host, which a certificate must name.
    pub(crate) fn server_name(&self) -> &str {
        without_brackets(self.uri.host().unwrap_or_default())
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}

/// The host of a URL; IPv6 addresses have brackets there.
fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Allowed targets: the public internet, and the networks of `--webhook-allow`.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    allowed: Arc<[Network]>,
}

impl Targets {
    pub fn allowing(networks: Vec<Network>) -> Self {
        Self { allowed: networks.into() }
    }

    /// Checks a target with an address. Names are checked when they are resolved for a call.
    pub fn check(&self, target: &Target) -> Result<(), InvalidTarget> {
        target.ip.map_or(Ok(()), |ip| self.check_address(ip))
    }

    fn check_address(&self, ip: IpAddr) -> Result<(), InvalidTarget> {
        let ip = ip.to_canonical();
        let is_allowed = is_public(ip) || self.allowed.iter().any(|network| network.contains(ip));
        if is_allowed { Ok(()) } else { Err(InvalidTarget::Private(ip)) }
    }

    /// The addresses of a syslog server, if all of them are allowed.
    pub(crate) async fn syslog_addresses(&self, target: &Target) -> io::Result<Vec<SocketAddr>> {
        let default = if target.protocol == Protocol::SyslogTls { SYSLOG_TLS_PORT } else { SYSLOG_PORT };
        let port = target.uri.port_u16().unwrap_or(default);
        if let Some(ip) = target.ip {
            self.check_address(ip).map_err(io::Error::other)?;
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let name = target.uri.host().unwrap_or_default().parse::<Name>().map_err(io::Error::other)?;
        let addresses = self.clone().resolve(name).await?;
        Ok(addresses.map(|address| SocketAddr::new(address.ip(), port)).collect())
    }

    /// The addresses of a name, if all of them are allowed. The connection uses one of these, which
    /// prevents DNS rebinding.
    async fn resolve(self, name: Name) -> io::Result<vec::IntoIter<SocketAddr>> {
        let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
        for address in &addresses {
            self.check_address(address.ip()).map_err(io::Error::other)?;
        }
        Ok(addresses.into_iter())
    }
}

impl Service<Name> for Targets {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(self.clone().resolve(name))
    }
}

/// Whether an address is in no registry of special-purpose addresses (IANA, RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !is_special
}

/// Global unicast, without embedded IPv4 addresses and documentation prefixes.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // NAT64: embeds an IPv4 address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x2002 | 0x3fff, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(targets: &Targets, url: &str) -> Result<(), InvalidTarget> {
        Target::parse(url).and_then(|target| targets.check(&target))
    }

    #[test]
    fn rejects_addresses_that_are_not_public() {
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "192.0.0.8",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:db8::1]",
            "[2001::1]",
        ] {
            let result = check(&Targets::default(), &format!("http://{host}:8080/x"));
            assert!(matches!(result, Err(InvalidTarget::Private(_))), "{host}: {result:?}");
        }
        for host in ["1.1.1.1", "100.128.0.1", "[2606:4700::1111]", "[64:ff9b::101:101]", "hooks.example.com"]
        {
            assert_eq!(check(&Targets::default(), &format!("https://{host}/x")), Ok(()), "{host}");
        }
    }

    #[test]
    fn an_allowed_network_allows_only_its_addresses() {
        let targets = Targets::allowing(vec!["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(check(&targets, "http://10.9.9.9/"), Ok(()));
        assert_eq!(check(&targets, "http://[::ffff:10.9.9.9]/"), Ok(()));
        assert!(check(&targets, "http://127.0.0.1/").is_err());
    }

    #[test]
    fn rejects_urls_that_name_no_server() {
        for url in [
            "",
            "/hook",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://",
            "https://e.com/#a",
            "a b",
            "syslog+tcp://e.com/x",
            "syslog+tls://e.com/x",
            "syslog://e.com",
        ] {
            assert_eq!(Target::parse(url), Err(InvalidTarget::Unknown), "{url}");
        }
        assert_eq!(Target::parse("https://ann:secret@example.com/"), Err(InvalidTarget::User));
    }

    #[tokio::test]
    async fn syslog_servers_have_default_ports() {
        for (url, address) in [
            ("syslog+tls://1.1.1.1", "1.1.1.1:6514"),
            ("syslog+tcp://1.1.1.1", "1.1.1.1:514"),
            ("syslog+tls://[2606:4700::1111]:601", "[2606:4700::1111]:601"),
        ] {
            let target = Target::parse(url).unwrap();
            let addresses = Targets::default().syslog_addresses(&target).await.unwrap();
            assert_eq!(addresses, [address.parse().unwrap()], "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_must_not_resolve_to_a_private_address() {
        let name = "localhost".parse::<Name>().unwrap();
        assert!(Targets::default().resolve(name.clone()).await.is_err());
        let loopback = ["127.0.0.0/8", "::1"].map(|network| network.parse().unwrap()).to_vec();
        assert!(Targets::allowing(loopback).resolve(name).await.unwrap().len() > 0);
    }
}
