//! Text search: patterns over the texts of attacks, and their matches, looked up once before the
//! statement of a page.

use crate::{
    query::{Field, Filter, Pattern, Piece},
    store::{
        Store, StoreError,
        search::{
            condition::Rows,
            id_set::IdSet,
            plan::{HitLookup, Plan, ScanStrategy, SearchScope},
        },
        sql::{dialect::Dialect, statement::Statement, text_codec::Text},
    },
};
use std::sync::Arc;

/// A pattern for the text of one of some fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextSearch {
    fields: Vec<Field>,
    like: Like,
}

/// A pattern of SQL, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Like {
    /// With `\` as the escape.
    exact: String,
    /// For the trigram index, which has no escape: matches some more texts. `None` without three
    /// literal characters in a row.
    loose: Option<String>,
}

impl TextSearch {
    /// A part of any text that lists of attacks show.
    pub(crate) fn anywhere(pattern: &Pattern) -> Self {
        let fields = vec![Field::Payload, Field::Parameter, Field::Host, Field::Path];
        Self { fields, like: Like::within(pattern) }
    }

    /// The same without payloads, which hits of one attack differ in.
    pub(crate) fn anywhere_in_attack(pattern: &Pattern) -> Self {
        Self { fields: vec![Field::Parameter, Field::Host, Field::Path], like: Like::within(pattern) }
    }

    /// A part of a payload.
    pub(crate) fn payload_part(pattern: &Pattern) -> Self {
        Self { fields: vec![Field::Payload], like: Like::within(pattern) }
    }

    /// A pattern without wildcards matches any part of a payload.
    pub(crate) fn payload(pattern: &Pattern) -> Self {
        match pattern.as_text() {
            Some(_) => Self::payload_part(pattern),
            None => Self::field(Field::Payload, pattern),
        }
    }

    pub(crate) fn field(field: Field, pattern: &Pattern) -> Self {
        Self { fields: vec![field], like: Like::complete(pattern) }
    }

    /// The pattern for the trigram index, for searches of payloads. Other fields have few texts and
    /// an index of their own; the trigram index would also return all matching payloads.
    fn trigram_pattern(&self) -> Option<&str> {
        self.like.loose.as_deref().filter(|_| self.fields.contains(&Field::Payload))
    }

    /// The table of texts to scan.
    fn rows(&self) -> &'static Rows {
        if self.trigram_pattern().is_some() { &PARTS } else { &TERMS }
    }
}

impl Like {
    /// The complete text.
    fn complete(pattern: &Pattern) -> Self {
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
                let wildcard = if *piece == Piece::Any { '%' } else { '_' };
                exact.push(wildcard);
                loose.push(wildcard);
                continue;
            };
            for character in Text::from(text.as_str()).stored().to_lowercase().chars() {
                let is_special = matches!(character, '%' | '_' | '\\');
                exact.extend(is_special.then_some('\\'));
                exact.push(character);
                loose.push(if is_special { '_' } else { character });
            }
        }
        let has_run = loose.split(['%', '_']).any(|run| run.chars().count() >= 3);
        Self { exact, loose: has_run.then_some(loose) }
    }
}

/// A text with more matches is common: its attacks soon fill a page.
pub(crate) const MAX_RARE_MATCHES: i64 = 3000;

/// The attacks that match the searches of a filter: their ids, or `None` for common texts.
#[derive(Debug, Default)]
pub(crate) struct Matches(Vec<(TextSearch, Option<Arc<IdSet>>)>);

/// Texts and their attacks. SQLite keeps the order of a cross join.
const TERMS: Rows = Rows {
    of_all: "terms x cross join attack_terms t where t.term_id = x.id and ",
    of_one: "attack_terms t cross join terms x where t.attack_id = a.id and x.id = t.term_id and ",
};
/// The same through the trigram index.
const PARTS: Rows = Rows {
    of_all: "term_parts x cross join attack_terms t where t.term_id = x.id and ",
    of_one: TERMS.of_one,
};

impl Matches {
    pub(crate) fn has_common_text(&self) -> bool {
        self.0.iter().any(|(_, ids)| ids.is_none())
    }

    pub(crate) fn ids_of(&self, search: &TextSearch) -> Option<Arc<IdSet>> {
        self.0.iter().find(|(other, _)| other == search).and_then(|(_, ids)| ids.clone())
    }
}

impl Store {
    pub(crate) async fn matches(&self, filter: &Filter) -> Result<Matches, StoreError> {
        self.matches_up_to(MAX_RARE_MATCHES, filter).await
    }

    pub(crate) async fn matches_up_to(&self, most: i64, filter: &Filter) -> Result<Matches, StoreError> {
        let mut matches = Vec::new();
        for search in Plan::new(filter, SearchScope::All).into_searches() {
            let mut statement = Statement::new("");
            statement.push_matches(&search, self.dialect, most);
            let (rows, json): (i64, Option<String>) = statement.fetch_tuple(&self.searcher).await?;
            let ids = (rows <= most).then(|| Arc::new(self.ids(json)));
            matches.push((search, ids));
        }
        Ok(Matches(matches))
    }
}

impl Statement {
    /// Counts the matches of a search up to one too many, and collects the ids of their attacks.
    pub(crate) fn push_matches(&mut self, search: &TextSearch, dialect: Dialect, most: i64) -> &mut Self {
        self.push("select count(*), ").push(dialect.ids()).push(" from (select t.attack_id from ");
        self.push(search.rows().of_all).push_indexed(search);
        self.push(" limit ").bind(most + 1).push(") t")
    }

    /// A condition on `attacks a`.
    pub(crate) fn push_search(&mut self, search: &TextSearch, strategy: &ScanStrategy) -> &mut Self {
        match strategy {
            ScanStrategy::PerAttack => self.push_rows(&TERMS, strategy, &|statement| {
                statement.push_likeness(search);
            }),
            _ => self.push_rows(search.rows(), strategy, &|statement| {
                statement.push_indexed(search);
            }),
        }
    }

    /// A condition on the payload of the hit `h`.
    pub(crate) fn push_payload_of_hit(&mut self, search: &TextSearch, lookup: HitLookup) -> &mut Self {
        match lookup {
            HitLookup::Each => {
                self.push("exists (select 1 from terms x where x.id = h.payload_id and ");
                self.push_likeness(search).push(")")
            }
            HitLookup::Collect => {
                let is_indexed = search.trigram_pattern().is_some();
                self.push("h.payload_id in (select x.id from ");
                self.push(if is_indexed { "term_parts" } else { "terms" }).push(" x where ");
                self.push_indexed(search).push(")")
            }
        }
    }

    /// A condition on the texts `x` of [`TextSearch::rows`].
    fn push_indexed(&mut self, search: &TextSearch) -> &mut Self {
        if let Some(parts) = search.trigram_pattern() {
            self.push("x.text like ").bind(parts).push(" and ");
        }
        self.push_likeness(search)
    }

    /// A condition on texts `x`.
    fn push_likeness(&mut self, search: &TextSearch) -> &mut Self {
        if !search.fields.contains(&Field::Payload) {
            // Makes the partial index of the other fields usable.
            self.push("x.field <> 'payload' and ");
        }
        for (n, field) in search.fields.iter().enumerate() {
            self.push(if n == 0 { "x.field in (" } else { ", " }).bind(field.name());
        }
        self.push(") and x.text like ").bind(search.like.exact.as_str()).push(" escape '\\'")
    }
}
