mod benign;

use super::{
    super::{Detectors, document::is_document},
    *,
};
use crate::{field::FieldKind, prefilter::Bytes};
use std::sync::LazyLock;

static DETECTORS: LazyLock<Detectors> = LazyLock::new(Detectors::built_in);

/// Includes the prefilter, which must pass every hit.
fn detect(text: &str) -> Vec<Match<'static>> {
    let matches = DETECTORS
        .detect(text.as_bytes(), Bytes::of(text.as_bytes()), FieldKind::Value, is_document(text.as_bytes()))
        .into_iter();
    matches.filter(|it| it.attack_type == AttackType::Sqli).collect()
}

fn signatures_of(text: &str) -> Vec<&'static str> {
    detect(text).iter().map(|it| it.signature).collect()
}

#[track_caller]
fn each_has(signature: &str, hits: &[&str], misses: &[&str]) {
    for text in hits {
        assert!(
            signatures_of(text).contains(&signature),
            "{signature} must match {text:?}, which has {:?}",
            signatures_of(text)
        );
    }
    for text in misses {
        assert!(!signatures_of(text).contains(&signature), "{signature} must not match {text:?}");
    }
}

#[test]
fn finds_union_select_in_any_spelling() {
    each_has(
        "sqli-union-select",
        &[
            "1 UNION SELECT 1,2,3",
            "-1/**/union/*x*/all/**/select/**/null",
            "1'/*!50000union*//*!50000select*/1-- -",
            "1) union (select id from users",
            "union/**/select",
            "x' union distinct select user,pass from t#",
        ],
        &["the student union will select a chair", "union jack; select committee", "select union members"],
    );
}

#[test]
fn finds_comparisons_of_constants() {
    each_has(
        "sqli-tautology",
        &[
            "1 or 1=1",
            "' or 'a'='a",
            "1) and (2*3=6",
            "' || 1=1--",
            "1 xor 1 like 1",
            "x where 5=5",
            "1 and (5=6)*5",
            "1' or not 2<>3 #",
            "or a=a",
            "1 and true",
            "1--1 or 1=1",
            "and type = '",
        ],
        &[
            "5 and 6 are numbers",
            "price >= 10 && price <= 20",
            "salt or pepper = taste",
            "status = 1 and type = 2",
            "3 &lt; 4 and 5 > 2",
            "3 < 4 and 5 &gt; 2",
        ],
    );
}

#[test]
fn names_with_apostrophes_and_primes_leave_no_string() {
    each_has(
        "sqli-string-breakout",
        &["' * from = 1 or '9", "' or 3,4,2@!", "' and b=b--"],
        &[
            "a' and b' inverse functions",
            "D'Or--Schmidt",
            "it's 5 = 5 or 'more or less'",
            "the '80s or 3, maybe",
        ],
    );
}

#[test]
fn finds_conditions_after_a_closed_string() {
    each_has(
        "sqli-string-breakout",
        &[
            "' or password like '%",
            "x') or ('1'='1",
            "x' and ascii(substr(a,1,1))>64 --",
            "\" or \"\"=\"",
            "' or true--",
        ],
        &["the boys' and girls' rooms", "don't say 'a' or 'b'", "'foo' or 'bar'", "rock 'n' roll"],
    );
}

#[test]
fn finds_comments_that_hide_the_rest() {
    each_has(
        "sqli-comment-tail",
        &["admin'--", "admin' #", "x')-- -", "a'/*", "root\"--"],
        &["the girls' -- and boys'", "'#2 mom'", "say 'yes' # or no", "it's -- well"],
    );
}

#[test]
fn finds_expressions_that_join_two_strings() {
    each_has(
        "sqli-string-operator",
        &["'='", "x'-0-'", "a'||'b", "' like '", "1'*2-- -", "x'%sleep(5)%'", "'-'", "1'%2%'3"],
        &[
            "\"&\" sign",
            "rock 'n' roll",
            "5'-6' tall people",
            "文件\"%s\"不存在",
            "'%d'件",
            "role \"%s\" is in role \"%s\"",
            "Try \"%s --help\"",
            "home='%userprofile%'",
            "用'-'连接",
        ],
    );
}

#[test]
fn finds_calls_after_a_quote() {
    each_has(
        "sqli-string-call",
        &["'||(select 1)||'", "'+char(65)+'", "'-sleep(3)-'"],
        &["'+more+'", "(it's) (sub)"],
    );
}

#[test]
fn finds_an_expression_with_a_comment() {
    each_has("sqli-expression", &["1 * 1--", "1--", "(1)-1 -- x"], &["see -- below", "2026-01-01", "a -- b"]);
}

#[test]
fn finds_subselects() {
    each_has(
        "sqli-subselect",
        &["1 and (select count(*) from t)>0", "(select(1))", "1-(SELECT a FROM b)"],
        &["(select one of them)", "select (one)"],
    );
}

#[test]
fn finds_stacked_statements_by_their_grammar() {
    each_has(
        "sqli-statement",
        &[
            "1;drop table users",
            "1; exec xp_cmdshell 'dir'",
            "1;insert into t values (1)",
            "1;update t set a=1",
            "1; declare @x int",
            "1;select pg_sleep(9)",
            "1;waitfor delay '0:0:5'",
            "delete from users where id=1",
            "1;call f(1)",
            "drop table users",
            "drop table shop.lamp",
            "drop table if exists t1, t2",
            "drop table `lamp`",
            "drop table lamp cascade",
            "drop table lamp;",
            "drop table lamp --",
            "1;drop table lamp",
            "; drop table lamp",
            "create table lamp (a int)",
            "alter table lamp add wattage int",
        ],
        &[
            "drop table lamp",
            "Drop table lamps, black",
            "drop table lamp with shade",
            "drop table on wheels",
            "create table lamp",
            "select a sofa from our union collection",
            "yes; update me when done",
            "no; drop it",
            "one; select two",
            "delete from here",
            "begin; set; go",
            "do; or do not",
        ],
    );
}

#[test]
fn finds_probing_clauses() {
    each_has(
        "sqli-clause",
        &[
            "1 order by 5",
            "order by 7",
            "1' order by 10-- -",
            "x' having 1=1",
            "1 group by 1,2",
            "1 procedure analyse(1)",
            "x' into outfile '/x'",
        ],
        &[
            "order by phone",
            "order by 5 pm",
            "group by age",
            "having 2 left",
            "in order by name",
            "(this) as that",
        ],
    );
}

#[test]
fn finds_delays() {
    each_has(
        "sqli-delay",
        &[
            "1 and sleep(5)",
            "sleep(5)",
            "1;waitfor delay '0:0:5'",
            "benchmark(1e6,md5(1))",
            "pg_sleep(3)",
            "1 or dbms_pipe.receive_message('a',5)",
        ],
        &["sleep (eight hours) well", "time.sleep(5)", "good sleep (8)", "we waitfor you"],
    );
}

#[test]
fn finds_conditions_that_call_functions() {
    each_has(
        "sqli-condition",
        &["1 and length(user())>3", "1 or exists(select 1)", "1 where ascii(x)=1"],
        &["left or right (you choose)", "now and then"],
    );
}

#[test]
fn finds_server_variables() {
    each_has("sqli-server-variable", &["@@version", "1,@@datadir"], &["@home", "@@", "a@@b"]);
}

#[test]
fn reports_the_payload_from_the_closing_quote_on() {
    let matches = detect("blue' OR 1=1 -- x");
    assert!(matches.iter().any(|it| it.span == (4..12)), "{matches:?}");
}

#[test]
fn suffixes_of_operands_hide_no_condition() {
    for count in [1, 4, 5, 7, 8, 9, 20, 1_000] {
        for suffix in [
            " collate x",
            " collate \"a b\"",
            " collate a.b.c",
            "::int",
            "::numeric(9, 2)",
            "::text collate x",
            " at time zone 'utc'",
            " isnull",
            " notnull collate x::int",
            "[1]",
            "::int[1] collate x",
        ] {
            let suffix = suffix.repeat(count);
            for attack in [
                format!("' or 1{suffix}=1-- "),
                format!("1 or 1=1{suffix}"),
                format!("x') or ('a'{suffix}='a"),
                format!("1 and name{suffix} like 'a%'"),
                format!("x'{suffix}='x"),
                format!("x'{suffix} or x{suffix}=x-- "),
            ] {
                assert_ne!(signatures_of(&attack), [""; 0], "{count}: {}", &attack[..attack.len().min(60)]);
            }
        }
    }
    for benign in [
        "we collate x and meet at time zone 'utc', or 1 of us does",
        "'a' collate and 'b' isnull",
        "collate the pages or fold them, at time of need",
    ] {
        assert_eq!(signatures_of(benign), [""; 0], "{benign}");
    }
}

#[test]
fn control_bytes_do_not_hide_an_injection() {
    for padding in ["\u{1}\u{2}x", "\0", "\u{1f}"] {
        let padding = padding.repeat(1_100);
        assert_ne!(signatures_of(&format!("{padding}' or 1=1")), [""; 0]);
        assert_ne!(signatures_of(&format!("' or 1=1 -- {padding}")), [""; 0]);
    }
    assert_eq!(signatures_of(&"'\u{1}or\u{2}1=1 \u{1}'||\u{3}".repeat(100)), [""; 0]);
    assert_ne!(signatures_of("'\u{1f}or\u{1f}1=1"), [""; 0]);
}

#[test]
fn finds_single_calls() {
    each_has(
        "sqli-function-call",
        &["version()", "CHAR(65)", "unhex("],
        &["see version() there", "left (hand)", "f(x)"],
    );
}

#[test]
fn separates_words_by_comments_on_lines_of_their_own() {
    each_has(
        "sqli-union-select",
        &["-1 #x\nunion -- y\nselect 1", "-1#\nunion", "7/1/**/union#--"],
        &["local 12 union", "# union\nselect a title"],
    );
    each_has("sqli-tautology", &["1#\nor#\n2=2"], &["1#\nor two"]);
}

#[test]
fn finds_constants_with_casts_and_typographic_quotes() {
    each_has(
        "sqli-tautology",
        &["1 or '1'::text='1'::text", "x\u{2019} or \u{2019}a\u{2019}=\u{2019}a\u{2019}#"],
        &["\u{2018}this\u{2019} or \u{2018}that\u{2019}"],
    );
}

#[test]
fn finds_conditions_after_a_number() {
    each_has(
        "sqli-number-condition",
        &["1 or name like '%'", "1 || uid is not null", "3 and 1=system_user", "(1) or id in (1)"],
        &["2 or more = cheap", "10 and above", "5 or 6 is fine", "a or b = 1"],
    );
}

#[test]
fn finds_values_that_compare_constants() {
    each_has(
        "sqli-comparison",
        &["1=1", "7!=70", "x,1=1", "'a'<>'b"],
        &["3=0", "a=a", "1==x", "2+2=4", "1=100%"],
    );
}

#[test]
fn finds_case_expressions() {
    each_has(
        "sqli-case",
        &[
            "case when 1=1 then 2 end",
            "case cos(4) when 9 then 7 end",
            "x) when 4 then 5",
            "case when a then b",
        ],
        &["in case when needed then call", "case when you come", "when 2 then 3"],
    );
}

#[test]
fn finds_any_condition_before_a_comment() {
    each_has(
        "sqli-string-breakout",
        &[
            "' is not?--",
            "x' collate nocase--",
            "x' and id notnull--",
            "' or 1=",
            "' xor abc!",
            "'or'a='a",
            "x' or f (a);",
            "k` or 1=1 #",
        ],
        &["the boys' and girls' --", "say 'and'", "5\" or 6", "girls' or boys; both", "use `a` or `b`"],
    );
}

#[test]
fn finds_statements_after_a_number_or_a_quote() {
    each_has(
        "sqli-statement",
        &[
            "1 drop table t;--",
            "1 waitfor delay '0:0:9'",
            "1 exec xp_x",
            "1; desc t",
            "1;attach database 'a' as b",
            "1;kill 7",
        ],
        &[
            "5 drop off points",
            "3 update me",
            "1; use it",
            "eat; show me",
            "create user accounts for all",
            "create index page",
        ],
    );
    each_has(
        "sqli-string-statement",
        &["x'declare @a int", "9' delete from t", "'; drop t", "'select x"],
        &["kids' drop off", "the club's union", "'select all' button"],
    );
}

#[test]
fn finds_fragments_that_are_the_whole_value() {
    each_has(
        "sqli-fragment-condition",
        &["and 7=(", "|| x == '", "xor 2 <", "AND (n = \"", "or a="],
        &["and x", "or maybe = not", "and <b>so</b>", "and 5 more"],
    );
    each_has(
        "sqli-fragment-operator",
        &["||", "<=>", "is not null", "in (0,1)", "||6"],
        &["<<", "->", ">=", "in (some)", "is it null?"],
    );
    each_has(
        "sqli-fragment-call",
        &["cos(", "concat (", "length||!!$(", "Time("],
        &["time (now)", "f(", "at that time (", "(now"],
    );
    each_has(
        "sqli-fragment-statement",
        &["; drop", ";update t"],
        &["; and so on", ";)", "; update me when it is done, please"],
    );
    each_has(
        "sqli-fragment-query",
        &["from `a`.`b` limit", "from t group by x", "values ('a', 1)", "a&b=(select", "/3 or "],
        &["from here where we are", "from x order by y", "values (our) matter", "and/or"],
    );
    each_has("sqli-fragment-pattern", &["name like '", ")like("], &["I would like '", "like this"]);
}

#[test]
fn finds_nested_calls() {
    each_has(
        "sqli-function-call",
        &["charset(user())", "1+ascii(substr(a,1,1))-9", "hex(version()) >> 6"],
        &["sqrt(abs(x))", "2*max(min(a,b),c)", "item(s)", "now()"],
    );
}

proptest::proptest! {
    #[test]
    fn rules_match_only_at_tokens_with_which_they_may_begin(
        words in proptest::collection::vec(
            "(and|or|xor|where|1|a|null|not|is|in|like|select|from|union|all|order by|group|case|when|then|end|;|,|=|drop|table|declare|set|update|into outfile|as|limit|having|procedure analyse|sleep|waitfor delay|count|\\(|\\)|'|\"|@@version|@x|&&|--|exec|xp_x|minus) ?",
            0..14,
        ),
    ) {
        let value = words.concat();
        for opening in [Opening::Bare, Opening::Quoted(b'\''), Opening::Quoted(b'"')] {
            let stream = TokenStream::new(value.as_bytes(), opening);
            let context = ParseContext { stream, opening, is_document: false };
            for at in 1..context.stream.len() {
                let (kind, word) = (context.stream.kind(at).unwrap(), context.stream.word_bytes(at));
                for (begins, rule) in RULES {
                    proptest::prop_assert!(begins(kind, word) || rule(&context, at).is_none(), "{value} at {at}");
                }
            }
        }
    }
}
