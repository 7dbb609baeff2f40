//! The search of a page, read from its address, and the addresses of related searches.

use super::context;
use crate::{
    attack::{Grouping, Order},
    clock::Clock,
    column::Column,
    error::ApiError,
    extract::{Compare, FromParameters, Parameters},
    paging::Slice,
    query::{Condition, Field, Filter, Pattern, QueryError, TimeRange, moment},
    view::{Subject, ViewDraft},
};
use form_urlencoded::Serializer;
use jiff::{SignedDuration, Timestamp};
use std::fmt::{self, Display};

/// The field that the form of a search has a choice for.
pub(super) fn choice(subject: Subject) -> &'static str {
    match subject {
        Subject::Attacks => "status",
        Subject::Requests => "action",
    }
}

/// A parsed search.
pub(super) struct Search {
    /// The conditions, without the time range.
    conditions: Filter,
    pub time_range: TimeRange,
    subject: Subject,
    /// Whether charts also show the period before.
    pub compares: bool,
    pub order: Order,
    pub grouping: Option<Grouping>,
    pub slice: Slice,
    pub columns: Vec<Column>,
}

impl Search {
    pub(super) fn filter(&self) -> Filter {
        self.filter_of(self.time_range)
    }

    /// The same search in another time range.
    pub(super) fn filter_of(&self, time_range: TimeRange) -> Filter {
        match self.subject {
            Subject::Attacks => self.conditions.clone().within(time_range),
            Subject::Requests => self.conditions.clone().hits_within(time_range),
        }
    }
}

/// A parsed search of requests, which have one order.
pub(super) struct RequestSearch(pub Search);

impl FromParameters for RequestSearch {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let (conditions, time_range) = FromParameters::from_parameters(parameters)?;
        let Compare(compares) = FromParameters::from_parameters(parameters)?;
        let grouping = parameters.read("group_by", Grouping::EXPECTED, Grouping::parse)?;
        let columns = parameters.read("columns", Column::EXPECTED, Column::parse_list)?;
        Ok(Self(Search {
            conditions,
            time_range,
            subject: Subject::Requests,
            compares,
            order: Order::default(),
            grouping,
            slice: Slice::from_parameters(parameters)?,
            columns: columns.unwrap_or_else(|| Column::DEFAULT.to_vec()),
        }))
    }
}

impl FromParameters for Search {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let (conditions, time_range) = FromParameters::from_parameters(parameters)?;
        let Compare(compares) = FromParameters::from_parameters(parameters)?;
        let grouping = parameters.read("group_by", Grouping::EXPECTED, Grouping::parse)?;
        let (order, slice) = if grouping.is_some() {
            // Groups have a fixed order. The order of attacks stays in the address for their list.
            let order = parameters.read("sort", Order::EXPECTED, Order::parse)?;
            (order.unwrap_or_default(), Slice::from_parameters(parameters)?)
        } else {
            FromParameters::from_parameters(parameters)?
        };
        let (subject, columns) = (Subject::Attacks, Vec::new());
        Ok(Self { conditions, time_range, subject, compares, order, grouping, slice, columns })
    }
}

/// The query parameters of the page.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<(String, String)>);

/// The search of the list that a page was opened from, unread: links lead back to it.
pub(super) struct Origin(Given);

impl Origin {
    const SHOWN: [&str; 7] = ["q", "from", "to", "group_by", "sort", "columns", Self::LIST];
    /// The list; absent: attacks.
    const LIST: &str = "list";

    fn is_part(name: &str) -> bool {
        Self::SHOWN.contains(&name) || Field::find(name).is_some()
    }

    pub(super) fn of(given: &Given) -> Self {
        let pairs = given.0.iter().filter(|(name, _)| Self::is_part(name));
        Self(Given(pairs.cloned().collect()))
    }

    /// Of a list itself.
    pub(super) fn of_list(subject: Subject, given: &Given) -> Self {
        let list = if subject == Subject::Attacks { "" } else { subject.name() };
        Self(Self::of(given).0.changed(Self::LIST, list))
    }

    pub(super) fn subject(&self) -> Subject {
        if self.0.has(Self::LIST, Subject::Requests.name()) { Subject::Requests } else { Subject::Attacks }
    }

    /// The search, as the list takes it.
    pub(super) fn given(&self) -> Given {
        self.0.changed(Self::LIST, "")
    }

    /// The address of the list.
    pub(super) fn list(&self) -> String {
        address(self.subject(), &self.given().all())
    }

    /// The page of the actions on a value.
    pub(super) fn actions(&self, condition: impl Display) -> String {
        format!("/actions{}", self.and("on", condition))
    }

    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0.0
    }

    /// The search with one more parameter.
    pub(super) fn and(&self, name: &str, value: impl Display) -> String {
        format!("?{}", self.0.with(name, &value.to_string()))
    }
}

impl FromParameters for Origin {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let names = Self::SHOWN.into_iter().chain(Field::ALL.map(Field::name));
        let pairs = names.map(|name| Ok((name.to_owned(), parameters.text(name)?.unwrap_or_default())));
        Ok(Self(Given::new(pairs.collect::<Result<_, ApiError>>()?)))
    }
}

/// Starts with `?`, unless it is empty.
impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.all();
        if text.is_empty() { Ok(()) } else { write!(f, "?{text}") }
    }
}

/// How the list of the search is shown: of no effect on other pages.
pub(super) struct Presentation;

impl FromParameters for Presentation {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        for name in ["group_by", "sort", "columns", Origin::LIST] {
            parameters.text(name)?;
        }
        Ok(Self)
    }
}

/// A condition of the search, and the search without it.
pub(super) struct Chip {
    pub text: String,
    pub without: String,
    /// The condition, also a negated one, unless it is a combination.
    pub condition: Option<Condition>,
}

/// A syntax error: the text before it, the text after it, and the error.
pub(super) struct SyntaxError {
    pub before: String,
    pub after: String,
    pub error: QueryError,
}

impl Given {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value of a parameter; empty if absent.
    pub(super) fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Whether the search filters.
    pub(super) fn is_filtered(&self) -> bool {
        self.0.iter().any(|(name, _)| {
            !matches!(name.as_str(), "sort" | "group_by" | "limit" | "cursor" | "columns" | "compare")
        })
    }

    /// The hidden fields of the search form, which has a choice for one field.
    pub(super) fn hidden(&self, choice: &str) -> impl Iterator<Item = &(String, String)> {
        let shown = ["q", "from", choice, "group_by", "cursor"];
        self.0.iter().filter(move |(name, _)| !shown.contains(&name.as_str()))
    }

    /// The hidden fields of the form of the time range.
    pub(super) fn hidden_but_times(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "from" | "to" | "cursor"))
    }

    /// A time, as the fields of a form take it; empty without one.
    pub(super) fn picked(&self, name: &str) -> String {
        let time = moment(self.value(name), context::now());
        time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S").to_string()).unwrap_or_default()
    }

    /// The query string with one parameter changed; the first page.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        Serializer::new(String::new()).extend_pairs(self.changed(name, value).0).finish()
    }

    /// The same, to be continued by other parameters.
    pub(super) fn prefix(&self, name: &str, value: &str) -> String {
        let text = self.with(name, value);
        if text.is_empty() { text } else { format!("{text}&") }
    }

    /// The same search with times in place of relative ones: as it is now.
    pub(super) fn frozen(&self, now: Timestamp) -> Self {
        let later = now + SignedDuration::from_secs(1);
        let mut pairs = self.0.clone();
        for (name, value) in &mut pairs {
            let fixed = match (name.as_str(), Field::find(name)) {
                ("q", _) => {
                    let [filter, other] = [now, later].map(|at| Filter::parse(value, at).ok());
                    filter.filter(|filter| other.as_ref() != Some(filter)).map(|filter| filter.to_string())
                }
                ("from" | "to", _) => {
                    let [time, other] = [now, later].map(|at| moment(value, at));
                    time.filter(|time| other != Some(*time)).map(|time| time.to_string())
                }
                (_, Some(field)) => {
                    let [condition, other] = [now, later].map(|at| Condition::of(field, value, at).ok());
                    let condition = condition.filter(|condition| other.as_ref() != Some(condition));
                    condition.and_then(|it| it.to_string().split_once(':').map(|(_, value)| value.to_owned()))
                }
                _ => None,
            };
            if let Some(fixed) = fixed {
                *value = fixed;
            }
        }
        let has_start = pairs.iter().any(|(name, _)| name == "from");
        if has_start && !pairs.iter().any(|(name, _)| name == "to") {
            pairs.push(("to".to_owned(), now.to_string()));
        }
        Self(pairs)
    }

    /// The parameters that select hits: without presentation. Starts with `?`, unless it is empty.
    pub(super) fn of_hits(&self) -> String {
        let selects = |name: &str| matches!(name, "q" | "from" | "to") || Field::find(name).is_some();
        let pairs = self.0.iter().filter(|(name, _)| selects(name));
        let text = Serializer::new(String::new()).extend_pairs(pairs).finish();
        if text.is_empty() { text } else { format!("?{text}") }
    }

    /// The parameters with one of them changed.
    pub(super) fn changed(&self, name: &str, value: &str) -> Self {
        let others = self.0.iter().filter(|(known, _)| known != name && known != "cursor").cloned();
        Self::new(others.chain([(name.to_owned(), value.to_owned())]).collect())
    }

    /// The query string without the cursor.
    pub(super) fn all(&self) -> String {
        self.with("cursor", "")
    }

    /// This search narrowed by a condition.
    pub(super) fn narrowed(&self, condition: impl Display) -> String {
        self.with("q", format!("{} {condition}", self.base()).trim_start())
    }

    /// The list of the attacks of a group.
    pub(super) fn opened(&self, conditions: impl Display) -> String {
        self.changed("group_by", "").narrowed(conditions)
    }

    /// The query as a text that conditions can be appended to.
    pub(super) fn base(&self) -> String {
        let text = self.value("q").trim();
        let is_choice = |filter: Filter| matches!(filter, Filter::Any(_));
        if Filter::parse(text, Clock::System.now()).is_ok_and(is_choice) {
            format!("({text})")
        } else {
            text.to_owned()
        }
    }

    /// This search as a view: parameters of fields become conditions of the query.
    pub(super) fn to_view(&self, list: Subject) -> ViewDraft {
        let now = Clock::System.now();
        let fields = Field::ALL.into_iter().filter(|field| !self.value(field.name()).is_empty());
        let conditions = fields.filter_map(|field| Condition::of(field, self.value(field.name()), now).ok());
        let conditions: Vec<_> = conditions.map(|condition| Filter::from(condition).to_string()).collect();
        let query = if conditions.is_empty() {
            self.value("q").trim().to_owned()
        } else {
            format!("{} {}", self.base(), conditions.join(" ")).trim_start().to_owned()
        };
        let value = |name| self.value(name).to_owned();
        let (group_by, sort, columns) = (value("group_by"), value("sort"), value("columns"));
        let (from, to) = (value("from"), value("to"));
        ViewDraft { name: String::new(), list, query, group_by, sort, from, to, columns, shared: false }
    }

    /// The conditions of the search, each with its removal link.
    pub(super) fn chips(&self) -> Vec<Chip> {
        let filter = Filter::parse(self.value("q"), Clock::System.now()).unwrap_or_default();
        let parts = if let Filter::All(parts) = filter { parts } else { vec![filter] };
        let mut chips: Vec<Chip> = (0..parts.len()).map(|index| self.chip_of_query(&parts, index)).collect();
        let is_field = |name: &str| name == "to" || Field::find(name).is_some();
        let fields = self.0.iter().filter(|(name, _)| is_field(name));
        chips.extend(fields.map(|(name, value)| Chip {
            text: if name == "to" { format!("until {value}") } else { format!("{name}:{value}") },
            without: self.with(name, ""),
            condition:
                Field::find(name).and_then(|field| Condition::of(field, value, Clock::System.now()).ok()),
        }));
        chips
    }

    fn chip_of_query(&self, parts: &[Filter], index: usize) -> Chip {
        let others = parts.iter().enumerate().filter(|(other, _)| *other != index);
        let rest = Filter::All(others.map(|(_, part)| part.clone()).collect());
        let condition = match &parts[index] {
            Filter::Condition(condition) => Some(condition.clone()),
            Filter::Not(part) => match &**part {
                Filter::Condition(condition) => Some(condition.clone()),
                _ => None,
            },
            Filter::All(_) | Filter::Any(_) => None,
        };
        Chip { text: parts[index].to_string(), without: self.with("q", &rest.to_string()), condition }
    }

    /// The syntax error of the query, if any.
    pub(super) fn syntax_error(&self) -> Option<SyntaxError> {
        let text = self.value("q");
        let error = Filter::parse(text, Clock::System.now()).err()?;
        let split = text.char_indices().nth(error.column - 1).map_or(text.len(), |(at, _)| at);
        let (before, after) = text.split_at(split);
        Some(SyntaxError { before: before.to_owned(), after: after.to_owned(), error })
    }
}

/// The address of the list of a view.
pub(super) fn of_view(view: &ViewDraft) -> String {
    let ViewDraft { list, query, group_by, sort, from, to, columns, .. } = view;
    let all = [
        ("q", query),
        ("from", from),
        ("to", to),
        ("group_by", group_by),
        ("sort", sort),
        ("columns", columns),
    ];
    let present = all.into_iter().filter(|(_, value)| !value.is_empty());
    address(*list, &Serializer::new(String::new()).extend_pairs(present).finish())
}

/// The address of a list with this query string.
pub(super) fn address(list: Subject, query: &str) -> String {
    let separator = if query.is_empty() { "" } else { "?" };
    format!("/{}{separator}{query}", list.name())
}

/// `field:value` in the search language.
pub(super) fn condition(field: &str, value: &str) -> String {
    if field == Field::Type.name() {
        return Condition::Type(value.into()).to_string();
    }
    format!("{field}:{}", Pattern::exact(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Given {
        Given::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_search_is_narrowed_by_an_appended_condition() {
        assert_eq!(given(&[]).narrowed("type:sqli"), "q=type%3Asqli");
        let search = given(&[("q", "a OR b"), ("from", "-24h"), ("cursor", "x")]);
        assert_eq!(search.narrowed("-ip:::1"), "from=-24h&q=%28a+OR+b%29+-ip%3A%3A%3A1");
        assert_eq!(given(&[("q", "a"), ("group_by", "type")]).opened("type:xss"), "q=a+type%3Axss");
    }

    #[test]
    fn each_condition_can_be_removed() {
        let search = given(&[("q", "type:sqli (a OR b) -path:/x"), ("host", "h"), ("sort", "hits")]);
        let chips = search.chips();
        let texts: Vec<_> = chips.iter().map(|chip| chip.text.as_str()).collect();
        assert_eq!(texts, ["type:sqli", "\"a\" OR \"b\"", "-path:/x", "host:h"]);
        assert_eq!(chips[1].without, "host=h&sort=hits&q=type%3Asqli+-path%3A%2Fx");
        assert_eq!(chips[3].without, "q=type%3Asqli+%28a+OR+b%29+-path%3A%2Fx&sort=hits");
    }

    #[test]
    fn a_view_turns_parameters_into_conditions() {
        let search = given(&[("q", "a OR b"), ("host", "x.example.com"), ("sort", "-hits"), ("cursor", "c")]);
        assert_eq!(
            of_view(&search.to_view(Subject::Attacks)),
            "/attacks?q=%28a+OR+b%29+host%3Ax.example.com&sort=-hits"
        );
        let plain = given(&[("q", " a OR b "), ("from", "-24h")]);
        assert_eq!(of_view(&plain.to_view(Subject::Requests)), "/requests?q=a+OR+b&from=-24h");
    }

    #[test]
    fn a_frozen_search_has_no_relative_times() {
        let now: Timestamp = "2026-01-02T12:00:00Z".parse().unwrap();
        let frozen = |pairs: &[(&str, &str)]| given(pairs).frozen(now).0;
        assert_eq!(
            frozen(&[("q", "type:sqli last_seen:>-1h"), ("from", "-24h"), ("sort", "hits")]),
            given(&[
                ("q", "type:sqli last_seen:>=2026-01-02T11:00:00.001Z"),
                ("from", "2026-01-01T12:00:00Z"),
                ("sort", "hits"),
                ("to", "2026-01-02T12:00:00Z"),
            ])
            .0
        );
        let fixed = [("q", "a OR b"), ("to", "2026-01-01T00:00:00Z")];
        assert_eq!(frozen(&fixed), given(&fixed).0);
    }

    #[test]
    fn values_with_special_characters_are_quoted() {
        assert_eq!(condition("parameter", "get > id"), "parameter:\"get > id\"");
        assert_eq!(condition("path", "/a*b"), "path:/a\\*b");
    }

    #[test]
    fn a_syntax_error_is_shown_at_its_column() {
        let syntax_error = given(&[("q", "type:sqli hosst:x")]).syntax_error().unwrap();
        assert_eq!((syntax_error.before.as_str(), syntax_error.after.as_str()), ("type:sqli ", "hosst:x"));
    }
}
