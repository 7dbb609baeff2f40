//! A piece of a request worth a look.

use crate::point_path::PointPath;
use std::borrow::Cow;

/// Names in points are cut here: they group attacks, and an attacker chooses them.
pub(crate) const NAME_CHARS: usize = 100;

/// One value of the request, as its parser hands it on.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub point_path: PointPath,
    pub kind: FieldKind,
    pub value: Cow<'a, [u8]>,
    /// Encodings its parser took off before `value` could be read, e.g. the percent signs of a query.
    pub decoded: Vec<&'static str>,
    /// How many values this one was found inside.
    pub depth: usize,
}

/// What is usual for a value here, which is what false alarms depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// The path of the request.
    Path,
    /// A parameter, a JSON string, a cookie, a body: an application may use it for anything.
    Value,
    /// The name of a parameter or a JSON key.
    Name,
    /// A header whose syntax is known and full of punctuation, such as `accept` or `user-agent`.
    ShapedHeader,
}

impl<'a> Field<'a> {
    pub(crate) fn new(point_path: PointPath, kind: FieldKind, value: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { point_path, kind, value: value.into(), decoded: Vec::new(), depth: 0 }
    }

    /// The field with a value of its own, for what was read from a buffer that goes away.
    pub(crate) fn into_owned<'o>(self) -> Field<'o> {
        Field {
            point_path: self.point_path,
            kind: self.kind,
            value: Cow::Owned(self.value.into_owned()),
            decoded: self.decoded,
            depth: self.depth,
        }
    }

    /// A field whose parser has taken an encoding off already.
    #[must_use]
    pub(crate) fn decoded(mut self, layer: Option<&'static str>) -> Self {
        self.decoded.extend(layer);
        self
    }
}

/// A name as it may stand in a point: text, and bounded.
pub(crate) fn point_name(name: &[u8]) -> String {
    let bounded = &name[..name.len().min(4 * NAME_CHARS)];
    String::from_utf8_lossy(bounded).chars().take(NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_bytes_and_length_fits_a_point() {
        assert_eq!(point_name(b"id"), "id");
        assert_eq!(point_name(b"\xff"), "\u{fffd}");
        assert_eq!(point_name(&[b'a'; 9999]).len(), NAME_CHARS);
    }
}
