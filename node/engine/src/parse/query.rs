//! Query parser.

use super::{
    Sink,
    form::{self, Parameter},
};
use shared::{InspectRequest, point::Tag};

pub(super) fn parse<'a>(request: &'a InspectRequest, sink: &mut Sink<'a, '_>) {
    let get = sink.arena.then(None, Tag::Get);
    let names = sink.arena.then(get, Tag::Name);
    form::parse(request.query.as_bytes(), names, &Parameter { before: None, tag: Tag::Get }, sink);
}
