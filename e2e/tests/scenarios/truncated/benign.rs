//! Bodies of common programs: what a CMS saves, exports, GraphQL, logs, uploads.

use super::{bodies::Group, random::Random};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

/// A body of at least this many bytes.
type Grow = fn(&mut Random, usize) -> Vec<u8>;

pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) content_type: &'static str,
    pub(super) group: Group,
    grow: Grow,
}

impl Family {
    pub(super) fn body(&self, length: usize) -> Vec<u8> {
        (self.grow)(&mut Random::new(), length)
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=----form8f3a2c6be1d94075";

const fn text(name: &'static str, content_type: &'static str, grow: Grow) -> Family {
    Family { name, content_type, group: Group::Text, grow }
}

const fn data(name: &'static str, content_type: &'static str, grow: Grow) -> Family {
    Family { name, content_type, group: Group::Data, grow }
}

pub(super) const FAMILIES: [Family; 14] = [
    text("page of a CMS, form", FORM, |random, length| {
        let encoded = |random: &mut Random| paragraph(random).bytes().map(percent_encoded).collect();
        let tail = "&action=editpost&post_status=draft";
        repeated(random, length, "post_title=A+winter+garden&content=", encoded, "%0A%0A", tail)
    }),
    text("page of a CMS, JSON", JSON, |random, length| {
        let quoted = |random: &mut Random| json!(paragraph(random)).to_string().trim_matches('"').to_owned();
        repeated(random, length, "{\"id\":1042,\"content\":\"", quoted, "\\n\\n", "\",\"status\":\"draft\"}")
    }),
    text("page of a CMS, multipart", MULTIPART, |random, length| {
        let page = repeated(random, length, "", paragraph, "\n\n", "");
        parts(&[("name=\"title\"", "A winter garden".into()), ("name=\"body\"", page)])
    }),
    text("export, JSON", JSON, |random, length| repeated(random, length, "[", row, ",", "]")),
    text("export, XML", "application/xml", |random, length| {
        repeated(
            random,
            length,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<orders>\n",
            order,
            "\n",
            "\n</orders>",
        )
    }),
    text("export, CSV", "text/csv", |random, length| {
        repeated(random, length, "id,name,price,note\r\n", line, "\r\n", "\r\n")
    }),
    text("GraphQL mutation", JSON, |random, length| {
        let query =
            "mutation Save($items: [ItemInput!]!) {\n  saveItems(items: $items) { id errors { field } }\n}";
        let head =
            format!("{{\"operationName\":\"Save\",\"query\":{},\"variables\":{{\"items\":[", json!(query));
        repeated(random, length, &head, row, ",", "]}}")
    }),
    text("log lines, JSON in JSON", JSON, |random, length| {
        repeated(random, length, "{\"streams\":[{\"values\":[", log, ",", "]}]}")
    }),
    text("photo in JSON", JSON, |random, length| {
        let photo = BASE64_STANDARD.encode(photo(random, length * 3 / 4));
        json!({ "alt": random.words(3), "src": format!("data:image/jpeg;base64,{photo}") }).to_string().into()
    }),
    text("notes with code", "text/plain", |random, length| {
        repeated(random, length, "# Notes\n\n", note, "\n\n", "\n")
    }),
    data("photo, multipart", MULTIPART, |random, length| {
        let photo = photo(random, length);
        parts(&[
            ("name=\"caption\"", random.words(6).into()),
            ("name=\"f\"; filename=\"IMG_1042.jpg\"", photo),
        ])
    }),
    data("table, multipart", MULTIPART, |random, length| {
        let table = repeated(random, length, "id,name,price,note\r\n", line, "\r\n", "\r\n");
        parts(&[("name=\"f\"; filename=\"orders.csv\"", table)])
    }),
    data("photo", "image/jpeg", photo),
    data("chunk of an upload", "application/octet-stream", Random::bytes),
];

fn repeated(
    random: &mut Random,
    length: usize,
    head: &str,
    item: fn(&mut Random) -> String,
    separator: &str,
    tail: &str,
) -> Vec<u8> {
    let mut text = format!("{head}{}", item(random));
    while text.len() + tail.len() < length {
        text += separator;
        text += &item(random);
    }
    (text + tail).into_bytes()
}

/// As block editors save it.
fn paragraph(random: &mut Random) -> String {
    let (class, id) = (random.word(), random.below(9999));
    format!(
        "<!-- wp:paragraph -->\n<p class=\"has-{class}-color\" style=\"text-align: left\">{} <a href=\"/{}?page={id}#top\">{}\
         </a> isn't &amp; won't be.</p>\n<!-- /wp:paragraph -->\n<figure class=\"wp-block-image\"><img \
         src=\"https://shop.example.com/uploads/2026/11/{class}-{id}.jpg\" alt=\"{}\"/></figure>",
        random.sentences(2),
        random.word(),
        random.words(2),
        random.words(3)
    )
}

fn row(random: &mut Random) -> String {
    let mail = format!("{}.{}@example.com", random.word(), random.below(9999));
    let created = format!("2026-11-{:02}T12:34:56Z", 1 + random.below(30));
    let (id, name, note) = (random.below(1_000_000), random.words(2), random.sentences(2));
    json!({ "id": id, "name": name, "email": mail, "created_at": created, "note": note, "tags": [], "parent": null })
        .to_string()
}

fn order(random: &mut Random) -> String {
    let (id, price) = (random.below(1_000_000), random.below(10_000));
    let (name, note) = (random.words(2), random.sentences(1));
    format!(
        "  <order id=\"{id}\">\n    <name>{name}</name>\n    <price>{price}</price>\n    <note>{note}</note>\n  </order>"
    )
}

fn line(random: &mut Random) -> String {
    let (id, price) = (random.below(1_000_000), random.below(10_000));
    format!("{id},{},{}.{:02},\"{}\"", random.words(2), price / 100, price % 100, random.sentences(1))
}

fn log(random: &mut Random) -> String {
    let context = json!({ "order": random.below(100_000), "note": random.sentences(1) }).to_string();
    let path = format!("/{}?id={}", random.word(), random.below(9999));
    let line = json!({ "level": "info", "msg": random.sentences(1), "path": path, "ctx": context });
    json!([random.below(u64::MAX).to_string(), line.to_string()]).to_string()
}

fn note(random: &mut Random) -> String {
    let (name, limit) = (random.word(), random.below(99));
    format!(
        "{}\n\n```js\nconst {name} = items.filter((it) => it.price > {limit} && !it.hidden);\n```",
        random.sentences(3)
    )
}

fn photo(random: &mut Random, length: usize) -> Vec<u8> {
    [b"\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01".as_slice(), &random.bytes(length)].concat()
}

fn parts(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let delimiter = "------form8f3a2c6be1d94075";
    let mut body = Vec::new();
    for (disposition, content) in parts {
        let head = format!("{delimiter}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(format!("{delimiter}--\r\n").bytes());
    body
}

fn percent_encoded(byte: u8) -> String {
    match byte {
        b' ' => "+".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}
