//! Query parser: text to filter.
//!
//! `any` = `all` { `OR` `all` } · `all` = `one` { \[ `AND` \] `one` } ·
//! `one` = ( `-` | `!` | `NOT` ) `one` | `(` `any` `)` | field `:` word { `,` word } | word

use super::{
    Condition, Field, Filter, Problem, QueryError,
    word::{Letter, Word},
};
use jiff::Timestamp;

pub(super) fn parse(text: &str, now: Timestamp) -> Result<Filter, QueryError> {
    if text.len() > Filter::MAX_LENGTH {
        return Err(QueryError { column: 1, problem: Problem::TooLong });
    }
    let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0, conditions: 0, now };
    parser.skip_spaces();
    if parser.peek().is_none() {
        return Ok(Filter::default());
    }
    let filter = parser.any()?;
    match parser.peek() {
        None => Ok(filter),
        Some(_) => Err(parser.error(Problem::UnopenedParenthesis)),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
    conditions: usize,
    now: Timestamp,
}

impl Parser {
    /// Conditions with `OR` between them.
    fn any(&mut self) -> Result<Filter, QueryError> {
        if self.keyword("OR").is_some() {
            return Err(self.error(Problem::NothingBeforeOr));
        }
        let mut filters = vec![self.all()?];
        while let Some(length) = self.keyword("OR") {
            self.at += length;
            self.skip_spaces();
            if self.is_at_end() {
                return Err(self.error(Problem::NothingAfter("OR")));
            }
            filters.push(self.all()?);
        }
        Ok(one_or(filters, Filter::Any))
    }

    /// Conditions next to each other.
    fn all(&mut self) -> Result<Filter, QueryError> {
        let mut filters = vec![self.one()?];
        loop {
            self.skip_spaces();
            if let Some(length) = self.keyword("AND") {
                self.at += length;
                self.skip_spaces();
                if self.is_at_end() || self.keyword("OR").is_some() {
                    return Err(self.error(Problem::NothingAfter("AND")));
                }
            } else if self.is_at_end() || self.keyword("OR").is_some() {
                return Ok(one_or(filters, Filter::All));
            }
            filters.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Filter, QueryError> {
        self.depth += 1;
        if self.depth > Filter::MAX_DEPTH {
            return Err(self.error(Problem::TooDeep));
        }
        self.skip_spaces();
        let negation = match self.peek() {
            Some('-') => Some((1, "-")),
            Some('!') => Some((1, "!")),
            _ => self.keyword("NOT").map(|length| (length, "NOT")),
        };
        let filter = if let Some((length, operator)) = negation {
            self.at += length;
            self.skip_spaces();
            if self.is_at_end() {
                return Err(self.error(Problem::NothingAfter(operator)));
            }
            Filter::Not(Box::new(self.one()?))
        } else if self.peek() == Some('(') {
            self.group()?
        } else if let Some(length) = self.field_name() {
            self.field(length)?
        } else {
            self.condition()?;
            let start = self.at;
            let word = self.word(false)?;
            if self.at == start {
                return Err(self.error(Problem::UnopenedParenthesis));
            }
            Condition::Anywhere(word.pattern()).into()
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn group(&mut self) -> Result<Filter, QueryError> {
        let open = self.at;
        self.at += 1;
        self.skip_spaces();
        match self.peek() {
            Some(')') => return Err(error_at(open, Problem::EmptyParentheses)),
            None => return Err(error_at(open, Problem::UnclosedParenthesis)),
            Some(_) => {}
        }
        let filter = self.any()?;
        if self.peek() != Some(')') {
            return Err(error_at(open, Problem::UnclosedParenthesis));
        }
        self.at += 1;
        Ok(filter)
    }

    /// A field and its alternative values.
    fn field(&mut self, name_length: usize) -> Result<Filter, QueryError> {
        let start = self.at;
        let name: String = self.text[start..start + name_length].iter().collect();
        let Some(field) = Field::find(&name) else {
            let nearest = Field::nearest(&name);
            return Err(self.error(Problem::UnknownField { name, nearest }));
        };
        self.at += name_length + 1;
        let mut values = Vec::new();
        loop {
            self.condition()?;
            let start = self.at;
            let word = self.word(true)?;
            if self.at == start {
                return Err(self.error(Problem::NoValue(field)));
            }
            let condition = Condition::parse(field, &word, self.now);
            values.push(condition.map_err(|problem| error_at(start, problem))?.into());
            if self.peek() != Some(',') {
                return Ok(one_or(values, Filter::Any));
            }
            self.at += 1;
        }
    }

    /// A word that ends at a space or parenthesis, and in a list at a comma.
    fn word(&mut self, in_list: bool) -> Result<Word, QueryError> {
        let start = self.at;
        let quoted = self.peek() == Some('"');
        self.at += usize::from(quoted);
        let mut word = if quoted { Word::quoted() } else { Word::default() };
        loop {
            let literal = self.peek() == Some('\\') && self.text.get(self.at + 1).is_some();
            self.at += usize::from(literal);
            match self.peek() {
                None if quoted => return Err(error_at(start, Problem::UnclosedQuote)),
                None => return Ok(word),
                Some('"') if quoted && !literal => {
                    self.at += 1;
                    return Ok(word);
                }
                Some(',') if in_list && !quoted && !literal => return Ok(word),
                Some(c) if !quoted && !literal && (c.is_whitespace() || c == '(' || c == ')') => {
                    return Ok(word);
                }
                Some(character) => word.push(Letter { character, literal }),
            }
            self.at += 1;
        }
    }

    /// The length of a name followed by a colon.
    fn field_name(&self) -> Option<usize> {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|c| c.is_ascii_alphabetic() || **c == '_').count();
        (length > 0 && rest.get(length) == Some(&':')).then_some(length)
    }

    /// The length of a keyword at this position.
    fn keyword(&self, keyword: &str) -> Option<usize> {
        let rest = &self.text[self.at..];
        let length = keyword.len();
        let is_it = rest.len() >= length && rest.iter().zip(keyword.chars()).all(|(c, known)| *c == known);
        let ends = rest.get(length).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'));
        (is_it && ends).then_some(length)
    }

    /// Counts one more.
    fn condition(&mut self) -> Result<(), QueryError> {
        self.conditions += 1;
        if self.conditions > Filter::MAX_CONDITIONS { Err(self.error(Problem::TooMany)) } else { Ok(()) }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// At the end of the text or of a group.
    fn is_at_end(&self) -> bool {
        matches!(self.peek(), None | Some(')'))
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn error(&self, problem: Problem) -> QueryError {
        error_at(self.at, problem)
    }
}

fn error_at(at: usize, problem: Problem) -> QueryError {
    QueryError { column: at + 1, problem }
}

/// A single filter needs no list.
fn one_or(mut filters: Vec<Filter>, several: fn(Vec<Filter>) -> Filter) -> Filter {
    if filters.len() == 1 { filters.swap_remove(0) } else { several(filters) }
}
