use super::*;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};
use uuid::Uuid;

fn entry(n: u128, list: List, source: &str) -> ListEntry {
    let source = match source.parse() {
        Ok(network) => Source::Network(network),
        Err(_) => Source::Country(source.to_owned()),
    };
    let id = Uuid::from_u128(n);
    ListEntry { id, list, source, applications: Vec::new(), expires_at: None, reason: String::new() }
}

fn lists_of(entries: &[ListEntry]) -> Lists {
    let (lists, left_out) = Lists::new(entries, GeoFields { country: true, asn: true });
    assert_eq!(left_out, []);
    lists
}

fn visitor(address: &str) -> Visitor<'static> {
    Visitor { address: Some(address.parse().unwrap()), ..Visitor::default() }
}

fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn deny_entry(lists: &Lists, visitor: &Visitor<'_>) -> Option<u128> {
    lists.find(List::Deny, visitor, now()).map(|it| it.id.as_u128())
}

#[test]
fn finds_the_narrowest_network() {
    let lists = lists_of(&[
        entry(1, List::Deny, "0.0.0.0/0"),
        entry(2, List::Deny, "10.0.0.0/8"),
        entry(3, List::Deny, "10.1.2.3"),
        entry(4, List::Deny, "2001:db8::/32"),
        entry(5, List::Allow, "10.1.2.3"),
    ]);
    for (address, expected) in [
        ("10.1.2.3", Some(3)),
        ("::ffff:10.1.2.3", Some(3)),
        ("10.1.2.4", Some(2)),
        ("11.0.0.1", Some(1)),
        ("2001:db8::1", Some(4)),
        ("2001:db9::1", None),
    ] {
        assert_eq!(deny_entry(&lists, &visitor(address)), expected, "{address}");
    }
    assert_eq!(lists.find(List::Gray, &visitor("10.1.2.3"), now()), None);
}

#[test]
fn an_entry_expires_without_a_reload() {
    let end = "2026-01-01T13:00:00Z".parse().unwrap();
    let narrow = ListEntry { expires_at: Some(end), ..entry(1, List::Deny, "10.0.0.1") };
    let lists = lists_of(&[narrow, entry(2, List::Deny, "10.0.0.0/8")]);
    let at = |time: Timestamp| lists.find(List::Deny, &visitor("10.0.0.1"), time).unwrap().id.as_u128();
    assert_eq!(at(now()), 1);
    assert_eq!(at(end), 2, "the wider network still matches");
}

#[test]
fn an_entry_for_applications_matches_only_them() {
    let lists = lists_of(&[ListEntry { applications: vec![7, 8], ..entry(1, List::Deny, "10.0.0.1") }]);
    for (application, expected) in [(Some(7), Some(1)), (Some(9), None), (None, None)] {
        assert_eq!(deny_entry(&lists, &Visitor { application, ..visitor("10.0.0.1") }), expected);
    }
}

#[test]
fn matches_countries_and_autonomous_systems() {
    let system = ListEntry { source: Source::Asn(64500), ..entry(1, List::Deny, "::") };
    let lists = lists_of(&[system, entry(2, List::Deny, "DE")]);
    assert_eq!(deny_entry(&lists, &Visitor { asn: Some(64500), ..visitor("10.0.0.1") }), Some(1));
    assert_eq!(deny_entry(&lists, &Visitor { country: Some("DE"), ..visitor("10.0.0.1") }), Some(2));
    assert_eq!(deny_entry(&lists, &visitor("10.0.0.1")), None);
}

fn any_network() -> impl Strategy<Value = Network> {
    // Few first bits, so that networks contain each other.
    let v4 = (0_u32..8, 0_u32..4, 0_u8..=32).prop_map(|(high, low, width)| {
        Network::around(Ipv4Addr::from_bits(high << 29 | low).into(), width).unwrap()
    });
    let v6 = (0_u128..8, 0_u128..4, 0_u8..=128).prop_map(|(high, low, width)| {
        Network::around(Ipv6Addr::from_bits(high << 125 | low).into(), width).unwrap()
    });
    prop_oneof![v4, v6]
}

proptest! {
    #[test]
    fn a_look_up_agrees_with_a_linear_search(
        networks in prop::collection::vec(any_network(), 0..24), asked in any_network(),
    ) {
        let entries: Vec<ListEntry> =
            networks.iter().zip(1..).map(|(it, n)| entry(n, List::Deny, &it.to_string())).collect();
        let address = asked.address();
        let widest_first = entries.iter().filter_map(|entry| match entry.source {
            Source::Network(network) if network.contains(address) => Some(network.prefix()),
            _ => None,
        });
        let narrowest = lists_of(&entries)
            .find(List::Deny, &Visitor { address: Some(address), ..Visitor::default() }, now());
        let width = narrowest.map(|it| networks[usize::try_from(it.id.as_u128()).unwrap() - 1].prefix());
        prop_assert_eq!(width, widest_first.max());
    }
}
