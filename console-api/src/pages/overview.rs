//! The page of the overview.

use super::{
    chart::Chart,
    render,
    search::{Given, Origin},
    view,
};
use crate::{
    clock::Clock,
    error::ApiError,
    extract::{Reader, Searching},
    overview::{Mover, Overview, OverviewCache},
    store::Store,
    view::Subject,
};
use askama::Template;
use axum::{extract::State, response::Response};
use form_urlencoded::Serializer;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    overview: Arc<Overview>,
    chart: Chart,
}

/// A number of the last day.
struct Figure {
    title: &'static str,
    now: u64,
    before: u64,
    page: &'static str,
}

impl OverviewPage {
    fn figures(&self) -> [Figure; 4] {
        let (now, before) = (&self.overview.today, &self.overview.last_week);
        let figure = |title, now, before, page| Figure { title, now, before, page };
        [
            figure("Attacks", now.attacks, before.attacks, "/attacks?from=-24h"),
            figure("Hits", now.hits, before.hits, "/requests?from=-24h"),
            figure("Blocked", now.blocked, before.blocked, "/requests?from=-24h&action=blocked"),
            figure("Not inspected", now.not_inspected, before.not_inspected, "/not-inspected"),
        ]
    }

    /// The page of the actions on a value, in the requests of the last day.
    fn actions_on(mover: &Mover) -> String {
        let given = Given::new(vec![("from".to_owned(), "-24h".to_owned())]);
        Origin::of_list(Subject::Requests, &given).actions(mover.condition())
    }

    /// The requests of a value in the last day.
    fn requests_of(mover: &Mover) -> String {
        let mut query = Serializer::new(String::new());
        format!(
            "/requests?{}",
            query.append_pair("q", &mover.condition()).append_pair("from", "-24h").finish()
        )
    }
}

pub(super) async fn page(
    _: Searching<Reader>,
    State(store): State<Store>,
    State(cache): State<OverviewCache>,
    State(clock): State<Clock>,
) -> Result<Response, ApiError> {
    let overview = cache.read(&store, clock.now()).await?;
    let chart = Chart::new(&overview.trend, Some(&overview.trend_before), "/requests?".to_owned());
    Ok(render(&OverviewPage { overview, chart }))
}
