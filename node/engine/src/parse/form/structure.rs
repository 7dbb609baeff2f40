//! Names with structure, as PHP, Rails and `qs` read them: `p[a][]` is the array `a` inside the hash `p`.

use crate::point_path::{PointArena, PointPath};
use shared::point::Tag;

/// Deeper brackets stay part of the name.
const MAX_BRACKETS: usize = 16;

/// Where parameters come from.
pub(crate) struct Parameter {
    pub before: Option<PointPath>,
    pub tag: Tag,
}

impl Parameter {
    /// The trail of a parameter, brackets in its name taken apart.
    pub(crate) fn named(&self, arena: &mut PointArena, name: &[u8]) -> PointPath {
        let keys =
            memchr::memchr(b'[', name).filter(|at| *at > 0).and_then(|at| Some((at, keys(&name[at..])?)));
        let (end, keys) = keys.unwrap_or((name.len(), Vec::new()));
        let point_path = arena.named(self.before, self.tag.clone(), &name[..end]);
        keys.into_iter().fold(point_path, |point_path, key| {
            let text = std::str::from_utf8(key).unwrap_or_default();
            if key.is_empty() {
                return arena.indexed(point_path, Tag::Array, 0);
            }
            match text.parse() {
                Ok(index) => arena.indexed(point_path, Tag::Array, index),
                Err(_) => arena.named(point_path, Tag::Hash, key),
            }
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> String {
        let mut arena = PointArena::default();
        let point_path = Parameter { before: None, tag: Tag::Get }.named(&mut arena, name.as_bytes());
        arena.point(point_path).to_string()
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
