//! Texts that a filter looks for. For a page, which attacks have them is asked once, before the statement that needs to know.

use crate::query::{Condition, Field, Filter, Pattern, Piece};
use crate::store::{
    Store, StoreError,
    search::{
        filter::{Rows, SearchScope},
        id_set::IdSet,
    },
    sql::{dialect::Dialect, statement::Statement, text_codec::Text},
};

/// Some fields, and what a text of one of them is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    fields: Vec<Field>,
    like: Like,
}

/// A pattern as SQL has it, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Like {
    /// With `\` as the escape.
    exact: String,
    /// The index of parts knows no escape: this fits some more texts. `None` without three signs in a row, which the index is of.
    loose: Option<String>,
}

impl Search {
    /// A part of what people see of an attack.
    pub(crate) fn anywhere(pattern: &Pattern) -> Self {
        let fields = vec![Field::Payload, Field::Parameter, Field::Host, Field::Path];
        Self { fields, like: Like::within(pattern) }
    }

    /// Without a wildcard it may be any part.
    pub(crate) fn payload(pattern: &Pattern) -> Self {
        if pattern.as_text().is_none() {
            return Self::field(Field::Payload, pattern);
        }
        Self { fields: vec![Field::Payload], like: Like::within(pattern) }
    }

    pub(crate) fn field(field: Field, pattern: &Pattern) -> Self {
        Self { fields: vec![field], like: Like::whole(pattern) }
    }

    /// What a condition looks for; a text without wildcards is in the column of an attack.
    pub(crate) fn of(condition: &Condition) -> Option<Self> {
        let (field, pattern) = match condition {
            Condition::Anywhere(pattern) => return Some(Self::anywhere(pattern)),
            Condition::Payload(pattern) => return Some(Self::payload(pattern)),
            Condition::Host(pattern) => (Field::Host, pattern),
            Condition::Path(pattern) => (Field::Path, pattern),
            Condition::Parameter(pattern) => (Field::Parameter, pattern),
            _ => return None,
        };
        pattern.as_text().is_none().then(|| Self::field(field, pattern))
    }

    /// What the index of parts is asked, if it is to tell. Other fields than payloads have no more texts than there are attacks,
    /// and an index of their own: parts would lead to all payloads that have them, too.
    fn parts(&self) -> Option<&str> {
        self.like.loose.as_deref().filter(|_| self.fields.contains(&Field::Payload))
    }

    /// All texts.
    fn rows(&self) -> &'static Rows {
        if self.parts().is_some() { &PARTS } else { &TERMS }
    }

    /// What a filter looks for, in all of its conditions.
    pub(crate) fn all(filter: &Filter) -> Vec<Self> {
        match filter {
            Filter::All(filters) | Filter::Any(filters) => filters.iter().flat_map(Self::all).collect(),
            Filter::Not(filter) => Self::all(filter),
            Filter::Condition(condition) => Self::of(condition).into_iter().collect(),
        }
    }
}

impl Like {
    fn whole(pattern: &Pattern) -> Self {
        Self::new(pattern.pieces())
    }

    /// A part of the text.
    fn within(pattern: &Pattern) -> Self {
        Self::new(&[&[Piece::Any], pattern.pieces(), &[Piece::Any]].concat())
    }

    fn new(pieces: &[Piece]) -> Self {
        let (mut exact, mut loose) = (String::new(), String::new());
        for piece in pieces {
            let Piece::Text(text) = piece else {
                let sign = if *piece == Piece::Any { '%' } else { '_' };
                exact.push(sign);
                loose.push(sign);
                continue;
            };
            for sign in Text::from(text.as_str()).stored().to_lowercase().chars() {
                let is_special = matches!(sign, '%' | '_' | '\\');
                exact.extend(is_special.then_some('\\'));
                exact.push(sign);
                loose.push(if is_special { '_' } else { sign });
            }
        }
        let has_run = loose.split(['%', '_']).any(|run| run.chars().count() >= 3);
        Self { exact, loose: has_run.then_some(loose) }
    }
}

/// More ties than these are many.
pub(crate) const MAX_RARE_MATCHES: i64 = 3000;

/// What was found of searches: the ids of attacks, as JSON, where they are few.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<(Search, Option<IdSet>)>);

/// Texts and what is tied to them. SQLite takes a cross join in the order it is written in.
const TERMS: Rows = Rows {
    of_all: "terms x cross join attack_terms t where t.term_id = x.id and ",
    of_one: "attack_terms t cross join terms x where t.attack_id = a.id and x.id = t.term_id and ",
};
/// The same by the index of parts.
const PARTS: Rows = Rows {
    of_all: "term_parts x cross join attack_terms t where t.term_id = x.id and ",
    of_one: TERMS.of_one,
};

impl Found {
    /// Whether anything is common.
    pub(crate) fn is_common(&self) -> bool {
        self.0.iter().any(|(_, ids)| ids.is_none())
    }
}

impl Store {
    /// Looks for what the filter is after.
    pub(crate) async fn find(&self, filter: &Filter) -> Result<Found, StoreError> {
        self.find_rare(filter, MAX_RARE_MATCHES).await
    }

    pub(crate) async fn find_rare(&self, filter: &Filter, rare: i64) -> Result<Found, StoreError> {
        let mut found = Vec::new();
        for search in Search::all(filter) {
            let mut statement = Statement::new("");
            statement.push_finding(&search, self.dialect, rare);
            let (ties, json): (i64, Option<String>) = statement.fetch_one(&self.reader).await?;
            let ids = (ties <= rare).then(|| self.ids(json));
            found.push((search, ids));
        }
        Ok(Found(found))
    }
}

impl Statement {
    /// Asks how many ties there are to what is looked for, no further than one too many, and which attacks they lead to.
    pub(crate) fn push_finding(&mut self, search: &Search, dialect: Dialect, rare: i64) -> &mut Self {
        self.push("select count(*), ").push(dialect.ids()).push(" from (select t.attack_id from ");
        self.push(search.rows().of_all).push_indexed(search);
        self.push(" limit ").bind(rare + 1).push(") t")
    }

    /// A condition on `attacks a`.
    pub(crate) fn push_search(&mut self, search: &Search) -> &mut Self {
        let found = self.found.clone();
        let ids = found.0.iter().find(|(other, _)| other == search).and_then(|(_, ids)| ids.as_ref());
        match ids {
            Some(ids) => self.push("a.id ").push_among(ids),
            None if self.scope == SearchScope::All => self.push_found(search.rows(), |statement| {
                statement.push_indexed(search);
            }),
            None => self.push_exists(&TERMS, |statement| {
                statement.push_likeness(search);
            }),
        }
    }

    /// A condition on the texts `x` of [`Search::rows`].
    fn push_indexed(&mut self, search: &Search) -> &mut Self {
        if let Some(parts) = search.parts() {
            self.push("x.text like ").bind(parts).push(" and ");
        }
        self.push_likeness(search)
    }

    /// A condition on texts `x`.
    fn push_likeness(&mut self, search: &Search) -> &mut Self {
        if !search.fields.contains(&Field::Payload) {
            // As the index of the other fields has it.
            self.push("x.field <> 'payload' and ");
        }
        for (n, field) in search.fields.iter().enumerate() {
            self.push(if n == 0 { "x.field in (" } else { ", " }).bind(field.name());
        }
        self.push(") and x.text like ").bind(search.like.exact.as_str()).push(" escape '\\'")
    }
}
