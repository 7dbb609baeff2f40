//! Prevention: what would have stopped an attack that only an access log has.

use shared::{CoverageRecord, LoggedResponse, NotInspectedReason};

/// Why no function stopped the request, and what makes one do so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prevention {
    /// A function passed the request without a verdict.
    FailedOpen(NotInspectedReason),
    /// The cache answered: functions at origin triggers do not run then.
    ViewerTrigger { behavior: String },
    /// CloudFront answered before any function.
    Answered { result: String },
    /// Functions send other requests of the behavior.
    Rule { behavior: String },
    /// No function sends requests of the behavior.
    Function { behavior: String },
}

impl Prevention {
    /// `failed_open`: a function reported the request. `is_seen`: whether a function sent requests
    /// of the behavior lately, if that is known. `None`: the cause is unknown.
    pub fn of(
        logged: &LoggedResponse,
        failed_open: Option<NotInspectedReason>,
        is_seen: Option<bool>,
    ) -> Option<Self> {
        if let Some(reason) = failed_open {
            return Some(Self::FailedOpen(reason));
        }
        let behavior = Self::behavior(logged).to_owned();
        if logged.is_cached() {
            return Some(Self::ViewerTrigger { behavior });
        }
        if let Some(result) = logged.answered() {
            return Some(Self::Answered { result: result.to_owned() });
        }
        match is_seen {
            // Other requests without a logged behavior may be of another one.
            Some(true) if logged.path_pattern.is_some() => Some(Self::Rule { behavior }),
            Some(false) => Some(Self::Function { behavior }),
            _ => None,
        }
    }

    /// The path pattern of the cache behavior.
    pub fn behavior(logged: &LoggedResponse) -> &str {
        logged.path_pattern.as_deref().unwrap_or(CoverageRecord::UNKNOWN)
    }

    /// Whether a rule or a list entry has an effect without a change of the distribution.
    pub fn is_rule(&self) -> bool {
        matches!(self, Self::FailedOpen(_) | Self::Rule { .. })
    }

    /// The cause, and the change, in sentences.
    pub fn sentences(&self) -> (String, String) {
        let of = |behavior: &str| match behavior {
            CoverageRecord::UNKNOWN => "its cache behavior (not in the log)".to_owned(),
            "*" => "the default cache behavior".to_owned(),
            behavior => format!("the cache behavior {behavior}"),
        };
        match self {
            Self::FailedOpen(reason) => (
                format!("A function passed the request without a verdict: {reason}."),
                "The rule or the list entry below stops the next one if the node replies in time; \
                 wlrm_fail_mode = \"closed\" stops requests without a verdict."
                    .to_owned(),
            ),
            Self::ViewerTrigger { behavior } => (
                "The cache answered, and functions at origin triggers run only for requests that go to \
                 the origin."
                    .to_owned(),
                format!(
                    "No rule and no list entry stops this alone: associate the request function with \
                     viewer-request of {}.",
                    of(behavior)
                ),
            ),
            Self::Answered { result } => (
                format!(
                    "CloudFront answered by itself ({result}), before any function and without the origin."
                ),
                "No action is needed: CloudFront answers such requests before any function.".to_owned(),
            ),
            Self::Rule { behavior } => (
                format!(
                    "Functions send other requests of {}, but the node that read the log did not get \
                     this one from a function.",
                    of(behavior)
                ),
                "The rule or the list entry below stops the next one.".to_owned(),
            ),
            Self::Function { behavior } => (
                format!("No function sent a request of {} in the last seven days.", of(behavior)),
                format!(
                    "No rule and no list entry stops this alone: associate the request function with \
                     viewer-request (all requests) or origin-request (those that the cache does not \
                     answer) of {}.",
                    of(behavior)
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prevention(result: &str, detail: &str, is_seen: Option<bool>) -> Option<Prevention> {
        let logged = LoggedResponse {
            result_type: Some(result.to_owned()),
            detailed_result_type: Some(detail.to_owned()),
            path_pattern: Some("/img/*".to_owned()),
            ..LoggedResponse::default()
        };
        Prevention::of(&logged, None, is_seen)
    }

    #[test]
    fn the_answer_of_the_cache_needs_a_function_at_viewer_request() {
        let prevention = prevention("Hit", "Hit", Some(true)).unwrap();
        assert_eq!(prevention, Prevention::ViewerTrigger { behavior: "/img/*".to_owned() });
        assert!(!prevention.is_rule());
        let (_, change) = prevention.sentences();
        assert!(change.contains("viewer-request of the cache behavior /img/*"), "{change}");
    }

    #[test]
    fn a_rule_is_enough_where_functions_send_requests() {
        let is_rule = |result, detail, is_seen| prevention(result, detail, Some(is_seen)).unwrap().is_rule();
        assert!(is_rule("Miss", "Miss", true));
        assert!(!is_rule("Miss", "Miss", false));
        assert!(!is_rule("Redirect", "Redirect", true));
        let answered = prevention("Error", "ClientGeoBlocked", Some(true));
        assert_eq!(answered, Some(Prevention::Answered { result: "ClientGeoBlocked".to_owned() }));
        assert!(is_rule("Error", "OriginConnectError", true));
        let reason = Some(NotInspectedReason::NodeTimeout);
        let failed = Prevention::of(&LoggedResponse::default(), reason, None).unwrap();
        assert!(failed.is_rule() && failed.sentences().0.contains("node_timeout"));
    }

    #[test]
    fn nothing_is_claimed_of_a_behavior_without_counts() {
        assert_eq!(prevention("Miss", "Miss", None), None);
        assert!(prevention("Hit", "Hit", None).is_some(), "the answer of the cache is logged");
        let logged = LoggedResponse::default();
        assert_eq!(Prevention::of(&logged, None, Some(true)), None, "the behavior is not logged");
        let behavior = CoverageRecord::UNKNOWN.to_owned();
        assert_eq!(Prevention::of(&logged, None, Some(false)), Some(Prevention::Function { behavior }));
    }
}
