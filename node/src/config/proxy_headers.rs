//! `proxy_headers`: the client's address and host behind a proxy in front of CloudFront.

use super::section::{Part, Section};
use shared::{InspectRequest, ruleset::Network};
use std::net::{IpAddr, SocketAddr};

/// The headers of trusted proxies. The first rule that trusts the peer of CloudFront applies.
#[derive(Debug)]
pub struct ProxyHeaders {
    /// Absent: every peer is trusted.
    trusted_networks: Option<Vec<Network>>,
    original_host: Vec<String>,
    real_ip: Vec<String>,
}

impl ProxyHeaders {
    /// Replaces the address and the host of the request by those in the headers of a trusted proxy.
    pub fn resolve(rules: &[Self], request: &mut InspectRequest) {
        let trusts = |rule: &&Self| {
            rule.trusted_networks.as_ref().is_none_or(|it| it.iter().any(|it| it.contains(request.client_ip)))
        };
        let Some(rule) = rules.iter().find(trusts) else { return };
        let first = |names: &[String]| names.iter().find_map(|name| first_value(request, name));
        let ip = first(&rule.real_ip).and_then(address);
        let host = first(&rule.original_host).map(str::to_owned);
        request.client_ip = ip.unwrap_or(request.client_ip);
        if let Some(host) = host {
            request.host = host;
        }
    }
}

/// The first element: set by the proxy nearest to the client.
fn first_value<'r>(request: &'r InspectRequest, name: &str) -> Option<&'r str> {
    let (_, value) = request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    value.split(',').next().map(str::trim).filter(|value| !value.is_empty())
}

/// Parses an address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

impl Part for ProxyHeaders {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let trusted = section.list("trusted_networks", Vec::new());
        let trusted_networks = section.has("trusted_networks").then_some(trusted);
        let (original_host, real_ip) =
            (section.list("original_host", Vec::new()), section.list("real_ip", Vec::new()));
        if trusted_networks.is_none() {
            section.warn("trusted_networks", "is not set: any client can forge its address");
        }
        Some(Self { trusted_networks, original_host, real_ip })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};
    use std::path::Path;

    #[test]
    fn the_first_rule_that_trusts_the_peer_gives_address_and_host() {
        let file = "version: 4\nmode: connector-server\nconnector: {address: ':1'}\nproxy_headers:\n\
            - {trusted_networks: [10.0.0.0/8], real_ip: [X-Real-IP, X-Forwarded-For], original_host: [X-Forwarded-Host]}\n\
            - {trusted_networks: ['10.0.0.0/8', '2001:db8::/32'], real_ip: [X-Other]}\n";
        let config = Config::parse(Path::new("node.yaml"), file, &Environment::default()).unwrap();
        let table = [
            ("10.1.2.3", "X-Forwarded-For", "198.51.100.7, 10.9.9.9", "198.51.100.7 h"),
            ("10.1.2.3", "x-forwarded-for", "198.51.100.7:4711", "198.51.100.7 h"),
            ("10.1.2.3", "X-Forwarded-For", "[2001:db8::1]:443", "2001:db8::1 h"),
            ("10.1.2.3", "X-Forwarded-For", "unknown", "10.1.2.3 h"),
            ("10.1.2.3", "X-Forwarded-For", "", "10.1.2.3 h"),
            ("10.1.2.3", "X-Forwarded-Host", "shop.example", "10.1.2.3 shop.example"),
            ("10.1.2.3", "X-Other", "198.51.100.7", "10.1.2.3 h"),
            ("2001:db8::5", "X-Other", "198.51.100.7", "198.51.100.7 h"),
            ("203.0.113.9", "X-Forwarded-For", "198.51.100.7", "203.0.113.9 h"),
        ];
        for (peer, header, value, expected) in table {
            let message = format!(
                r#"{{"client_ip":"{peer}","method":"GET","host":"h","path":"/","headers":[["{header}","{value}"]]}}"#
            );
            let mut request: InspectRequest = serde_json::from_str(&message).unwrap();
            ProxyHeaders::resolve(&config.proxy_headers, &mut request);
            assert_eq!(
                format!("{} {}", request.client_ip, request.host),
                expected,
                "{peer} {header}: {value}"
            );
        }
    }
}
