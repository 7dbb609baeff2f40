//! Classification of hosts: internal, disguised or public.

use crate::words::WORDS;
use std::net::{Ipv4Addr, Ipv6Addr};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Internal {
    /// Metadata services of clouds, which return credentials.
    Metadata,
    /// The server itself.
    Loopback,
    /// Private networks.
    Private,
    /// An internal address in a notation other than four decimal numbers.
    Disguised,
    /// Services that record the requests they receive.
    Catcher,
}

/// The class of a lower-case host; `None` for public hosts.
pub(super) fn classify(host: &str) -> Option<Internal> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Some(inside) = host.strip_prefix('[') {
        return v6(inside.strip_suffix(']')?);
    }
    if host.as_bytes().first()?.is_ascii_digit()
        && let Some((address, is_plain)) = v4(host)
    {
        return match v4_kind(address) {
            Some(Internal::Metadata) => Some(Internal::Metadata),
            kind if is_plain => kind,
            _ => Some(Internal::Disguised),
        };
    }
    named(host)
}

fn named(host: &str) -> Option<Internal> {
    let words = &WORDS.ssrf;
    let ends_with = |suffixes: &[String]| suffixes.iter().any(|it| host.ends_with(it));
    if words.metadata_hosts.contains(host) {
        Some(Internal::Metadata)
    } else if words.loopback_hosts.contains(host) || host.ends_with(".localhost") || is_below_loopback(host) {
        Some(Internal::Loopback)
    } else if ends_with(&words.echoing_suffixes) {
        echoed(host).map(|_| Internal::Disguised)
    } else if is_catcher(host) {
        Some(Internal::Catcher)
    } else if ends_with(&words.private_suffixes) {
        Some(Internal::Private)
    } else {
        None
    }
}

/// `interact.sh`, `x.interact.sh`, `x.oast.example`
fn is_catcher(host: &str) -> bool {
    let words = &WORDS.ssrf;
    words.catcher_suffixes.iter().any(|it| host.ends_with(it) || *host == it[1..])
        || host.split('.').rev().skip(1).any(|label| words.catcher_labels.contains(label))
}

/// `anything.localtest.me` resolves like `localtest.me`.
fn is_below_loopback(host: &str) -> bool {
    let mut domains = WORDS.ssrf.loopback_domains.iter();
    domains.any(|it| host.strip_suffix(it.as_str()).is_some_and(|rest| rest.ends_with('.')))
}

/// The internal address in `app.127.0.0.1.nip.io` or `10-0-0-1.sslip.io`.
fn echoed(host: &str) -> Option<Internal> {
    let spelled = host.replace('-', ".");
    let labels: Vec<&str> = spelled.split('.').collect();
    let windows = labels.windows(4).filter_map(|it| it.join(".").parse().ok());
    let hex = labels.iter().filter(|it| it.len() == 8).filter_map(|it| u32::from_str_radix(it, 16).ok());
    windows.chain(hex.map(Ipv4Addr::from)).find_map(v4_kind)
}

/// An address in any notation of `inet_aton`, and whether it is four decimal numbers.
fn v4(host: &str) -> Option<(Ipv4Addr, bool)> {
    if let Ok(plain) = host.parse() {
        return Some((plain, true));
    }
    let parts: Vec<u128> = host.split('.').take(5).map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    // Numbers that are too large wrap around in some parsers.
    let low = u32::try_from(last & 0xFFFF_FFFF).ok()?;
    let high = first
        .iter()
        .enumerate()
        .try_fold(0_u32, |high, (at, part)| Some(high | u32::try_from(part & 0xFF).ok()? << (24 - 8 * at)))?;
    Some((Ipv4Addr::from(high | low), false))
}

/// Decimal, `0x…` or `0…` octal.
fn number(text: &str) -> Option<u128> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u128::from_str_radix(hex, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u128::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

fn v4_kind(address: Ipv4Addr) -> Option<Internal> {
    match address.octets() {
        [169, 254, ..] | [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => {
            Some(Internal::Metadata)
        }
        [127 | 0, ..] => Some(Internal::Loopback),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Some(Internal::Private),
        _ => None,
    }
}

fn v6(text: &str) -> Option<Internal> {
    let address: Ipv6Addr = text.split('%').next()?.parse().ok()?;
    if let Some(mapped) = address.to_ipv4_mapped().or_else(|| translated(address)) {
        return match v4_kind(mapped)? {
            Internal::Metadata => Some(Internal::Metadata),
            _ => Some(Internal::Disguised),
        };
    }
    match address.segments() {
        [0xFD00, 0xEC2, ..] => Some(Internal::Metadata),
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Some(Internal::Loopback),
        [0xFE80..=0xFEBF | 0xFC00..=0xFDFF, ..] => Some(Internal::Private),
        _ => None,
    }
}

/// IPv4 inside NAT64, 6to4 and the old compatible form.
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0x64, 0xFF9B, .., high, low]
        | [0, 0, 0, 0, 0, 0, high @ 1..=0xFFFF, low]
        | [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_all_notations_of_an_address() {
        for host in [
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "127.1",
            "0177.0.0.01",
            "0x1000000007f000001",
        ] {
            assert_eq!(v4(host), Some((Ipv4Addr::LOCALHOST, false)), "{host}");
            assert_eq!(classify(host), Some(Internal::Disguised), "{host}");
        }
        for host in [
            "169.254.169.254",
            "2852039166",
            "[::ffff:a9fe:a9fe]",
            "[fd00:ec2::254]",
            "metadata.google.internal.",
        ] {
            assert_eq!(classify(host), Some(Internal::Metadata), "{host}");
        }
    }

    #[test]
    fn recognizes_names_that_echo_an_address() {
        for host in ["127.0.0.1.nip.io", "app-10-0-0-1.sslip.io", "7f000001.nip.io"] {
            assert_eq!(classify(host), Some(Internal::Disguised), "{host}");
        }
        assert_eq!(classify("203-0-113-9.sslip.io"), None);
    }

    #[test]
    fn passes_public_hosts() {
        for host in
            ["example.com", "8.8.8.8", "[2606:4700::1111]", "3com.example", "172.15.0.1", "100.63.0.1", ""]
        {
            assert_eq!(classify(host), None, "{host}");
        }
    }
}
