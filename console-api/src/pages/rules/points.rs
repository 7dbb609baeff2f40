//! Points as text, one per line: `post > json_doc > hash:query`.

use crate::error::ApiError;
use shared::{
    Point,
    point::{Key, Step, Tag},
    ruleset::Points,
};

const SEPARATOR: &str = " > ";

/// Steps whose key is a position.
const POSITIONS: [Tag; 2] = [Tag::Array, Tag::Path];

/// The points as text. `None` if the text would not be read as the same points.
pub(super) fn text(points: &Points) -> Option<String> {
    let text = points.iter().map(line).collect::<Vec<_>>().join("\n");
    parse(&text).is_ok_and(|read| read == *points).then_some(text)
}

/// A point on one line.
pub(super) fn line(point: &Point) -> String {
    let step = |step: &Step| match &step.key {
        None => step.tag.to_string(),
        Some(Key::Name(name)) => format!("{}:{name}", step.tag),
        Some(Key::Index(index)) => format!("{}:{index}", step.tag),
    };
    point.0.iter().map(step).collect::<Vec<_>>().join(SEPARATOR)
}

pub(super) fn parse(text: &str) -> Result<Points, ApiError> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(point).collect()
}

fn point(line: &str) -> Result<Point, ApiError> {
    let mut steps: Vec<Step> = Vec::new();
    for part in line.split(SEPARATOR) {
        let (tag, key) = part.split_once(':').map_or((part, None), |(tag, key)| (tag, Some(key)));
        match (steps.as_mut_slice(), Tag::from(tag)) {
            // As hits show it: `get > id`.
            ([Step { key: first @ None, .. }], Tag::Other(_)) => *first = Some(Key::Name(part.to_owned())),
            (_, Tag::Other(tag)) => {
                let detail = format!(
                    "`points`: `{tag}` is not a step; write `get:id` or `post > json_doc > hash:name`"
                );
                return Err(ApiError::parameter("points", detail));
            }
            (_, tag) => steps.push(Step { key: key.map(|key| self::key(&tag, key)), tag }),
        }
    }
    if let [Step { tag: Tag::Header, key: Some(Key::Name(name)) }, ..] = steps.as_mut_slice() {
        name.make_ascii_uppercase();
    }
    Ok(Point(steps))
}

fn key(tag: &Tag, key: &str) -> Key {
    let position = key.parse().ok().filter(|_| POSITIONS.contains(tag));
    position.map_or_else(|| Key::Name(key.to_owned()), Key::Index)
}

/// The points in words: "query parameter “id” or header “REFERER”".
pub(super) fn in_words(points: &Points) -> String {
    points.iter().map(point_in_words).collect::<Vec<_>>().join(" or ")
}

fn point_in_words(point: &Point) -> String {
    let tags: Vec<&Tag> = point.0.iter().map(|step| &step.tag).collect();
    let keys: Vec<String> = point
        .0
        .iter()
        .filter_map(|step| match &step.key {
            Some(Key::Name(name)) => Some(name.clone()),
            Some(Key::Index(index)) => Some(index.to_string()),
            None => None,
        })
        .collect();
    let has_keys = !keys.is_empty();
    let key = keys.join(".");
    match tags.as_slice() {
        [Tag::Get] if has_keys => format!("query parameter “{key}”"),
        [Tag::Get] => "all query parameters".to_owned(),
        [Tag::Get, Tag::Name] => "names of query parameters".to_owned(),
        [Tag::Header] if has_keys => format!("header “{key}”"),
        [Tag::Header] => "all headers".to_owned(),
        [Tag::Cookie] | [Tag::Header, Tag::Cookie] if has_keys => {
            format!("cookie “{}”", keys.last().map_or("", String::as_str))
        }
        [Tag::Uri] => "the URI".to_owned(),
        [Tag::Path] if has_keys => format!("path segment {key}"),
        [Tag::Post] => "the body".to_owned(),
        [Tag::Post, Tag::FormUrlencoded] if has_keys => format!("form field “{key}”"),
        [Tag::Post, Tag::Multipart] if has_keys => format!("multipart field “{key}”"),
        [Tag::Post, Tag::JsonDoc, fields @ ..]
            if has_keys && fields.iter().all(|tag| matches!(tag, Tag::Hash | Tag::Array)) =>
        {
            format!("JSON field “{key}”")
        }
        _ => format!("“{}”", line(point)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_reads_as_it_is_written() {
        for text in [
            "get:id",
            "get > name",
            "header:X-API-KEY",
            "post > json_doc > hash:users > array:0",
            "path:2",
            "uri",
            "post > form_urlencoded:a:b",
        ] {
            let points = parse(text).unwrap();
            assert_eq!(self::text(&points).as_deref(), Some(text));
        }
        assert_eq!(parse("header > referer").unwrap(), [Point::header("REFERER")]);
        assert_eq!(parse("get > id").unwrap(), [Point::get("id")]);
        assert_eq!(parse(" \n").unwrap(), Points::new());
        assert!(parse("body:x").is_err() && parse("post > nowhere:x > y").is_err());
        // Only JSON has it.
        assert_eq!(self::text(&vec![Point::get("a > b")]), None);
    }

    #[test]
    fn points_are_described_in_words() {
        for (text, words) in [
            ("get:id", "query parameter “id”"),
            ("post > json_doc > hash:users > array:0 > hash:name", "JSON field “users.0.name”"),
            ("header:REFERER\nuri", "header “REFERER” or the URI"),
            ("get:q > base64", "“get:q > base64”"),
        ] {
            assert_eq!(in_words(&parse(text).unwrap()), words);
        }
    }
}
