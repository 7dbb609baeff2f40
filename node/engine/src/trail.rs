//! The points of one request as a tree. Most are never shown, so a field has a number, and only findings make a
//! [`Point`] of it.

use crate::field::point_name;
use shared::{
    Point,
    point::{Key, Step, Tag},
};

/// A point by its number in [`Trails`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trail(u32);

#[derive(Debug, Clone, Copy)]
enum StepKey {
    None,
    Index(u64),
    /// Where in `names`.
    Name {
        start: u32,
        end: u32,
    },
}

struct Node {
    before: Option<Trail>,
    tag: Tag,
    key: StepKey,
}

impl Trail {
    /// Whether this was there at the mark.
    pub(crate) fn is_before(self, Mark(nodes, _): Mark) -> bool {
        (self.0 as usize) < nodes
    }
}

/// Steps of all points, each with the one before it.
#[derive(Default)]
pub(crate) struct Trails {
    nodes: Vec<Node>,
    names: String,
}

/// How far the trails had grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize, usize);

impl Trails {
    /// With room for the points of a usual request.
    pub(crate) fn with_room() -> Self {
        Self { nodes: Vec::with_capacity(64), names: String::with_capacity(512) }
    }

    pub(crate) fn then(&mut self, before: impl Into<Option<Trail>>, tag: Tag) -> Trail {
        self.step(before.into(), tag, StepKey::None)
    }

    pub(crate) fn indexed(&mut self, before: impl Into<Option<Trail>>, tag: Tag, index: u64) -> Trail {
        self.step(before.into(), tag, StepKey::Index(index))
    }

    pub(crate) fn named(&mut self, before: impl Into<Option<Trail>>, tag: Tag, name: &[u8]) -> Trail {
        let key = self.name(name);
        self.step(before.into(), tag, key)
    }

    /// A point of its own, whose name is shown in capitals.
    pub(crate) fn named_upper(&mut self, tag: Tag, name: &[u8]) -> Trail {
        let start = self.names.len();
        let key = self.name(name);
        if let Some(added) = self.names.get_mut(start..) {
            added.make_ascii_uppercase();
        }
        self.step(None, tag, key)
    }

    /// The same point at another position of its array.
    pub(crate) fn at_index(&mut self, trail: Trail, index: u64) -> Trail {
        let before = self.back(trail).next().and_then(|node| node.before);
        self.indexed(before, Tag::Array, index)
    }

    /// The trail of a whole point.
    #[cfg(test)]
    pub(crate) fn of(point: &Point) -> (Self, Trail) {
        let mut trails = Self::default();
        let steps = point.0.iter().fold(None, |before, step| {
            Some(match &step.key {
                None => trails.then(before, step.tag.clone()),
                Some(Key::Index(index)) => trails.indexed(before, step.tag.clone(), *index),
                Some(Key::Name(name)) => trails.named(before, step.tag.clone(), name.as_bytes()),
            })
        });
        (trails, steps.unwrap())
    }

    pub(crate) fn point(&self, trail: Trail) -> Point {
        let mut steps: Vec<Step> = self.back(trail).map(|node| self.shown(node)).collect();
        steps.reverse();
        Point(steps)
    }

    pub(crate) fn last_tag(&self, trail: Trail) -> Option<&Tag> {
        self.tags(trail).next()
    }

    /// From the last to the first.
    pub(crate) fn tags(&self, trail: Trail) -> impl Iterator<Item = &Tag> {
        self.back(trail).map(|node| &node.tag)
    }

    /// The last name on the way: of a parameter, key, cookie or tag.
    pub(crate) fn last_name(&self, trail: Trail) -> Option<&str> {
        self.names(trail).flatten().next()
    }

    /// The name of each step, from the last to the first.
    pub(crate) fn names(&self, trail: Trail) -> impl Iterator<Item = Option<&str>> {
        self.back(trail).map(|node| match node.key {
            StepKey::Name { start, end } => self.names.get(start as usize..end as usize),
            _ => None,
        })
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.nodes.len(), self.names.len())
    }

    /// Forgets what was added since; none of it may be in use.
    pub(crate) fn forget_since(&mut self, Mark(nodes, names): Mark) {
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

    /// From the last step to the first.
    fn back(&self, trail: Trail) -> impl Iterator<Item = &Node> {
        let mut next = Some(trail);
        std::iter::from_fn(move || {
            let at = next?;
            let node = self.nodes.get(at.0 as usize)?;
            next = node.before;
            Some(node)
        })
    }

    fn step(&mut self, before: Option<Trail>, tag: Tag, key: StepKey) -> Trail {
        let trail = Trail(position(self.nodes.len()));
        self.nodes.push(Node { before, tag, key });
        trail
    }

    fn name(&mut self, name: &[u8]) -> StepKey {
        let start = position(self.names.len());
        match std::str::from_utf8(name) {
            Ok(text) if text.len() <= crate::field::NAME_CHARS => self.names.push_str(text),
            _ => self.names.push_str(&point_name(name)),
        }
        StepKey::Name { start, end: position(self.names.len()) }
    }
}

/// A request ends, and so does its budget, long before 4 GB of points.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_a_point_step_by_step() {
        let mut trails = Trails::default();
        let post = trails.then(None, Tag::Post);
        let json = trails.then(post, Tag::JsonDoc);
        let user = trails.named(json, Tag::Hash, b"user\xff");
        let second = trails.indexed(user, Tag::Array, 1);
        assert_eq!(trails.point(second).to_string(), "post > json_doc > hash:user\u{fffd} > array:1");
        assert_eq!(trails.point(json).to_string(), "post > json_doc");
        assert_eq!((trails.last_name(second), trails.last_name(json)), (Some("user\u{fffd}"), None));
        let third = trails.at_index(second, 2);
        assert_eq!(trails.point(third).to_string(), "post > json_doc > hash:user\u{fffd} > array:2");
    }

    #[test]
    fn what_is_forgotten_leaves_the_rest_as_it_was() {
        let mut trails = Trails::default();
        let post = trails.then(None, Tag::Post);
        let mark = trails.mark();
        trails.named(post, Tag::Hash, b"gone");
        trails.forget_since(mark);
        let kept = trails.named(post, Tag::Hash, b"kept");
        assert_eq!(trails.point(kept).to_string(), "post > hash:kept");
    }
}
