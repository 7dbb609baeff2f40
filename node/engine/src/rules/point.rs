//! Matching of points: a point of a rule includes everything nested in it.

use shared::{
    Point,
    point::{Key, Step, Tag},
};

/// Whether the point equals the rule's or is nested in it. A step of the rule without a key matches
/// all keys.
pub fn covers(rule: &Point, point: &Point) -> bool {
    rule.0.len() <= point.0.len() && overlaps(rule, point)
}

/// Whether one of the points is nested in the other, or they are equal.
pub fn overlaps(rule: &Point, point: &Point) -> bool {
    rule.0.iter().zip(&point.0).all(|(rule, step)| matches_step(rule, step))
}

fn matches_step(rule: &Step, step: &Step) -> bool {
    rule.tag == step.tag
        && match (&rule.key, &step.key) {
            (None, _) => true,
            (Some(Key::Name(rule)), Some(Key::Name(name))) if step.tag == Tag::Header => {
                rule.eq_ignore_ascii_case(name)
            }
            (rule, key) => rule == key,
        }
}
