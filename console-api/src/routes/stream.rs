//! Live attacks as server-sent events.

use crate::{
    app::App,
    attack::{Attack, Order},
    caller_limit::CallerPermit,
    clock::Clock,
    error::{ApiError, with_sources},
    extract::{FromParameters, Parameters, Query, Reader},
    metrics::Watching,
    paging::Slice,
    query::{Condition, Filter, TimeRange},
    store::{Store, StoreError},
};
use axum::{
    extract::State,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt as _, stream};
use jiff::SignedDuration;
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
    State(App { store, clock, metrics, change_notifier: notifier, streams, .. }): State<App>,
    Query((Since(since), filter)): Query<(Since, Filter)>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let permit = streams.enter(actor.id).await?;
    let counted = metrics.stream();
    let mut watch = Watch { store, clock, filter, known: HashMap::new(), _counted: counted, _permit: permit };
    // The known attacks are not reported.
    watch.changes().await?;
    if let Some(since) = since {
        watch.known.retain(|id, _| *id <= since);
    }
    let events = stream::unfold(watch, |mut watch| async move {
        tokio::time::sleep(PAUSE).await;
        let attacks = watch.changes().await.unwrap_or_else(|error| {
            tracing::error!(error = with_sources(&error), "the live stream of attacks failed");
            Vec::new()
        });
        Some((stream::iter(attacks.into_iter().map(|attack| Ok(event(&attack)))), watch))
    });
    let events = events.flatten().take_until(Box::pin(notifier.subscribe().closed()));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Ids of version 7 are ordered by creation time.
pub(super) struct Since(Option<Uuid>);

impl FromParameters for Since {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.parse("since", "an id of version 7").map(Self)
    }
}

fn event(attack: &Attack) -> Event {
    Event::default()
        .event("attack")
        .json_data(attack)
        .expect("attacks have text keys and no line breaks outside texts")
}

struct Watch {
    store: Store,
    clock: Clock,
    filter: Filter,
    /// The reported counts of active attacks: hits without the suspicious ones that the filter does
    /// not select, and blocked hits.
    known: HashMap<Uuid, (u64, u64)>,
    _counted: Watching,
    _permit: CallerPermit,
}

impl Watch {
    /// The changed attacks, the latest seen last.
    async fn changes(&mut self) -> Result<Vec<Attack>, StoreError> {
        let from = self.clock.now().checked_sub(RECENT).ok();
        let is_active = Condition::LastSeen(TimeRange { from, to: None }).into();
        let slice = Slice { limit: Slice::MAX_LIMIT, after: None };
        let page = self.store.attacks(&self.filter.clone().and(is_active), Order::default(), &slice).await?;
        let before = std::mem::take(&mut self.known);
        let ignored = u64::from(!self.filter.selects_suspicious());
        let counts = |attack: &Attack| (attack.hits - ignored * attack.suspicious, attack.blocked);
        self.known = page.items.iter().map(|attack| (attack.id, counts(attack))).collect();
        let is_new = |attack: &Attack| before.get(&attack.id) != Some(&counts(attack));
        Ok(page.items.into_iter().rev().filter(is_new).collect())
    }
}
