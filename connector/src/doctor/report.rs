//! Report of the doctor.

use std::fmt;

/// Hazards, and checks that were not possible.
#[derive(Debug, Default)]
pub struct Report {
    pub hazards: Vec<Hazard>,
    /// Each with the command that prints the missing document.
    pub not_checked: Vec<String>,
}

/// A setting of the distribution or of the functions that weakens the protection.
#[derive(Debug)]
pub struct Hazard {
    pub kind: HazardKind,
    /// The behavior, function or role.
    pub subject: String,
    pub text: String,
}

/// The kinds of hazards, each with a code and a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HazardKind {
    ErrorPageReplacesBlock,
    BlockCached,
    CacheHitsNotInspected,
    QueryNotSeen,
    HeadersNotSeen,
    CookiesNotSeen,
    HostNotSeen,
    BodyNotIncluded,
    BodyRestNotInspected,
    MarkNotSeen,
    MarkInCacheKey,
    SlotOccupied,
    CloudFrontFunction,
    BehaviorNotCovered,
    GrpcNotInspected,
    RuntimeEnds,
    TrustMissing,
    LogsOff,
    LogFieldsRequired,
    LogFieldsMissing,
    LogFormat,
    LogNotDelivered,
    LogBuffer,
    LogSampled,
    LogBehaviorMissing,
}

impl HazardKind {
    /// A stable code to search for.
    pub fn code(self) -> &'static str {
        match self {
            Self::ErrorPageReplacesBlock => "error-page-replaces-block",
            Self::BlockCached => "block-cached",
            Self::CacheHitsNotInspected => "cache-hits-not-inspected",
            Self::QueryNotSeen => "query-not-seen",
            Self::HeadersNotSeen => "headers-not-seen",
            Self::CookiesNotSeen => "cookies-not-seen",
            Self::HostNotSeen => "host-not-seen",
            Self::BodyNotIncluded => "body-not-included",
            Self::BodyRestNotInspected => "body-rest-not-inspected",
            Self::MarkNotSeen => "mark-not-seen",
            Self::MarkInCacheKey => "mark-in-cache-key",
            Self::SlotOccupied => "slot-occupied",
            Self::CloudFrontFunction => "cloudfront-function",
            Self::BehaviorNotCovered => "behavior-not-covered",
            Self::GrpcNotInspected => "grpc-not-inspected",
            Self::RuntimeEnds => "runtime-ends",
            Self::TrustMissing => "trust-missing",
            Self::LogsOff => "logs-off",
            Self::LogFieldsRequired => "log-fields-required",
            Self::LogFieldsMissing => "log-fields-missing",
            Self::LogFormat => "log-format",
            Self::LogNotDelivered => "log-not-delivered",
            Self::LogBuffer => "log-buffer",
            Self::LogSampled => "log-sampled",
            Self::LogBehaviorMissing => "log-behavior-missing",
        }
    }

    /// The recommended fix.
    pub fn fix(self) -> &'static str {
        match self {
            Self::ErrorPageReplacesBlock => {
                "Remove that custom error response, or block with another status (wlrm_block_status)."
            }
            Self::BlockCached => {
                "Add a custom error response for this status with an error caching minimum TTL of 0 and no page, or attach to \
                 viewer triggers."
            }
            Self::CacheHitsNotInspected => {
                "Attach to viewer triggers, or give the behavior the policy CachingDisabled."
            }
            Self::QueryNotSeen | Self::HeadersNotSeen | Self::CookiesNotSeen => {
                "Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers."
            }
            Self::HostNotSeen => {
                "Copy the viewer's host to another header (for example with a CloudFront function), forward that header, and \
                 set wlrm_host_header to it; or attach to viewer triggers."
            }
            Self::BodyRestNotInspected => "Run deploy with --stages viewer+origin.",
            Self::MarkNotSeen => {
                "Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or one with all query parameters and \
                 the header x-wallarm-mark."
            }
            Self::MarkInCacheKey => {
                "Forward the header x-wallarm-mark by the origin request policy, not by the cache policy."
            }
            Self::BodyNotIncluded => "Run deploy again, or select \"Include body\" at the trigger.",
            Self::SlotOccupied => {
                "Attach to the other side's triggers (--stages), or run deploy with --replace."
            }
            Self::CloudFrontFunction => {
                "Attach to origin triggers (--stages origin), or remove the CloudFront function from this behavior."
            }
            Self::BehaviorNotCovered => "Run deploy with --behavior for this path pattern.",
            Self::GrpcNotInspected => "Disallow gRPC in this behavior, or protect its calls at the origin.",
            Self::RuntimeEnds => "Run upgrade with --runtime python3.13.",
            Self::TrustMissing => {
                "Add lambda.amazonaws.com and edgelambda.amazonaws.com to the role's trust policy."
            }
            Self::LogsOff => "Run deploy with --logs, or use what --setup prints.",
            Self::LogFieldsRequired => {
                "Select these fields: run deploy with --logs again, or use what --setup prints."
            }
            Self::LogFieldsMissing => {
                "Select these fields. Standard logs (legacy) have none to select: run deploy with --logs."
            }
            Self::LogFormat => "Use a delivery destination with the output format json.",
            Self::LogNotDelivered => "Run deploy with --logs, or change the URL of the Firehose stream.",
            Self::LogBuffer => "Use a buffer size of 1 MiB, or raise limits.max_message_bytes of the node.",
            Self::LogSampled => "Use a sampling rate of 100.",
            Self::LogBehaviorMissing => {
                "Select the real-time log configuration in this behavior, or run deploy with --logs."
            }
        }
    }
}

impl Report {
    pub(super) fn hazard(&mut self, kind: HazardKind, subject: &str, text: String) {
        self.hazards.push(Hazard { kind, subject: subject.to_owned(), text });
    }

    pub(super) fn not_checked(&mut self, what: String) {
        if !self.not_checked.contains(&what) {
            self.not_checked.push(what);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Hazard { kind, subject, text } in &self.hazards {
            writeln!(f, "{} ({subject})\n  {text}\n  Fix: {}\n", kind.code(), kind.fix())?;
        }
        for what in &self.not_checked {
            writeln!(f, "not checked: {what}")?;
        }
        match self.hazards.len() {
            0 => writeln!(f, "no hazards found"),
            1 => writeln!(f, "1 hazard"),
            several => writeln!(f, "{several} hazards"),
        }
    }
}
