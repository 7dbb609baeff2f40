//! Fields inside fields: JSON in a parameter, base64 in a cookie.

use super::{Sink, json};
use crate::{budget::MAX_DEPTH, decode::base64, field::Field};
use shared::{Point, point::Tag};

/// What a value turned out to hold.
pub(crate) struct Unfolded {
    /// The value is spoken for by its parts and need not be looked at as a whole.
    pub whole: bool,
}

/// Adds the fields found inside `value`, a layer of the field at `point`.
pub(crate) fn unfold(value: &[u8], point: &Point, parent: &Field<'_>, sink: &mut Sink<'_, '_>) -> Unfolded {
    let Some(inside) = Inside::of(value) else { return Unfolded { whole: false } };
    if parent.depth >= MAX_DEPTH {
        sink.budget.too_deep();
        return Unfolded { whole: false };
    }
    let depth = parent.depth + 1;
    let whole = match inside {
        Inside::Json => json::unpack(value, &point.clone().then(Tag::JsonDoc), depth, sink),
        Inside::Base64(text) => {
            let mut field = Field::new(point.clone().then(Tag::Base64), parent.place, text);
            field.decoded = parent.decoded.iter().copied().chain([base64::NAME]).collect();
            field.depth = depth;
            sink.push(field);
            false
        }
    };
    Unfolded { whole }
}

enum Inside {
    Json,
    Base64(Vec<u8>),
}

impl Inside {
    fn of(value: &[u8]) -> Option<Self> {
        let opens = value.trim_ascii_start().first();
        if matches!(opens, Some(b'{' | b'[')) && json::looks_like_json(value) {
            return Some(Self::Json);
        }
        // A path is a slash and then, maybe, base64.
        base64::peel(value.strip_prefix(b"/").unwrap_or(value)).map(Self::Base64)
    }
}
