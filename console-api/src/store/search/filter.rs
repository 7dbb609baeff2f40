//! A filter on attacks as a condition on the table `attacks a`.

use crate::attack::Marks;
use crate::query::{Condition, Field, Filter, Numbers, Pattern, Times};
use crate::store::{
    search::{terms::Term, text_search::Search},
    sql::{address, statement::Statement, text_codec::Text},
};
use shared::RequestId;

/// Which attacks a statement looks at. It decides how they are asked about what they have several of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchScope {
    /// Those that are named.
    Few,
    /// The first in some order, until a page is full.
    Page,
    /// All of them.
    All,
}

impl Statement {
    pub(crate) fn push_filter(&mut self, filter: &Filter) -> &mut Self {
        match filter {
            Filter::All(filters) => self.push_list(filters, " and ", "true"),
            Filter::Any(filters) => self.push_list(filters, " or ", "false"),
            // What cannot be compared does not hold, so its opposite does.
            Filter::Not(filter) => self.push("not coalesce((").push_filter(filter).push("), false)"),
            Filter::Condition(condition) => self.push_condition(condition),
        }
    }

    fn push_list(&mut self, filters: &[Filter], between: &'static str, none: &'static str) -> &mut Self {
        let Some((first, others)) = filters.split_first() else { return self.push(none) };
        self.push("(").push_filter(first);
        for filter in others {
            self.push(between).push_filter(filter);
        }
        self.push(")")
    }

    fn push_condition(&mut self, condition: &Condition) -> &mut Self {
        match condition {
            Condition::Type(attack_type) => {
                self.push_equal("a.type", Field::Type, attack_type.as_str())
            }
            Condition::Status(status) => self
                .push(
                    "case when a.blocked = 0 then 'monitoring' when a.blocked < a.hits then 'partially_blocked' \
                     else 'blocked' end = ",
                )
                .bind(status.as_str()),
            Condition::Host(pattern) => self.push_pattern("a.host", Field::Host, pattern),
            Condition::Path(pattern) => self.push_pattern("a.path", Field::Path, pattern),
            Condition::Parameter(pattern) => self.push_pattern("a.parameter", Field::Parameter, pattern),
            Condition::Hits(numbers) => self.push_numbers("a.hits", *numbers),
            Condition::Blocked(numbers) => self.push_numbers("a.blocked", *numbers),
            Condition::Sources(numbers) => self
                .push_numbers("(select count(*) from attack_sources s where s.attack_id = a.id)", *numbers),
            Condition::FirstSeen(times) => self.push_times("a.first_seen", *times),
            Condition::LastSeen(times) => self.push_times("a.last_seen", *times),
            Condition::Ip(addresses) => {
                let (first, last) = addresses.bounds();
                self.push_any(&SOURCES, |statement| {
                    statement.push("t.ip >= ").bind(address::key(first));
                    statement.push(" and t.ip <= ").bind(address::key(last));
                })
            }
            Condition::Payload(pattern) => self.push_search(&Search::payload(pattern)),
            Condition::Severity(severity) => self.push_term(&Term::severity(*severity)),
            Condition::Method(method) => self.push_term(&Term::new(Field::Method, method)),
            Condition::Response(numbers) => self.push_any(&STATUSES, |statement| {
                statement.push_numbers("t.status", *numbers);
            }),
            Condition::RequestId(id) => self.push_request_id(*id),
            Condition::EdgeRequestId(id) => self.push_edge_request_id(id),
            Condition::Mark(Marks::Any) => self.push("true"),
            Condition::Mark(Marks::None) => self.push("a.mark is null"),
            Condition::Mark(Marks::Only(mark)) => self.push("a.mark = ").bind(mark.as_str()),
            Condition::Anywhere(pattern) => self.push_anywhere(pattern),
        }
    }

    fn push_numbers(&mut self, column: &'static str, Numbers { from, to }: Numbers) -> &mut Self {
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        self.push("(").push(column).push(" >= ").bind(number(from));
        if let Some(to) = to {
            self.push(" and ").push(column).push(" <= ").bind(number(to));
        }
        self.push(")")
    }

    fn push_times(&mut self, column: &'static str, Times { from, to }: Times) -> &mut Self {
        self.push("(true");
        if let Some(from) = from {
            self.push(" and ").push(column).push(" >= ").bind(from.as_millisecond());
        }
        if let Some(to) = to {
            self.push(" and ").push(column).push(" < ").bind(to.as_millisecond());
        }
        self.push(")")
    }

    fn push_pattern(&mut self, column: &'static str, field: Field, pattern: &Pattern) -> &mut Self {
        match pattern.as_text() {
            Some(text) => self.push_equal(column, field, text),
            None => self.push_search(&Search::field(field, pattern)),
        }
    }

    /// A column of the attack is this text. On the way to a page, attacks without a rare text are passed over.
    fn push_equal(&mut self, column: &'static str, field: Field, text: &str) -> &mut Self {
        self.push("(");
        if self.scope == SearchScope::Page {
            self.push_term(&Term::new(field, text)).push(" and ");
        }
        self.push(column).push(" = ").bind(Text::from(text)).push(")")
    }

    fn push_term(&mut self, term: &Term) -> &mut Self {
        self.push_any(&TIES, |statement| {
            statement.push("t.term_id = ").bind(term.id());
        })
    }

    /// The attack has at least one row in another table that fulfils a condition.
    fn push_any(&mut self, rows: &Rows, condition: impl Fn(&mut Self)) -> &mut Self {
        match self.scope {
            SearchScope::Few => return self.push_exists(rows, condition),
            SearchScope::All => return self.push_found(rows, condition),
            SearchScope::Page => {}
        }
        let rare = self.rare;
        self.push("case when (select count(*) from (select 1 from ").push(rows.of_all);
        condition(self);
        self.push(" limit ").bind(rare + 1).push(") some_rows) <= ").bind(rare).push(" then ");
        self.push_found(rows, &condition).push(" else ").push_exists(rows, &condition).push(" end")
    }

    /// Each attack is asked for its own rows. Where many have one, the first is soon found, and so is a page of attacks.
    pub(crate) fn push_exists(&mut self, rows: &Rows, condition: impl Fn(&mut Self)) -> &mut Self {
        self.push("exists (select 1 from ").push(rows.of_one);
        condition(self);
        self.push(")")
    }

    /// One strategy at the table tells which attacks have one.
    pub(crate) fn push_found(&mut self, rows: &Rows, condition: impl Fn(&mut Self)) -> &mut Self {
        self.push("a.id in (select t.attack_id from ").push(rows.of_all);
        condition(self);
        self.push(")")
    }

    fn push_request_id(&mut self, id: RequestId) -> &mut Self {
        self.push("a.id in (select h.attack_id from hits h where h.request_id = ")
            .bind(id.to_string())
            .push(")")
    }

    fn push_edge_request_id(&mut self, id: &str) -> &mut Self {
        self.push(
            "a.id in (select h.attack_id from requests r join hits h on h.request_id = r.request_id \
             where r.edge_request_id = ",
        )
        .bind(Text::from(id))
        .push(")")
    }

    fn push_anywhere(&mut self, pattern: &Pattern) -> &mut Self {
        self.push("(").push_search(&Search::anywhere(pattern));
        if let Some(text) = pattern.as_text() {
            if let Ok(id) = text.parse() {
                self.push(" or ").push_request_id(id);
            }
            self.push(" or ").push_edge_request_id(text);
        }
        self.push(")")
    }
}

/// Whether a filter asks what attacks have several of.
pub(crate) fn looks_up(filter: &Filter) -> bool {
    match filter {
        Filter::All(filters) | Filter::Any(filters) => filters.iter().any(looks_up),
        Filter::Not(filter) => looks_up(filter),
        Filter::Condition(condition) => {
            let is_tied = matches!(
                condition,
                Condition::Ip(_) | Condition::Severity(_) | Condition::Method(_) | Condition::Response(_)
            );
            is_tied || Search::of(condition).is_some()
        }
    }
}

/// No more rows than these are looked up on the way to a page.
pub(crate) const MAX_LOOKUP_ROWS: i64 = 30_000;

/// What attacks have several of: the rows `t` of a table, up to a condition on them.
pub(crate) struct Rows {
    /// Of all attacks.
    pub(crate) of_all: &'static str,
    /// Of the attack `a`.
    pub(crate) of_one: &'static str,
}

const SOURCES: Rows =
    Rows { of_all: "attack_sources t where ", of_one: "attack_sources t where t.attack_id = a.id and " };
const STATUSES: Rows =
    Rows { of_all: "attack_statuses t where ", of_one: "attack_statuses t where t.attack_id = a.id and " };
const TIES: Rows =
    Rows { of_all: "attack_terms t where ", of_one: "attack_terms t where t.attack_id = a.id and " };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        attack::{Order, SortKey},
        paging::{Cursor, Slice},
        seed,
        store::{DatabaseUrl, Store, attacks::Limits},
    };
    use jiff::Timestamp;
    use shared::Record;

    const QUERIES: [&str; 16] = [
        "type:sqli",
        "type:none",
        "host:api.example.com",
        "host:*.org",
        "path:/search",
        "path:/API/*",
        "parameter:*CMD",
        "payload:union",
        "payload:*passwd",
        "-payload:select",
        "ip:198.18.0.0/16",
        "method:get -type:xss",
        "severity:critical,low",
        "response:404",
        "-response:2xx",
        "etc/ OR nowhere OR -alert",
    ];

    #[tokio::test]
    async fn what_a_filter_finds_does_not_depend_on_how_many_attacks_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&DatabaseUrl::in_dir(dir.path())).await.unwrap();
        for batch in seed::batches(600, 500, Timestamp::now()) {
            let records: Vec<&Record> = batch.iter().collect();
            store.ingest(&seed::node(), None, Timestamp::now(), &records).await.unwrap();
        }
        let all = store.found("", SearchScope::Few, 0).await.len();
        for query in QUERIES {
            let found = store.found(query, SearchScope::Few, 0).await;
            assert!(
                query == "type:none" || !found.is_empty() && found.len() < all,
                "{query}: {}",
                found.len()
            );
            for (scope, rare) in
                [(SearchScope::Page, 0), (SearchScope::Page, MAX_LOOKUP_ROWS), (SearchScope::All, 0)]
            {
                assert_eq!(store.found(query, scope, rare).await, found, "{query}, {scope:?}, {rare}");
            }
            for limits in [
                Limits { rare: 0, next: 1 },
                Limits { rare: 0, next: 9 },
                Limits { rare: MAX_LOOKUP_ROWS, next: 0 },
            ] {
                assert_eq!(store.walk(query, limits).await, found, "{query}, {limits:?}");
            }
            for few in [0, 2000] {
                assert_eq!(
                    store.ids_of_attack_set(query, few).await,
                    [found.clone(), found.clone()],
                    "{query}, {few}"
                );
            }
        }
    }

    impl Store {
        /// What is chosen, asked of attacks and of what is counted by them.
        async fn ids_of_attack_set(&self, query: &str, few: i64) -> [Vec<(String,)>; 2] {
            let filter = Filter::parse(query, Timestamp::now()).unwrap();
            let chosen = self.attack_set_within(&filter, few).await.unwrap();
            let mut attacks = Statement::scoped(SearchScope::All, "select a.id from attacks a where ");
            attacks.push_attack_set(&chosen).push(" order by a.id");
            let mut sources = Statement::scoped(
                SearchScope::All,
                "select distinct s.attack_id from attack_sources s where ",
            );
            sources.push_attack_set_of("s.attack_id", &chosen).push(" order by s.attack_id");
            [attacks.fetch_all(&self.reader).await.unwrap(), sources.fetch_all(&self.reader).await.unwrap()]
        }

        /// Page by page.
        async fn walk(&self, query: &str, limits: Limits) -> Vec<(String,)> {
            let filter = Filter::parse(query, Timestamp::now()).unwrap();
            let order = Order { by: SortKey::LastSeen, descending: true };
            let (mut slice, mut walked, mut last) = (Slice { limit: 3, after: None }, Vec::new(), None);
            loop {
                let page = self.attacks_within(limits, &filter, order, &slice).await.unwrap();
                for attack in page.items {
                    assert!(last.is_none_or(|last| attack.last_seen <= last));
                    last = Some(attack.last_seen);
                    slice.after = Some(Cursor {
                        list: order.text(),
                        position: attack.last_seen.as_millisecond(),
                        id: attack.id.to_string(),
                    });
                    walked.push((attack.id.to_string(),));
                }
                if page.next_cursor.is_none() {
                    walked.sort();
                    return walked;
                }
            }
        }

        async fn found(&self, query: &str, scope: SearchScope, rare: i64) -> Vec<(String,)> {
            let filter = Filter::parse(query, Timestamp::now()).unwrap();
            let mut statement = Statement::scoped(scope, "select a.id from attacks a where ");
            statement.rare = rare;
            if scope == SearchScope::Page {
                statement.found = self.find_rare(&filter, rare).await.unwrap().into();
            }
            statement.push_filter(&filter).push(" order by a.id");
            statement.fetch_all(&self.reader).await.unwrap()
        }
    }
}
