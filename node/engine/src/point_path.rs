//! Interned points of one request: a field refers to its point by number, and only findings build a
//! [`Point`].

use crate::digest;
use shared::{
    Point,
    point::{Key, Step, Tag},
};
use std::{cell::Cell, hash::RandomState};

/// The most characters of a name in a point: names group attacks, and an attacker chooses them.
const NAME_CHARS: usize = 100;

/// A point: the index of its last step in the [`PointArena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PointPath(u32);

#[derive(Debug, Clone, Copy)]
enum StepKey {
    None,
    Index(u64),
    /// A range of `names`.
    Name {
        start: u32,
        end: u32,
    },
}

struct Node {
    parent: Option<PointPath>,
    tag: Tag,
    key: StepKey,
    /// The digest of the point, once it is known.
    digest: Cell<Option<u64>>,
}

impl PointPath {
    /// Whether the point existed at the mark.
    pub(crate) fn is_before(self, Mark(nodes, _): Mark) -> bool {
        (self.0 as usize) < nodes
    }
}

/// The steps of all points as a tree: each step refers to its predecessor.
#[derive(Default)]
pub(crate) struct PointArena {
    nodes: Vec<Node>,
    names: String,
}

/// A size of the arena to which it can be truncated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize, usize);

impl PointArena {
    /// An empty arena with capacity for a typical request.
    pub(crate) fn with_capacity() -> Self {
        Self { nodes: Vec::with_capacity(64), names: String::with_capacity(512) }
    }

    pub(crate) fn then(&mut self, parent: impl Into<Option<PointPath>>, tag: Tag) -> PointPath {
        self.step(parent.into(), tag, StepKey::None)
    }

    pub(crate) fn indexed(
        &mut self,
        parent: impl Into<Option<PointPath>>,
        tag: Tag,
        index: u64,
    ) -> PointPath {
        self.step(parent.into(), tag, StepKey::Index(index))
    }

    pub(crate) fn named(&mut self, parent: impl Into<Option<PointPath>>, tag: Tag, name: &[u8]) -> PointPath {
        let key = self.name(name);
        self.step(parent.into(), tag, key)
    }

    /// A point of one step, with its name in upper case.
    pub(crate) fn named_upper(&mut self, tag: Tag, name: &[u8]) -> PointPath {
        let start = self.names.len();
        let key = self.name(name);
        if let Some(added) = self.names.get_mut(start..) {
            added.make_ascii_uppercase();
        }
        self.step(None, tag, key)
    }

    /// The same point at another position of its array.
    pub(crate) fn at_index(&mut self, path: PointPath, index: u64) -> PointPath {
        let parent = self.ancestors(path).next().and_then(|node| node.parent);
        self.indexed(parent, Tag::Array, index)
    }

    /// An arena that contains one point.
    #[cfg(test)]
    pub(crate) fn of(point: &Point) -> (Self, PointPath) {
        let mut arena = Self::default();
        let steps = point.0.iter().fold(None, |parent, step| {
            Some(match &step.key {
                None => arena.then(parent, step.tag.clone()),
                Some(Key::Index(index)) => arena.indexed(parent, step.tag.clone(), *index),
                Some(Key::Name(name)) => arena.named(parent, step.tag.clone(), name.as_bytes()),
            })
        });
        (arena, steps.unwrap())
    }

    pub(crate) fn point(&self, path: PointPath) -> Point {
        let mut steps: Vec<Step> = self.ancestors(path).map(|node| self.shown(node)).collect();
        steps.reverse();
        Point(steps)
    }

    pub(crate) fn last_tag(&self, path: PointPath) -> Option<&Tag> {
        self.tags(path).next()
    }

    /// The tags of the steps, last to first.
    pub(crate) fn tags(&self, path: PointPath) -> impl Iterator<Item = &Tag> {
        self.ancestors(path).map(|node| &node.tag)
    }

    /// The last name in the point: of a parameter, key, cookie or tag.
    pub(crate) fn last_name(&self, path: PointPath) -> Option<&str> {
        self.names(path).flatten().next()
    }

    /// The names of the steps, last to first.
    pub(crate) fn names(&self, path: PointPath) -> impl Iterator<Item = Option<&str>> {
        self.ancestors(path).map(|node| match node.key {
            StepKey::Name { start, end } => self.names.get(start as usize..end as usize),
            _ => None,
        })
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.nodes.len(), self.names.len())
    }

    /// Removes the points added since the mark; none of them may be in use.
    pub(crate) fn truncate(&mut self, Mark(nodes, names): Mark) {
        self.nodes.truncate(nodes);
        self.names.truncate(names);
    }

    fn shown(&self, node: &Node) -> Step {
        let key = match node.key {
            StepKey::None => None,
            StepKey::Index(index) => Some(Key::Index(index)),
            StepKey::Name { start, end } => {
                Some(Key::Name(self.names.get(start as usize..end as usize).unwrap_or_default().to_owned()))
            }
        };
        Step { tag: node.tag.clone(), key }
    }

    /// The digest of the point, with or without its positions in arrays: the same for all calls of one
    /// request, as the key is. A step is digested once, so siblings share the work for their parents.
    pub(crate) fn digest(&self, path: PointPath, key: &RandomState, has_positions: bool) -> u64 {
        let known = |path: PointPath| self.nodes.get(path.0 as usize).and_then(|node| node.digest.get());
        if let Some(digest) = known(path) {
            return digest;
        }
        let unknown: Vec<&Node> = self.ancestors(path).take_while(|it| it.digest.get().is_none()).collect();
        let parent = unknown.last().and_then(|first| first.parent).and_then(known);
        let mut digest = parent.unwrap_or_else(|| digest::of_bytes(key, b""));
        for node in unknown.into_iter().rev() {
            let step = match node.key {
                StepKey::Index(index) if node.tag != Tag::Array || has_positions => {
                    digest::of_bytes(key, &index.to_le_bytes())
                }
                StepKey::Name { start, end } => {
                    let name = self.names.get(start as usize..end as usize).unwrap_or_default();
                    digest::mix(1, digest::of_bytes(key, name.as_bytes()))
                }
                StepKey::Index(_) | StepKey::None => 0,
            };
            let tag = node.tag.as_str().bytes().fold(0, |tag, byte| digest::mix(tag, u64::from(byte)));
            digest = digest::mix(digest::mix(digest, tag), step);
            node.digest.set(Some(digest));
        }
        digest
    }

    /// The steps, last to first.
    fn ancestors(&self, path: PointPath) -> impl Iterator<Item = &Node> {
        let mut next = Some(path);
        std::iter::from_fn(move || {
            let at = next?;
            let node = self.nodes.get(at.0 as usize)?;
            next = node.parent;
            Some(node)
        })
    }

    fn step(&mut self, parent: Option<PointPath>, tag: Tag, key: StepKey) -> PointPath {
        let path = PointPath(position(self.nodes.len()));
        self.nodes.push(Node { parent, tag, key, digest: Cell::new(None) });
        path
    }

    fn name(&mut self, name: &[u8]) -> StepKey {
        let start = position(self.names.len());
        match std::str::from_utf8(name) {
            Ok(text) if text.len() <= NAME_CHARS => self.names.push_str(text),
            _ => self.names.push_str(&point_name(name)),
        }
        StepKey::Name { start, end: position(self.names.len()) }
    }
}

/// The field budget ends long before 4 GB of points.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A name as part of a point: valid UTF-8 of bounded length.
fn point_name(name: &[u8]) -> String {
    let bounded = &name[..name.len().min(4 * NAME_CHARS)];
    String::from_utf8_lossy(bounded).chars().take(NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_build_the_point() {
        let mut arena = PointArena::default();
        let post = arena.then(None, Tag::Post);
        let json = arena.then(post, Tag::JsonDoc);
        let user = arena.named(json, Tag::Hash, b"user\xff");
        let second = arena.indexed(user, Tag::Array, 1);
        assert_eq!(arena.point(second).to_string(), "post > json_doc > hash:user\u{fffd} > array:1");
        assert_eq!(arena.point(json).to_string(), "post > json_doc");
        assert_eq!((arena.last_name(second), arena.last_name(json)), (Some("user\u{fffd}"), None));
        let third = arena.at_index(second, 2);
        assert_eq!(arena.point(third).to_string(), "post > json_doc > hash:user\u{fffd} > array:2");
    }

    #[test]
    fn digests_of_points_depend_on_tags_and_names_but_not_on_positions() {
        let (mut arena, key) = (PointArena::default(), RandomState::new());
        let post = arena.then(None, Tag::Post);
        let list = arena.then(post, Tag::JsonDoc);
        let [one, two] = [1, 2].map(|index| arena.indexed(list, Tag::Array, index));
        let [a, b] = [b"a", b"b"].map(|name| arena.named(one, Tag::Hash, name));
        let also_a = arena.named(two, Tag::Hash, b"a");
        let attribute = arena.named(one, Tag::XmlAttr, b"a");
        let nested = arena.then(list, Tag::Hash);
        let deeper = arena.then(nested, Tag::Hash);
        let digest = |path| arena.digest(path, &key, false);
        assert_eq!((digest(a), digest(a)), (digest(also_a), digest(also_a)));
        for (one, other) in [(a, b), (a, attribute), (list, nested), (nested, deeper), (post, list)] {
            assert_ne!(digest(one), digest(other));
        }
        let (mut arena, key) = (PointArena::default(), RandomState::new());
        let [one, two] = [1, 2].map(|index| arena.indexed(None, Tag::Array, index));
        assert_ne!(arena.digest(one, &key, true), arena.digest(two, &key, true));
    }

    #[test]
    fn truncation_keeps_earlier_points() {
        let mut arena = PointArena::default();
        let post = arena.then(None, Tag::Post);
        let mark = arena.mark();
        arena.named(post, Tag::Hash, b"gone");
        arena.truncate(mark);
        let kept = arena.named(post, Tag::Hash, b"kept");
        assert_eq!(arena.point(kept).to_string(), "post > hash:kept");
    }

    #[test]
    fn a_name_of_any_bytes_and_length_fits_a_point() {
        assert_eq!(point_name(b"id"), "id");
        assert_eq!(point_name(b"\xff"), "\u{fffd}");
        assert_eq!(point_name(&[b'a'; 9999]).len(), NAME_CHARS);
    }
}
