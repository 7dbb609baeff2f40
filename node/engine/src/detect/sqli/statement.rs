//! Queries and clauses inside a value.

use super::{
    Evidence, Reading,
    select_list::{Ending, SelectList},
};
use crate::{
    token::sql::{Kind, Opening, Phrase, Shape},
    words::WORDS,
};
use shared::Severity::{Critical, High};

/// `union [all|distinct] select` and a list that is no prose.
pub(super) fn union_select(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if !phrase.is_word(at, &["union", "intersect", "except", "minus"]) {
        return None;
    }
    if let Some(end) = last_word(reading, at) {
        return Some(Evidence { signature: "sqli-union-select", severity: Critical, tokens: 0..end });
    }
    let next = at + 1 + usize::from(phrase.is_word(at + 1, &["all", "distinct", "distinctrow"]));
    let select = phrase.skip(next, Kind::Open);
    let list =
        phrase.is_word(select, &["select", "values", "table"]).then(|| SelectList::read(phrase, select))?;
    let after_value = at > 0
        && matches!(
            phrase.kind(at - 1),
            Some(Kind::Number | Kind::Text { .. } | Kind::Close | Kind::Variable)
        )
        || phrase.is_comment(at);
    // `the teachers' union select a chair`.
    let is_prose =
        reading.opening != Opening::Bare && select + 1 < phrase.len() && !phrase.is_comment(list.end);
    let begins = at == 0 && (select + 1 == phrase.len() || list.has_from());
    let telling = list.has_punctuation || list.ending == (Ending::From { whole: true });
    let evidenced = telling || after_value && !is_prose || begins;
    evidenced.then(|| Evidence {
        signature: "sqli-union-select",
        severity: Critical,
        tokens: reading.start(at)..list.end,
    })
}

/// `-1 union`: a probe for what a filter lets through.
fn last_word(reading: &Reading, at: usize) -> Option<usize> {
    let phrase = &reading.phrase;
    let is_last = phrase.is_end(at + 1) && at + 2 >= phrase.len();
    let holds = is_last && reading.opening == Opening::Bare && phrase.word(at) == "union";
    (holds && phrase.is_numeric_until(at)).then_some(at + 1)
}

/// `(select …` with a real select list.
pub(super) fn subselect(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if phrase.kind(at) != Some(Kind::Open) || phrase.word(at + 1) != "select" {
        return None;
    }
    let list = SelectList::read(phrase, at + 1);
    list.is_evident().then(|| Evidence {
        signature: "sqli-subselect",
        severity: High,
        tokens: at..list.end.max(phrase.after_group(at)),
    })
}

/// `select a, b from t`: prose has the words, but not the punctuation.
pub(super) fn select_from(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    if phrase.word(at) != "select" || reading.is_document {
        return None;
    }
    let list = SelectList::read(phrase, at);
    let telling = list.has_punctuation && (list.has_from() || list.has_call);
    telling.then_some(Evidence { signature: "sqli-select", severity: High, tokens: at..list.end })
}

/// `order by 5`, `having 1=1`, `group by x having`, `limit 1,1`, `procedure analyse`.
pub(super) fn probe(reading: &Reading, at: usize) -> Option<Evidence> {
    let phrase = &reading.phrase;
    let end = match (phrase.word(at), phrase.word(at + 1)) {
        ("order" | "group", "by") => after_by(reading, at)?,
        ("having", _) => after_having(phrase, at + 1)?,
        ("procedure", "analyse" | "analyze") if phrase.kind(at + 2) == Some(Kind::Open) => {
            phrase.after_group(at + 2)
        }
        ("into", "outfile" | "dumpfile") => at + 3,
        ("into", _) if phrase.kind(at + 1) == Some(Kind::Variable) && phrase.is_numeric_until(at) => at + 2,
        ("limit", _) if phrase.is_numeric_until(at) && phrase.kind(at + 1) == Some(Kind::Number) => {
            let next = at + 2;
            let goes_on = phrase.kind(next) == Some(Kind::Comma) || phrase.is_word(next, &["offset", "into"]);
            (goes_on || phrase.is_comment(next)).then_some(next)?
        }
        ("as", _) if !reading.is_document => after_alias(phrase, at)?,
        ("from", _) if !reading.is_document && at > 0 && phrase.kind(at - 1) == Some(Kind::Close) => {
            let table = phrase.operand(at + 1).filter(|_| phrase.is_numeric_until(at))?;
            phrase.operand(table.end + 1).filter(|_| phrase.word(table.end) == "where")?.end
        }
        _ => return None,
    };
    Some(Evidence { signature: "sqli-clause", severity: High, tokens: reading.start(at)..end })
}

/// `having 1=1`, `having (1 or true)`, `having true`.
fn after_having(phrase: &Phrase, at: usize) -> Option<usize> {
    let group = phrase.kind(at) == Some(Kind::Open)
        && phrase.operand(at + 1).is_some_and(|it| it.shape == Shape::Literal && phrase.is_logic(it.end));
    let truth = phrase.is_word(at, &["true", "false"]);
    phrase.condition(at).or((group || truth).then(|| phrase.after_group(at)))
}

/// `) as x from t`: what closes a subquery that is not ours, or a column. Prose has names in quotes, too.
fn after_alias(phrase: &Phrase, at: usize) -> Option<usize> {
    let before = phrase.kind(at.checked_sub(1)?)?;
    let named = match before {
        Kind::Close if phrase.closes_foreign(at - 1) => {
            !phrase.word(at + 1).is_empty() || phrase.kind(at + 1) == Some(Kind::Name)
        }
        Kind::Number => at == 1 && matches!(phrase.kind(2), Some(Kind::Text { .. } | Kind::Name)),
        _ => false,
    };
    (named && phrase.is_word(at + 2, &["from", "where"])).then_some(at + 3)
}

/// Numbers to sort by, after something that was broken out of or that is swallowed by a comment.
fn after_by(reading: &Reading, at: usize) -> Option<usize> {
    let phrase = &reading.phrase;
    let column = phrase.operand(at + 2)?;
    let after_value = at > 0
        && matches!(
            phrase.kind(at - 1),
            Some(Kind::Number | Kind::Text { .. } | Kind::Close | Kind::Variable | Kind::Arithmetic)
        );
    let swallows = phrase.is_comment(column.end);
    let counted =
        matches!(column.shape, Shape::Literal | Shape::Group) || phrase.calls(at + 2, &WORDS.sqli.functions);
    let is_all = at == 0 && phrase.kind(column.end).is_none() && column.shape == Shape::Literal;
    (after_value && (counted || swallows) || counted && swallows || is_all)
        .then_some(column.end + usize::from(swallows))
}
