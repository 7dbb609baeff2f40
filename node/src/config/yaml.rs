//! YAML as a tree that knows where each key and value stands.

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use std::{collections::HashMap, fmt};

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and where it starts.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing, or `null`.
    Nothing,
    /// As it is written, quotes removed: `off` and `0x10` mean what their key makes of them.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

/// Why a text is not the YAML we read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct YamlError {
    pub(super) place: Place,
    pub(super) message: String,
}

/// Reads one document. An empty one is an empty map.
pub(super) fn parse(text: &str) -> Result<Node, YamlError> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    let mut document = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, place) => {
                return Ok(document.unwrap_or(Node { place, value: Value::Map(Vec::new()) }));
            }
            (Event::DocumentStart(..), place) if document.is_some() => {
                return Err(wrong(place, "one document is read, this is the second"));
            }
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (event, place) => document = Some(reader.node(event, place)?),
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    /// Aliases repeat what they name, and may name what repeats.
    const MAX_NODES: usize = 100_000;

    fn next(&mut self) -> Result<(Event<'t>, Place), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, Place::of(&span))),
            Some(Err(error)) => {
                let (line, column) = (error.marker().line(), error.marker().col() + 1);
                Err(wrong(Place { line, column }, &error.info()))
            }
            None => Ok((Event::StreamEnd, Place::START)),
        }
    }

    fn node(&mut self, event: Event<'t>, place: Place) -> Result<Node, YamlError> {
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, scalar(&text, style)),
            Event::SequenceStart(_, anchor, _) => (anchor, Value::List(self.items()?)),
            Event::MappingStart(_, anchor, _) => (anchor, Value::Map(self.entries()?)),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => (0, node.value.clone()),
                None => return Err(wrong(place, "an alias inside what it names")),
            },
            _ => return Err(wrong(place, "expected a value")),
        };
        let node = Node { place, value };
        self.nodes += node.size();
        if self.nodes > Self::MAX_NODES {
            return Err(wrong(place, "too many values"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn items(&mut self) -> Result<Vec<Node>, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, place) => items.push(self.node(event, place)?),
            }
        }
    }

    fn entries(&mut self) -> Result<Vec<Entry>, YamlError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(entries);
            }
            let Value::Scalar(key) = self.node(event, place)?.value else {
                return Err(wrong(place, "a key must be a word"));
            };
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                return Err(wrong(place, &format!("{key} stands here again, first at {}", first.place)));
            }
            let (event, at) = self.next()?;
            entries.push(Entry { key, place, node: self.node(event, at)? });
        }
    }
}

impl Node {
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

impl Place {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    fn of(span: &Span) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

fn wrong(place: Place, message: &str) -> YamlError {
    YamlError { place, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(node: &Node) -> String {
        match &node.value {
            Value::Nothing => "nothing".to_owned(),
            Value::Scalar(text) => format!("{text:?}@{}:{}", node.place.line, node.place.column),
            Value::List(items) => format!("[{}]", items.iter().map(spelled).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let entry = |it: &Entry| {
                    format!("{}@{}:{}: {}", it.key, it.place.line, it.place.column, spelled(&it.node))
                };
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    #[test]
    fn every_key_and_value_knows_its_place() {
        let node = parse("# ours\na: off\nb:\n  - \"1\"\n  - {c: ~}\nd: &x {e: 0x10}\nf: *x\n").unwrap();
        insta::assert_snapshot!(
            spelled(&node),
            @r#"{a@2:1: "off"@2:4, b@3:1: ["1"@4:5, {c@5:6: nothing}], d@6:1: {e@6:8: "0x10"@6:11}, f@7:1: {e@6:8: "0x10"@6:11}}"#
        );
        assert_eq!(spelled(&parse("").unwrap()), "{}");
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        let bomb = (1..20).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
            format!("{text}a{n}: &a{n} [*a{before}, *a{before}, *a{before}]\n", before = n - 1)
        });
        for (text, line, column, message) in [
            ("a: 1\na: 2\n", 2, 1, "a stands here again, first at line 1, column 1"),
            ("a: 1\n---\nb: 2\n", 2, 1, "one document is read, this is the second"),
            ("[a, b]: 1\n", 1, 1, "a key must be a word"),
            ("a: &a [*a]\n", 1, 8, "an alias inside what it names"),
            (&bomb, 10, 15, "too many values"),
        ] {
            let error = YamlError { place: Place { line, column }, message: message.to_owned() };
            assert_eq!(parse(text).unwrap_err(), error);
        }
        assert_eq!(parse("a: [1\nb: 2\n").unwrap_err().place.line, 2);
    }
}
