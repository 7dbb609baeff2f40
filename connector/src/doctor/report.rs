//! What the doctor says, in plain words.

use std::fmt;

/// What was found, and what could not be looked at.
#[derive(Debug, Default)]
pub struct Report {
    pub hazards: Vec<Hazard>,
    /// Each with the command that prints what is missing.
    pub not_checked: Vec<String>,
}

#[derive(Debug)]
pub struct Hazard {
    pub kind: HazardKind,
    /// The behavior, function or role it is about.
    pub place: String,
    pub what: String,
}

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
    SlotOccupied,
    CloudFrontFunction,
    BehaviorNotCovered,
    RuntimeEnds,
    TrustMissing,
}

impl HazardKind {
    /// A name to search for; it does not change.
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
            Self::SlotOccupied => "slot-occupied",
            Self::CloudFrontFunction => "cloudfront-function",
            Self::BehaviorNotCovered => "behavior-not-covered",
            Self::RuntimeEnds => "runtime-ends",
            Self::TrustMissing => "trust-missing",
        }
    }

    /// What to do about it.
    pub fn cure(self) -> &'static str {
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
                "Have the viewer's host copied to a header of its own (a CloudFront function can), forward that, and name it in \
                 wlrm_host_header; or attach to viewer triggers."
            }
            Self::BodyNotIncluded => "Run deploy again, or tick \"Include body\" at the trigger.",
            Self::SlotOccupied => {
                "Attach to the other side's triggers (--trigger), or let deploy take the place with --replace."
            }
            Self::CloudFrontFunction => {
                "Attach to origin triggers (--trigger origin), or remove the CloudFront function from this behavior."
            }
            Self::BehaviorNotCovered => "Run deploy with --behavior for this path pattern, too.",
            Self::RuntimeEnds => "Run upgrade with --runtime python3.13.",
            Self::TrustMissing => {
                "Let the role's trust policy name lambda.amazonaws.com and edgelambda.amazonaws.com."
            }
        }
    }
}

impl Report {
    pub(super) fn hazard(&mut self, kind: HazardKind, place: &str, what: String) {
        self.hazards.push(Hazard { kind, place: place.to_owned(), what });
    }

    pub(super) fn not_checked(&mut self, what: String) {
        if !self.not_checked.contains(&what) {
            self.not_checked.push(what);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Hazard { kind, place, what } in &self.hazards {
            writeln!(f, "{} ({place})\n  {what}\n  Do: {}\n", kind.code(), kind.cure())?;
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
