//! Administrative statements. Their words also occur in prose, so they count only after a semicolon
//! or a quote.

use crate::token::sql::{TokenKind, TokenStream};

/// Whether an administrative statement begins here, which no query of an application contains.
pub(super) fn administers(stream: &TokenStream, at: usize) -> bool {
    let (second, third) = (stream.word(at + 1), stream.kind(at + 2));
    let follows = at > 0;
    match stream.word(at) {
        "shutdown" => follows && ends(stream, at + 1) || second == "with",
        "grant" => within(stream, at, "on") && within(stream, at, "to"),
        "revoke" => within(stream, at, "on") && within(stream, at, "from"),
        "backup" => matches!(second, "database" | "log") && within(stream, at, "to"),
        "attach" => second == "database",
        "set" => follows && matches!(second, "global" | "session" | "role" | "names"),
        "prepare" => stream.word(at + 2) == "from",
        "lock" => second == "tables",
        "flush" => follows && matches!(second, "tables" | "privileges" | "logs" | "hosts"),
        "start" | "begin" => follows && matches!(second, "transaction" | "tran" | "work"),
        "create" => follows && second == "or" && stream.word(at + 2) == "replace",
        "kill" => follows && stream.kind(at + 1) == Some(TokenKind::Number) && ends(stream, at + 2),
        "desc" | "describe" | "vacuum" => follows && !second.is_empty() && ends(stream, at + 2),
        "show" => follows && matches!(second, "tables" | "databases" | "grants" | "columns" | "variables"),
        "handler" => stream.is_word(at + 2, &["open", "read", "close"]),
        "print" => {
            follows && matches!(stream.kind(at + 1), Some(TokenKind::Variable | TokenKind::Text { .. }))
        }
        "dbcc" | "reconfigure" => follows,
        "analyze" => second == "table" && third == Some(TokenKind::Word),
        _ => false,
    }
}

fn within(stream: &TokenStream, at: usize, word: &str) -> bool {
    (at..at + 12).any(|it| stream.word(it) == word)
}

fn ends(stream: &TokenStream, at: usize) -> bool {
    stream.is_end(at) || stream.kind(at) == Some(TokenKind::Semicolon)
}
