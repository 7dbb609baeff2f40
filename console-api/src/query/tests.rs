use super::*;
use proptest::prelude::*;

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

/// The filter of a query.
fn read(text: &str) -> String {
    match Filter::parse(text, now()) {
        Ok(filter) => filter.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn adjacent_conditions_are_a_conjunction() {
    assert_eq!(read("type:sqli  status:blocked"), "type:sqli status:blocked");
    assert_eq!(read("type:sqli AND status:blocked"), "type:sqli status:blocked");
    assert_eq!(Filter::parse("  ", now()), Ok(Filter::All(vec![])));
}

#[test]
fn lists_and_or_are_alternatives() {
    assert_eq!(read("type:sqli,xss host:a"), "(type:sqli OR type:xss) host:a");
    assert_eq!(read("type:sqli host:a OR host:b"), "(type:sqli host:a) OR host:b");
    assert_eq!(read("type:sqli (host:a OR host:b)"), "type:sqli (host:a OR host:b)");
}

#[test]
fn a_negation_applies_to_one_condition_or_group() {
    assert_eq!(read("-ip:10.1.2.3/8 type:xss"), "-ip:10.0.0.0/8 type:xss");
    assert_eq!(read("NOT (host:a OR host:b)"), "-(host:a OR host:b)");
    assert_eq!(read("!-method:post"), "--method:POST");
}

#[test]
fn words_without_a_field_match_anywhere() {
    assert_eq!(read("union \"all select\""), r#""union" "all select""#);
    assert_eq!(read("OReilly ANDroid NOTe"), r#""OReilly" "ANDroid" "NOTe""#);
}

#[test]
fn quotes_and_backslashes_escape_special_characters() {
    assert_eq!(read(r#"parameter:"get > id""#), r#"parameter:"get > id""#);
    assert_eq!(read(r#"payload:"a\"b (c),d""#), r#"payload:"a\"b (c),d""#);
    let exact = Condition::Path(Pattern::exact("/*"));
    assert_eq!(Filter::parse(r"path:/\*", now()), Ok(exact.into()));
    let pattern = Pattern::new([Piece::Text("/".to_owned()), Piece::Any, Piece::One]);
    assert_eq!(Filter::parse("path:/**?", now()), Ok(Condition::Path(pattern).into()));
}

#[test]
fn numbers_compare() {
    assert_eq!(read("hits:>99 blocked:<=5 sources:<3 hits:7"), "hits:>=100 blocked:<=5 sources:<=2 hits:7");
    assert_eq!(read("response:4xx,500..503"), "response:400..499 OR response:500..503");
}

#[test]
fn times_are_days_moments_or_relative() {
    assert_eq!(read("last_seen:-24h"), "last_seen:>=2026-03-09T12:00:00Z");
    assert_eq!(read("first_seen:<-7d"), "first_seen:<2026-03-03T12:00:00Z");
    assert_eq!(read("first_seen:2026-01-31"), "first_seen:2026-01-31T00:00:00Z..2026-01-31T23:59:59.999Z");
    assert_eq!(read("first_seen:>2026-01-31"), "first_seen:>=2026-02-01T00:00:00Z");
}

#[test]
fn addresses_are_single_networks_or_ranges() {
    assert_eq!(read("ip:203.0.113.7,2001:db8::/32"), "ip:203.0.113.7 OR ip:2001:db8::/32");
    assert_eq!(read("ip:10.0.0.1-10.0.0.9"), "ip:10.0.0.1-10.0.0.9");
}

#[test]
fn an_unknown_attack_type_is_an_error_with_a_suggestion_unless_it_is_quoted() {
    let error = |text| read(text).split(';').next().unwrap().to_owned();
    assert_eq!(error("host:a type:sql"), "column 13: `sql` is not an attack type, did you mean `sqli`?");
    assert_eq!(
        error("type:xss,traversal"),
        "column 10: `traversal` is not an attack type such as `sqli`, `xss` or `rce`"
    );
    assert_eq!(read("type:\"of_a_newer_node\""), "type:\"of_a_newer_node\"");
}

#[test]
fn errors_point_at_the_column() {
    let errors = [
        "hosst:a",
        "see http://example.com",
        "hits:many",
        "hits:9..1",
        "type:sqli ip:10.0.0.0/99",
        "status:blocked,gone",
        "request_id:xyz",
        "host:",
        "host:a, host:b",
        "type:\"sqli",
        "(type:sqli",
        "type:sqli)",
        "()",
        "type:sqli OR",
        "OR type:sqli",
        "type:sqli AND OR host:a",
        "-",
        "first_seen:tomorrow",
    ];
    let lines: Vec<_> = errors.iter().map(|text| format!("{text}\n    {}", read(text))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn queries_have_limits() {
    assert_eq!(read(&"(".repeat(100)), "column 33: parentheses and negations go deeper than 32 levels");
    assert_eq!(read(&"a ".repeat(101)), "column 201: there are more than 100 conditions");
    assert_eq!(read(&"a".repeat(4097)), "column 1: the query is longer than 4096 bytes");
}

#[test]
fn the_examples_of_all_fields_are_queries() {
    for field in Field::ALL {
        let filter = Filter::parse(field.example(), now());
        assert!(filter.is_ok(), "{}: {filter:?}", field.name());
        assert!(field.example().contains(&format!("{}:", field.name())));
    }
}

#[test]
fn the_documentation_has_a_row_for_each_field() {
    let page = include_str!("../../../docs/search.md");
    for field in Field::ALL {
        let others: Vec<_> = field.names()[1..].iter().map(|name| format!("`{name}`")).collect();
        let (name, example, about) = (field.name(), field.example(), field.about());
        let row = format!("| `{name}` | {} | `{example}` | {about} |", others.join(", "));
        assert!(page.contains(&row), "docs/search.md lacks: {row}");
    }
}

/// Text that resembles queries.
fn query_like_text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "type:",
        "path:",
        "ip:",
        "hits:",
        "last_seen:",
        "payload:",
        "method:",
        "x:",
        "sqli",
        "/a*",
        "10.0.0.0/8",
        "1..9",
        ">5",
        "-1h",
        "OR",
        "AND",
        "NOT",
        "-",
        "!",
        "(",
        ")",
        ",",
        "\"",
        "\\",
        "?",
        " ",
        " ",
        " ",
        "é",
        ":",
    ]);
    prop::collection::vec(words, 0..14).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn a_printed_filter_parses_to_itself(text in query_like_text()) {
        if let Ok(filter) = Filter::parse(&text, now()) {
            let printed = filter.to_string();
            prop_assert_eq!(Filter::parse(&printed, now()), Ok(filter), "{}", printed);
        }
    }

    #[test]
    fn parses_arbitrary_text_without_panic(text in "\\PC*") {
        if let Err(error) = Filter::parse(&text, now()) {
            prop_assert!(error.column <= text.chars().count() + 1);
        }
    }
}
