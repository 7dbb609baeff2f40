//! Prose, and posts that quote queries.

use super::*;

#[test]
fn passes_prose() {
    for text in [
        "teachers' union select committee",
        "customers' order by phone",
        "I said \"drop table\" as a joke",
        "=A1&\" and \"&B1",
        "24\" or 27\" monitor, 144hz",
        "1/2\" -- 3/4\"",
        "(formerly Foo) as seen from above",
        "known as \"Bob\" from accounting",
        "having fun is great",
        "select * that apply",
        "credit union select account",
        "benchmark (cpu)",
        "supports ascii or unicode (utf-8)",
        "grant access on request",
        "copy from stdin",
        "backup database nightly",
        "user@@example",
        "'tis the season -- to be jolly",
        "rock 'n' roll or 'n' what",
        "f(x) = sin(x) + 1",
        "l'union fait la force",
        "select 'and'",
        "; drop me a line",
    ] {
        assert_eq!(signatures_of(text), [""; 0], "{text}");
    }
}

#[test]
fn passes_quotations_in_posts_but_not_breakouts() {
    let words = "some more words of prose\n".repeat(20);
    for quoted in [
        "with t as (\n  select a from b\n) select * from t where a in (select 1)",
        "create table t (a int);\ninsert into t values ('x');\ndrop table t;",
        "select a from t\nunion all\nselect b from t where x = 'y'",
        "delete from t where a = 1 and (select 2) = 2",
    ] {
        assert_eq!(signatures_of(&format!("{words}\n{quoted}\n\n{words}")), [""; 0], "{quoted}");
    }
    for attack in ["1 and (select 2)=2 --", "x' or 1=1 --", "-1 union select 1,2 --"] {
        assert_ne!(signatures_of(&format!("{attack}\n{words}")), [""; 0], "{attack}");
    }
    for attack in ["x' or '1'='1", "x'; drop table t; --", "x' union select 1,2 --"] {
        assert_ne!(signatures_of(&format!("{words}{attack}")), [""; 0], "{attack}");
    }
}

#[test]
fn passes_posts_that_quote_a_query() {
    let post = format!(
        "How do I do this?\n\n{}\n\n    SELECT a, b FROM t\n\nThanks!",
        "some more words\n".repeat(20)
    );
    assert_eq!(signatures_of(&post), [""; 0]);
}
