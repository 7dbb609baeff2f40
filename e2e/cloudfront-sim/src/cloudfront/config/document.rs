//! A reader of AWS's descriptions: unread keys are noted, and every error names its key.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

/// An invalid description, with the path of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct ConfigError {
    /// Such as `DistributionConfig.Origins[0].DomainName`; empty for the root.
    pub path: String,
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(path: &str, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), problem: problem.into() }
    }
}

pub(super) type NotSimulated = RefCell<Vec<String>>;

/// A value with its path.
#[derive(Clone)]
pub(super) struct Item<'a> {
    value: &'a Value,
    path: String,
    not_simulated: &'a NotSimulated,
}

/// An object, and the keys read so far.
pub(super) struct Object<'a> {
    fields: &'a Map<String, Value>,
    path: String,
    not_simulated: &'a NotSimulated,
    read_keys: RefCell<BTreeSet<String>>,
}

impl<'a> Item<'a> {
    pub(super) fn new(value: &'a Value, path: String, not_simulated: &'a NotSimulated) -> Self {
        Self { value, path, not_simulated }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(&self.path, problem)
    }

    pub(super) fn record_not_simulated(&self, text: &str) {
        self.not_simulated.borrow_mut().push(format!("{}: {text}", self.path));
    }

    pub(super) fn object(&self) -> Result<Object<'a>, ConfigError> {
        let fields = self.value.as_object().ok_or_else(|| self.error("must be an object"))?;
        Ok(Object {
            fields,
            path: self.path.clone(),
            not_simulated: self.not_simulated,
            read_keys: RefCell::default(),
        })
    }

    /// A required field of an object without further fields.
    pub(super) fn field(&self, key: &str) -> Result<Item<'a>, ConfigError> {
        self.object()?.require(key)
    }

    /// A plain list, or AWS's `{ "Quantity": …, "Items": […] }`.
    pub(super) fn list(&self) -> Result<Vec<Item<'a>>, ConfigError> {
        let (list, path) = match self.value {
            Value::Array(list) => (list, self.path.clone()),
            Value::Object(object) => match object.get("Items") {
                Some(Value::Array(list)) => (list, format!("{}.Items", self.path)),
                None | Some(Value::Null) => return Ok(Vec::new()),
                Some(_) => return Err(self.error("Items must be a list")),
            },
            _ => return Err(self.error("must be a list")),
        };
        let item = |(at, value)| Item::new(value, format!("{path}[{at}]"), self.not_simulated);
        Ok(list.iter().enumerate().map(item).collect())
    }

    pub(super) fn texts(&self) -> Result<Vec<String>, ConfigError> {
        self.list()?.iter().map(Item::text).collect()
    }

    /// A string, or the logical id in a CloudFormation intrinsic function.
    pub(super) fn text(&self) -> Result<String, ConfigError> {
        let named = match self.value {
            Value::String(text) => return Ok(text.clone()),
            Value::Object(object) => match object.iter().next() {
                Some((function, Value::String(name))) if function == "Ref" => Some(name.clone()),
                Some((function, Value::String(name))) if function == "Fn::GetAtt" => {
                    name.split('.').next().map(str::to_owned)
                }
                Some((function, Value::Array(list))) if function == "Fn::GetAtt" => {
                    list.first().and_then(Value::as_str).map(str::to_owned)
                }
                _ => None,
            },
            _ => None,
        };
        named.ok_or_else(|| self.error("must be a string"))
    }

    /// A whole number; AWS writes some as strings.
    pub(super) fn number(&self) -> Result<u64, ConfigError> {
        let number = match self.value {
            Value::String(text) => text.parse().ok(),
            // CloudFormation writes TTLs as decimals.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be whole and small"
            )]
            Value::Number(number) => number.as_u64().or_else(|| {
                let whole = number.as_f64().filter(|number| number.fract() == 0.0);
                whole.filter(|number| (0.0..1e15).contains(number)).map(|number| number as u64)
            }),
            _ => None,
        };
        number.ok_or_else(|| self.error("must be a non-negative whole number"))
    }

    pub(super) fn status(&self) -> Result<u16, ConfigError> {
        let status = u16::try_from(self.number()?).ok().filter(|status| (200..600).contains(status));
        status.ok_or_else(|| self.error("must be a status from 200 to 599"))
    }

    pub(super) fn flag(&self) -> Result<bool, ConfigError> {
        match self.value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => Err(self.error("must be true or false")),
        }
    }

    pub(super) fn is_empty_text(&self) -> bool {
        self.value == ""
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub(super) fn is_resource(&self, kind: &str) -> bool {
        self.value.get("Type").is_some_and(|found| found == kind)
    }
}

impl<'a> Object<'a> {
    /// `null` counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.read_keys.borrow_mut().insert(key.to_owned());
        let value = self.fields.get(key).filter(|value| !value.is_null())?;
        Some(Item::new(value, self.path_of(key), self.not_simulated))
    }

    pub(super) fn require(&self, key: &str) -> Result<Item<'a>, ConfigError> {
        self.get(key).ok_or_else(|| ConfigError::new(&self.path_of(key), "is missing"))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        self.get(key).map(|item| item.text()).transpose()
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        self.get(key).map(|item| item.number()).transpose()
    }

    pub(super) fn seconds(&self, key: &str) -> Result<Option<Duration>, ConfigError> {
        Ok(self.number(key)?.map(Duration::from_secs))
    }

    /// `false` if absent.
    pub(super) fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        self.get(key).map_or(Ok(false), |item| item.flag())
    }

    /// Empty if absent.
    pub(super) fn list(&self, key: &str) -> Result<Vec<Item<'a>>, ConfigError> {
        self.get(key).map_or(Ok(Vec::new()), |item| item.list())
    }

    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        self.get(key).map_or(Ok(Vec::new()), |item| item.texts())
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Item<'a>> {
        self.fields.iter().map(|(key, value)| Item::new(value, self.path_of(key), self.not_simulated))
    }

    pub(super) fn ignore(&self, keys: &[&str]) {
        self.read_keys.borrow_mut().extend(keys.iter().map(|key| (*key).to_owned()));
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(&self.path, problem)
    }

    /// Records each unread key, unless its value turns the setting off.
    pub(super) fn finish(&self) {
        let read_keys = self.read_keys.borrow();
        let left = self.fields.iter().filter(|(key, value)| !read_keys.contains(*key) && !is_off(value));
        self.not_simulated
            .borrow_mut()
            .extend(left.map(|(key, _)| format!("{}: has no effect here", self.path_of(key))));
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// Whether a value turns its setting off.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => matches!(text.as_str(), "" | "none"),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(is_off),
    }
}
