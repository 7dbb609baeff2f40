//! The path, whole: a payload may span segments.

use super::Sink;
use crate::field::{Field, Place};
use shared::{InspectRequest, point::Tag};

pub(super) fn unpack<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let trail = sink.trails.then(None, Tag::Uri);
    sink.push(Field::new(trail, Place::Path, request.path.as_bytes()));
}
