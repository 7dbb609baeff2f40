//! Findings and mode → verdict, in the order of `ARCHITECTURE.md`, "How a request is decided".

use shared::{
    Action, AttackType, Decision, Delivery, Enforced, Finding, Mode, Outcome, Reason,
    ruleset::OverlimitAction,
};

/// The mode that holds for a request, and which setting gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveMode {
    pub mode: Mode,
    pub source: String,
}

/// What is done with a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruling {
    pub action: Action,
    /// What mode `block` would have done.
    pub would_block: bool,
    pub reason: Option<Reason>,
}

/// Rules on a request that has been inspected.
pub fn rule(mode: Mode, overlimit: OverlimitAction, delivery: Delivery, findings: &[Finding]) -> Ruling {
    let is_found = findings.iter().any(|finding| finding.attack_type != AttackType::Overlimit);
    // What was too much to analyse is recorded, and passes where the route does not say otherwise.
    let is_attack = is_found || (!findings.is_empty() && overlimit == OverlimitAction::Block);
    let reason = match (is_found, findings) {
        (true, _) => Some(Reason::Attack),
        (false, []) => None,
        (false, _) => Some(Reason::Overlimit),
    };
    // `safe_blocking` blocks gray-listed sources only, and there are no lists yet.
    let blocks = is_attack && mode == Mode::Block && delivery == Delivery::Inline;
    Ruling { action: if blocks { Action::Block } else { Action::Allow }, would_block: is_attack, reason }
}

impl Ruling {
    /// The ruling as it is recorded. A block counts as enforced until the console hears otherwise: from a connector that
    /// never got the verdict, or from an origin that answered after all.
    pub fn record(&self, mode: EffectiveMode, delivery: Delivery) -> Decision {
        let blocked = self.action == Action::Block;
        Decision {
            outcome: if blocked { Outcome::Blocked } else { Outcome::Monitored },
            reason: self.reason.clone(),
            mode: mode.mode,
            mode_source: mode.source,
            delivery,
            enforced: if blocked { Enforced::Yes } else { Enforced::No },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Point, Severity};

    fn finding(attack_type: AttackType) -> Finding {
        Finding {
            attack_type,
            point: Point::uri(),
            signature: "test".into(),
            class: None,
            severity: Severity::High,
            payload: String::new(),
            span: (0, 0),
            decoded: Vec::new(),
        }
    }

    #[test]
    fn only_an_attack_in_line_in_mode_block_is_blocked() {
        for mode in [Mode::Monitoring, Mode::SafeBlocking, Mode::Block] {
            for delivery in [Delivery::Inline, Delivery::OutOfBand] {
                let attack = rule(mode, OverlimitAction::Monitor, delivery, &[finding(AttackType::Sqli)]);
                let blocks = mode == Mode::Block && delivery == Delivery::Inline;
                assert_eq!(attack.action == Action::Block, blocks, "{mode} {delivery:?}");
                assert!(attack.would_block);
                assert_eq!(attack.reason, Some(Reason::Attack));
                assert_eq!(
                    rule(mode, OverlimitAction::Block, delivery, &[]),
                    Ruling { action: Action::Allow, would_block: false, reason: None }
                );
            }
        }
    }

    #[test]
    fn a_request_too_large_to_analyse_is_recorded_and_passes_unless_its_route_blocks_it() {
        let overlimit = [finding(AttackType::Overlimit)];
        let reason = Some(Reason::Overlimit);
        assert_eq!(
            rule(Mode::Block, OverlimitAction::Monitor, Delivery::Inline, &overlimit),
            Ruling { action: Action::Allow, would_block: false, reason: reason.clone() }
        );
        assert_eq!(
            rule(Mode::Block, OverlimitAction::Block, Delivery::Inline, &overlimit),
            Ruling { action: Action::Block, would_block: true, reason }
        );
    }
}
