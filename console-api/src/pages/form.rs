//! A rejected form: its values, and the error beside its field.

use super::render;
use crate::error::ApiError;
use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Values that are not sent back.
const SECRETS: [&str; 2] = ["password", "current"];

/// The form to show again. Without one, fields have their defaults.
#[derive(Default)]
pub(super) struct Rejected {
    /// The object that the form changes. `None`: it adds one.
    object: Option<Uuid>,
    values: BTreeMap<String, String>,
    error: Option<FieldError>,
}

struct FieldError {
    field: String,
    text: String,
    status: StatusCode,
}

impl Rejected {
    /// The form with its error. Errors that no other value could avoid are returned.
    pub(super) fn new(
        form: &impl Serialize,
        object: Option<Uuid>,
        error: ApiError,
    ) -> Result<Self, ApiError> {
        let (field, status) = match &error {
            ApiError::Invalid(invalid) => (invalid.name.clone(), error.status()),
            ApiError::NameTaken(_) => ("name".to_owned(), error.status()),
            ApiError::Conflict(_) | ApiError::Stale(_) => (String::new(), error.status()),
            _ => return Err(error),
        };
        let fields = serde_json::to_value(form).unwrap_or_default();
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        let fields = fields.as_object().into_iter().flatten();
        let values = fields
            .filter(|(name, _)| !SECRETS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        Ok(Self { object, values, error: Some(FieldError { field, text: error.to_string(), status }) })
    }

    /// The page that shows the form again.
    pub(super) fn respond(&self, page: &impl Template) -> Response {
        match &self.error {
            Some(error) => (error.status, render(page)).into_response(),
            None => render(page),
        }
    }

    /// The error, for the top of the page.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_ref().map(|error| error.text.as_str())
    }

    /// The form that adds an object: this one, or an empty one.
    pub(super) fn adding(&self) -> Form<'_> {
        Form { rejected: self.error.is_some() && self.object.is_none(), of: self }
    }

    /// The form that changes an object.
    pub(super) fn changing(&self, id: &Uuid) -> Form<'_> {
        Form { rejected: self.error.is_some() && self.object == Some(*id), of: self }
    }
}

/// The error beside a field.
#[derive(Template)]
#[template(
    source = "{% if let Some(text) = text %}<span class=\"field-error\" id=\"error-{{ name }}\">{{ text }}</span>{% endif %}",
    ext = "html"
)]
pub(super) struct Message<'a> {
    name: &'a str,
    text: Option<&'a str>,
}

/// A form on a page.
pub(super) struct Form<'a> {
    rejected: bool,
    of: &'a Rejected,
}

impl Form<'_> {
    pub(super) fn is_rejected(&self) -> bool {
        self.rejected
    }

    /// The submitted value of a field, or its default.
    pub(super) fn value<'v>(&'v self, name: &str, default: &'v str) -> &'v str {
        let submitted = self.of.values.get(name).filter(|_| self.rejected);
        submitted.map_or(default, String::as_str)
    }

    /// Whether a choice is selected.
    pub(super) fn has(&self, name: &str, value: &str, default: &str) -> bool {
        self.value(name, default) == value
    }

    /// The error of a field.
    pub(super) fn error(&self, name: &str) -> Option<&str> {
        let error = self.of.error.as_ref().filter(|_| self.rejected)?;
        (self.field_of(error) == name).then_some(error.text.as_str())
    }

    /// The element with the error of a field.
    pub(super) fn message<'m>(&'m self, name: &'m str) -> Message<'m> {
        Message { name, text: self.error(name) }
    }

    /// The attributes of a field with an error. Its parts are constants.
    pub(super) fn attributes(&self, name: &str) -> String {
        let described = format!(" aria-invalid=\"true\" aria-describedby=\"error-{name}\" autofocus");
        self.error(name).map(|_| described).unwrap_or_default()
    }

    /// The field of an error, whose name is a path in the object; empty: none.
    fn field_of<'e>(&self, error: &'e FieldError) -> &'e str {
        let known = |name: &str| self.of.values.contains_key(name) || SECRETS.contains(&name);
        let mut parts = error.field.split('.').map(|part| part.split('[').next().unwrap_or_default());
        let field = parts.find(|part| known(part) || *part == "expires_at" && known("for"));
        if field == Some("expires_at") { "for" } else { field.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rejected_form_keeps_its_values_but_secrets() {
        let form = json!({"name": "ann", "password": "short", "enabled": true, "revision": 3});
        let error = ApiError::parameter("password", "too short");
        let rejected = Rejected::new(&form, None, error).unwrap();
        let form = rejected.adding();
        assert_eq!((form.value("name", ""), form.value("password", "")), ("ann", ""));
        assert_eq!((form.error("password"), form.error("name")), (Some("too short"), None));
        assert!(form.has("enabled", "true", "false") && form.attributes("password").contains("aria-invalid"));
        let other = rejected.changing(&Uuid::nil());
        assert_eq!((other.value("name", "bob"), other.error("password")), ("bob", None));
    }

    #[test]
    fn an_error_stands_beside_its_field() {
        let form = json!({"source": "x", "for": 1});
        let error = |name: &str| {
            let rejected = Rejected::new(&form, None, ApiError::parameter(name, "wrong")).unwrap();
            ["source", "for"].map(|field| rejected.adding().error(field).is_some())
        };
        assert_eq!(error("source.country"), [true, false]);
        assert_eq!(error("expires_at"), [false, true]);
        assert_eq!(error("applications"), [false, false]);
        assert_eq!(error("candidate.add[0].source.country"), [true, false]);
        let busy = Rejected::new(&form, None, ApiError::Busy);
        assert!(matches!(busy, Err(ApiError::Busy)));
    }
}
