//! Origins and origin groups of a description.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::document::{ConfigError, Item, Object};
use super::given::Given;
use crate::cloudfront::distribution::{Origin, OriginGroup, OriginKind};

pub(super) fn origins(list: &Item<'_>, given: &Given) -> Result<Vec<Origin>, ConfigError> {
    let origins: Vec<_> = list.list()?.iter().map(|item| origin(item, given)).collect::<Result<_, _>>()?;
    if origins.is_empty() {
        return Err(list.error("must contain an origin"));
    }
    Ok(origins)
}

fn origin(item: &Item<'_>, given: &Given) -> Result<Origin, ConfigError> {
    let object = item.object()?;
    let id = object.require("Id")?.text()?;
    let domain_name = object.require("DomainName")?.text()?;
    let (kind, read_timeout) = kind(&object, item)?;
    let address = address(&id, &domain_name, &kind, given).ok_or_else(|| {
        item.error(format!(
            "{domain_name} has no address on this machine; add --origin {id}=http://127.0.0.1:…"
        ))
    })?;
    // CloudFormation's name of the field differs.
    let headers = object.get("CustomHeaders").or_else(|| object.get("OriginCustomHeaders"));
    let headers = headers.map_or(Ok(Vec::new()), |headers| headers.list())?;
    let header = |header: Item| {
        let header = header.object()?;
        Ok((header.require("HeaderName")?.text()?, header.require("HeaderValue")?.text()?))
    };
    let custom_headers = headers.into_iter().map(header).collect::<Result<_, ConfigError>>()?;
    let path = object.text("OriginPath")?.unwrap_or_default();
    if !path.is_empty() && (!path.starts_with('/') || path.ends_with('/')) {
        return Err(object.error("OriginPath must begin with a slash and not end with one"));
    }
    object.finish();
    Ok(Origin { id, domain_name, address, path, custom_headers, kind, read_timeout })
}

fn kind(object: &Object, item: &Item) -> Result<(OriginKind, Duration), ConfigError> {
    let default_timeout = Duration::from_secs(30);
    if object.get("S3OriginConfig").is_some() {
        let domain = object.require("DomainName")?.text()?;
        let region = domain.split('.').rev().nth(2).filter(|part| part.contains('-')).unwrap_or("us-east-1");
        return Ok((OriginKind::S3 { region: region.to_owned() }, default_timeout));
    }
    let custom = object.get("CustomOriginConfig");
    let custom =
        custom.ok_or_else(|| item.error("must have CustomOriginConfig or S3OriginConfig"))?.object()?;
    let policy = custom.require("OriginProtocolPolicy")?;
    let https = match policy.text()?.as_str() {
        "http-only" => false,
        "https-only" => true,
        "match-viewer" => {
            policy.record_not_simulated("events show http");
            false
        }
        _ => return Err(policy.error("must be http-only, https-only or match-viewer")),
    };
    let (plain, secure) = (custom.number("HTTPPort")?, custom.number("HTTPSPort")?);
    let port = if https { secure.unwrap_or(443) } else { plain.unwrap_or(80) };
    let port = u16::try_from(port).map_err(|_| custom.error("a port is at most 65535"))?;
    let protocols = custom.get("OriginSslProtocols").or_else(|| custom.get("OriginSSLProtocols"));
    let ssl_protocols = protocols.map_or(Ok(vec!["TLSv1.2".to_owned()]), |protocols| protocols.texts())?;
    let read_timeout = limited(&custom, "OriginReadTimeout", 30, 1..=120)?;
    let keepalive_timeout = limited(&custom, "OriginKeepaliveTimeout", 5, 1..=300)?;
    custom.finish();
    let protocol = if https { "https" } else { "http" }.to_owned();
    Ok((
        OriginKind::Custom { port, protocol, keepalive_timeout, ssl_protocols },
        Duration::from_secs(read_timeout),
    ))
}

fn limited(
    object: &Object,
    key: &str,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, ConfigError> {
    let number = object.number(key)?.unwrap_or(default);
    if range.contains(&number) {
        return Ok(number);
    }
    Err(object.require(key)?.error(format!("must be from {} to {}", range.start(), range.end())))
}

/// The address given for its id or domain; an IP address or `localhost` is used as it is.
fn address(id: &str, domain: &str, kind: &OriginKind, given: &Given) -> Option<SocketAddr> {
    if let Some(at) = given.origins.iter().find(|at| at.name == id || at.name == domain) {
        return Some(at.address);
    }
    let OriginKind::Custom { port, .. } = kind else { return given.other_origins };
    let host = if domain == "localhost" { "127.0.0.1" } else { domain };
    let literal = host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, *port));
    literal.or(given.other_origins)
}

pub(super) fn groups(list: &Item<'_>, origins: &[Origin]) -> Result<Vec<OriginGroup>, ConfigError> {
    list.list()?.iter().map(|item| group(item, origins)).collect()
}

fn group(item: &Item<'_>, origins: &[Origin]) -> Result<OriginGroup, ConfigError> {
    let object = item.object()?;
    let id = object.require("Id")?.text()?;
    let codes = object.require("FailoverCriteria")?.field("StatusCodes")?.list()?;
    let status_codes = codes.iter().map(Item::status).collect::<Result<_, _>>()?;
    let members = object.require("Members")?;
    let ids = members.list()?.into_iter().map(|member| member.field("OriginId")?.text());
    let ids: Vec<_> = ids.collect::<Result<_, _>>()?;
    let [primary, secondary] = &ids[..] else {
        return Err(members.error("must be two origins, the primary and the secondary"));
    };
    for id in [primary, secondary] {
        if !origins.iter().any(|origin| origin.id == *id) {
            return Err(members.error(format!("no origin has the id {id}")));
        }
    }
    object.ignore(&["SelectionCriteria"]);
    object.finish();
    Ok(OriginGroup { id, primary: primary.clone(), secondary: secondary.clone(), status_codes })
}
