//! Structured parameter names, as PHP, Rails and `qs` read them: `p[a][]` is the array `a` inside
//! the hash `p`.

use crate::point_path::{PointArena, PointPath};
use shared::point::Tag;

/// Names with more brackets are not structured.
const MAX_BRACKETS: usize = 16;

/// The source of parameters: the prefix and the tag of their points.
pub(crate) struct Parameter {
    pub before: Option<PointPath>,
    pub tag: Tag,
}

impl Parameter {
    /// The point of a parameter; brackets in its name become steps.
    pub(crate) fn named(&self, arena: &mut PointArena, name: &[u8]) -> PointPath {
        let keys =
            memchr::memchr(b'[', name).filter(|at| *at > 0).and_then(|at| Some((at, keys(&name[at..])?)));
        let (end, keys) = keys.unwrap_or((name.len(), Vec::new()));
        let point = arena.named(self.before, self.tag.clone(), &name[..end]);
        keys.into_iter().fold(point, |point, key| {
            let text = std::str::from_utf8(key).unwrap_or_default();
            if key.is_empty() {
                return arena.indexed(point, Tag::Array, 0);
            }
            match text.parse() {
                Ok(index) => arena.indexed(point, Tag::Array, index),
                Err(_) => arena.named(point, Tag::Hash, key),
            }
        })
    }
}

/// The contents of the brackets; `None` when there is text outside them.
fn keys(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut keys = Vec::new();
    while let Some(inside) = rest.strip_prefix(b"[") {
        let end = memchr::memchr(b']', inside)?;
        keys.push(&inside[..end]);
        rest = &inside[end + 1..];
    }
    (rest.is_empty() && keys.len() <= MAX_BRACKETS).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> String {
        let mut arena = PointArena::default();
        let point = Parameter { before: None, tag: Tag::Get }.named(&mut arena, name.as_bytes());
        arena.point(point).to_string()
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
