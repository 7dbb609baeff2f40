//! Known networks: those that users have signed in from. Sign-ins from them are not delayed by
//! failures elsewhere, also after a restart and on other consoles.

use crate::store::{
    Connection, Store, StoreError,
    sql::{address, text_codec::Text},
};
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use uuid::Uuid;

/// When a network is no longer known.
const KNOWN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Known networks of a user, the latest.
const MAX_OF_USER: i64 = 32;

impl Store {
    /// Whether the user of this name has signed in from a network.
    pub async fn is_known_network(
        &self,
        user: &str,
        network: IpAddr,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "select 1 from known_networks k join users u on u.id = k.user_id \
             where u.name = $1 and k.network = $2 and k.last_seen > $3",
        )
        .bind(Text::from(user))
        .bind(address::key(network))
        .bind((now - KNOWN).as_millisecond())
        .fetch_optional(&self.reader)
        .await?;
        Ok(row.is_some())
    }

    /// Deletes networks that are no longer known.
    pub async fn delete_unknown_networks(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("delete from known_networks where last_seen <= $1")
            .bind((now - KNOWN).as_millisecond())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

/// Records a sign-in from a network, and deletes all but the latest networks of the user.
pub(crate) async fn record(
    connection: &mut Connection,
    user: Uuid,
    network: IpAddr,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into known_networks (user_id, network, last_seen) values ($1, $2, $3) \
         on conflict (user_id, network) do update set last_seen = excluded.last_seen",
    )
    .bind(user.to_string())
    .bind(address::key(network))
    .bind(now.as_millisecond())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "delete from known_networks where user_id = $1 and network not in (select k.network from known_networks k \
         where k.user_id = $1 order by k.last_seen desc, k.network limit $2)",
    )
    .bind(user.to_string())
    .bind(MAX_OF_USER)
    .execute(connection)
    .await?;
    Ok(())
}
