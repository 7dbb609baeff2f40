//! Marks of all attacks of a group, after a confirmation with their number.

use super::{Fields, done_page, mark_to_set, parsed, values};
use crate::{
    error::ApiError,
    extract::{Analyst, FromParameters as _, Parameters, Searching},
    pages::{
        context, render,
        search::{Given, Origin, Search},
        view,
    },
    query::Filter,
    store::{Batch, Store},
    use_cases::{RulesetWriter, batches},
    view::Subject,
};
use askama::Template;
use axum::{
    Form,
    extract::{Query as Pairs, State},
    response::{Redirect, Response},
};

/// The attacks of a group.
struct Group {
    filter: Filter,
    /// The search of the list with the groups.
    origin: Origin,
    /// The search of the attacks of the group.
    search: String,
}

impl Group {
    /// Reads the conditions of the group, `on`, and the search of the list.
    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let origin = Origin::of(&Given::new(fields.to_vec()));
        let on = values(fields, "on").next().unwrap_or_default();
        if on.is_empty() {
            return Err(ApiError::parameter("on", "`on` must be the conditions of a group"));
        }
        let search = origin.given().opened(on);
        let pairs = form_urlencoded::parse(search.as_bytes()).into_owned().collect();
        let mut parameters = Parameters::new(pairs, context::now());
        let search_of_attacks = Search::from_parameters(&mut parameters)?;
        Ok(Self { filter: search_of_attacks.filter(), origin, search })
    }
}

/// The confirmation before the attacks of a group are marked.
#[derive(Template)]
#[template(path = "selection_group.html")]
struct GroupPage {
    /// The conditions of the group.
    on: String,
    attacks: u64,
    /// The maximum number of attacks.
    max: u64,
    search: String,
    origin: Origin,
}

pub(in crate::pages) async fn confirm(
    _: Searching<Analyst>,
    State(store): State<Store>,
    Pairs(fields): Pairs<Fields>,
) -> Result<Response, ApiError> {
    let Group { filter, origin, search } = Group::read(&fields)?;
    let on = values(&fields, "on").next().unwrap_or_default().to_owned();
    let (attacks, max) = (store.count_attacks(&filter).await?, batches::MAX_ATTACKS.into());
    Ok(render(&GroupPage { on, attacks, max, search, origin }))
}

/// Marks the attacks of a group: at most as many as the confirmation named, the oldest ones.
pub(in crate::pages) async fn mark(
    Searching { caller: Analyst(author), permit }: Searching<Analyst>,
    State(ruleset): State<RulesetWriter>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, ApiError> {
    let Group { filter, origin, .. } = Group::read(&fields)?;
    let mark = mark_to_set(&fields)?;
    let confirmed: Vec<u32> = parsed(&fields, "attacks")?;
    let [confirmed @ 1..=batches::MAX_ATTACKS] = confirmed[..] else {
        let detail = format!("`attacks` must be 1 to {}; narrow the search", batches::MAX_ATTACKS);
        return Err(ApiError::parameter("attacks", detail));
    };
    let attacks = ruleset.store.attacks_after(&filter, None, confirmed).await?;
    drop(permit);
    let attacks = attacks.into_iter().map(|attack| attack.id).collect();
    let done = batches::apply(&ruleset, &author, Batch { attacks, mark, ..Batch::default() }).await?;
    Ok(done_page(done, &origin, None))
}
