//! Actions on a value of a field: search for it, block it, make a rule for it. A page without
//! scripts; scripts show its content as a menu next to the value.

use super::{
    context,
    hits::JustMade,
    ip_lists::{self, BlockForm},
    render, rules,
    search::{self, Origin},
    selection::DURATIONS,
    view,
};
use crate::{
    error::ApiError,
    extract::{Analyst, FromParameters, Parameters, Query, Reader},
    facet::Facet,
    query::{Addresses, Condition, Filter},
    ruleset::StoredEntry,
    store::Store,
    use_cases::{self, RulesetWriter},
    view::Subject,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{Redirect, Response},
};
use form_urlencoded::Serializer;
use shared::ruleset::{List, Source};

/// The condition that selects the value.
pub(super) struct On(Condition);

impl FromParameters for On {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        const EXPECTED: &str = "one condition such as ip:203.0.113.7";
        let condition = |text: &str| match Filter::parse(text, context::now()) {
            Ok(Filter::Condition(condition)) => Some(condition),
            _ => None,
        };
        let condition = parameters.read("on", EXPECTED, condition)?;
        let missing = || ApiError::parameter("on", format!("`on` must be {EXPECTED}"));
        condition.map(Self).ok_or_else(missing)
    }
}

#[derive(Template)]
#[template(path = "value_actions.html")]
struct ActionsPage {
    condition: Condition,
    /// The search of the list that the value is in.
    origin: Origin,
    /// The value, where an entry of an IP list can name it.
    source: Option<Source>,
    can_edit: bool,
    /// The entry that was just made, with an undo button.
    made: Option<StoredEntry>,
}

impl ActionsPage {
    /// The value alone.
    fn value(&self) -> String {
        let pattern = match &self.condition {
            Condition::Type(attack_type) => return attack_type.to_string(),
            Condition::Facet(_, Some(value)) | Condition::EdgeRequestId(value) => return value.clone(),
            Condition::Host(pattern)
            | Condition::Path(pattern)
            | Condition::Parameter(pattern)
            | Condition::Payload(pattern)
            | Condition::Anywhere(pattern) => pattern,
            // Neither quoted nor escaped.
            other => return other.to_string().split_once(':').map_or("", |(_, value)| value).to_owned(),
        };
        pattern.as_text().map_or_else(|| pattern.to_string(), str::to_owned)
    }

    /// The list, with a further condition.
    fn narrowed(&self, condition: impl std::fmt::Display) -> String {
        let given = self.origin.given();
        let text = self.condition.to_string();
        let is_of = |field: &str| text.split_once(':').is_some_and(|(name, _)| name == field);
        let is_grouped = given.value("group_by").split(',').any(is_of);
        let query = if is_grouped { given.opened(condition) } else { given.narrowed(condition) };
        search::address(self.origin.subject(), &query)
    }

    /// The list without the value.
    fn without(&self) -> String {
        self.narrowed(format_args!("-{}", self.condition))
    }

    /// The requests with the value since a time.
    fn requests(&self, from: &str) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("q", &self.condition.to_string()).append_pair("from", from);
        search::address(Subject::Requests, &query.finish())
    }

    /// What has to be confirmed before the value is blocked.
    fn confirmation(source: &Source) -> Option<String> {
        ip_lists::unusual_effect(List::Deny, source)
    }

    /// The forms of rules that can start with the value.
    fn rules(&self) -> Vec<(&'static str, String)> {
        let kinds = [("ignore", "Add exclusion"), ("virtual_patch", "Add virtual patch")];
        let form = |(kind, title)| {
            let fields = fields_of_rule(kind, &self.condition)?;
            let mut query = Serializer::new(String::new());
            query.append_pair("kind", kind).extend_pairs(fields);
            Some((title, format!("/rules/new?{}", query.finish())))
        };
        kinds.into_iter().filter_map(form).collect()
    }
}

/// The fields of the form of a rule that a value fills.
fn fields_of_rule(kind: &str, condition: &Condition) -> Option<Vec<(&'static str, String)>> {
    let is_exclusion = kind == "ignore";
    let text = |pattern: &crate::query::Pattern| pattern.as_text().map(str::to_owned);
    Some(match condition {
        Condition::Host(host) => vec![("host", text(host)?)],
        Condition::Path(path) => vec![("path", text(path)?)],
        Condition::Method(method) => vec![("method", method.clone())],
        Condition::Parameter(parameter) => {
            vec![("points", text(parameter).filter(|text| rules::is_point(text))?)]
        }
        Condition::Type(code) => {
            vec![(if is_exclusion { "findings" } else { "attack_types" }, code.as_str().to_owned())]
        }
        Condition::Facet(Facet::Signature, Some(id)) if is_exclusion => {
            vec![("findings", "signature".to_owned()), ("suppressed", id.clone())]
        }
        _ => return None,
    })
}

/// The source of an entry of an IP list that holds the value.
fn source_of(condition: &Condition) -> Option<Source> {
    match condition {
        Condition::Ip(addresses @ (Addresses::One(_) | Addresses::Network(_))) => {
            ip_lists::source(&addresses.to_string()).ok()
        }
        Condition::Facet(Facet::Country | Facet::Network, Some(value)) => ip_lists::source(value).ok(),
        _ => None,
    }
}

pub(super) async fn page(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query(((On(condition), origin), just_made)): Query<((On, Origin), JustMade)>,
) -> Result<Response, ApiError> {
    let made = match just_made.entry {
        Some(id) => store.find(id).await?,
        None => None,
    };
    let (source, can_edit) = (source_of(&condition), actor.role.can_edit());
    Ok(render(&ActionsPage { condition, origin, source, can_edit, made }))
}

/// Adds the value to the denylist.
pub(super) async fn block(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Query((On(condition), origin)): Query<(On, Origin)>,
    Form(form): Form<BlockForm>,
) -> Result<Redirect, ApiError> {
    let unfit = || ApiError::parameter("on", format!("`{condition}` cannot be an entry of an IP list"));
    let source = source_of(&condition).ok_or_else(unfit)?;
    let draft = form.draft(source, format!("from the search {condition}"), author.at)?;
    let entry = use_cases::ip_lists::add(&ruleset, &author, draft).await?;
    let page = origin.actions(&condition);
    Ok(Redirect::to(&format!("{page}&{}={}", JustMade::ENTRY, entry.entry.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> Condition {
        match Filter::parse(text, context::now()) {
            Ok(Filter::Condition(condition)) => condition,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn addresses_networks_and_countries_can_be_blocked() {
        for text in ["ip:203.0.113.7", "ip:203.0.113.0/24", "ip:2001:db8::1", "country:DE", "network:AS64500"]
        {
            assert!(source_of(&condition(text)).is_some(), "{text}");
        }
        for text in ["ip:203.0.113.7-203.0.113.9", "country:unknown", "path:/x", "type:sqli", "union"] {
            assert!(source_of(&condition(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn a_value_is_copied_as_it_is() {
        for (text, value) in [
            ("parameter:\"get > id\"", "get > id"),
            ("path:/a\\*b", "/a*b"),
            ("ip:203.0.113.7", "203.0.113.7"),
            ("\"a:b\"", "a:b"),
            ("path:/a*", "/a*"),
            ("country:DE", "DE"),
        ] {
            let page = ActionsPage {
                condition: condition(text),
                origin: Origin::of(&search::Given::new(Vec::new())),
                source: None,
                can_edit: true,
                made: None,
            };
            assert_eq!(page.value(), value, "{text}");
        }
    }

    #[test]
    fn forms_of_rules_start_with_the_value() {
        let fields = |kind: &str, text: &str| fields_of_rule(kind, &condition(text)).unwrap_or_default();
        assert_eq!(fields("ignore", "type:sqli"), [("findings", "sqli".to_owned())]);
        assert_eq!(fields("virtual_patch", "type:sqli"), [("attack_types", "sqli".to_owned())]);
        assert_eq!(fields("ignore", "parameter:\"get > id\""), [("points", "get > id".to_owned())]);
        assert_eq!(fields("virtual_patch", "path:/a\\*b"), [("path", "/a*b".to_owned())]);
        for (kind, text) in [
            ("ignore", "path:/a*"),
            ("ignore", "ip:203.0.113.7"),
            ("ignore", "parameter:\"nowhere > id\""),
            ("virtual_patch", "signature:sqli-tautology"),
        ] {
            assert!(fields(kind, text).is_empty(), "{kind} {text}");
        }
    }
}
