//! The reader of configuration sections.
//!
//! A key is declared where it is read: one line of the section's `read` has its name, type and
//! default. From that follow the environment variable, errors with positions, suggestions for
//! unknown keys, and the table in `docs/node.md`. Errors are collected and reported together.

use super::{
    Config,
    environment::Environment,
    nearest,
    problem::{Origin, Problem},
    scalar::Scalar,
    yaml::{Entry, Position, Value, YamlNode},
};
use std::{cell::RefCell, fmt::Display, ops::RangeInclusive, path::Path};

/// A part of the configuration with keys of its own.
pub(super) trait Part: Sized {
    /// `None` when a required value is missing or invalid; the error is recorded. An implementation
    /// reads all keys before it returns, as unread keys count as unknown.
    fn read(section: &mut Section<'_>) -> Option<Self>;
}

/// State shared by all sections of a file.
pub(super) struct SectionReader<'r> {
    path: &'r Path,
    environment: &'r Environment,
    errors: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    keys: RefCell<Vec<KnownKey>>,
    /// Enters every section once, to list its keys.
    lists_keys: bool,
}

/// A key; list items are written as `routes[].host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    pub path: String,
    pub default: Presence,
}

/// The value of an absent key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    Default(String),
    Optional,
    Required,
    /// A key of the original without effect here.
    Ignored,
}

/// The keys of one map of the file.
pub(super) struct Section<'r> {
    reader: &'r SectionReader<'r>,
    path: String,
    position: Position,
    entries: &'r [Entry],
    read_keys: Vec<&'static str>,
    missing: Vec<&'static str>,
}

/// A value and its origin.
struct Setting<'r> {
    origin: Origin,
    value: RawValue<'r>,
}

enum RawValue<'r> {
    Node(&'r Value),
    Variable(&'r str),
}

impl<'r> SectionReader<'r> {
    pub(super) fn new(path: &'r Path, environment: &'r Environment) -> Self {
        let (errors, warnings, keys) = Default::default();
        Self { path, environment, errors, warnings, keys, lists_keys: false }
    }

    /// Reads the whole file.
    pub(super) fn root<P: Part>(&'r self, document: &'r YamlNode) -> Option<P> {
        self.enter(String::new(), Some(document), P::read)
    }

    /// Returns the errors and the warnings.
    pub(super) fn finish(self) -> (Vec<Problem>, Vec<Problem>) {
        let mut errors = self.errors.into_inner();
        for (variable, key) in self.environment.unused() {
            let hint = nearest::hint_for_path(&key, &Config::keys());
            let message = format!("sets no key; {hint}");
            errors.push(Problem { at: Origin::Environment { variable }, message });
        }
        errors.sort_by(|one, other| one.at.cmp(&other.at));
        (errors, self.warnings.into_inner())
    }

    fn enter<T>(
        &'r self,
        path: String,
        node: Option<&'r YamlNode>,
        read: impl FnOnce(&mut Section<'_>) -> Option<T>,
    ) -> Option<T> {
        let entries: &[Entry] = match node.map(|node| &node.value) {
            None => &[],
            Some(Value::Map(entries)) => entries,
            Some(_) => {
                self.report_not_a_map(&path, node);
                return None;
            }
        };
        let position = node.map_or(Position::START, |node| node.position);
        let mut section =
            Section { reader: self, path, position, entries, read_keys: Vec::new(), missing: Vec::new() };
        let part = read(&mut section);
        section.report_missing();
        section.refuse_unknown();
        part
    }

    fn report_not_a_map(&self, path: &str, node: Option<&YamlNode>) {
        let name = if path.is_empty() { "the file" } else { path };
        let message = format!("{name}: must be a map of keys and values, indented below it");
        let at = Origin::file(self.path, node.map_or(Position::START, |node| node.position));
        self.errors.borrow_mut().push(Problem { at, message });
    }
}

/// Every key of a part, in the order in which it is read.
pub(super) fn keys_of<P: Part>() -> Vec<KnownKey> {
    let environment = Environment::default();
    let reader = SectionReader { lists_keys: true, ..SectionReader::new(Path::new(""), &environment) };
    reader.enter(String::new(), None, P::read);
    reader.keys.into_inner()
}

impl<'r> Section<'r> {
    /// A required value.
    pub(super) fn required<T: Scalar>(&mut self, key: &'static str) -> Option<T> {
        self.declare(key, Presence::Required);
        let setting = self.find(key);
        if setting.is_none() {
            self.missing.push(key);
        }
        setting.and_then(|setting| self.scalar(key, &setting))
    }

    /// An optional value.
    pub(super) fn optional<T: Scalar>(&mut self, key: &'static str) -> Option<T> {
        self.declare(key, Presence::Optional);
        self.find(key).and_then(|setting| self.scalar(key, &setting))
    }

    /// A value, or its default.
    pub(super) fn or<T: Scalar>(&mut self, key: &'static str, default: T) -> T {
        self.declare(key, Presence::Default(default.shown()));
        self.find(key).and_then(|setting| self.scalar(key, &setting)).unwrap_or(default)
    }

    /// A value within bounds, or its default.
    pub(super) fn within<T>(&mut self, key: &'static str, default: T, bounds: RangeInclusive<T>) -> T
    where
        T: Scalar + PartialOrd,
    {
        let value = self.or(key, default);
        if !bounds.contains(&value) {
            self.wrong(key, format!("must be from {} to {}", bounds.start().shown(), bounds.end().shown()));
        }
        value
    }

    /// Values under arbitrary names.
    pub(super) fn map<T: Scalar>(&mut self, key: &'static str) -> Vec<(String, T)> {
        self.declare(key, Presence::Optional);
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let Value::Map(entries) = &entry.node.value else {
            self.report(key, &self.origin(entry.node.position), "must be a map of names and values");
            return Vec::new();
        };
        let named = |entry: &'r Entry| {
            let setting = Setting {
                origin: self.origin(entry.node.position),
                value: RawValue::Node(&entry.node.value),
            };
            Some((entry.key.clone(), self.scalar(&format!("{key}.{}", entry.key), &setting)?))
        };
        entries.iter().filter_map(named).collect()
    }

    /// A section that has defaults when absent.
    pub(super) fn section<P: Part>(&mut self, key: &'static str) -> Option<P> {
        self.nested(key, P::read).flatten()
    }

    /// A section that is read by a function. `None` when it is not a map.
    pub(super) fn nested<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> Option<T> {
        self.read_keys.push(key);
        let node = self.entry(key).map(|entry| &entry.node);
        self.reader.enter(self.path_of(key), node, |section| Some(read(section)))
    }

    /// A section that may be absent. Errors in it are recorded.
    pub(super) fn optional_section<P: Part>(&mut self, key: &'static str) -> Option<P> {
        let reader = self.reader;
        let is_present = self.entry(key).is_some() || reader.environment.reaches_into(&self.path_of(key));
        if is_present || reader.lists_keys {
            return self.section(key);
        }
        self.read_keys.push(key);
        None
    }

    /// A list of values; comma-separated in the environment.
    pub(super) fn list<T: Scalar>(&mut self, key: &'static str, default: Vec<T>) -> Vec<T> {
        let shown: Vec<_> = default.iter().map(Scalar::shown).collect();
        self.declare(key, Presence::Default(format!("[{}]", shown.join(", "))));
        let Some(setting) = self.find(key) else { return default };
        match setting.value {
            RawValue::Variable(text) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                words.filter_map(|word| self.parsed(key, &setting.origin, word)).collect()
            }
            RawValue::Node(Value::List(nodes)) => {
                let item = |node: &'r YamlNode| {
                    self.scalar(
                        key,
                        &Setting { origin: self.origin(node.position), value: RawValue::Node(&node.value) },
                    )
                };
                nodes.iter().filter_map(item).collect()
            }
            RawValue::Node(_) => {
                self.report(key, &setting.origin, "must be a list");
                Vec::new()
            }
        }
    }

    /// A list of sections. An error in one does not hide the others.
    pub(super) fn sections<P: Part>(&mut self, key: &'static str) -> Vec<P> {
        self.each(key, P::read)
    }

    /// A list of sections, with a reader that has context.
    pub(super) fn each<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Section<'_>) -> Option<T>,
    ) -> Vec<T> {
        self.read_keys.push(key);
        let path = self.path_of(key);
        match self.entry(key).map(|entry| (&entry.node.value, entry.node.position)) {
            Some((Value::List(nodes), _)) => {
                let one = |(at, node)| self.reader.enter(format!("{path}[{at}]"), Some(node), &mut read);
                nodes.iter().enumerate().filter_map(one).collect()
            }
            Some((_, position)) => {
                self.report(key, &self.origin(position), "must be a list");
                Vec::new()
            }
            // A recursive list has the same keys again.
            None if self.reader.lists_keys && !self.path.ends_with(&format!("{key}[]")) => {
                self.reader.enter(format!("{path}[]"), None, read).into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    /// A key of the original without effect here: accepted with a warning.
    pub(super) fn ignored(&mut self, key: &'static str, why: &str) {
        self.declare(key, Presence::Ignored);
        if let Some(at) = self.entry(key).map(|entry| self.origin(entry.position)) {
            self.warn_at(at, key, &format!("has no effect: {why}"));
        }
    }

    /// Warns about a questionable value.
    pub(super) fn warn(&self, key: &str, message: &str) {
        self.warn_at(self.origin(self.position), key, message);
    }

    fn warn_at(&self, at: Origin, key: &str, message: &str) {
        let message = format!("{}: {message}", self.path_of(key));
        self.reader.warnings.borrow_mut().push(Problem { at, message });
    }

    /// Whether the key is present, valid or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Records an error about the value of a key.
    pub(super) fn wrong(&self, key: &str, message: impl Display) {
        let environment = self.reader.environment.value(&self.path_of(key));
        let origin = match (environment, self.entry(key)) {
            (Some((variable, _)), _) => Origin::Environment { variable },
            (None, Some(entry)) => self.origin(entry.node.position),
            (None, None) => self.origin(self.position),
        };
        self.report(key, &origin, message);
    }

    fn scalar<T: Scalar>(&self, key: &str, setting: &Setting<'_>) -> Option<T> {
        match setting.value {
            RawValue::Variable(text) => self.parsed(key, &setting.origin, text),
            RawValue::Node(Value::Scalar(text)) => self.parsed(key, &setting.origin, text),
            RawValue::Node(Value::Nothing) => {
                self.report(key, &setting.origin, "has no value: add one, or remove the key");
                None
            }
            RawValue::Node(Value::List(_) | Value::Map(_)) => {
                self.report(key, &setting.origin, "must be a single value");
                None
            }
        }
    }

    fn parsed<T: Scalar>(&self, key: &str, origin: &Origin, text: &str) -> Option<T> {
        T::parse(text).map_err(|expected| self.report(key, origin, expected)).ok()
    }

    fn report(&self, key: &str, origin: &Origin, message: impl Display) {
        let message = format!("{}: {message}", self.path_of(key));
        self.reader.errors.borrow_mut().push(Problem { at: origin.clone(), message });
    }

    fn declare(&mut self, key: &'static str, default: Presence) {
        self.read_keys.push(key);
        self.reader.keys.borrow_mut().push(KnownKey { path: self.path_of(key), default });
    }

    /// The environment takes precedence over the file.
    fn find(&self, key: &str) -> Option<Setting<'r>> {
        if let Some((variable, text)) = self.reader.environment.value(&self.path_of(key)) {
            return Some(Setting {
                origin: Origin::Environment { variable },
                value: RawValue::Variable(text),
            });
        }
        let entry = self.entry(key)?;
        Some(Setting { origin: self.origin(entry.node.position), value: RawValue::Node(&entry.node.value) })
    }

    fn entry(&self, key: &str) -> Option<&'r Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn origin(&self, position: Position) -> Origin {
        Origin::file(self.reader.path, position)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Skips a key that is the suggestion for an unknown one: it is misspelled, not missing.
    fn report_missing(&self) {
        let suggested: Vec<_> =
            self.unknown().filter_map(|entry| nearest::key(&entry.key, &self.read_keys)).collect();
        for key in self.missing.iter().filter(|key| !suggested.contains(*key)) {
            self.report(key, &self.origin(self.position), "is missing");
        }
    }

    fn unknown(&self) -> impl Iterator<Item = &'r Entry> {
        self.entries.iter().filter(|entry| !self.read_keys.contains(&entry.key.as_str()))
    }

    fn refuse_unknown(&self) {
        for entry in self.unknown() {
            let hint = nearest::hint(&entry.key, &self.path, &self.read_keys, &Config::keys());
            self.report(&entry.key, &self.origin(entry.position), format!("unknown key; {hint}"));
        }
    }
}
