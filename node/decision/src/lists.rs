//! The console's lists of sources: networks of any width, countries, autonomous systems.

use jiff::Timestamp;
use serde::Serialize;
use shared::{
    AttackType, ListRef,
    ruleset::{LeftOut, List, ListEntry, Network, Source},
};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

/// Attributes of a request's source that list entries match.
#[derive(Debug, Clone, Default)]
pub struct Visitor<'v> {
    pub address: Option<IpAddr>,
    pub application: Option<u32>,
    pub country: Option<&'v str>,
    pub asn: Option<u32>,
}

/// The first list that matches a visitor, in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListMatch {
    Allowed(ListRef),
    /// With the attack type that is recorded.
    Denied(ListRef, AttackType),
    Grayed(ListRef),
    Unlisted,
}

/// A set of fields of an address: those that can be looked up, or those wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GeoFields {
    pub country: bool,
    pub asn: bool,
}

/// List entries by source. A look-up probes each prefix length that occurs once, so its cost does
/// not depend on the number of networks.
#[derive(Debug, Default)]
pub struct Lists {
    networks: HashMap<Network, Vec<Entry>>,
    /// Prefix lengths that occur: of IPv4 networks, then of IPv6 networks.
    widths: [BTreeSet<u8>; 2],
    countries: HashMap<String, Vec<Entry>>,
    systems: HashMap<u32, Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    named: ListRef,
    applications: Vec<u32>,
    expires_at: Option<Timestamp>,
}

impl Lists {
    /// Builds the lists. Also returns the entries whose kind of source cannot be looked up.
    pub fn new(entries: &[ListEntry], known: GeoFields) -> (Self, Vec<LeftOut>) {
        let (mut lists, mut left_out) = (Self::default(), Vec::new());
        for entry in entries {
            let missing = match entry.source {
                Source::Country(_) if !known.country => Some("geoip.country_file"),
                Source::Asn(_) if !known.asn => Some("geoip.asn_file"),
                _ => None,
            };
            if let Some(key) = missing {
                let cause = format!("source: needs a file at {key} in the node's configuration");
                left_out.push(LeftOut::new(entry.id, &cause));
                continue;
            }
            lists.slot(&entry.source).push(Entry {
                named: ListRef { list: entry.list, id: entry.id },
                applications: entry.applications.clone(),
                expires_at: entry.expires_at,
            });
        }
        (lists, left_out)
    }

    pub fn len(&self) -> usize {
        let entries = self.networks.values().chain(self.countries.values()).chain(self.systems.values());
        entries.map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The fields of a visitor that entries match.
    pub fn wanted_fields(&self) -> GeoFields {
        GeoFields { country: !self.countries.is_empty(), asn: !self.systems.is_empty() }
    }

    /// The entry of a list that matches the visitor; the narrowest network first.
    pub fn find(&self, list: List, visitor: &Visitor<'_>, now: Timestamp) -> Option<ListRef> {
        let matches = |entry: &&Entry| {
            entry.named.list == list
                && entry.expires_at.is_none_or(|end| now < end)
                && (entry.applications.is_empty()
                    || visitor.application.is_some_and(|it| entry.applications.contains(&it)))
        };
        let by_network = visitor.address.into_iter().flat_map(|address| self.around(address));
        let by_system = visitor.asn.and_then(|asn| self.systems.get(&asn));
        let by_country = visitor.country.and_then(|country| self.countries.get(country));
        by_network.chain(by_system).chain(by_country).flatten().find(matches).map(|it| it.named)
    }

    fn around(&self, address: IpAddr) -> impl Iterator<Item = &Vec<Entry>> {
        // The address may be an IPv4-mapped IPv6 address.
        let address = address.to_canonical();
        let widths = self.widths[usize::from(address.is_ipv6())].iter().rev();
        widths.filter_map(move |width| self.networks.get(&Network::around(address, *width)?))
    }

    fn slot(&mut self, source: &Source) -> &mut Vec<Entry> {
        match source {
            Source::Network(network) => {
                self.widths[usize::from(network.address().is_ipv6())].insert(network.prefix());
                self.networks.entry(*network).or_default()
            }
            Source::Country(code) => self.countries.entry(code.clone()).or_default(),
            Source::Asn(number) => self.systems.entry(*number).or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
