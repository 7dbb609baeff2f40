//! The path, whole: a payload may span segments.

use super::Sink;
use crate::field::{Field, Place};
use shared::{InspectRequest, Point};

pub(super) fn unpack<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    sink.push(Field::new(Point::uri(), Place::Path, request.path.as_bytes()));
}
