//! Bodies of each format that consist of records or noise, with one value at a given position.

use super::random::Random;

/// A format, and how a value is placed in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Form,
    Json,
    Xml,
    Graphql,
    /// Fields in a multipart body.
    Field,
    Plain,
    /// JSON without a content type.
    Untyped,
    /// Fields of a form with filler that repeats.
    Padded,
    /// A photo in a multipart body.
    File,
    /// A PDF file.
    Binary,
    Image,
}

/// What an interpreter of a body does with its unseen rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Text that an interpreter reads to its end.
    Text,
    /// The same, and nearly all of it says nothing.
    Padding,
    Data,
}

impl Group {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Padding => "padding",
            Self::Data => "data",
        }
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";

/// A record with a number and a text.
type Record = fn(usize, &str) -> String;

impl Kind {
    pub(super) const ALL: [Self; 11] = [
        Self::Form,
        Self::File,
        Self::Json,
        Self::Binary,
        Self::Xml,
        Self::Image,
        Self::Graphql,
        Self::Field,
        Self::Padded,
        Self::Plain,
        Self::Untyped,
    ];

    pub(super) fn group(self) -> Group {
        match self {
            Self::Padded => Group::Padding,
            Self::File | Self::Binary | Self::Image => Group::Data,
            _ => Group::Text,
        }
    }

    pub(super) fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Form | Self::Padded => Some("application/x-www-form-urlencoded"),
            Self::Json => Some("application/json"),
            Self::Xml => Some("application/xml"),
            Self::Graphql => Some("application/graphql"),
            Self::Field | Self::File => Some("multipart/form-data; boundary=b"),
            Self::Plain => Some("text/plain"),
            Self::Untyped => None,
            Self::Binary => Some("application/octet-stream"),
            Self::Image => Some("image/png"),
        }
    }

    /// A value that is an attack in this format.
    fn attack(self) -> &'static str {
        match self.group() {
            Group::Data => "<?php system($_GET['c']); ?>",
            _ if self == Self::Plain => "<script>alert(document.cookie)</script>",
            _ => "' or 1=1 -- x",
        }
    }

    /// A body of about `length` bytes. The attack, or a benign value, is the first one behind
    /// `position` bytes.
    pub(super) fn body(self, position: usize, length: usize, is_attack: bool) -> Vec<u8> {
        let value = if is_attack { self.attack() } else { "blue" };
        match self {
            Self::File => noise(PNG, &part("name=\"f\"; filename=\"a.png\""), position, length, value),
            Self::Binary => noise(b"%PDF-1.7\n", "", position, length, value),
            Self::Image => noise(PNG, "", position, length, value),
            Self::Padded => padded(position, length, value),
            _ => self.records(position, length, value),
        }
    }

    fn records(self, position: usize, length: usize, value: &str) -> Vec<u8> {
        let (head, record, separator, tail) = self.syntax();
        let (mut body, mut random) = (head.to_owned(), Random::new());
        let mut value = Some(value);
        for number in 1_usize.. {
            let text = value.take_if(|_| body.len() >= position);
            body += &record(number, &text.map_or_else(|| random.sentences(2), str::to_owned));
            if value.is_none() && body.len() + tail.len() >= length {
                break;
            }
            body += separator;
        }
        (body + tail).into_bytes()
    }

    fn syntax(self) -> (&'static str, Record, &'static str, &'static str) {
        match self {
            Self::Form => ("", |n, text| format!("note{n}={}", text.replace(' ', "+")), "&", ""),
            Self::Xml => {
                let record = |n, text: &str| format!("<item id=\"{n}\"><note>{text}</note></item>");
                ("<?xml version=\"1.0\"?><order>", record, "\n", "</order>")
            }
            Self::Graphql => {
                let record = |n, text: &str| format!("{{sku: \"a{n}\", note: \"{text}\"}}");
                ("mutation { save(items: [", record, ", ", "]) { id } }")
            }
            Self::Field => {
                let record = |n, text: &str| part(&format!("name=\"note{n}\"")) + text;
                ("", record, "\r\n", "\r\n--b--\r\n")
            }
            Self::Plain => ("", |_, text| text.to_owned(), "\n", ""),
            _ => {
                let record = |n, text: &str| format!("{{\"sku\":\"a{n}\",\"note\":\"{text}\"}}");
                ("{\"items\":[", record, ",", "]}")
            }
        }
    }
}

fn part(disposition: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n")
}

/// A file that starts with a magic number and continues as compressed data does, alone or behind the
/// head of a part.
fn noise(magic: &[u8], head: &str, position: usize, length: usize, value: &str) -> Vec<u8> {
    let tail: &[u8] = if head.is_empty() { b"" } else { b"\r\n--b--\r\n" };
    let mut random = Random::new();
    let mut body = [head.as_bytes(), magic].concat();
    body.extend(random.bytes(position.saturating_sub(body.len())));
    body.extend(value.bytes());
    body.extend(random.bytes(length.saturating_sub(body.len() + tail.len())));
    body.extend(tail);
    body
}

fn padded(position: usize, length: usize, value: &str) -> Vec<u8> {
    let start = format!("junk={}&q={}&more=", "a".repeat(position), value.replace(' ', "+"));
    let filler = "a".repeat(length.saturating_sub(start.len()));
    (start + &filler).into_bytes()
}
