//! IP networks in CIDR notation.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// An address with a prefix length: `10.0.0.0/8`, `2001:db8::/32`; a single address without a
/// slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Network {
    /// Bits after the prefix are 0.
    address: IpAddr,
    prefix: u8,
}

/// The text is not a network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address or a network such as 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32")]
pub struct InvalidNetwork(String);

impl Network {
    /// The network with this prefix that contains the address; `None` if the prefix is too long.
    pub fn around(address: IpAddr, prefix: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(ip) => {
                let rest = 32_u8.checked_sub(prefix)?;
                let mask = u32::MAX.checked_shl(rest.into()).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
            }
            IpAddr::V6(ip) => {
                let rest = 128_u8.checked_sub(prefix)?;
                let mask = u128::MAX.checked_shl(rest.into()).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
            }
        };
        Some(Self { address, prefix })
    }

    pub fn address(self) -> IpAddr {
        self.address
    }

    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// The last address; [`address`](Self::address) is the first.
    pub fn last(self) -> IpAddr {
        let prefix = self.prefix.into();
        match self.address {
            IpAddr::V4(ip) => {
                Ipv4Addr::from_bits(ip.to_bits() | u32::MAX.checked_shr(prefix).unwrap_or(0)).into()
            }
            IpAddr::V6(ip) => {
                Ipv6Addr::from_bits(ip.to_bits() | u128::MAX.checked_shr(prefix).unwrap_or(0)).into()
            }
        }
    }

    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && Self::around(address, self.prefix) == Some(self)
    }

    pub fn is_one_address(self) -> bool {
        self.prefix == if self.address.is_ipv4() { 32 } else { 128 }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let read = || {
            let (address, prefix) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
            let address: IpAddr = address.parse().ok()?;
            let all = if address.is_ipv4() { 32 } else { 128 };
            Self::around(address, prefix.map_or(Some(all), |bits| bits.parse().ok())?)
        };
        read().ok_or_else(|| InvalidNetwork(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_one_address() {
            self.address.fmt(f)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl TryFrom<String> for Network {
    type Error = InvalidNetwork;

    fn try_from(text: String) -> Result<Self, InvalidNetwork> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn displays_a_network_with_zero_host_bits() {
        for (text, shown) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8:1::1/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::1/128", "::1"),
        ] {
            assert_eq!(network(text).to_string(), shown);
        }
    }

    #[test]
    fn rejects_other_texts() {
        for text in
            ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "a/8", "10.0.0.0/8/8"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn computes_the_last_address() {
        for (text, last) in [
            ("10.1.2.3/8", "10.255.255.255"),
            ("203.0.113.7", "203.0.113.7"),
            ("0.0.0.0/0", "255.255.255.255"),
            ("2001:db8::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"),
            ("::1", "::1"),
        ] {
            assert_eq!(network(text).last().to_string(), last);
        }
    }

    #[test]
    fn ipv4_and_ipv6_networks_do_not_contain_each_other() {
        assert!(!network("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(!network("::/0").contains("1.2.3.4".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn contains_an_address_exactly_when_the_prefix_bits_are_equal(
            base: u32, other: u32, flip in 0_u8..32, prefix in 0_u8..=32,
        ) {
            let around = Network::around(Ipv4Addr::from_bits(base).into(), prefix).unwrap();
            for address in [other, base ^ (1 << flip)] {
                let equal_bits = (base ^ address).leading_zeros() >= u32::from(prefix);
                prop_assert_eq!(around.contains(Ipv4Addr::from_bits(address).into()), equal_bits);
            }
            prop_assert_eq!(network(&around.to_string()), around);
        }
    }
}
