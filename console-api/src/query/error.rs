//! Query errors with their column.

use super::{Field, Filter};

/// A query that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct QueryError {
    /// The column of the error, in characters from 1.
    pub column: usize,
    #[source]
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("`{name}` is not a field{}; put quotes around a text with a colon", did_you_mean(*.nearest))]
    UnknownField { name: String, nearest: Option<&'static str> },
    #[error(
        "`{code}` is not an attack type{}; put quotes around the code of a type that this version does not know",
        suggested_type(*.nearest)
    )]
    UnknownType { code: String, nearest: Option<&'static str> },
    #[error("`{}` takes {expected}, such as {}", .field.name(), .field.example())]
    Value { field: Field, expected: &'static str },
    #[error("`{}:` needs a value, such as {}", .0.name(), .0.example())]
    NoValue(Field),
    #[error("this quote is not closed")]
    UnclosedQuote,
    #[error("this parenthesis is not closed")]
    UnclosedParenthesis,
    #[error("this parenthesis was not opened")]
    UnopenedParenthesis,
    #[error("the parentheses are empty; write a condition in them")]
    EmptyParentheses,
    #[error("`{0}` needs a condition after it")]
    NothingAfter(&'static str),
    #[error("`OR` needs a condition before it")]
    NothingBeforeOr,
    #[error("parentheses and negations go deeper than {} levels", Filter::MAX_DEPTH)]
    TooDeep,
    #[error("there are more than {} conditions", Filter::MAX_CONDITIONS)]
    TooMany,
    #[error("the query is longer than {} bytes", Filter::MAX_LENGTH)]
    TooLong,
}

fn suggested_type(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| " such as `sqli`, `xss` or `rce`".to_owned(), |_| did_you_mean(nearest))
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}
