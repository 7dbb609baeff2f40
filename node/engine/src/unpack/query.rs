//! Query parameters.

use super::{Sink, form};
use shared::{InspectRequest, Point, point::Tag};

pub(super) fn unpack<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let names = Point::new(Tag::Get).then(Tag::Name);
    form::unpack(request.query.as_bytes(), &names, &Point::get, sink);
}
