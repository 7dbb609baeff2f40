//! Mode × list × reason × delivery → ruling.

use crate::policy::Standing;
use shared::{
    Action, AttackType, Finding, ListRef, Mode, Reason,
    ruleset::{OverlimitAction, RuleRef},
};

/// All that decides about a request.
#[derive(Debug, Clone)]
pub struct Facts<'f> {
    pub mode: Mode,
    /// Whether a block would keep the request away: it waits for the verdict, and the node is there to block.
    pub may_block: bool,
    pub standing: &'f Standing,
    pub found: Found,
}

/// What the analysis came to, the gravest of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// It could not be analysed to its end. With the rule that says what then, if there is one.
    Overlimit(OverlimitAction, Option<RuleRef>),
    Attack,
    VirtualPatch(RuleRef),
}

/// What is done with a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    pub action: Action,
    /// What mode `block` would have done.
    pub would_block: bool,
    pub reason: Option<Reason>,
    /// The rule that had a say.
    pub rule: Option<RuleRef>,
    /// The entry of a list that made the difference.
    pub list: Option<ListRef>,
}

/// Whether a request is analysed: what is let through or turned away unread costs nothing.
pub fn is_analysed(mode: Mode, may_block: bool, standing: &Standing) -> bool {
    match standing {
        _ if mode == Mode::Off => false,
        Standing::Allowed(_) => false,
        // Nobody is kept away by a list that cannot block, so what they do is worth knowing.
        Standing::Denied(..) => !may_block,
        Standing::Grayed(_) | Standing::Unlisted => true,
    }
}

/// Rules on a request.
pub fn rule(facts: &Facts<'_>) -> Ruling {
    let nothing = Ruling { action: Action::Allow, would_block: false, reason: None, rule: None, list: None };
    let blocked_if = |blocks: bool| if blocks && facts.may_block { Action::Block } else { Action::Allow };
    match (facts.mode, facts.standing) {
        (Mode::Off, _) => return nothing,
        (_, Standing::Allowed(entry)) => return Ruling { list: Some(*entry), ..nothing },
        (_, Standing::Denied(entry, _)) => {
            return Ruling {
                action: blocked_if(true),
                would_block: true,
                reason: Some(Reason::Denylist),
                list: Some(*entry),
                ..nothing
            };
        }
        (_, Standing::Grayed(_) | Standing::Unlisted) => {}
    }
    let grayed = match facts.standing {
        Standing::Grayed(entry) if facts.mode == Mode::SafeBlocking => Some(*entry),
        _ => None,
    };
    let blocks_attacks = facts.mode == Mode::Block || grayed.is_some();
    let attack = |reason, rule| Ruling {
        action: blocked_if(blocks_attacks),
        would_block: true,
        reason: Some(reason),
        rule,
        list: grayed,
    };
    match facts.found {
        Found::Nothing => nothing,
        Found::VirtualPatch(rule) => {
            Ruling { action: blocked_if(true), list: None, ..attack(Reason::VirtualPatch, Some(rule)) }
        }
        Found::Attack => attack(Reason::Attack, None),
        Found::Overlimit(OverlimitAction::Block, rule) => attack(Reason::Overlimit, rule),
        Found::Overlimit(OverlimitAction::Monitor, rule) => {
            Ruling { reason: Some(Reason::Overlimit), rule, ..nothing }
        }
    }
}

impl Found {
    /// What findings come to. What becomes of a request that was too much to analyse, a rule says, or else the route.
    pub fn of(
        findings: &[Finding],
        patch: Option<RuleRef>,
        overlimit: Option<(RuleRef, OverlimitAction)>,
        configured: OverlimitAction,
    ) -> Self {
        if let Some(rule) = patch {
            return Self::VirtualPatch(rule);
        }
        if findings.iter().any(|finding| finding.attack_type != AttackType::Overlimit) {
            return Self::Attack;
        }
        match (findings, overlimit) {
            ([], _) => Self::Nothing,
            (_, Some((rule, action))) => Self::Overlimit(action, Some(rule)),
            (_, None) => Self::Overlimit(configured, None),
        }
    }
}
