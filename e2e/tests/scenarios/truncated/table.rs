//! The tables of the documentation, from the expected outcomes, which the scenario compares with real ones.

use super::{
    Cell, Deployment, Extent, Group, LENGTHS, ONE_MB, Outcome, POSITIONS, Policy, Setting, benign, cells,
};
use std::{collections::BTreeSet, fmt::Write as _};

/// Both tables.
pub(super) fn tables() -> String {
    format!("{}\n{}", positions(), common_bodies())
}

/// Outcomes with the attack and of its benign twin, by position.
fn positions() -> String {
    let mut text = "| stages | `wlrm_truncated_body` | body |".to_owned();
    text.extend(POSITIONS.map(|(name, _)| format!(" {name} |")));
    let _ = writeln!(text, "\n{}", rule(3, POSITIONS.len()));
    let all = cells(Extent::Full);
    for deployment in Deployment::ALL {
        for policy in Policy::ALL {
            let mut rows: Vec<(String, String)> = Vec::new();
            for group in [Group::Text, Group::Padding, Group::Data] {
                let cells = outcomes(&all, Setting { deployment, policy }, group);
                match rows.iter_mut().find(|(_, known)| *known == cells) {
                    Some((names, _)) => names.extend([", ", group.name()]),
                    None => rows.push((group.name().to_owned(), cells)),
                }
            }
            for (groups, cells) in rows {
                let _ = writeln!(text, "| {} | {} | {groups} |{cells}", deployment.name(), policy.name());
            }
        }
    }
    text
}

/// The cells of a row: all outcomes with the attack, and of the benign twins.
fn outcomes(all: &[(Setting, Cell)], wanted: Setting, group: Group) -> String {
    let of = |at: usize, wants_attack: bool| {
        let outcomes = all.iter().filter(|(setting, _)| *setting == wanted).filter_map(|(setting, cell)| {
            let Cell::Placed { kind, position, is_attack, .. } = *cell else { return None };
            let is_wanted = kind.group() == group && position == at && is_attack == wants_attack;
            is_wanted.then(|| cell.expected(*setting))
        });
        letters(outcomes)
    };
    POSITIONS.map(|(_, position)| format!(" {} / {} |", of(position, true), of(position, false))).concat()
}

/// Outcomes of bodies of common programs, by length: one for each deployment.
fn common_bodies() -> String {
    let mut text = "| body |".to_owned();
    text.extend(LENGTHS.map(|(name, _)| format!(" {name} |")));
    let _ = writeln!(text, "\n{}", rule(1, LENGTHS.len()));
    for (number, family) in benign::FAMILIES.iter().enumerate() {
        let _ = write!(text, "| {} |", family.name);
        for (_, length) in LENGTHS {
            let cell = Cell::Common { family: number, length };
            let outcomes = Deployment::ALL
                .map(|deployment| cell.expected(Setting { deployment, policy: Policy::Auto }).letter());
            let _ = write!(text, " {} |", outcomes.join(" "));
        }
        text.push('\n');
    }
    text
}

/// The letters of different outcomes.
fn letters(outcomes: impl Iterator<Item = Outcome>) -> String {
    let letters: Vec<_> = outcomes.collect::<BTreeSet<_>>().into_iter().map(Outcome::letter).collect();
    letters.join(" or ")
}

fn rule(texts: usize, outcomes: usize) -> String {
    format!("|{}{}", "---|".repeat(texts), ":-:|".repeat(outcomes))
}

#[test]
fn the_documentation_has_the_tables() {
    const DOCUMENTATION: &str = include_str!("../../../../docs/node.md");
    for table in [positions(), common_bodies()] {
        assert!(DOCUMENTATION.contains(&table), "docs/node.md lacks this table:\n\n{table}");
    }
}

#[test]
fn no_common_body_up_to_1_mb_is_blocked() {
    for (setting, cell) in cells(Extent::Full) {
        let Cell::Common { length, .. } = cell else { continue };
        let is_blocked = cell.expected(setting) == Outcome::Blocked;
        assert!(!is_blocked || length > ONE_MB, "{cell}, {setting:?}");
    }
}
