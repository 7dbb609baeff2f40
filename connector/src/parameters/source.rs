//! Parameter source: the launcher's texts by name, each parsed by the format of its parameter.

/// A parameter whose value is missing or invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} = {value:?}: {expected}")]
pub struct ParameterError {
    pub name: &'static str,
    /// Empty for secrets.
    pub value: String,
    pub expected: &'static str,
}

/// Parses the text of a parameter. The launcher passes Python's `str()` of the user's value.
pub(super) struct Format<T> {
    pub(super) expected: &'static str,
    pub(super) parse: fn(&str) -> Option<T>,
    /// Errors must not show the value.
    pub(super) is_secret: bool,
}

/// Looks up parameters by names such as `WLRM_NODE_ADDR`.
pub(super) struct Source<'a>(pub(super) &'a dyn Fn(&str) -> Option<String>);

/// One of two parameters that are set together, and the error when only the other one is.
pub(super) struct Half<T>(pub(super) &'static str, pub(super) Format<T>, pub(super) &'static str);

impl<T> Format<T> {
    pub(super) const fn new(expected: &'static str, parse: fn(&str) -> Option<T>) -> Self {
        Self { expected, parse, is_secret: false }
    }
}

impl Source<'_> {
    /// Unset, empty and Python's `None` all mean the default.
    pub(super) fn optional<T>(
        &self,
        name: &'static str,
        format: &Format<T>,
    ) -> Result<Option<T>, ParameterError> {
        let value = (self.0)(&name.to_ascii_uppercase()).unwrap_or_default();
        match value.trim() {
            "" | "None" => Ok(None),
            text => (format.parse)(text).map(Some).ok_or_else(|| {
                let value = if format.is_secret { String::new() } else { value.clone() };
                ParameterError { name, value, expected: format.expected }
            }),
        }
    }

    pub(super) fn or<T>(
        &self,
        name: &'static str,
        format: &Format<T>,
        default: T,
    ) -> Result<T, ParameterError> {
        Ok(self.optional(name, format)?.unwrap_or(default))
    }

    pub(super) fn required<T>(&self, name: &'static str, format: &Format<T>) -> Result<T, ParameterError> {
        self.optional(name, format)?.ok_or_else(|| missing(name, format.expected))
    }

    /// Two parameters that are set together or not at all.
    pub(super) fn pair<A, B>(&self, a: &Half<A>, b: &Half<B>) -> Result<Option<(A, B)>, ParameterError> {
        match (self.optional(a.0, &a.1)?, self.optional(b.0, &b.1)?) {
            (Some(a), Some(b)) => Ok(Some((a, b))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(missing(b.0, b.2)),
            (None, Some(_)) => Err(missing(a.0, a.2)),
        }
    }
}

fn missing(name: &'static str, expected: &'static str) -> ParameterError {
    ParameterError { name, value: String::new(), expected }
}
