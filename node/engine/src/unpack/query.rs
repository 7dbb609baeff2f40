//! Query parameters.

use super::{
    Sink,
    form::{self, Parameter},
};
use shared::{InspectRequest, point::Tag};

pub(super) fn unpack<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let get = sink.trails.then(None, Tag::Get);
    let names = sink.trails.then(get, Tag::Name);
    form::unpack(request.query.as_bytes(), names, &Parameter { before: None, tag: Tag::Get }, sink);
}
