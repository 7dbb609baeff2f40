//! A filter on attacks as a condition on the table `attacks a`.

use super::{address, statement::Statement, words::Text};
use crate::attack::Marks;
use crate::query::{Condition, Filter, Numbers, Pattern, Piece, Times};
use shared::RequestId;

impl Statement {
    pub(super) fn push_filter(&mut self, filter: &Filter) -> &mut Self {
        match filter {
            Filter::All(filters) => self.push_list(filters, " and ", "true"),
            Filter::Any(filters) => self.push_list(filters, " or ", "false"),
            // What cannot be compared does not hold, so its opposite does.
            Filter::Not(filter) => self.push("not coalesce((").push_filter(filter).push("), false)"),
            Filter::Condition(condition) => self.push_condition(condition),
        }
    }

    /// The same for what is counted by attack: `attack_id` names the column. Where next to all attacks are asked for, those few
    /// are looked up that are not.
    pub(super) fn push_filter_of(&mut self, attack_id: &'static str, filter: &Filter) -> &mut Self {
        self.push(attack_id);
        match filter.left_out() {
            Some(left_out) => self.push(" not in (").push(IDS).push_filter(&left_out),
            None => self.push(" in (").push(IDS).push_filter(filter),
        };
        self.push(")")
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
            Condition::Type(attack_type) => self.push("a.type = ").bind(attack_type.as_str()),
            Condition::Status(status) => self
                .push(
                    "case when a.blocked = 0 then 'monitoring' when a.blocked < a.hits then 'partially_blocked' \
                     else 'blocked' end = ",
                )
                .bind(status.as_str()),
            Condition::Host(pattern) => self.push_pattern("a.host", pattern),
            Condition::Path(pattern) => self.push_pattern("a.path", pattern),
            Condition::Parameter(pattern) => self.push_pattern("a.parameter", pattern),
            Condition::Hits(numbers) => self.push_numbers("a.hits", *numbers),
            Condition::Blocked(numbers) => self.push_numbers("a.blocked", *numbers),
            Condition::Sources(numbers) => self
                .push_numbers("(select count(*) from attack_sources s where s.attack_id = a.id)", *numbers),
            Condition::FirstSeen(times) => self.push_times("a.first_seen", *times),
            Condition::LastSeen(times) => self.push_times("a.last_seen", *times),
            Condition::Ip(addresses) => {
                let (first, last) = addresses.bounds();
                self.push("exists (select 1 from attack_sources s where s.attack_id = a.id and s.ip >= ")
                    .bind(address::key(first))
                    .push(" and s.ip <= ")
                    .bind(address::key(last))
                    .push(")")
            }
            Condition::Payload(pattern) => self.push_payload(pattern),
            Condition::Severity(severity) => self
                .push("exists (select 1 from hits h where h.attack_id = a.id and h.severity = ")
                .bind(super::words::word(severity))
                .push(")"),
            Condition::Method(method) => {
                self.push(OF_A_REQUEST).push("r.method = ").bind(Text::from(method.as_str())).push(")")
            }
            Condition::Response(numbers) => {
                self.push(OF_A_REQUEST).push_numbers("r.response_status", *numbers).push(")")
            }
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

    fn push_pattern(&mut self, column: &'static str, pattern: &Pattern) -> &mut Self {
        match pattern.as_text() {
            Some(text) => self.push(column).push(" = ").bind(Text::from(text)),
            None => self.push_like(column, like(pattern)),
        }
    }

    fn push_like(&mut self, column: &'static str, like: String) -> &mut Self {
        self.push("lower(").push(column).push(") like ").bind(like).push(" escape '\\'")
    }

    /// Without a wildcard it may be any part.
    fn push_payload(&mut self, pattern: &Pattern) -> &mut Self {
        let like = if pattern.as_text().is_some() { within(pattern) } else { like(pattern) };
        self.push(OF_A_PAYLOAD).bind(like).push(" escape '\\')")
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
        let part = within(pattern);
        self.push("(");
        for column in ["a.parameter", "a.path", "a.host"] {
            self.push_like(column, part.clone()).push(" or ");
        }
        self.push(OF_A_PAYLOAD).bind(part).push(" escape '\\')");
        if let Some(text) = pattern.as_text() {
            if let Ok(id) = text.parse() {
                self.push(" or ").push_request_id(id);
            }
            self.push(" or ").push_edge_request_id(text);
        }
        self.push(")")
    }
}

const IDS: &str = "select a.id from attacks a where ";
const OF_A_PAYLOAD: &str =
    "exists (select 1 from attack_payloads p where p.attack_id = a.id and p.payload like ";
const OF_A_REQUEST: &str = "exists (select 1 from hits h join requests r on r.request_id = h.request_id where h.attack_id = a.id and ";

/// For `like`, with `\` as the escape, in lower case.
fn like(pattern: &Pattern) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Any => "%".to_owned(),
        Piece::One => "_".to_owned(),
        Piece::Text(text) => {
            let text = Text::from(text.as_str()).stored().to_lowercase();
            text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
        }
    };
    pattern.pieces().iter().map(piece).collect()
}

/// The pattern as a part of the text.
fn within(pattern: &Pattern) -> String {
    format!("%{}%", like(pattern))
}
