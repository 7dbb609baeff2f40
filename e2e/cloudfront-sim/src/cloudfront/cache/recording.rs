//! Recording of a response for the cache while it is forwarded.

use super::{Cached, Leader, Room};
use crate::http1::Tap;

/// The copy of a body. Waiting requests get the response when it is complete; a body that is cut
/// short or too large is not cached, and they go to the origin.
#[derive(Debug)]
pub(in crate::cloudfront) struct Recording {
    leader: Option<Leader>,
    /// With the body so far.
    cached: Cached,
    share: bool,
    room: Room,
}

impl Recording {
    pub(in crate::cloudfront) fn new(leader: Leader, cached: Cached, share: bool) -> Self {
        let room = Room::none(&leader.cache);
        Self { leader: Some(leader), cached, share, room }
    }
}

impl Tap for Recording {
    fn part(&mut self, part: &[u8]) {
        if self.leader.is_none() {
            return;
        }
        if self.room.grow(part.len()) {
            self.cached.response.body.extend_from_slice(part);
            return;
        }
        self.leader = None;
        self.cached.response.body = Vec::new();
        self.room.clear();
    }

    fn end(self: Box<Self>) {
        let Self { leader, cached, share, .. } = *self;
        if let Some(leader) = leader {
            leader.settle(cached, share);
        }
    }
}
