//! Scores of requests and findings: the strength of the evidence for an attack.

use crate::{AttackType, Confidence, Finding, ScorePart, Sensitivity};

/// Other signatures that match in the same request add one point each, at most this many.
const MAX_OTHER_POINTS: i32 = 2;

/// The score of a request: its strongest finding, and a point for each further signature of
/// more than low confidence. Findings that their position explains add nothing.
pub fn of_request(findings: &[Finding]) -> i32 {
    let scored = || findings.iter().filter(|finding| finding.is_scored());
    let Some(best) = scored().map(Finding::points).max() else { return 0 };
    let mut evident: Vec<&str> = Vec::new();
    let is_evident = |it: &&Finding| it.points() > Sensitivity::Strict.threshold() && !it.is_excused();
    for finding in scored().filter(is_evident) {
        if !evident.contains(&&*finding.signature) {
            evident.push(&finding.signature);
        }
    }
    let others = i32::try_from(evident.len().saturating_sub(1)).unwrap_or(i32::MAX);
    best + others.min(MAX_OTHER_POINTS)
}

impl Finding {
    /// The sum of the parts of its score. Findings of older nodes have none and count as certain.
    pub fn points(&self) -> i32 {
        if self.score.is_empty() {
            return i32::from(ScorePart::of_rule(Confidence::High).points);
        }
        self.score.iter().map(|part| i32::from(part.points)).sum()
    }

    /// Whether its position explains it, at least in part.
    fn is_excused(&self) -> bool {
        self.score.iter().any(|part| part.points < 0)
    }

    /// Whether its score counts. Limits and virtual patches have actions of their own.
    fn is_scored(&self) -> bool {
        !matches!(self.attack_type, AttackType::Overlimit | AttackType::VirtualPatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Point, Severity};

    fn finding(points: &[i8]) -> Finding {
        Finding {
            attack_type: AttackType::Sqli,
            point: Point::uri(),
            signature: "test".to_owned(),
            class: None,
            severity: Severity::Low,
            payload: String::new(),
            span: (0, 0),
            decoded: Vec::new(),
            score: points.iter().map(|points| ScorePart::new(*points, "test")).collect(),
        }
    }

    #[test]
    fn adds_a_point_for_each_further_finding_up_to_a_limit() {
        assert_eq!(of_request(&[]), 0);
        assert_eq!(of_request(&[finding(&[7, -3])]), 4);
        let named = |name: &str, points: &[i8]| Finding { signature: name.to_owned(), ..finding(points) };
        assert_eq!(of_request(&[named("a", &[3]), named("b", &[7, -4]), named("c", &[5])]), 5);
        assert_eq!(of_request(&[named("a", &[5]), named("b", &[7, -4]), named("c", &[4])]), 6);
        assert_eq!(of_request(&[named("a", &[3]), named("a", &[3])]), 3);
        let many = [named("a", &[5]), named("b", &[5]), named("c", &[5]), named("d", &[5])];
        assert_eq!(of_request(&many), 7);
    }

    #[test]
    fn ignores_limits_and_virtual_patches() {
        let overlimit = Finding { attack_type: AttackType::Overlimit, ..finding(&[7]) };
        assert_eq!(of_request(&[overlimit]), 0);
    }

    #[test]
    fn findings_without_a_score_count_as_certain() {
        assert!(of_request(&[finding(&[])]) >= Sensitivity::Low.threshold());
    }
}
