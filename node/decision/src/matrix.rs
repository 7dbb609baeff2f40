//! The decision matrix: mode × list × detection × delivery → ruling.

use crate::{EffectiveMode, ListMatch, RouteSettings, truncation::has_data_type};
use engine::rules::RequestRules;
use shared::{
    Action, AttackType, DecidedBy, Decision, Delivery, Enforced, Finding, InspectRequest, ListRef, Mode,
    Outcome, Reason,
    point::Tag,
    ruleset::{OverlimitAction, RuleRef},
};

/// The inputs of the ruling on a request.
#[derive(Debug, Clone)]
pub struct Facts<'f> {
    pub mode: Mode,
    /// Whether a block takes effect: delivery is inline, and blocking is enabled.
    pub can_block: bool,
    pub list_match: &'f ListMatch,
    pub detection: Detection,
}

/// The most severe result of the analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detection {
    Nothing,
    /// Findings whose score is below the threshold of the sensitivity.
    Suspicious,
    /// A budget ended the analysis early, or the body was truncated. With the rule that sets the action, if any.
    Overlimit {
        blocks: bool,
        rule: Option<RuleRef>,
    },
    Attack,
    VirtualPatch(RuleRef),
    /// The source exceeds a request rate.
    RateLimit,
}

/// The action on a request, with its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    pub action: Action,
    /// Whether mode `block` would have blocked the request.
    pub would_block: bool,
    /// Whether its findings are no attack at this sensitivity.
    pub is_suspicious: bool,
    pub reason: Option<Reason>,
    /// The rule that decided.
    pub rule: Option<RuleRef>,
    /// The list entry that decided.
    pub list: Option<ListRef>,
}

/// Whether a request is analyzed. Requests that a list decides are not: they cost nothing.
pub fn is_analyzed(mode: Mode, can_block: bool, list_match: &ListMatch) -> bool {
    match list_match {
        _ if mode == Mode::Off => false,
        ListMatch::Allowed(_) => false,
        // A denylist that cannot block does not stop the request, so its attacks are recorded.
        ListMatch::Denied(..) => !can_block,
        ListMatch::Grayed(_) | ListMatch::Unlisted => true,
    }
}

impl Facts<'_> {
    /// Looks up the facts in the matrix.
    pub fn ruling(&self) -> Ruling {
        let nothing = Ruling {
            action: Action::Allow,
            would_block: false,
            is_suspicious: false,
            reason: None,
            rule: None,
            list: None,
        };
        let blocked_if = |blocks: bool| if blocks && self.can_block { Action::Block } else { Action::Allow };
        let grayed = match (self.mode, self.list_match) {
            (Mode::Off, _) => return nothing,
            (_, ListMatch::Allowed(entry)) => return Ruling { list: Some(*entry), ..nothing },
            (_, ListMatch::Denied(entry, _)) => {
                return Ruling {
                    action: blocked_if(true),
                    would_block: true,
                    reason: Some(Reason::Denylist),
                    list: Some(*entry),
                    ..nothing
                };
            }
            (Mode::SafeBlocking, ListMatch::Grayed(entry)) => Some(*entry),
            (_, ListMatch::Grayed(_) | ListMatch::Unlisted) => None,
        };
        let blocks_attacks = self.mode == Mode::Block || grayed.is_some();
        let attack = |reason, rule| Ruling {
            action: blocked_if(blocks_attacks),
            would_block: true,
            is_suspicious: false,
            reason: Some(reason),
            rule,
            list: grayed,
        };
        match self.detection {
            Detection::Nothing => nothing,
            Detection::Suspicious => Ruling { is_suspicious: true, ..nothing },
            Detection::VirtualPatch(rule) => {
                Ruling { action: blocked_if(true), list: None, ..attack(Reason::VirtualPatch, Some(rule)) }
            }
            Detection::Attack => attack(Reason::Attack, None),
            Detection::RateLimit => attack(Reason::RateLimit, None),
            Detection::Overlimit { blocks: true, rule } => attack(Reason::Overlimit, rule),
            Detection::Overlimit { blocks: false, rule } => {
                Ruling { reason: Some(Reason::Overlimit), rule, ..nothing }
            }
        }
    }
}

impl Ruling {
    /// The decision as it is recorded. A block counts as enforced until the console is informed
    /// otherwise: by a connector that never got the verdict, or by an origin that responded to the
    /// request after all.
    pub fn record(&self, mode: EffectiveMode, delivery: Delivery, decided_by: DecidedBy) -> Decision {
        let blocked = self.action == Action::Block;
        Decision {
            outcome: match self.action {
                Action::Block => Outcome::Blocked,
                _ if self.is_suspicious => Outcome::Suspicious,
                Action::Allow => Outcome::Monitored,
            },
            reason: self.reason.clone(),
            mode: mode.mode,
            mode_source: mode.source,
            delivery,
            enforced: match delivery {
                _ if blocked => Enforced::Yes,
                // The log does not say whether a function at the edge blocked the request.
                Delivery::Log => Enforced::Unknown,
                Delivery::Inline | Delivery::OutOfBand => Enforced::No,
            },
            decided_by,
        }
    }
}

impl Detection {
    /// Classifies findings; `is_attack`: their score reaches the threshold. A rule, or else the
    /// route, sets the action on an overlimit.
    pub fn of(
        request: &InspectRequest,
        findings: &[Finding],
        is_attack: bool,
        rules: &RequestRules<'_>,
        settings: &RouteSettings,
    ) -> Self {
        if let Some(rule) = rules.virtual_patch(findings) {
            return Self::VirtualPatch(rule);
        }
        if is_attack {
            return Self::Attack;
        }
        let is_unread =
            |it: &&Finding| matches!(it.attack_type, AttackType::Overlimit | AttackType::DataBomb);
        let mut unread = findings.iter().filter(is_unread).peekable();
        if unread.peek().is_some() {
            let (rule, action) = rules.overlimit.unzip();
            let blocks = match action.unwrap_or(settings.overlimit) {
                OverlimitAction::Auto => !unread.all(|finding| is_data(request, finding)),
                OverlimitAction::Monitor => false,
                OverlimitAction::Block => true,
            };
            return Self::Overlimit { blocks, rule };
        }
        if findings.is_empty() { Self::Nothing } else { Self::Suspicious }
    }
}

/// Whether what was not analyzed is the rest of a body of data, or one in an unknown content coding. The head is analyzed before the body.
fn is_data(request: &InspectRequest, unread: &Finding) -> bool {
    let is_raw = |tag: &Tag| matches!(tag, Tag::Post | Tag::Gzip | Tag::Brotli);
    let is_rest = matches!(
        unread.signature.as_str(),
        "overlimit-bytes"
            | "overlimit-quotes"
            | "overlimit-detectors"
            | "overlimit-coding"
            | "data_bomb-compressed"
    );
    let is_raw_body = is_rest && unread.point.0.iter().all(|step| is_raw(&step.tag));
    is_raw_body && has_data_type(request)
}
