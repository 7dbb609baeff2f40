//! The page of an attack.

use super::{
    chart::Chart,
    render,
    search::{self, Given, Origin, Presentation, condition},
    view,
};
use crate::{
    attack::{Attack, AttackDetail, Mark, Source},
    clock::Clock,
    error::ApiError,
    extract::{Named, Query, Reader, Searching},
    hit::RecordedHit,
    paging::{Page, Slice},
    query::{Filter, TimeRange},
    store::Store,
};
use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};
use form_urlencoded::Serializer;
use shared::{Outcome, classification::names};

#[derive(Template)]
#[template(path = "attack.html")]
struct AttackPage {
    detail: AttackDetail,
    hits: Page<RecordedHit>,
    can_edit: bool,
    chart: Chart,
    /// The search of the list.
    origin: Origin,
    /// The same with fixed times, for links.
    frozen: Origin,
    /// Whether the search selects hits.
    is_selection: bool,
    /// The number of all hits of the attack.
    all_hits: u64,
}

impl AttackPage {
    fn weakness(&self) -> String {
        let cwe = self.detail.attack.attack_type.cwe();
        cwe.map(|number| format!(" · CWE-{number} {}", names::cwe(number))).unwrap_or_default()
    }

    /// The search for all attacks of a source.
    fn of_source(source: &Source) -> String {
        Serializer::new(String::new()).append_pair("q", &condition("ip", &source.ip.to_string())).finish()
    }

    /// Percentage of the hits of the top source.
    fn share_of_source(&self, source: &Source) -> u64 {
        let most = self.detail.top_sources.first().map_or(1, |first| first.hits);
        source.hits * 100 / most.max(1)
    }
}

pub(super) async fn one(
    Searching { caller: Reader(actor), .. }: Searching<Reader>,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    Query(((filter, time_range), (slice, Presentation))): Query<((Filter, TimeRange), (Slice, Presentation))>,
    Named(attack): Named<Attack>,
) -> Result<Response, ApiError> {
    let filter = filter.during(time_range);
    let hits = store.hits_of_attack(attack.id, &filter, &slice).await?;
    let given = Given::new(pairs);
    let zoom = format!("/attacks/{}?{}", attack.id, given.changed("from", "").prefix("to", ""));
    let chart = Chart::new(&store.attack_series(&attack, &filter).await?, None, zoom);
    let all_hits = attack.hits;
    let detail = store.attack_detail(attack, &filter).await?;
    let (origin, frozen) = (Origin::of(&given), Origin::of(&given.frozen(clock.now())));
    let (can_edit, is_selection) = (actor.role.can_edit(), filter.selects_hits());
    Ok(render(&AttackPage { detail, hits, can_edit, chart, origin, frozen, is_selection, all_hits }))
}
