//! Path traversal: walks that climb out of where they start. Sensitive files and wrappers are in `signatures/ptrav.toml`.

use super::Match;
use crate::{
    field::Place,
    token::path::{Walk, climbing},
};
use shared::{AttackType, Severity};

/// One of these is in every climb.
pub(super) const LITERALS: &[&str] = &["..", "0x2e"];
/// Climbs this high inside a longer text mean harm; two are a relative import in code.
const HIGH_IN_TEXT: usize = 3;

pub(super) fn detect(value: &[u8], place: Place) -> Option<Match<'static>> {
    let walk = climbing(value).into_iter().find(|walk| is_attack(walk, value, place))?;
    Some(Match {
        attack_type: AttackType::PathTraversal,
        signature: "ptrav-climb",
        severity: if walk.above > 1 { Severity::High } else { Severity::Medium },
        span: walk.span,
    })
}

fn is_attack(walk: &Walk, value: &[u8], place: Place) -> bool {
    let is_whole = walk.span.len() == value.trim_ascii().len();
    match place {
        Place::Path => walk.above > 0,
        _ if is_whole => walk.above > 0 || walk.climbs > 1,
        _ => walk.above >= HIGH_IN_TEXT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(value: &str, place: Place) -> bool {
        detect(value.as_bytes(), place).is_some()
    }

    #[test]
    fn a_parameter_may_not_climb() {
        for attack in ["../../x", "../config", r"..\..\x", "/var/www/../../etc", "....//....//x", "..;/admin"]
        {
            assert!(finds(attack, Place::Value), "{attack}");
        }
    }

    #[test]
    fn a_path_may_turn_back_but_not_leave_its_root() {
        assert!(finds("/../secret", Place::Path));
        assert!(!finds("/css/../img/logo.png", Place::Path));
    }

    #[test]
    fn relative_paths_in_a_text_are_prose_or_code() {
        for text in ["see ../README.md", "import x from '../../lib/x'", "and so on... / etc", "/a/../b"] {
            assert!(!finds(text, Place::Value), "{text}");
        }
    }
}
