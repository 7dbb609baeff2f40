//! Matching of requests to controls, and the value that a control counts.

use super::counters::Span;
use crate::config::behaviour::{Control, Counted, Reaction};
use shared::{AttackType, RequestId};

impl Control {
    pub(super) fn span(&self) -> Span {
        let millis = i64::try_from(self.within.as_millis()).unwrap_or(i64::MAX);
        let over = usize::from(self.reaction != Reaction::Limit);
        Span { millis, limit: self.threshold + over }
    }

    /// Whether it counts requests to this bare host and normalized path.
    pub(super) fn matches(&self, host: &str, path: &str) -> bool {
        self.host.as_ref().is_none_or(|wanted| wanted.matches(host))
            && self.path.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path == wanted,
            })
    }

    /// Requests with detected attacks count for rates only.
    pub(super) fn counts_attacks(&self) -> bool {
        self.attack_type == AttackType::RateLimit
    }

    /// The counted value of a request, if it has one; equal values count once.
    pub(super) fn member(&self, path: &str, query: &str, request_id: RequestId) -> Option<String> {
        match &self.counted {
            Counted::Requests | Counted::Responses(_) => Some(request_id.to_string()),
            Counted::Paths => Some(path.to_owned()),
            Counted::Parameter(name) => {
                let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.to_owned())
            }
            Counted::Segment(number) => path.split('/').nth(*number).map(str::to_owned),
        }
    }
}
