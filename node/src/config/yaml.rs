//! A YAML parser that keeps the position of each key and value.

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use std::{collections::HashMap, fmt};

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and its position.
#[derive(Debug, Clone)]
pub(super) struct YamlNode {
    pub(super) position: Position,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Empty, or `null`.
    Nothing,
    /// The text without quotes; its key decides what `off` and `0x10` mean.
    Scalar(String),
    List(Vec<YamlNode>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) position: Position,
    pub(super) node: YamlNode,
}

/// Why a text is not valid YAML here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct YamlError {
    pub(super) position: Position,
    pub(super) message: String,
}

/// Parses one document. An empty one is an empty map.
pub(super) fn parse(text: &str) -> Result<YamlNode, YamlError> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    let mut document = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, position) => {
                return Ok(document.unwrap_or(YamlNode { position, value: Value::Map(Vec::new()) }));
            }
            (Event::DocumentStart(..), position) if document.is_some() => {
                return Err(error_at(position, "only one document is allowed, this is the second"));
            }
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (event, position) => document = Some(reader.node(event, position)?),
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, YamlNode>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    /// Bounds the expansion of nested aliases.
    const MAX_NODES: usize = 100_000;

    fn next(&mut self) -> Result<(Event<'t>, Position), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, Position::of(&span))),
            Some(Err(error)) => {
                let (line, column) = (error.marker().line(), error.marker().col() + 1);
                Err(error_at(Position { line, column }, &error.info()))
            }
            None => Ok((Event::StreamEnd, Position::START)),
        }
    }

    fn node(&mut self, event: Event<'t>, position: Position) -> Result<YamlNode, YamlError> {
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, scalar(&text, style)),
            Event::SequenceStart(_, anchor, _) => (anchor, Value::List(self.items()?)),
            Event::MappingStart(_, anchor, _) => (anchor, Value::Map(self.entries()?)),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => (0, node.value.clone()),
                None => return Err(error_at(position, "an alias refers to a value that contains it")),
            },
            _ => return Err(error_at(position, "expected a value")),
        };
        let node = YamlNode { position, value };
        self.nodes += node.size();
        if self.nodes > Self::MAX_NODES {
            let message = format!("the file has more than {} values, aliases included", Self::MAX_NODES);
            return Err(error_at(position, &message));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self) -> Result<Vec<YamlNode>, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, position) => items.push(self.node(event, position)?),
            }
        }
    }

    fn entries(&mut self) -> Result<Vec<Entry>, YamlError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, position) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(entries);
            }
            let Value::Scalar(key) = self.node(event, position)?.value else {
                return Err(error_at(position, "a key must be a scalar"));
            };
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                return Err(error_at(
                    position,
                    &format!("{key} is defined twice, first at {}", first.position),
                ));
            }
            let (event, at) = self.next()?;
            entries.push(Entry { key, position, node: self.node(event, at)? });
        }
    }
}

impl YamlNode {
    fn size(&self) -> usize {
        match &self.value {
            Value::Nothing | Value::Scalar(_) => 1,
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|entry| entry.node.size()).sum::<usize>(),
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Nothing,
        _ => Value::Scalar(text.to_owned()),
    }
}

impl Position {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    fn of(span: &Span) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

fn error_at(position: Position, message: &str) -> YamlError {
    YamlError { position, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(node: &YamlNode) -> String {
        match &node.value {
            Value::Nothing => "nothing".to_owned(),
            Value::Scalar(text) => format!("{text:?}@{}:{}", node.position.line, node.position.column),
            Value::List(items) => format!("[{}]", items.iter().map(printed).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let entry = |it: &Entry| {
                    format!("{}@{}:{}: {}", it.key, it.position.line, it.position.column, printed(&it.node))
                };
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    #[test]
    fn every_key_and_value_has_its_position() {
        let node = parse("# ours\na: off\nb:\n  - \"1\"\n  - {c: ~}\nd: &x {e: 0x10}\nf: *x\n").unwrap();
        insta::assert_snapshot!(
            printed(&node),
            @r#"{a@2:1: "off"@2:4, b@3:1: ["1"@4:5, {c@5:6: nothing}], d@6:1: {e@6:8: "0x10"@6:11}, f@7:1: {e@6:8: "0x10"@6:11}}"#
        );
        assert_eq!(printed(&parse("").unwrap()), "{}");
    }

    #[test]
    fn reports_invalid_yaml_with_its_position() {
        let bomb = (1..20).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
            format!("{text}a{n}: &a{n} [*a{before}, *a{before}, *a{before}]\n", before = n - 1)
        });
        for (text, line, column, message) in [
            ("a: 1\na: 2\n", 2, 1, "a is defined twice, first at line 1, column 1"),
            ("a: 1\n---\nb: 2\n", 2, 1, "only one document is allowed, this is the second"),
            ("[a, b]: 1\n", 1, 1, "a key must be a scalar"),
            ("a: &a [*a]\n", 1, 8, "an alias refers to a value that contains it"),
            (&bomb, 10, 15, "the file has more than 100000 values, aliases included"),
        ] {
            let error = YamlError { position: Position { line, column }, message: message.to_owned() };
            assert_eq!(parse(text).unwrap_err(), error);
        }
        assert_eq!(parse("a: [1\nb: 2\n").unwrap_err().position.line, 2);
    }
}
