//! Webhook dispatcher: matches attacks, collects them in digests, queues deliveries in the database
//! and sends them until acknowledged. Each is sent at least once, also across restarts.

use super::{PublicUrl, Sender, message::Composer};
use crate::{
    clock::Clock,
    coverage::CoverageMargin,
    error::with_sources,
    metrics::Metrics,
    store::{About, AttemptResult, Claim, Collected, Due, NewDelivery, Store, StoreError},
    webhook::{Digest, Secret, Subject, Webhook, WebhookDelivery},
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::HashMap, iter, mem, time::Duration};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The pause between rounds.
const PAUSE: Duration = Duration::from_secs(1);
/// The time in which all nodes report after a start.
const NODES_REPORT: Duration = Duration::from_secs(20);
/// The pause between checks of coverage: each reads the rows of eight days.
const COVERAGE_PAUSE: Duration = Duration::from_mins(1);
/// Attacks per batch.
const ATTACKS: u32 = 200;
/// Batches of attacks before due deliveries are sent: ingest uses the same database.
const ROUNDS: u32 = 10;
/// Deliveries per read.
const DELIVERIES: u32 = 20;
/// Delays in seconds after failed attempts, 28 hours in total. After one more attempt a delivery is
/// dead.
const RETRIES: [i64; 8] = [5, 30, 120, 600, 3600, 3 * 3600, 8 * 3600, 16 * 3600];

#[derive(Clone)]
pub struct Dispatcher {
    pub store: Store,
    pub clock: Clock,
    pub sender: Sender,
    pub metrics: Metrics,
    pub public_url: PublicUrl,
    pub coverage_margin: CoverageMargin,
}

impl Dispatcher {
    /// Runs until `stop`. A slow webhook does not delay others.
    pub async fn run(self, stop: CancellationToken) {
        // After a start, nodes have not yet reported to this console.
        let reported = Instant::now() + NODES_REPORT;
        let mut coverage_due = reported;
        let mut busy: HashMap<Uuid, JoinHandle<()>> = HashMap::new();
        loop {
            busy.retain(|_, sending| !sending.is_finished());
            let now = Instant::now();
            let checks_coverage = now >= coverage_due;
            if checks_coverage {
                coverage_due = now + COVERAGE_PAUSE;
            }
            let new_events =
                async { if now >= reported { self.queue_events(checks_coverage).await } else { Ok(()) } };
            match new_events.await.and(self.due_webhooks().await) {
                Ok(due) => {
                    for due in due {
                        let this = self.clone();
                        busy.entry(due.webhook.id).or_insert_with(|| {
                            tokio::spawn(async move {
                                this.send_all(&due).await;
                            })
                        });
                    }
                }
                Err(error) => {
                    tracing::error!(error = with_sources(&error), "cannot process webhook deliveries");
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                break;
            }
        }
        for sending in busy.into_values() {
            sending.abort();
        }
    }

    /// One round: matches new attacks, and sends due deliveries.
    pub async fn round(&self) -> Result<(), StoreError> {
        self.queue_events(true).await?;
        for due in self.due_webhooks().await? {
            self.send_all(&due).await;
        }
        Ok(())
    }

    /// Queues digests and deliveries of new and grown attacks, and returns the webhooks with due
    /// deliveries.
    async fn due_webhooks(&self) -> Result<Vec<Due>, StoreError> {
        self.queue_digests().await?;
        for _ in 0..ROUNDS {
            if !self.queue_batch().await? {
                break;
            }
        }
        self.store.due_webhooks(self.clock.now()).await
    }

    /// Queues deliveries of a batch of new and grown attacks. `false` when none are left.
    async fn queue_batch(&self) -> Result<bool, StoreError> {
        let grown = self.store.grown_attacks(ATTACKS).await?;
        if grown.is_empty() {
            return Ok(false);
        }
        let now = self.clock.now();
        let (mut deliveries, mut collected) = (Vec::new(), Vec::new());
        for webhook in self.store.enabled_webhooks().await? {
            if !webhook.draft.events.contains(&Subject::Attacks) {
                continue;
            }
            let Some(filter) = webhook.draft.filter(now) else { continue };
            let not_notified = self.store.not_notified(webhook.id, &grown).await?;
            let mut attacks = self.store.attacks_among(&filter, &not_notified).await?;
            let beyond = match webhook.draft.digest {
                Digest::Attack => match self.store.room(&webhook, now).await? {
                    Some(room) => attacks.split_off(room.min(attacks.len())),
                    None => Vec::new(),
                },
                Digest::Minute | Digest::Hour => mem::take(&mut attacks),
            };
            collected.extend(
                beyond.into_iter().map(|attack| Collected { webhook: webhook.id, attack: attack.id }),
            );
            let mut countries = self.store.countries_of(&attacks).await?;
            for attack in attacks {
                let countries = countries.remove(&attack.id).unwrap_or_default();
                let body = self.composer(&webhook, now).attack(&attack, &countries);
                deliveries.push(NewDelivery { webhook: webhook.id, about: About::Attack(attack.id), body });
            }
        }
        self.store.queue_deliveries((deliveries, collected), &grown, now).await?;
        Ok(true)
    }

    /// Queues the digests of periods that have ended. Several of them, after the console was down or
    /// the rate limit was reached, are one digest.
    async fn queue_digests(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut waiting = self.store.waiting_digests().await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for webhook in self.store.enabled_webhooks().await? {
            let Some(since) = waiting.remove(&webhook.id) else { continue };
            let [(start, _), (end, _)] = [since, now].map(|at| webhook.draft.digest.period(at));
            // The period of the first attack has not ended.
            if start >= end {
                continue;
            }
            let period = (start, end);
            let composer = self.composer(&webhook, now);
            self.store.queue_digest(&webhook, period, now, |digest| composer.digest(digest)).await?;
        }
        Ok(())
    }

    fn composer<'a>(&'a self, webhook: &'a Webhook, at: Timestamp) -> Composer<'a> {
        Composer { webhook, public_url: &self.public_url, at }
    }

    /// Queues deliveries of events about nodes, requests that were not inspected, the ruleset, and,
    /// if a webhook is notified of it, coverage.
    async fn queue_events(&self, checks_coverage: bool) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut events = self.store.new_events(now).await?;
        if events.is_empty() && !checks_coverage {
            return Ok(());
        }
        let webhooks = self.store.enabled_webhooks().await?;
        let has_coverage = |webhook: &Webhook| webhook.draft.events.contains(&Subject::Coverage);
        if checks_coverage && webhooks.iter().any(has_coverage) {
            events.extend(self.store.coverage_events(now, self.coverage_margin.0).await?);
        }
        for event in events {
            let wants = |webhook: &&Webhook| webhook.draft.events.contains(&event.subject());
            let delivery = |webhook: &Webhook| NewDelivery {
                webhook: webhook.id,
                about: About::Event(event.kind()),
                body: self.composer(webhook, now).event(&event),
            };
            let deliveries: Vec<_> = webhooks.iter().filter(wants).map(delivery).collect();
            self.store.queue_event(&event, &deliveries, now).await?;
        }
        Ok(())
    }

    async fn send_all(&self, due: &Due) {
        loop {
            match self.send_some(due).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let error = with_sources(&error);
                    return tracing::error!(error, webhook = %due.webhook.id, "cannot process webhook deliveries");
                }
            }
        }
    }

    /// Sends due deliveries; `true` when there may be more. After a failure, and beyond the rate limit,
    /// the others wait for the next round: an unreachable receiver gets one call per round.
    async fn send_some(&self, due: &Due) -> Result<bool, StoreError> {
        let deliveries = self.store.due_deliveries(due.webhook.id, self.clock.now(), DELIVERIES).await?;
        for (delivery, body) in &deliveries {
            let attempt = match self.store.claim_delivery((&due.webhook, delivery), self.clock.now()).await? {
                Claim::Attempt(attempt) => attempt,
                Claim::NotDue => continue,
                Claim::LimitReached => return Ok(false),
            };
            let outcome = self.send(due, (delivery.id, body.clone())).await;
            let retry = RETRIES.get(attempt as usize - 1);
            let next = retry.map(|seconds| self.clock.now() + SignedDuration::from_secs(*seconds));
            self.store.settle_delivery((delivery.id, attempt), &outcome, next).await?;
            if outcome.error.is_some() {
                return Ok(false);
            }
        }
        Ok(!deliveries.is_empty())
    }

    /// Sends a test at once, without retries. `None`: the webhook was deleted meanwhile.
    pub async fn test(&self, due: &Due) -> Result<Option<WebhookDelivery>, StoreError> {
        let now = self.clock.now();
        let body = self.composer(&due.webhook, now).test();
        let Some(id) = self.store.begin_test(due.webhook.id, &body, now).await? else { return Ok(None) };
        let outcome = self.send(due, (id, body)).await;
        self.store.settle_delivery((id, 1), &outcome, None).await
    }

    async fn send(&self, due: &Due, (id, body): (Uuid, String)) -> AttemptResult {
        let webhook = &due.webhook;
        let secret = match &due.secret {
            Ok(secret) => secret,
            Err(error) => {
                tracing::error!(webhook = %webhook.id, delivery = %id, %error, "webhook delivery failed");
                self.metrics.webhook_called(false);
                return AttemptResult { status: None, error: Some(error.to_string()) };
            }
        };
        let now = self.clock.now();
        let overlaps = webhook.previous_secret_until.is_some_and(|end| end > now);
        let previous = due.previous_secret.as_ref().filter(|_| overlaps);
        let secrets: Vec<&Secret> = iter::once(secret).chain(previous).collect();
        let sent = self.sender.send(webhook.draft.url.reveal(), &secrets, (id, now, body)).await;
        self.metrics.webhook_called(sent.is_ok());
        match sent {
            Ok(status) => AttemptResult { status, error: None },
            Err(error) => {
                tracing::warn!(webhook = %webhook.id, delivery = %id, %error, "webhook delivery failed");
                AttemptResult { status: error.status(), error: Some(error.to_string()) }
            }
        }
    }
}
