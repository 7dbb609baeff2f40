//! The use of rules and list entries: read from counters by hour, and from the audit log.

use crate::store::{
    Store, StoreError,
    ingest::rule_hits::{ALL, slot},
    sql::{
        statement::Statement,
        text_codec::{Text, count, json},
    },
};
use crate::{audit::ObjectKind, ruleset::Activity};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use uuid::Uuid;

/// The longest time range.
const DAYS: i64 = 30;

impl Store {
    /// The activities of rules or list entries: two statements for all of them.
    pub async fn activities(
        &self,
        kind: ObjectKind,
        ids: &[Uuid],
        now: Timestamp,
    ) -> Result<HashMap<Uuid, Activity>, StoreError> {
        let mut activities: HashMap<Uuid, Activity> = HashMap::new();
        if ids.is_empty() {
            return Ok(activities);
        }
        let time = |at| Timestamp::from_millisecond(at).ok();
        let ids = self.ids(Some(json(&ids)));
        let first = |hours| slot((now - SignedDuration::from_hours(hours)).as_millisecond());
        let mut statement = Statement::new("select rule, cast(sum(case when slot >= ");
        statement.bind(first(24)).push(" then hits else 0 end) as bigint), cast(sum(case when slot >= ");
        statement.bind(first(24 * DAYS));
        statement.push(" then hits else 0 end) as bigint), max(last_at) from rule_hits where (slot = ");
        statement.bind(ALL).push(" or slot >= ").bind(first(24 * DAYS)).push(") and rule ").push_among(&ids);
        statement.push(" group by rule");
        let rows: Vec<(String, i64, i64, i64)> = statement.fetch_tuples(&self.reader).await?;
        for (rule, day, month, last) in rows {
            let id = rule.parse().map_err(|_| StoreError::bad_row("rule_hits", &rule, "rule"))?;
            let activity = activities.entry(id).or_default();
            (activity.hits_24h, activity.hits_30d) = (count(day), count(month));
            activity.last_hit_at = time(last);
        }
        let mut statement = Statement::new("select object, actor, at from audit where kind = ");
        statement.bind(kind.as_str()).push(" and object ").push_among(&ids).push(" order by at, id");
        let changes: Vec<(Text, Text, i64)> = statement.fetch_tuples(&self.reader).await?;
        // The latest one is the last.
        for (object, actor, at) in changes {
            let object = String::from(object);
            let id = object.parse().map_err(|_| StoreError::bad_row("audit", &object, "object"))?;
            let activity = activities.entry(id).or_default();
            (activity.changed_at, activity.changed_by) = (time(at), Some(actor.into()));
        }
        Ok(activities)
    }
}
