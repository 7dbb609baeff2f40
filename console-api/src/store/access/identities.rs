//! Users of an OpenID provider: added and updated by their sign-ins. The identity of a user whom an
//! administrator deleted stays refused until the deletion is undone.

use crate::{
    access::{ExternalIdentity, User},
    actor::Role,
    audit::Author,
    store::{Connection, Store, StoreError, access::users, change::ChangeError, sql::text_codec::Text},
};
use jiff::Timestamp;
use uuid::Uuid;

impl Store {
    /// The user of an identity, with the present name and role at the provider.
    pub async fn user_of_identity(
        &self,
        identity: &ExternalIdentity,
        present: (&str, Role),
        now: Timestamp,
    ) -> Result<User, ChangeError> {
        let known = self.id_of_identity(identity).await?;
        match self.put_user(identity, known, present, now).await {
            Err(ChangeError::NameTaken { .. }) if known.is_none() => {}
            put => return put,
        }
        // Another sign-in of this identity may have added the user meanwhile.
        let known = self.id_of_identity(identity).await?;
        self.put_user(identity, known, present, now).await
    }

    /// Updates the user, or adds one.
    async fn put_user(
        &self,
        identity: &ExternalIdentity,
        known: Option<Uuid>,
        (name, role): (&str, Role),
        now: Timestamp,
    ) -> Result<User, ChangeError> {
        let id = known.unwrap_or_else(Uuid::now_v7);
        let author = Author { id: Some(id), name: name.to_owned(), role: Some(role), at: now };
        let mut change = self.begin_change(&author).await?;
        if known.is_some() {
            let before: User = change.find(id).await?;
            if before.name == name && before.role == role {
                return Ok(before);
            }
            let after = User { name: name.to_owned(), role, revision: before.revision + 1, ..before.clone() };
            return change.replace(&before, after.clone(), users::update(&after, None)).await;
        }
        if is_banned(change.connection(), identity).await? {
            return Err(ChangeError::RemovedIdentity);
        }
        let identity = Some(identity.clone());
        let user = User { id, name: name.to_owned(), role, revision: 1, created_at: now, identity };
        // No text has this hash.
        let insert = users::insert(&user, "");
        change.add(user, insert).await
    }

    async fn id_of_identity(&self, identity: &ExternalIdentity) -> Result<Option<Uuid>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("select id from users where issuer = $1 and subject = $2")
                .bind(Text::from(identity.issuer.as_str()))
                .bind(Text::from(identity.subject.as_str()))
                .fetch_optional(&self.reader)
                .await?;
        let Some((id,)) = row else { return Ok(None) };
        id.parse().map(Some).map_err(|_| StoreError::bad_row("users", &id, "id"))
    }
}

async fn is_banned(connection: &mut Connection, identity: &ExternalIdentity) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select 1 from removed_identities where issuer = $1 and subject = $2")
        .bind(Text::from(identity.issuer.as_str()))
        .bind(Text::from(identity.subject.as_str()))
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Refuses an identity from now on.
pub(super) async fn ban(
    connection: &mut Connection,
    identity: &ExternalIdentity,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into removed_identities (issuer, subject, removed_at) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(Text::from(identity.issuer.as_str()))
    .bind(Text::from(identity.subject.as_str()))
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// Accepts an identity again.
pub(super) async fn readmit(
    connection: &mut Connection,
    identity: &ExternalIdentity,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from removed_identities where issuer = $1 and subject = $2")
        .bind(Text::from(identity.issuer.as_str()))
        .bind(Text::from(identity.subject.as_str()))
        .execute(connection)
        .await?;
    Ok(())
}
