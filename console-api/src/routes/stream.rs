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
    view::Subject,
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
use jiff::SignedDuration;
use serde::Serialize;
use std::{convert::Infallible, mem, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// The poll interval: one short query for each client while no hits arrive.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum number of events per poll, the latest ones.
const MAX_EVENTS: u32 = Slice::MAX_LIMIT;
/// An attack or a hit before the stream began is not older than this.
const RECENT: SignedDuration = SignedDuration::from_mins(15);
/// How often the caller of a stream without events is authenticated again.
const AUTHENTICATION: Duration = Duration::from_secs(10);

/// Streams an `attack` event for each matching attack that starts or grows from now on, also by hits
/// that a node delivers late, at most 200 per second; with `since`, also for each attack that started
/// after that id.
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
    live(app, (&actor, caller), since, filter, Subject::Attacks).await
}

/// Streams a `request` event for each matching hit that is stored from now on, in this order, also for
/// those that a node delivers late, at most 200 per second; with `since`, also for each hit with a later
/// id.
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
    live(app, (&actor, caller), since, filter, Subject::Requests).await
}

async fn live(
    app: App,
    (actor, caller): (&Actor, Parts),
    Since(since): Since,
    filter: Filter,
    subject: Subject,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, ApiError> {
    let permit = app.streams.enter(actor.id).await?;
    let counted = app.metrics.stream();
    let closed = app.change_notifier.subscribe().closed();
    let (arrival, pending, authenticated) = (app.store.last_arrival().await?, Vec::new(), Instant::now());
    let mut watch = Watch {
        app,
        caller,
        filter,
        subject,
        arrival,
        pending,
        authenticated,
        _counted: counted,
        _permit: permit,
    };
    if let Some(since) = since {
        watch.pending = watch.since(since).await?;
    }
    let events = stream::unfold(watch, |mut watch| async move {
        tokio::time::sleep(PAUSE).await;
        let events = match watch.next().await {
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

struct Watch {
    app: App,
    /// The request with the credential of the caller.
    caller: Parts,
    filter: Filter,
    subject: Subject,
    /// The last batch of hits that was looked at.
    arrival: i64,
    /// Events that were not sent yet.
    pending: Vec<Event>,
    /// When the caller was last authenticated.
    authenticated: Instant,
    _counted: Watching,
    _permit: CallerPermit,
}

impl Watch {
    /// The next events, if the caller may still read: a token or a session can end before the stream.
    async fn next(&mut self) -> Result<Vec<Event>, ApiError> {
        let changes = self.changes().await?;
        self.pending.extend(changes);
        if !self.pending.is_empty() || self.authenticated.elapsed() >= AUTHENTICATION {
            Reader::from_request_parts(&mut self.caller, &self.app).await?;
            self.authenticated = Instant::now();
        }
        Ok(mem::take(&mut self.pending))
    }

    /// Events of the attacks that got hits since the last poll, the latest seen last, or of these hits.
    async fn changes(&mut self) -> Result<Vec<Event>, StoreError> {
        let (store, last) = (&self.app.store, self.app.store.last_arrival().await?);
        if last == self.arrival {
            return Ok(Vec::new());
        }
        let arrivals = self.arrival..last;
        let events = match self.subject {
            Subject::Attacks => {
                attack_events(&store.arrived_attacks(&self.filter, arrivals, MAX_EVENTS).await?)
            }
            Subject::Requests => hit_events(&store.arrived_hits(&self.filter, arrivals, MAX_EVENTS).await?),
        };
        self.arrival = last;
        Ok(events)
    }

    /// Events of the recent attacks or hits with a later id. Later arrivals of hits follow by
    /// themselves.
    async fn since(&self, since: Uuid) -> Result<Vec<Event>, StoreError> {
        let (store, slice) = (&self.app.store, Slice { limit: MAX_EVENTS, after: None });
        let recent = TimeRange { from: self.app.clock.now().checked_sub(RECENT).ok(), to: None };
        let filter = self.filter.clone().and(Condition::LastSeen(recent).into());
        Ok(match self.subject {
            Subject::Attacks => {
                let mut attacks = store.attacks(&filter, Order::default(), &slice).await?.items;
                attacks.retain(|attack| attack.id > since);
                attacks.reverse();
                attack_events(&attacks)
            }
            Subject::Requests => {
                let filter = filter.during(recent);
                let mut hits = store.hits_matching_up_to(self.arrival, &filter, &slice).await?.items;
                hits.retain(|hit| hit.id > since);
                hits.reverse();
                hit_events(&hits)
            }
        })
    }
}

fn attack_events(attacks: &[Attack]) -> Vec<Event> {
    attacks.iter().map(|attack| event("attack", attack)).collect()
}

fn hit_events(hits: &[RecordedHit]) -> Vec<Event> {
    hits.iter().map(|hit| event("request", hit)).collect()
}
