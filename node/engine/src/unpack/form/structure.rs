//! Names with structure, as PHP, Rails and `qs` read them: `p[a][]` is the array `a` inside the hash `p`.

use crate::field::point_name;
use shared::{
    Point,
    point::{Key, Tag},
};

/// Deeper brackets stay part of the name.
const MAX_BRACKETS: usize = 16;

/// The point of a parameter, brackets in its name taken apart.
pub(crate) fn structured(point_of: &dyn Fn(String) -> Point, name: &[u8]) -> Point {
    let keys = memchr::memchr(b'[', name).filter(|at| *at > 0).and_then(|at| Some((at, keys(&name[at..])?)));
    let Some((end, keys)) = keys else { return point_of(point_name(name)) };
    keys.into_iter().fold(point_of(point_name(&name[..end])), |point, key| {
        let text = std::str::from_utf8(key).unwrap_or_default();
        if key.is_empty() {
            return point.indexed(Tag::Array, 0);
        }
        match text.parse() {
            Ok(index) => point.indexed(Tag::Array, index),
            Err(_) => point.named(Tag::Hash, point_name(key)),
        }
    })
}

/// What is in the brackets, when there is nothing outside them.
fn keys(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut keys = Vec::new();
    while let Some(inside) = rest.strip_prefix(b"[") {
        let end = memchr::memchr(b']', inside)?;
        keys.push(&inside[..end]);
        rest = &inside[end + 1..];
    }
    (rest.is_empty() && keys.len() <= MAX_BRACKETS).then_some(keys)
}

/// The same point at another position of its array.
pub(super) fn at_index(mut point: Point, index: u64) -> Point {
    if let Some(step) = point.0.last_mut() {
        step.key = Some(Key::Index(index));
    }
    point
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> String {
        structured(&Point::get, name.as_bytes()).to_string()
    }

    #[test]
    fn brackets_are_hashes_and_arrays() {
        assert_eq!(shown("p[a][]"), "get > p > hash:a > array:0");
        assert_eq!(shown("p[3][b]"), "get > p > array:3 > hash:b");
    }

    #[test]
    fn other_brackets_are_part_of_the_name() {
        for name in ["p[a", "[a]", "p[a]b", "p"] {
            assert_eq!(shown(name), format!("get > {name}"));
        }
    }
}
