//! Statements on the database itself. Their words are prose in other company: they count after a semicolon or a quote.

use crate::token::sql::{Kind, Phrase};

/// Whether a statement begins here that no query of an application would go on with.
pub(super) fn administers(phrase: &Phrase, at: usize) -> bool {
    let (second, third) = (phrase.word(at + 1), phrase.kind(at + 2));
    let follows = at > 0;
    match phrase.word(at) {
        "shutdown" => follows && ends(phrase, at + 1) || second == "with",
        "grant" => within(phrase, at, "on") && within(phrase, at, "to"),
        "revoke" => within(phrase, at, "on") && within(phrase, at, "from"),
        "backup" => matches!(second, "database" | "log") && within(phrase, at, "to"),
        "attach" => second == "database",
        "set" => follows && matches!(second, "global" | "session" | "role" | "names"),
        "prepare" => phrase.word(at + 2) == "from",
        "lock" => second == "tables",
        "flush" => follows && matches!(second, "tables" | "privileges" | "logs" | "hosts"),
        "start" | "begin" => follows && matches!(second, "transaction" | "tran" | "work"),
        "create" => follows && second == "or" && phrase.word(at + 2) == "replace",
        "kill" => follows && phrase.kind(at + 1) == Some(Kind::Number) && ends(phrase, at + 2),
        "desc" | "describe" | "vacuum" => follows && !second.is_empty() && ends(phrase, at + 2),
        "show" => follows && matches!(second, "tables" | "databases" | "grants" | "columns" | "variables"),
        "handler" => phrase.is_word(at + 2, &["open", "read", "close"]),
        "print" => follows && matches!(phrase.kind(at + 1), Some(Kind::Variable | Kind::Text { .. })),
        "dbcc" | "reconfigure" => follows,
        "analyze" => second == "table" && third == Some(Kind::Word),
        _ => false,
    }
}

fn within(phrase: &Phrase, at: usize, word: &str) -> bool {
    (at..at + 12).any(|it| phrase.word(it) == word)
}

fn ends(phrase: &Phrase, at: usize) -> bool {
    phrase.is_end(at) || phrase.kind(at) == Some(Kind::Semicolon)
}
