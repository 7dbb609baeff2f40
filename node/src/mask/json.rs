//! Masking of JSON values of any kind. The rest of the document keeps its spelling.

mod comments;

use super::{MASK, names, secrets::Secrets};
use engine::json_prefix;
use shared::point::{Key, Step, Tag};
use std::{cmp::Reverse, mem, ops::Range};

/// Whether a body counts as JSON, well-formed or not.
pub(super) fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(json_prefix::document(bytes), [b'{' | b'[' | b'"', ..])
}

/// The masked document; rules begin with `json_doc`. `None` when it is malformed. A truncated
/// document is masked up to its end. Secrets come with the depth of the document in strings.
pub(super) fn mask(
    bytes: &[u8],
    rules: &[&[Step]],
    secrets: Option<(&Secrets<'_>, usize)>,
) -> Option<Vec<u8>> {
    let rules: Vec<&[Step]> = rules.iter().map(|steps| &steps[1..]).collect();
    let mut scanner = Scanner { bytes, at: 0, edits: Vec::new(), secrets, key: KeyKind::Other };
    scanner.document(&rules)?;
    Some(scanner.edited())
}

struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    edits: Vec<Edit>,
    /// Absent: only rules mask.
    secrets: Option<(&'b Secrets<'b>, usize)>,
    /// The kind of the key of the next value.
    key: KeyKind,
}

/// A replaced value. It may contain others, which are replaced with it.
struct Edit {
    place: Range<usize>,
    by: String,
}

/// What a key says of its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Secret,
    /// The value is a name: `{"name": "password"}`.
    Name,
    /// The value belongs to the name beside it.
    Value,
    Other,
}

/// An open bracket, and the rules that continue inside it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Open<'r> {
    is_object: bool,
    /// Whether everything in it is a secret by its name.
    is_secret: bool,
    is_masked: bool,
    start: usize,
    key: KeyKind,
    /// Whether a name in it says that its values are secrets.
    names_secret: bool,
    values: Vec<Edit>,
    index: u64,
    rules: Vec<&'r [Step]>,
}

impl Scanner<'_> {
    fn document(&mut self, rules: &[&[Step]]) -> Option<()> {
        let mut open: Vec<Open<'_>> = Vec::new();
        let mut next = Some(rules.to_vec());
        self.prefix();
        loop {
            let is_secret = open.last().is_some_and(|it| it.is_secret);
            self.blanks(is_secret || self.key == KeyKind::Secret);
            let Some(&byte) = self.bytes.get(self.at) else {
                // Truncated: masked values end with the text.
                while let Some(top) = open.pop() {
                    self.close(top, open.last_mut());
                }
                return Some(());
            };
            match (byte, next.take()) {
                (b'}' | b']', _) => {
                    self.at += 1;
                    let top = open.pop().filter(|it| it.is_object == (byte == b'}'))?;
                    self.close(top, open.last_mut());
                }
                (b',', None) => {
                    self.at += 1;
                    let top = open.last_mut()?;
                    top.index += 1;
                    if !top.is_object {
                        next = Some(inside(
                            &top.rules,
                            &Step { tag: Tag::Array, key: Some(Key::Index(top.index)) },
                        ));
                    }
                }
                (b'"', None) if open.last().is_some_and(|it| it.is_object) => {
                    let name = self.string();
                    self.blanks(is_secret);
                    match self.bytes.get(self.at) {
                        Some(b':') => self.at += 1,
                        None => continue,
                        Some(_) => return None,
                    }
                    let name = name?;
                    self.key = if self.secrets.is_some() { KeyKind::of(&name) } else { KeyKind::Other };
                    let step = Step { tag: Tag::Hash, key: Some(Key::Name(point_name(&name))) };
                    next = Some(inside(&open.last()?.rules, &step));
                }
                (_, Some(rules)) => self.value(byte, rules, &mut open, &mut next)?,
                (_, None) => return None,
            }
        }
    }

    /// Reads a value, or the bracket that opens it.
    fn value<'r>(
        &mut self,
        byte: u8,
        rules: Vec<&'r [Step]>,
        open: &mut Vec<Open<'r>>,
        next: &mut Option<Vec<&'r [Step]>>,
    ) -> Option<()> {
        let start = self.at;
        let is_container = matches!(byte, b'{' | b'[');
        // Rules that end here, or continue inside a string of this document.
        let is_masked = rules.iter().any(|steps| match steps.first() {
            None => true,
            Some(step) => !is_container || !matches!(step.tag, Tag::Hash | Tag::Array),
        });
        let key = mem::replace(&mut self.key, KeyKind::Other);
        let is_secret = key == KeyKind::Secret || open.last().is_some_and(|open| open.is_secret);
        if is_container {
            self.at += 1;
            let is_object = byte == b'{';
            if !is_object {
                *next = Some(inside(&rules, &Step { tag: Tag::Array, key: Some(Key::Index(0)) }));
            }
            let (names_secret, values) = (false, Vec::new());
            open.push(Open {
                is_object,
                is_secret,
                is_masked,
                start,
                key,
                names_secret,
                values,
                index: 0,
                rules,
            });
            return Some(());
        }
        let text = match byte {
            b'"' => self.string(),
            _ => self.word().map(|()| None)?,
        };
        let place = start..self.at;
        match self.secrets {
            _ if is_masked => self.edits.push(Edit { place, by: masked() }),
            None => {}
            Some((secrets, _)) if is_secret => {
                let by = text.map_or_else(masked, |text| quoted(&secrets.shown(&text)));
                self.edits.push(Edit { place, by });
            }
            Some((secrets, depth)) => {
                let top = open.last_mut();
                match (key, top, &text) {
                    (KeyKind::Name, Some(top), Some(text)) => top.names_secret |= names::is_secret(text),
                    (KeyKind::Value, Some(top), _) => {
                        let by = text.as_ref().map_or_else(masked, |text| quoted(&secrets.shown(text)));
                        top.values.push(Edit { place: place.clone(), by });
                    }
                    _ => {}
                }
                self.edits.extend(self.nested(place, text, (secrets, depth)));
            }
        }
        Some(())
    }

    /// A string with secrets inside it. In one that is malformed, escapes stay as they are.
    fn nested(
        &self,
        place: Range<usize>,
        text: Option<String>,
        (secrets, depth): (&Secrets<'_>, usize),
    ) -> Option<Edit> {
        if let Some(text) = text {
            let shown = secrets.nested(&text, depth + 1);
            return (shown != text).then(|| Edit { place, by: quoted(&shown) });
        }
        let raw = str::from_utf8(self.bytes.get(place.clone())?).ok()?.strip_prefix('"')?;
        let shown = secrets.nested(raw, depth + 1);
        (shown != raw).then(|| Edit { place, by: format!("\"{shown}") })
    }

    /// Masks what is known to be a secret at the end of its bracket.
    fn close(&mut self, top: Open<'_>, parent: Option<&mut Open<'_>>) {
        let place = top.start..self.at;
        if top.is_masked {
            self.edits.push(Edit { place: place.clone(), by: masked() });
        }
        if top.names_secret {
            self.edits.extend(top.values);
        }
        if let Some(parent) = parent.filter(|_| top.key == KeyKind::Value) {
            parent.values.push(Edit { place, by: masked() });
        }
    }

    /// The document with its edits; one inside of another is left out.
    fn edited(mut self) -> Vec<u8> {
        self.edits.sort_by_key(|Edit { place, .. }| (place.start, Reverse(place.end)));
        let mut out = Vec::with_capacity(self.bytes.len());
        let mut copied = 0;
        for Edit { place, by } in self.edits {
            if place.start >= copied {
                out.extend_from_slice(&self.bytes[copied..place.start]);
                out.extend_from_slice(by.as_bytes());
                copied = place.end;
            }
        }
        out.extend_from_slice(&self.bytes[copied..]);
        out
    }

    /// Skips a string and returns its text; a malformed string is skipped, too, with `None`.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return serde_json::from_slice(&self.bytes[start..self.at]).ok();
            }
        }
        self.at = self.bytes.len();
        None
    }

    /// Skips a number or a word.
    fn word(&mut self) -> Option<()> {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = self.bytes[self.at..].iter().take_while(is_part).count();
        self.at += length;
        (length > 0).then_some(())
    }
}

impl KeyKind {
    fn of(name: &str) -> Self {
        match () {
            () if names::is_secret(name) => Self::Secret,
            () if names::is_of_name(name) => Self::Name,
            () if names::is_of_value(name) => Self::Value,
            () => Self::Other,
        }
    }
}

fn masked() -> String {
    quoted(MASK)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The rules that continue inside a step.
fn inside<'r>(rules: &[&'r [Step]], step: &Step) -> Vec<&'r [Step]> {
    let matches = |rule: &Step| rule.tag == step.tag && (rule.key.is_none() || rule.key == step.key);
    let continuing = rules.iter().filter_map(|steps| match steps.split_first() {
        Some((first, rest)) if matches(first) => Some(rest),
        _ => None,
    });
    continuing.collect()
}

/// Names in points are truncated.
fn point_name(name: &str) -> String {
    name.chars().take(100).collect()
}
