//! A record of a log.

use crate::{Field, RecordError, escape::decode, field::Values};
use jiff::{Timestamp, civil};
use shared::{ConnectorInfo, Delivery, InspectRequest, Location, LoggedResponse, RequestId, ResponseReport};
use std::net::IpAddr;

/// A request as CloudFront logged it. Texts are decoded; absent values are `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRecord {
    pub edge_request_id: String,
    /// When CloudFront had answered; standard logs have whole seconds.
    pub time: Timestamp,
    pub client_ip: IpAddr,
    pub forwarded_for: Option<String>,
    pub method: String,
    /// The visitor's `Host`, or else the distribution's domain name.
    pub host: String,
    pub distribution_id: Option<String>,
    pub distribution_domain: Option<String>,
    pub path: String,
    /// Empty when there is none.
    pub query: String,
    pub user_agent: Option<String>,
    pub referer: Option<String>,
    pub cookie: Option<String>,
    /// Further headers, of real-time logs.
    pub headers: Vec<(String, String)>,
    /// `http`, `https`, `ws` or `wss`.
    pub scheme: Option<String>,
    pub http_version: Option<String>,
    /// `None` when the visitor closed the connection before a response.
    pub status: Option<u16>,
    pub response: LoggedResponse,
    /// Of the visitor, as CloudFront knows it.
    pub location: Location,
}

impl LogRecord {
    pub(crate) fn read<V: AsRef<str>>(values: &Values<V>) -> Result<Self, RecordError> {
        let text = |field| values.get(field).map(|value| decode(value).into_owned());
        let required = |field| text(field).ok_or(RecordError::Absent(field));
        let hosts = Hosts::of(values);
        let (path, query) = target(values)?;
        let (user_agent, referer) = (text(Field::UserAgent), text(Field::Referer));
        Ok(Self {
            edge_request_id: required(Field::EdgeRequestId)?,
            time: time(values)?,
            client_ip: parsed(values, Field::ClientIp, "an IP address")?
                .ok_or(RecordError::Absent(Field::ClientIp))?,
            forwarded_for: text(Field::ForwardedFor),
            method: required(Field::Method)?,
            host: hosts
                .viewer
                .or_else(|| hosts.distribution.clone())
                .ok_or(RecordError::Absent(Field::Host))?,
            distribution_id: text(Field::DistributionId),
            distribution_domain: text(Field::DistributionDomain).or(hosts.distribution),
            path,
            query,
            cookie: text(Field::Cookie),
            headers: text(Field::Headers).map_or_else(Vec::new, |all| other_headers(&all, values)),
            user_agent,
            referer,
            scheme: text(Field::Protocol),
            http_version: text(Field::ProtocolVersion),
            status: optional::<u16, V>(values, Field::Status).filter(|status| *status != 0),
            response: response(values),
            location: Location {
                country: text(Field::Country).filter(|country| country.len() == 2),
                asn: optional(values, Field::Asn),
            },
        })
    }

    /// The id that the connector derives of the same request.
    pub fn request_id(&self, distribution_id: &str) -> RequestId {
        RequestId::derive(distribution_id, &self.edge_request_id)
    }

    /// The request to inspect: what the log has of it. The body and most headers are not logged.
    pub fn inspect_request(&self, distribution_id: &str, version: &str) -> InspectRequest {
        let logged = [
            ("user-agent", &self.user_agent),
            ("referer", &self.referer),
            ("cookie", &self.cookie),
            ("x-forwarded-for", &self.forwarded_for),
        ];
        let logged = logged.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        InspectRequest {
            request_id: Some(self.request_id(distribution_id)),
            connector: Some(self.connector(distribution_id, version)),
            delivery: Delivery::Log,
            client_ip: self.client_ip,
            method: self.method.clone(),
            scheme: self.scheme.clone(),
            http_version: self.http_version.clone(),
            host: self.host.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: std::iter::once(("host".to_owned(), self.host.clone()))
                .chain(logged)
                .chain(self.headers.iter().cloned())
                .collect(),
            body: None,
            body_truncated: false,
            unseen_body: None,
            not_inspected: Vec::new(),
        }
    }

    /// The response of CloudFront, as a report. `None` without a status.
    pub fn response_report(&self, distribution_id: &str, version: &str) -> Option<ResponseReport> {
        Some(ResponseReport {
            request_id: self.request_id(distribution_id),
            connector: Some(self.connector(distribution_id, version)),
            edge_request_id: Some(self.edge_request_id.clone()),
            status: self.status?,
            headers: Vec::new(),
            logged: Some(Box::new(self.response.clone())),
            not_inspected: Vec::new(),
        })
    }

    /// Without a trigger: a log proves neither that a function ran, nor that the origin responded.
    fn connector(&self, distribution_id: &str, version: &str) -> ConnectorInfo {
        ConnectorInfo {
            kind: "cloudfront-log".to_owned(),
            version: version.to_owned(),
            distribution_id: Some(distribution_id.to_owned()),
            distribution_domain: self.distribution_domain.clone(),
            edge_request_id: Some(self.edge_request_id.clone()),
            ..ConnectorInfo::default()
        }
    }
}

/// The two hosts, whose fields standard and real-time logs name differently.
struct Hosts {
    viewer: Option<String>,
    distribution: Option<String>,
}

impl Hosts {
    fn of<V: AsRef<str>>(values: &Values<V>) -> Self {
        let text = |field| values.get(field).map(|value| decode(value).into_owned());
        if values.get(Field::ViewerHost).is_some() {
            return Self { viewer: text(Field::ViewerHost), distribution: text(Field::HostHeader) };
        }
        Self { viewer: text(Field::HostHeader), distribution: text(Field::Host) }
    }
}

/// The path and the query. A `?` in `cs-uri-stem` begins the query of a real-time log: standard logs
/// have none there.
fn target<V: AsRef<str>>(values: &Values<V>) -> Result<(String, String), RecordError> {
    let stem = values.get(Field::UriStem).ok_or(RecordError::Absent(Field::UriStem))?;
    let (path, query) = match stem.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (stem, values.get(Field::UriQuery)),
    };
    Ok((decode(path).into_owned(), decode(query.unwrap_or_default()).into_owned()))
}

fn time<V: AsRef<str>>(values: &Values<V>) -> Result<Timestamp, RecordError> {
    for (field, unit) in [(Field::TimestampMs, 1.0), (Field::Timestamp, 1000.0)] {
        if let Some(number) = parsed::<f64, V>(values, field, "a Unix time")? {
            return unix_time(number, unit).ok_or_else(|| invalid(values, field, "a Unix time"));
        }
    }
    let date: civil::Date = parsed(values, Field::Date, "a date")?.ok_or(RecordError::Absent(Field::Date))?;
    let time: civil::Time = parsed(values, Field::Time, "a time")?.ok_or(RecordError::Absent(Field::Time))?;
    let zoned = date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC);
    zoned.map(|zoned| zoned.timestamp()).map_err(|_| invalid(values, Field::Date, "a date"))
}

/// Milliseconds are recognized by their size: as seconds they would be the year 5138.
fn unix_time(number: f64, unit: f64) -> Option<Timestamp> {
    const MAX_SECONDS: f64 = 1e11;
    let millis = if number < MAX_SECONDS { number * unit } else { number };
    let is_plausible = (0.0..MAX_SECONDS * 1000.0).contains(&millis);
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let millis = is_plausible.then_some(millis.round() as i64);
    millis.and_then(|millis| Timestamp::from_millisecond(millis).ok())
}

fn response<V: AsRef<str>>(values: &Values<V>) -> LoggedResponse {
    let text = |field| values.get(field).map(|value| decode(value).into_owned());
    let seconds: Option<f64> = optional(values, Field::TimeTaken);
    let millis = seconds.map(|seconds| (seconds * 1000.0).round()).filter(|it| (0.0..1e15).contains(it));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    let time_taken_ms = millis.map(|millis| millis as u64);
    LoggedResponse {
        result_type: text(Field::ResultType),
        response_result_type: text(Field::ResponseResultType),
        detailed_result_type: text(Field::DetailedResultType),
        bytes: optional(values, Field::ResponseBytes),
        time_taken_ms,
        edge_location: text(Field::EdgeLocation),
        path_pattern: text(Field::PathPattern),
        tls_version: text(Field::TlsVersion),
    }
}

/// `Name:value` lines, the last of which CloudFront may have truncated. Headers whose own fields are
/// logged are left out.
fn other_headers<V: AsRef<str>>(all: &str, values: &Values<V>) -> Vec<(String, String)> {
    let is_own = |name: &str| match name {
        "host" => true,
        "user-agent" => values.get(Field::UserAgent).is_some(),
        "referer" => values.get(Field::Referer).is_some(),
        "cookie" => values.get(Field::Cookie).is_some(),
        "x-forwarded-for" => values.get(Field::ForwardedFor).is_some(),
        _ => false,
    };
    let named = all.lines().filter_map(|line| line.split_once(':'));
    let named = named.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    named.filter(|(name, _)| !name.is_empty() && !is_own(name)).collect()
}

/// The value of a field that no detection needs; `None` if it cannot be read.
fn optional<T: std::str::FromStr, V: AsRef<str>>(values: &Values<V>, field: Field) -> Option<T> {
    values.get(field)?.parse().ok()
}

fn parsed<T: std::str::FromStr, V: AsRef<str>>(
    values: &Values<V>,
    field: Field,
    expected: &'static str,
) -> Result<Option<T>, RecordError> {
    let value = values.get(field).map(str::parse);
    value.transpose().map_err(|_| invalid(values, field, expected))
}

fn invalid<V: AsRef<str>>(values: &Values<V>, field: Field, expected: &'static str) -> RecordError {
    const MAX_CHARS: usize = 100;
    let value = values.get(field).unwrap_or_default().chars().take(MAX_CHARS).collect();
    RecordError::Invalid { field, value, expected }
}
