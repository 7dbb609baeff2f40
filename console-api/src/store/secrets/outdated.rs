//! Secrets in plain text or under an old key, in every column that holds secrets.

use crate::{
    sealing::{Keys, Location, Sealed, UnsealError},
    store::Connection,
};
use serde_json::Value;

/// A column with secrets.
struct Column {
    /// The id of a row, the id of the object that the secret belongs to, and the column.
    select: &'static str,
    /// `$1` is the id of the row, `$2` the new value, `$3` the old one.
    update: &'static str,
    /// The field of the JSON object in the column; `None`: the column is the secret.
    field: Option<&'static str>,
    location: fn(&String) -> Location,
}

const COLUMNS: [Column; 6] = [
    Column {
        select: "select id, id, secret from signing_keys",
        update: "update signing_keys set secret = $2 where id = $1 and secret = $3",
        field: None,
        location: Location::signing_key,
    },
    Column {
        select: "select id, id, secret from webhooks",
        update: "update webhooks set secret = $2 where id = $1 and secret = $3",
        field: None,
        location: Location::webhook_secret,
    },
    Column {
        select: "select id, id, previous_secret from webhooks where previous_secret is not null",
        update: "update webhooks set previous_secret = $2 where id = $1 and previous_secret = $3",
        field: None,
        location: Location::previous_webhook_secret,
    },
    Column {
        select: "select id, id, draft from webhooks",
        update: "update webhooks set draft = $2 where id = $1 and draft = $3",
        field: Some("url"),
        location: Location::webhook_url,
    },
    Column {
        select: "select id, object, before from audit where kind = 'webhook' and before is not null",
        update: "update audit set before = $2 where id = $1 and before = $3",
        field: Some("url"),
        location: Location::webhook_url,
    },
    Column {
        select: "select id, object, after from audit where kind = 'webhook' and after is not null",
        update: "update audit set after = $2 where id = $1 and after = $3",
        field: Some("url"),
        location: Location::webhook_url,
    },
];

/// A value with a secret that the current key does not seal.
pub(super) struct Outdated {
    update: &'static str,
    id: String,
    old: String,
    new: String,
    was_plain: bool,
}

impl Outdated {
    pub(super) fn was_plain(&self) -> bool {
        self.was_plain
    }

    pub(super) async fn update(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let update = sqlx::query(self.update).bind(self.id.clone());
        update.bind(self.new.clone()).bind(self.old.clone()).execute(connection).await?;
        Ok(())
    }
}

/// The outdated secrets, sealed with the current key, and the number of those that cannot be read.
pub(super) async fn find(
    connection: &mut Connection,
    keys: &Keys,
) -> Result<(Vec<Outdated>, usize), sqlx::Error> {
    let (mut outdated, mut unreadable) = (Vec::new(), 0);
    for column in &COLUMNS {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as(column.select).fetch_all(&mut *connection).await?;
        for (id, object, old) in rows {
            match column.resealed(keys, &object, &old) {
                Ok(Some((new, was_plain))) => {
                    outdated.push(Outdated { update: column.update, id, old, new, was_plain });
                }
                Ok(None) => {}
                Err(error) => {
                    unreadable += 1;
                    tracing::error!(%error, "a secret in the database is unreadable");
                }
            }
        }
    }
    Ok((outdated, unreadable))
}

/// Whether there ever was a secret, also one that was deleted.
pub(super) async fn has_history(connection: &mut Connection) -> Result<bool, sqlx::Error> {
    let changes = "select 1 from audit where kind in ('webhook', 'signing_key') limit 1";
    Ok(sqlx::query(changes).fetch_optional(connection).await?.is_some())
}

impl Column {
    /// The value with its secret sealed by the current key, and whether it was plain text; `None`
    /// if nothing is to be done.
    fn resealed(
        &self,
        keys: &Keys,
        object: &String,
        value: &str,
    ) -> Result<Option<(String, bool)>, UnsealError> {
        let location = (self.location)(object);
        let Some(field) = self.field else {
            let resealed = resealed(keys, &location, value)?;
            return Ok(resealed.map(|(sealed, was_plain)| (sealed.into(), was_plain)));
        };
        let Ok(mut json) = serde_json::from_str::<Value>(value) else { return Ok(None) };
        let Some(Value::String(secret)) = json.get_mut(field) else { return Ok(None) };
        let Some((sealed, was_plain)) = resealed(keys, &location, secret)? else { return Ok(None) };
        *secret = sealed.into();
        Ok(Some((json.to_string(), was_plain)))
    }
}

fn resealed(keys: &Keys, location: &Location, text: &str) -> Result<Option<(Sealed, bool)>, UnsealError> {
    let Some(sealed) = Sealed::parse(text) else { return Ok(Some((keys.seal(location, text), true))) };
    if sealed.key() == keys.current().as_str() {
        return Ok(None);
    }
    let text = keys.open(location, &sealed)?;
    Ok(Some((keys.seal(location, &text), false)))
}
