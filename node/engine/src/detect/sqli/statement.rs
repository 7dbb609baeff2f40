//! Queries and clauses inside a value.

use super::{
    ParseContext, RuleMatch,
    select_list::{Ending, SelectList},
};
use crate::{
    token::sql::{Opening, Shape, TokenKind, TokenStream},
    words::WORDS,
};
use shared::Severity::{Critical, High};

/// `union [all|distinct] select` and a list that is not prose.
pub(super) fn union_select(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    if !stream.is_word(at, &["union", "intersect", "except", "minus"]) {
        return None;
    }
    if let Some(end) = last_word(context, at) {
        return Some(RuleMatch { signature: "sqli-union-select", severity: Critical, tokens: 0..end });
    }
    let next = at + 1 + usize::from(stream.is_word(at + 1, &["all", "distinct", "distinctrow"]));
    let select = stream.skip(next, TokenKind::Open);
    let list =
        stream.is_word(select, &["select", "values", "table"]).then(|| SelectList::read(stream, select))?;
    let after_value = at > 0
        && matches!(
            stream.kind(at - 1),
            Some(TokenKind::Number | TokenKind::Text { .. } | TokenKind::Close | TokenKind::Variable)
        )
        || stream.is_comment(at);
    // `the teachers' union select a chair`.
    let is_prose =
        context.opening != Opening::Bare && select + 1 < stream.len() && !stream.is_comment(list.end);
    let begins = at == 0 && (select + 1 == stream.len() || list.has_from());
    let is_evident = list.has_punctuation || list.ending == (Ending::From { whole: true });
    let is_injection = is_evident || after_value && !is_prose || begins;
    is_injection.then(|| RuleMatch {
        signature: "sqli-union-select",
        severity: Critical,
        tokens: context.start(at)..list.end,
    })
}

/// `-1 union`: a probe of a filter.
fn last_word(context: &ParseContext, at: usize) -> Option<usize> {
    let stream = &context.stream;
    let is_last = stream.is_end(at + 1) && at + 2 >= stream.len();
    let holds = is_last && context.opening == Opening::Bare && stream.word(at) == "union";
    (holds && stream.is_numeric_until(at)).then_some(at + 1)
}

/// `(select …` with a real select list.
pub(super) fn subselect(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    if stream.kind(at) != Some(TokenKind::Open) || stream.word(at + 1) != "select" {
        return None;
    }
    let list = SelectList::read(stream, at + 1);
    list.is_evident().then(|| RuleMatch {
        signature: "sqli-subselect",
        severity: High,
        tokens: at..list.end.max(stream.after_group(at)),
    })
}

/// `select a, b from t`: prose has the words but not the punctuation.
pub(super) fn select_from(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    if stream.word(at) != "select" || context.is_document {
        return None;
    }
    let list = SelectList::read(stream, at);
    let is_evident = list.has_punctuation && (list.has_from() || list.has_call);
    is_evident.then_some(RuleMatch { signature: "sqli-select", severity: High, tokens: at..list.end })
}

/// `order by 5`, `having 1=1`, `group by x having`, `limit 1,1`, `procedure analyse`.
pub(super) fn probe(context: &ParseContext, at: usize) -> Option<RuleMatch> {
    let stream = &context.stream;
    let end = match (stream.word(at), stream.word(at + 1)) {
        ("order" | "group", "by") => after_by(context, at)?,
        ("having", _) => after_having(stream, at + 1)?,
        ("procedure", "analyse" | "analyze") if stream.kind(at + 2) == Some(TokenKind::Open) => {
            stream.after_group(at + 2)
        }
        ("into", "outfile" | "dumpfile") => at + 3,
        ("into", _) if stream.kind(at + 1) == Some(TokenKind::Variable) && stream.is_numeric_until(at) => {
            at + 2
        }
        ("limit", _) if stream.is_numeric_until(at) && stream.kind(at + 1) == Some(TokenKind::Number) => {
            let next = at + 2;
            let continues =
                stream.kind(next) == Some(TokenKind::Comma) || stream.is_word(next, &["offset", "into"]);
            (continues || stream.is_comment(next)).then_some(next)?
        }
        ("as", _) if !context.is_document => after_alias(stream, at)?,
        ("from", _) if !context.is_document && at > 0 && stream.kind(at - 1) == Some(TokenKind::Close) => {
            let table = stream.operand(at + 1).filter(|_| stream.is_numeric_until(at))?;
            stream.operand(table.end + 1).filter(|_| stream.word(table.end) == "where")?.end
        }
        _ => return None,
    };
    Some(RuleMatch { signature: "sqli-clause", severity: High, tokens: context.start(at)..end })
}

/// `having 1=1`, `having (1 or true)`, `having true`.
fn after_having(stream: &TokenStream, at: usize) -> Option<usize> {
    let group = stream.kind(at) == Some(TokenKind::Open)
        && stream.operand(at + 1).is_some_and(|it| it.shape == Shape::Literal && stream.is_logic(it.end));
    let is_truth_value = stream.is_word(at, &["true", "false"]);
    stream.condition(at).or((group || is_truth_value).then(|| stream.after_group(at)))
}

/// `) as x from t`: the end of a subquery or a column of the statement. Prose has quoted names,
/// too.
fn after_alias(stream: &TokenStream, at: usize) -> Option<usize> {
    let before = stream.kind(at.checked_sub(1)?)?;
    let named = match before {
        TokenKind::Close if stream.closes_foreign(at - 1) => {
            !stream.word(at + 1).is_empty() || stream.kind(at + 1) == Some(TokenKind::Name)
        }
        TokenKind::Number => {
            at == 1 && matches!(stream.kind(2), Some(TokenKind::Text { .. } | TokenKind::Name))
        }
        _ => false,
    };
    (named && stream.is_word(at + 2, &["from", "where"])).then_some(at + 3)
}

/// A number to sort by, after a breakout or before a comment.
fn after_by(context: &ParseContext, at: usize) -> Option<usize> {
    let stream = &context.stream;
    let column = stream.operand(at + 2)?;
    let after_value = at > 0
        && matches!(
            stream.kind(at - 1),
            Some(
                TokenKind::Number
                    | TokenKind::Text { .. }
                    | TokenKind::Close
                    | TokenKind::Variable
                    | TokenKind::Arithmetic
            )
        );
    let hides_rest = stream.is_comment(column.end);
    let counted =
        matches!(column.shape, Shape::Literal | Shape::Group) || stream.calls(at + 2, &WORDS.sqli.functions);
    let is_all = at == 0 && stream.kind(column.end).is_none() && column.shape == Shape::Literal;
    (after_value && (counted || hides_rest) || counted && hides_rest || is_all)
        .then_some(column.end + usize::from(hides_rest))
}
