//! Masking of JSON values of any kind. The rest of the document keeps its spelling.

use super::{MASK, names, secrets::Secrets};
use shared::point::{Key, Step, Tag};
use std::mem;

/// Whether a body counts as JSON, well-formed or not.
pub(super) fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start(), [b'{' | b'[' | b'"', ..])
}

/// The masked document; rules begin with `json_doc`. `None` when it is malformed. A truncated
/// document is masked up to its end.
pub(super) fn mask(bytes: &[u8], rules: &[&[Step]], secrets: Option<&Secrets<'_>>) -> Option<Vec<u8>> {
    let rules: Vec<&[Step]> = rules.iter().map(|steps| &steps[1..]).collect();
    let out = Vec::with_capacity(bytes.len());
    let mut scanner = Scanner { bytes, at: 0, copied: 0, out, masking: None, secrets, is_secret: false };
    scanner.document(&rules)?;
    scanner.out.extend_from_slice(&bytes[scanner.copied..]);
    Some(scanner.out)
}

struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    /// The input up to here is copied or masked.
    copied: usize,
    out: Vec<u8>,
    /// A masked bracket with its contents: its depth and start.
    masking: Option<(usize, usize)>,
    /// Absent: only rules mask.
    secrets: Option<&'b Secrets<'b>>,
    /// Whether the name of the next value says that it is a secret.
    is_secret: bool,
}

/// An open bracket, and the rules that continue inside it.
struct Open<'r> {
    is_object: bool,
    /// Whether everything in it is a secret by its name.
    is_secret: bool,
    index: u64,
    rules: Vec<&'r [Step]>,
}

impl Scanner<'_> {
    fn document(&mut self, rules: &[&[Step]]) -> Option<()> {
        let mut open: Vec<Open<'_>> = Vec::new();
        let mut next = Some(rules.to_vec());
        loop {
            self.blanks();
            let Some(&byte) = self.bytes.get(self.at) else {
                // Truncated: the masked value ends with the text.
                if let Some((_, start)) = self.masking {
                    self.replace(start, self.bytes.len());
                }
                return Some(());
            };
            match (byte, next.take()) {
                (b'}' | b']', _) => {
                    self.at += 1;
                    open.pop().filter(|it| it.is_object == (byte == b'}'))?;
                    if let Some((_, start)) = self.masking.take_if(|(depth, _)| *depth == open.len()) {
                        self.replace(start, self.at);
                    }
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
                    self.blanks();
                    match self.bytes.get(self.at) {
                        Some(b':') => self.at += 1,
                        None => continue,
                        Some(_) => return None,
                    }
                    let name = name?;
                    self.is_secret = self.secrets.is_some_and(|_| names::is_secret(&name));
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
        let is_named = rules.iter().any(|steps| match steps.first() {
            None => true,
            Some(step) => !is_container || !matches!(step.tag, Tag::Hash | Tag::Array),
        });
        let is_in_secret = open.last().is_some_and(|open| open.is_secret);
        let is_secret =
            (mem::take(&mut self.is_secret) || is_in_secret) && !is_named && self.masking.is_none();
        let is_masked = is_named && self.masking.is_none();
        if is_container {
            self.at += 1;
            if is_masked {
                self.masking = Some((open.len(), start));
            }
            let is_object = byte == b'{';
            if !is_object {
                *next = Some(inside(&rules, &Step { tag: Tag::Array, key: Some(Key::Index(0)) }));
            }
            open.push(Open { is_object, is_secret, index: 0, rules });
            return Some(());
        }
        let text = match byte {
            b'"' => self.string(),
            _ => self.word().map(|()| None)?,
        };
        match (text, self.secrets) {
            (Some(text), Some(secrets)) if is_secret => {
                let shown = serde_json::to_string(&*secrets.shown(&text)).ok()?;
                self.replace_by(start, self.at, shown.as_bytes());
            }
            _ if is_masked || is_secret => self.replace(start, self.at),
            _ => {}
        }
        Some(())
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

    fn blanks(&mut self) {
        self.at += self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    fn replace(&mut self, start: usize, end: usize) {
        self.replace_by(start, end, format!("\"{MASK}\"").as_bytes());
    }

    fn replace_by(&mut self, start: usize, end: usize, by: &[u8]) {
        self.out.extend_from_slice(&self.bytes[self.copied..start]);
        self.out.extend_from_slice(by);
        self.copied = end;
    }
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
