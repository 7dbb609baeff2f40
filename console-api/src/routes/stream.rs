//! Live attacks and hits as server-sent events.

use crate::{
    actor::Actor,
    app::App,
    attack::{Attack, Order},
    caller_limit::CallerPermit,
    error::{ApiError, with_sources},
    extract::{FromParameters, HitsFilter, Parameters, Query, Reader},
    hit::RecordedHit,
    metrics::Watching,
    paging::Slice,
    query::{Condition, Filter, TimeRange},
    store::StoreError,
};
use axum::{
    extract::{FromRequestParts as _, State},
    http::request::Parts,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::{collections::HashMap, convert::Infallible, time::Duration};
use uuid::Uuid;

/// The poll interval: one query for each client.
const PAUSE: Duration = Duration::from_secs(1);
/// An attack whose last hit is older is not active. Hits that arrive later than that are not
/// reported.
const RECENT: SignedDuration = SignedDuration::from_mins(15);

/// Streams an `attack` event for each matching attack that starts or grows from now on, at most 200
/// per second; with `since`, also for each attack that started after that id.
#[utoipa::path(
    get,
    path = "/attacks/stream",
    security(("token" = ["reader"])),
    params(Filter, ("since" = Option<Uuid>, Query, description = "A UUID of version 7, made together with a list of attacks: no attack between the list and the stream is missed.")),
    responses(
        (status = 200, description = "An endless stream of events.", body = String, content_type = "text/event-stream"),
        (status = 503, description = "Too many streams."),
    )
)]
pub(super) async fn attacks(
    Reader(actor): Reader,
    caller: Parts,
    State(app): State<App>,
    Query((since, filter)): Query<(Since, Filter)>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    live(app, (&actor, caller), since, filter, Known::Attacks(HashMap::new())).await
}

/// Streams a `request` event for each matching hit that is recorded from now on, at most 200 per
/// second; with `since`, also for each hit with a later id.
#[utoipa::path(
    get,
    path = "/requests/stream",
    operation_id = "stream",
    security(("token" = ["reader"])),
    params(Filter, ("since" = Option<Uuid>, Query, description = "A UUID of version 7, made together with a list of hits: hits that are made between the list and the stream are sent, too, but not those that a node delivers late.")),
    responses(
        (status = 200, description = "An endless stream of events.", body = String, content_type = "text/event-stream"),
        (status = 503, description = "Too many streams."),
    )
)]
pub(super) async fn requests(
    Reader(actor): Reader,
    caller: Parts,
    State(app): State<App>,
    Query((since, HitsFilter(filter))): Query<(Since, HitsFilter)>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    live(app, (&actor, caller), since, filter, Known::Hits(HashMap::new())).await
}

async fn live(
    app: App,
    (actor, caller): (&Actor, Parts),
    Since(since): Since,
    filter: Filter,
    known: Known,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, ApiError> {
    let permit = app.streams.enter(actor.id).await?;
    let counted = app.metrics.stream();
    let closed = app.change_notifier.subscribe().closed();
    let mut watch = Watch { app, caller, filter, known, _counted: counted, _permit: permit };
    // The known attacks or hits are not reported.
    watch.changes().await?;
    if let Some(since) = since {
        watch.known.forget_after(since);
    }
    let events = stream::unfold(watch, |mut watch| async move {
        tokio::time::sleep(PAUSE).await;
        let events = match watch.authorized_changes().await {
            Ok(events) => events,
            Err(ApiError::Unauthorized | ApiError::Forbidden(_)) => return None,
            Err(error) => {
                tracing::error!(error = with_sources(&error), "a live stream failed");
                Vec::new()
            }
        };
        Some((stream::iter(events.into_iter().map(Ok)), watch))
    });
    let events = events.flatten().take_until(Box::pin(closed));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Ids of version 7 are ordered by creation time.
pub(super) struct Since(Option<Uuid>);

impl FromParameters for Since {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.parse("since", "an id of version 7").map(Self)
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    let event = Event::default().event(name).json_data(data);
    event.expect("attacks and hits have text keys and no line breaks outside texts")
}

/// What was reported.
enum Known {
    /// The counts of active attacks: hits without the suspicious ones that the filter does not select,
    /// and blocked hits.
    Attacks(HashMap<Uuid, (u64, u64)>),
    /// Recent hits, with their times.
    Hits(HashMap<Uuid, Timestamp>),
}

impl Known {
    fn forget_after(&mut self, since: Uuid) {
        match self {
            Self::Attacks(known) => known.retain(|id, _| *id <= since),
            Self::Hits(known) => known.retain(|id, _| *id <= since),
        }
    }
}

struct Watch {
    app: App,
    /// The request with the credential of the caller.
    caller: Parts,
    filter: Filter,
    known: Known,
    _counted: Watching,
    _permit: CallerPermit,
}

impl Watch {
    /// The changes, if the caller may still read: a token or a session can end before the stream.
    async fn authorized_changes(&mut self) -> Result<Vec<Event>, ApiError> {
        Reader::from_request_parts(&mut self.caller, &self.app).await?;
        Ok(self.changes().await?)
    }

    /// Events of the changed attacks, the latest seen last, or of the new hits.
    async fn changes(&mut self) -> Result<Vec<Event>, StoreError> {
        let from = self.app.clock.now().checked_sub(RECENT).ok();
        let is_recent = Condition::LastSeen(TimeRange { from, to: None }).into();
        let (filter, slice) =
            (self.filter.clone().and(is_recent), Slice { limit: Slice::MAX_LIMIT, after: None });
        match &mut self.known {
            Known::Attacks(known) => {
                let page = self.app.store.attacks(&filter, Order::default(), &slice).await?;
                let ignored = u64::from(!self.filter.selects_suspicious());
                let counts = |attack: &Attack| (attack.hits - ignored * attack.suspicious, attack.blocked);
                let before = std::mem::take(known);
                *known = page.items.iter().map(|attack| (attack.id, counts(attack))).collect();
                let is_new = |attack: &&Attack| before.get(&attack.id) != Some(&counts(attack));
                Ok(page.items.iter().rev().filter(is_new).map(|attack| event("attack", attack)).collect())
            }
            Known::Hits(known) => {
                let page = self
                    .app
                    .store
                    .hits_matching(&filter.during(TimeRange { from, to: None }), &slice)
                    .await?;
                known.retain(|_, at| from.is_none_or(|from| *at >= from));
                // Older ones of the list, where others were deleted or marked, are no new ones.
                let is_new = |hit: &&RecordedHit| known.insert(hit.id, hit.at).is_none();
                Ok(page.items.iter().rev().filter(is_new).map(|hit| event("request", hit)).collect())
            }
        }
    }
}
