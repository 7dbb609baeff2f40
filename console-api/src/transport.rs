//! The transport of a request: the client's address, and whether the client uses TLS.
//!
//! A trusted proxy reports both in `X-Forwarded-For` and `X-Forwarded-Proto`; headers of other clients
//! are ignored.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use listener::Peer;
use shared::ruleset::Network;
use std::net::{IpAddr, Ipv4Addr};

/// A year; browsers then use TLS only (RFC 6797).
const STRICT_TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// How clients reach the console.
#[derive(Debug, Clone, Default)]
pub struct Transport {
    /// Whether the listener has TLS.
    pub has_tls: bool,
    /// Proxies besides those on this machine.
    pub trusted_proxies: Vec<Network>,
}

/// The client of a request, an extension of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    pub address: IpAddr,
    pub is_https: bool,
}

/// Adds the [`Client`] to each request, and HSTS to responses over TLS.
pub async fn resolve(State(transport): State<Transport>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.address().ip());
    // A proxy keeps connections for later requests of other clients.
    if let Some(peer) = peer.filter(|_| transport.is_proxy(address)) {
        peer.verify();
    }
    // HTTP/2 has an authority instead of a `Host`.
    let authority = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let (Some(host), false) = (authority, request.headers().contains_key(header::HOST)) {
        request.headers_mut().insert(header::HOST, host);
    }
    let client = transport.client(address, request.headers());
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await;
    if client.is_https {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY);
    }
    response
}

impl Transport {
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        if !self.trusts(peer) {
            return Client { address: peer, is_https: self.has_tls };
        }
        let scheme = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        let is_https = scheme.map_or(self.has_tls, |scheme| scheme.eq_ignore_ascii_case("https"));
        // Each proxy appends the address it was called from: the client is the last that is no proxy.
        let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut address = peer;
        for hop in hops.into_iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok()) {
            address = hop.to_canonical();
            if !self.trusts(address) {
                break;
            }
        }
        Client { address, is_https }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        address.to_canonical().is_loopback() || self.is_proxy(address)
    }

    /// Whether the configuration names a proxy at this address.
    fn is_proxy(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|proxy| proxy.contains(address.to_canonical()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(transport: &Transport, peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let client = transport.client(peer.parse().unwrap(), &headers);
        format!("{} {}", client.address, if client.is_https { "https" } else { "http" })
    }

    #[test]
    fn uses_headers_of_trusted_proxies_only() {
        let proxies = vec!["10.1.0.0/16".parse().unwrap()];
        let transport = Transport { has_tls: false, trusted_proxies: proxies };
        assert_eq!(client(&transport, "203.0.113.7", &["192.0.2.1"]), "203.0.113.7 http");
        assert_eq!(client(&transport, "127.0.0.1", &["192.0.2.1"]), "192.0.2.1 https");
        assert_eq!(client(&transport, "10.1.2.3", &["192.0.2.1"]), "192.0.2.1 https");
        assert_eq!(client(&transport, "::ffff:10.1.2.3", &["192.0.2.1"]), "192.0.2.1 https");
        assert_eq!(client(&transport, "10.1.2.3", &[]), "10.1.2.3 https");
    }

    #[test]
    fn the_client_is_the_last_hop_that_is_no_proxy() {
        let proxies = vec!["10.1.0.0/16".parse().unwrap()];
        let transport = Transport { has_tls: true, trusted_proxies: proxies };
        let forged = ["198.51.100.9, 192.0.2.1", "10.1.9.9"];
        assert_eq!(client(&transport, "10.1.2.3", &forged), "192.0.2.1 https");
        assert_eq!(client(&transport, "10.1.2.3", &["192.0.2.1, no address"]), "10.1.2.3 https");
    }
}
