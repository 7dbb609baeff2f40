//! Address keys: IP addresses as text in the order of the addresses, so that a network is a range
//! of an index.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `4c0a80001`, or `6` and 32 digits. IPv4 written as IPv6 is the same address.
pub(crate) fn key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("4{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("6{:032x}", address.to_bits()),
    }
}

pub(crate) fn from_key(key: &str) -> Option<IpAddr> {
    if let Some(digits) = key.strip_prefix('4') {
        Some(Ipv4Addr::from_bits(u32::from_str_radix(digits, 16).ok()?).into())
    } else {
        let digits = key.strip_prefix('6')?;
        Some(Ipv6Addr::from_bits(u128::from_str_radix(digits, 16).ok()?).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_sort_as_addresses_do_and_read_back(a: IpAddr, b: IpAddr) {
            let (a, b) = (a.to_canonical(), b.to_canonical());
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            prop_assert_eq!(from_key(&key(a)), Some(a));
        }
    }
}
