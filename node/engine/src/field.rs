//! A field: one value of a request, the unit of inspection.

use crate::point_path::PointPath;
use std::borrow::Cow;

/// One value of the request, as produced by a parser.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub point: PointPath,
    pub kind: FieldKind,
    pub value: Cow<'a, [u8]>,
    /// Encodings that the parser removed, e.g. percent-encoding in a query.
    pub decoded: Vec<&'static str>,
    /// The number of values this one is nested in.
    pub depth: usize,
}

/// The kind of a value. It determines which content is usual, and so a false positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// The path of the request.
    Path,
    /// A parameter, a JSON string, a cookie, a body: any text is possible.
    Value,
    /// The name of a parameter or a JSON key.
    Name,
    /// A header with a known syntax full of punctuation, such as `accept` or `user-agent`.
    ShapedHeader,
}

impl<'a> Field<'a> {
    pub(crate) fn new(point: PointPath, kind: FieldKind, value: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { point, kind, value: value.into(), decoded: Vec::new(), depth: 0 }
    }

    /// The field with an owned value.
    pub(crate) fn into_owned<'o>(self) -> Field<'o> {
        let Self { point, kind, value, decoded, depth } = self;
        Field { point, kind, value: Cow::Owned(value.into_owned()), decoded, depth }
    }

    /// The field with the encoding that its parser removed.
    #[must_use]
    pub(crate) fn decoded(mut self, layer: Option<&'static str>) -> Self {
        self.decoded.extend(layer);
        self
    }
}

/// Bytes as text of at most `chars` characters.
pub(crate) fn shown(bytes: &[u8], chars: usize) -> String {
    let bounded = &bytes[..bytes.len().min(4 * chars)];
    String::from_utf8_lossy(bounded).chars().take(chars).collect()
}
