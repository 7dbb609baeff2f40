//! GraphQL abuse: introspection of the schema, and documents beyond limits of size, depth, aliases
//! or batches.
//!
//! Introspection is an attack by default, as in Wallarm's policy: applications in production do not
//! need it. It counts at a GraphQL endpoint, and anywhere in a parameter `query` that starts like a
//! document.

use super::{Match, ValueContext};
use crate::field::FieldKind;
use shared::{
    AttackType,
    Severity::{self, Low, Medium},
    point::{Key, Tag},
};
use std::ops::Range;

/// Limits of one document. Size and batch are Wallarm's defaults. Its depth (10) and aliases (5)
/// suit an application that was reviewed; these limits admit what benign clients are known to send.
struct Limits {
    document_bytes: usize,
    value_bytes: usize,
    depth: usize,
    aliases: usize,
    batch: u64,
}

const LIMITS: Limits =
    Limits { document_bytes: 100 << 10, value_bytes: 10 << 10, depth: 15, aliases: 30, batch: 10 };

pub(super) fn detect(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Vec<Match<'static>> {
    match kind {
        FieldKind::Name if value.eq_ignore_ascii_case(b"debug") && is_endpoint(context.path) => {
            return vec![matched(AttackType::GraphqlDebug, "gql_debug-parameter", Low, 0..value.len())];
        }
        FieldKind::Value if is_query(context) || is_body(context) => {}
        _ => return Vec::new(),
    }
    let is_endpoint = is_endpoint(context.path);
    if !is_endpoint && (is_body(context) || !opens_document(value)) {
        return Vec::new();
    }
    let shape = Shape::of(value);
    let mut matches = Vec::new();
    if let Some(span) = shape.introspection {
        matches.push(matched(AttackType::GraphqlIntrospection, "gql_introspection-schema", Medium, span));
    }
    if !is_endpoint {
        return matches;
    }
    let whole = 0..value.len();
    let exceeded = [
        (value.len() > LIMITS.document_bytes, AttackType::GraphqlDocumentSize, "gql_doc_size-limit"),
        (shape.longest_value > LIMITS.value_bytes, AttackType::GraphqlValueSize, "gql_value_size-limit"),
        (shape.depth > LIMITS.depth, AttackType::GraphqlDepth, "gql_depth-limit"),
        (shape.aliases > LIMITS.aliases, AttackType::GraphqlAliases, "gql_aliases-limit"),
        (batch_index(context) == Some(LIMITS.batch), AttackType::GraphqlBatch, "gql_docs_per_batch-limit"),
    ];
    let exceeded = exceeded.into_iter().filter(|(is_exceeded, ..)| *is_exceeded);
    matches.extend(exceeded.map(|(_, code, signature)| matched(code, signature, Medium, whole.clone())));
    matches
}

fn matched(
    attack_type: AttackType,
    signature: &'static str,
    severity: Severity,
    span: Range<usize>,
) -> Match<'static> {
    Match { attack_type, signature, severity, span }
}

/// `/graphql`, `/api/v2/graphql`, `/gql`.
fn is_endpoint(path: &str) -> bool {
    let segments = path.rsplit('/').filter(|segment| !segment.is_empty()).take(2);
    segments.map(str::to_ascii_lowercase).any(|it| it == "gql" || it.contains("graphql") || it == "graphiql")
}

fn is_query(context: &ValueContext<'_>) -> bool {
    // Most names differ, and the comparison of names is cheaper.
    let last = || context.point().0.pop().and_then(|step| step.key);
    context.name() == Some("query") && matches!(last(), Some(Key::Name(_)))
}

/// The body itself, as `application/graphql` is sent.
fn is_body(context: &ValueContext<'_>) -> bool {
    context.is_only(&Tag::Post)
}

fn opens_document(value: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[b"{", b"query", b"mutation", b"subscription", b"fragment"];
    let text = value.trim_ascii_start();
    WORDS.iter().any(|word| text.starts_with(word))
}

/// The index of a document in its batch.
fn batch_index(context: &ValueContext<'_>) -> Option<u64> {
    let step = context.point().0.into_iter().find(|step| step.tag == Tag::Array)?;
    match step.key {
        Some(Key::Index(index)) => Some(index),
        _ => None,
    }
}

/// The cost of a document, computed in one pass. Never fails: unclosed brackets count, too.
#[derive(Default)]
struct Shape {
    depth: usize,
    aliases: usize,
    longest_value: usize,
    introspection: Option<Range<usize>>,
}

impl Shape {
    fn of(value: &[u8]) -> Self {
        let mut shape = Self::default();
        let (mut depth, mut brackets, mut at) = (0_usize, 0_usize, 0);
        while let Some(&byte) = value.get(at) {
            let length = match byte {
                b'"' => shape.string(&value[at..]),
                b'#' => memchr::memchr(b'\n', &value[at..]).unwrap_or(value.len() - at),
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => shape.name(&value[at..], at),
                _ => 1,
            };
            match byte {
                b'(' => brackets += 1,
                b')' => brackets = brackets.saturating_sub(1),
                b'{' if brackets == 0 => depth += 1,
                b'}' if brackets == 0 => depth = depth.saturating_sub(1),
                // Inside brackets a colon follows the name of an argument.
                b':' if brackets == 0 && depth > 0 => shape.aliases += 1,
                _ => {}
            }
            shape.depth = shape.depth.max(depth);
            at += length.max(1);
        }
        shape
    }

    /// The length of a string or block string with its quotes.
    fn string(&mut self, rest: &[u8]) -> usize {
        let quotes = if rest.starts_with(b"\"\"\"") { 3 } else { 1 };
        let mut at = quotes;
        while let Some(stop) = rest.get(at..).and_then(|it| memchr::memchr2(b'"', b'\\', it)) {
            at += stop;
            if rest[at] == b'\\' {
                at += 2;
            } else if rest[at..].starts_with(&b"\"\"\""[..quotes]) {
                self.longest_value = self.longest_value.max(at - quotes);
                return at + quotes;
            } else {
                at += 1;
            }
        }
        self.longest_value = self.longest_value.max(rest.len());
        rest.len()
    }

    fn name(&mut self, rest: &[u8], at: usize) -> usize {
        let length = rest.iter().take_while(|it| it.is_ascii_alphanumeric() || **it == b'_').count();
        if self.introspection.is_none() && matches!(&rest[..length], b"__schema" | b"__type") {
            self.introspection = Some(at..at + length);
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Point;

    fn attack_types(path: &str, point: &Point, value: &str) -> Vec<String> {
        let matches = detect(value.as_bytes(), FieldKind::Value, &ValueContext::at(point, path, &[]));
        matches.iter().map(|it| it.attack_type.as_str().to_owned()).collect()
    }

    fn types_at_endpoint(document: &str) -> Vec<String> {
        let point = Point::new(Tag::Post).then(Tag::JsonDoc).named(Tag::Hash, "query");
        attack_types("/api/graphql", &point, document)
    }

    #[test]
    fn finds_introspection_at_an_endpoint() {
        assert_eq!(types_at_endpoint("{ __schema { types { name } } }"), ["gql_introspection"]);
        assert_eq!(
            types_at_endpoint("query { __type(name: \"User\") { fields { name } } }"),
            ["gql_introspection"]
        );
        assert_eq!(types_at_endpoint("{ user(id: 1) { __typename name } }"), [] as [&str; 0]);
        assert_eq!(types_at_endpoint("{ note(text: \"__schema\") { id } } # __schema"), [] as [&str; 0]);
    }

    #[test]
    fn finds_introspection_elsewhere_only_in_a_document() {
        let query = Point::get("query");
        assert_eq!(attack_types("/data", &query, "{__schema{types{name}}}"), ["gql_introspection"]);
        assert_eq!(attack_types("/search", &query, "what is __schema { in GraphQL"), [] as [&str; 0]);
        assert_eq!(attack_types("/post", &Point::get("text"), "{__schema{types{name}}}"), [] as [&str; 0]);
    }

    #[test]
    fn finds_documents_beyond_the_limits() {
        let nested = |depth| format!("{}id{}", "{a".repeat(depth), "}".repeat(depth));
        assert_eq!(types_at_endpoint(&nested(LIMITS.depth)), [] as [&str; 0]);
        assert_eq!(types_at_endpoint(&nested(LIMITS.depth + 1)), ["gql_depth"]);
        let aliased = |count: usize| format!("{{{}}}", "a: login(pin: \"1\", if: {b: 2}) ".repeat(count));
        assert_eq!(types_at_endpoint(&aliased(LIMITS.aliases)), [] as [&str; 0]);
        assert_eq!(types_at_endpoint(&aliased(LIMITS.aliases + 1)), ["gql_aliases"]);
        let long = "x".repeat(LIMITS.value_bytes + 1);
        assert_eq!(types_at_endpoint(&format!("{{ a(b: \"{long}\") }}")), ["gql_value_size"]);
        assert_eq!(types_at_endpoint(&"{ a } ".repeat(20_000)), ["gql_doc_size"]);
    }

    #[test]
    fn finds_a_batch_of_more_than_ten_documents() {
        let at = |index| {
            Point::new(Tag::Post).then(Tag::JsonDoc).indexed(Tag::Array, index).named(Tag::Hash, "query")
        };
        assert_eq!(attack_types("/graphql", &at(LIMITS.batch - 1), "{ a }"), [] as [&str; 0]);
        assert_eq!(attack_types("/graphql", &at(LIMITS.batch), "{ a }"), ["gql_docs_per_batch"]);
    }
}
