//! Checks of a distribution's access logs: whether a node receives them, and with which fields.

mod setup;

use super::{
    document::{Behavior, Distribution, Documents},
    log_documents::{Delivery, Destination, LogDocuments, RealTimeConfig},
    report::{HazardKind, Report},
};
use access_log::Selection;
use std::str::FromStr;

pub use setup::{Setup, SetupFormat};

/// The URL to which Firehose delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsUrl(String);

/// Firehose uses port 443.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the https:// address of the node or of its load balancer, without another port than 443")]
pub struct LogsUrlError;

/// A record grows by a third in base64, and the node accepts 4 MiB by default.
const MAX_BUFFER_MB: u64 = 1;

impl FromStr for LogsUrl {
    type Err = LogsUrlError;

    /// Parses `https://node.example.com`, with or without the path of the endpoint.
    fn from_str(text: &str) -> Result<Self, LogsUrlError> {
        let rest = text.strip_prefix("https://").ok_or(LogsUrlError)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let name = host.strip_suffix(":443").unwrap_or(host);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_name) || !path.bytes().all(is_path) {
            return Err(LogsUrlError);
        }
        let path = if matches!(path, "" | "/") { shared::FIREHOSE_PATH } else { path };
        Ok(Self(format!("https://{name}{path}")))
    }
}

/// `url`: where the node receives deliveries.
pub(super) fn examine(
    documents: &Documents,
    distribution: &Distribution,
    url: &LogsUrl,
    report: &mut Report,
) {
    let Some(distribution_id) = &documents.distribution_id else {
        let text = "access logs: the distribution's id is unknown; use the output of aws cloudfront get-distribution";
        return report.not_checked(text.to_owned());
    };
    let deliveries = documents.logs.deliveries_of(distribution_id);
    let is_unknown = deliveries.is_none();
    if is_unknown {
        report.not_checked(
            "standard logs (v2): aws logs --region us-east-1 describe-delivery-sources, describe-deliveries and \
             describe-delivery-destinations"
                .to_owned(),
        );
    }
    let deliveries = deliveries.unwrap_or_default();
    for (delivery, destination) in &deliveries {
        standard(&documents.logs, delivery, *destination, url, report);
    }
    let has_standard = legacy(distribution, report) || !deliveries.is_empty();
    let has_real_time = real_time(&documents.logs, distribution, url, has_standard, report);
    if !is_unknown && !has_standard && !has_real_time {
        let text = "CloudFront writes no access log: requests that no function sees are neither inspected nor counted.";
        report.hazard(HazardKind::LogsOff, "distribution", text.to_owned());
    }
}

/// Standard logs (v2).
fn standard(
    documents: &LogDocuments,
    delivery: &Delivery,
    destination: Option<&Destination>,
    url: &LogsUrl,
    report: &mut Report,
) {
    let subject = format!("standard logs (v2), delivery {}", delivery.id);
    fields(report, &subject, Selection::StandardV2, &delivery.record_fields);
    let Some(destination) = destination else {
        return report
            .not_checked(format!("{subject}: aws logs --region us-east-1 describe-delivery-destinations"));
    };
    let target = destination.resource_arn();
    let is_stream = delivery.destination_type == "FH";
    if let Some(format) = destination.output_format.as_deref()
        && format != "json"
        && (is_stream || !matches!(format, "w3c" | "parquet"))
    {
        let text = format!("The node does not read the output format {format}.");
        report.hazard(HazardKind::LogFormat, &subject, text);
    }
    match &*delivery.destination_type {
        "FH" => stream(documents, target, url, report),
        "S3" => report.not_checked(format!("{subject}: whether the node reads {target} (logs.paths)")),
        _ => {
            report.hazard(HazardKind::LogNotDelivered, &subject, format!("The node does not read {target}."));
        }
    }
}

/// Standard logs (legacy), to a bucket. Whether they are enabled.
fn legacy(distribution: &Distribution, report: &mut Report) -> bool {
    let logging = &distribution.logging;
    if logging.enabled {
        let subject = "standard logs (legacy)";
        let cookie = (!logging.include_cookies).then_some("cs(Cookie)");
        let missing = cookie.into_iter().chain(["c-country", "asn", "cache-behavior-path-pattern"]);
        missing_fields(report, subject, &missing.collect::<Vec<_>>());
        let (bucket, prefix) = (&logging.bucket, &logging.prefix);
        report.not_checked(format!("{subject}: whether the node reads {bucket}/{prefix} (logs.paths)"));
    }
    logging.enabled
}

/// Real-time logs, of each behavior. Whether a behavior has them.
fn real_time(
    documents: &LogDocuments,
    distribution: &Distribution,
    url: &LogsUrl,
    has_standard: bool,
    report: &mut Report,
) -> bool {
    let config = |behavior: &Behavior| behavior.realtime_log_config_arn.clone().filter(|arn| !arn.is_empty());
    let mut arns: Vec<String> = distribution.behaviors().filter_map(config).collect();
    arns.sort_unstable();
    arns.dedup();
    for arn in &arns {
        match documents.real_time_configs.iter().find(|config| config.arn == *arn) {
            Some(config) => real_time_config(report, config, url),
            None => report
                .not_checked(format!("real-time logs: aws cloudfront get-realtime-log-config --arn {arn}")),
        }
    }
    if !arns.is_empty() && !has_standard {
        for behavior in distribution.behaviors().filter(|behavior| config(behavior).is_none()) {
            let pattern = behavior.pattern();
            let text = format!(
                "Requests to {pattern} are in no log: the behavior has no real-time log configuration."
            );
            report.hazard(HazardKind::LogBehaviorMissing, pattern, text);
        }
    }
    !arns.is_empty()
}

fn real_time_config(report: &mut Report, config: &RealTimeConfig, url: &LogsUrl) {
    let subject = format!("real-time logs, {}", config.name);
    fields(report, &subject, Selection::RealTime, &config.fields);
    if config.sampling_rate < 100 {
        report.hazard(
            HazardKind::LogSampled,
            &subject,
            format!("Only {} % of the requests are logged.", config.sampling_rate),
        );
    }
    for stream in config.streams() {
        report.not_checked(format!(
            "{subject}: whether Firehose delivers {stream} to {}, and the node has logs.fields: [{}]",
            url.0,
            config.fields.join(", "),
        ));
    }
}

/// A stream must deliver to the node, in messages that the node accepts.
fn stream(documents: &LogDocuments, arn: &str, url: &LogsUrl, report: &mut Report) {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let Some(stream) = documents.streams.iter().find(|stream| stream.delivery_stream_arn == arn) else {
        return report.not_checked(format!(
            "Firehose stream {name}: aws firehose describe-delivery-stream --delivery-stream-name {name}"
        ));
    };
    let subject = format!("Firehose stream {name}");
    let Some(endpoint) = stream.endpoint() else {
        return report.hazard(
            HazardKind::LogNotDelivered,
            &subject,
            "It delivers to no HTTP endpoint.".to_owned(),
        );
    };
    let actual = endpoint.endpoint_configuration.url.as_str();
    if actual.parse::<LogsUrl>().ok().as_ref() != Some(url) {
        report.hazard(
            HazardKind::LogNotDelivered,
            &subject,
            format!("It delivers to {actual}, not to {}.", url.0),
        );
    }
    let buffer = endpoint.buffering_hints.size_in_mbs;
    if buffer > MAX_BUFFER_MB {
        report.hazard(
            HazardKind::LogBuffer,
            &subject,
            format!("Its buffer of {buffer} MiB exceeds limits.max_message_bytes of a node with the default of 4 MiB."),
        );
    }
}

fn fields(report: &mut Report, subject: &str, selection: Selection, selected: &[String]) {
    let missing = selection.missing(selected.iter().map(String::as_str));
    if !missing.required.is_empty() {
        report.hazard(
            HazardKind::LogFieldsRequired,
            subject,
            format!("The node reads no record without: {}.", missing.required.join("; ")),
        );
    }
    missing_fields(report, subject, &missing.useful);
}

fn missing_fields(report: &mut Report, subject: &str, missing: &[&str]) {
    if !missing.is_empty() {
        let text = format!("Coverage is incomplete without: {}.", missing.join(", "));
        report.hazard(HazardKind::LogFieldsMissing, subject, text);
    }
}
