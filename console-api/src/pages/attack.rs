//! The page of an attack.

use super::{render, search::condition, view};
use crate::{
    attack::{Attack, AttackDetail, BUCKET, Mark, Source},
    error::ApiError,
    extract::{Named, Query, Reader},
    hit::RecordedHit,
    paging::{Page, Slice},
    store::Store,
};
use askama::Template;
use axum::{extract::State, response::Response};
use form_urlencoded::Serializer;
use shared::{Outcome, classification::names};
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "attack.html")]
struct AttackPage {
    detail: AttackDetail,
    hits: Page<RecordedHit>,
    can_edit: bool,
    timeline: Timeline,
}

/// Hits over time, in SVG units: x, height of all hits, height of blocked hits.
struct Timeline {
    bars: Vec<(i64, u64, u64)>,
}

impl Timeline {
    const BARS: i64 = 60;
    const WIDTH: i64 = Self::BARS * 10;

    fn new(buckets: &[(i64, u64, u64)]) -> Self {
        let start = buckets.first().map_or(0, |time| time.0);
        let end = buckets.last().map_or(0, |time| time.0);
        let interval = ((end - start) / Self::BARS + 1).max(BUCKET);
        let mut sums: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
        for (at, hits, blocked) in buckets {
            let sum = sums.entry((at - start) / interval).or_default();
            *sum = (sum.0 + hits, sum.1 + blocked);
        }
        let most = sums.values().map(|sum| sum.0).max().unwrap_or(1).max(1);
        let bar = |(index, (hits, blocked)): (i64, (u64, u64))| {
            (index * 10, hits * 100 / most, blocked * 100 / most)
        };
        Self { bars: sums.into_iter().map(bar).collect() }
    }
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
    Reader(actor): Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
    Named(attack): Named<Attack>,
) -> Result<Response, ApiError> {
    let hits = store.hits_of_attack(attack.id, &slice).await?;
    let timeline = Timeline::new(&store.attack_time_buckets(attack.id).await?);
    let detail = store.attack_detail(attack).await?;
    Ok(render(&AttackPage { detail, hits, can_edit: actor.role.can_edit(), timeline }))
}
