//! Addresses and ports of the stack.

use super::Listeners;
use anyhow::Context as _;
use clap::ValueEnum;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The choice of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PortsOption {
    /// The documented ones: 8000 CloudFront, 8001 origin, 5050 node, 3000 console, 9000, 8080,
    /// 10246.
    Default,
    /// Free ones.
    Random,
}

/// The address of each part.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    pub cloudfront: SocketAddr,
    pub origin: SocketAddr,
    pub node: SocketAddr,
    pub console: SocketAddr,
    pub metrics: SocketAddr,
    pub health: SocketAddr,
    pub status: SocketAddr,
}

impl Ports {
    /// Binds all ports, so that each is free and none is used twice; then releases those of other
    /// processes.
    pub(crate) async fn allocate(option: PortsOption) -> anyhow::Result<(Self, Listeners)> {
        if option == PortsOption::Default {
            up::check_ports()?;
        }
        let mut listeners = Vec::new();
        for (part, port) in up::PORTS {
            let port = if option == PortsOption::Default { port } else { 0 };
            let listener = TcpListener::bind(("127.0.0.1", port)).await;
            listeners.push(listener.with_context(|| format!("cannot bind port {port} ({part})"))?);
        }
        let addresses: Vec<SocketAddr> =
            listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
        let [cloudfront, origin, node, console, metrics, health, status] = addresses[..] else {
            unreachable!("as many addresses as defaults")
        };
        let mut listeners = listeners.into_iter();
        let (Some(for_cloudfront), Some(for_origin)) = (listeners.next(), listeners.next()) else {
            unreachable!("the first two of seven")
        };
        let ports = Self { cloudfront, origin, node, console, metrics, health, status };
        Ok((ports, Listeners { cloudfront: for_cloudfront, origin: for_origin }))
    }
}
