//! API tokens. Only digests are stored: a copy of the database grants no access.

use crate::store::{
    Connection, Store, StoreError,
    change::{ChangeError, Stored},
    search::views::delete_private,
    sql::{
        row::{ReadRow, Row},
        text_codec::Text,
    },
};
use crate::{
    access::TokenInfo,
    actor::{Actor, Role},
    audit::{Author, ObjectKind},
    token::Token,
};
use jiff::Timestamp;
use uuid::Uuid;

/// The origin of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSource {
    /// The server's token file for this role; new content replaces the token.
    File(Role),
    /// Created on the command line.
    Command,
}

impl TokenSource {
    fn as_word(self) -> String {
        match self {
            Self::File(role) => format!("{}_file", role.as_str()),
            Self::Command => "command".to_owned(),
        }
    }
}

async fn insert(
    connection: &mut Connection,
    id: Uuid,
    token: &Token,
    (role, name, source): (Role, &str, TokenSource),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into tokens (hash, name, role, source, created_at, id) values ($1, $2, $3, $4, $5, $6) \
         on conflict (hash) do update set name = excluded.name, role = excluded.role, source = excluded.source",
    )
    .bind(token.digest())
    .bind(Text::from(name))
    .bind(role.as_str())
    .bind(source.as_word())
    .bind(now.as_millisecond())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    pub async fn add_token(
        &self,
        token: &Token,
        role: Role,
        name: &str,
        source: TokenSource,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        insert(&mut change, Uuid::now_v7(), token, (role, name, source), now).await?;
        Ok(change.commit().await?)
    }

    /// Replaces the token of a token file, which keeps its id and its views. Returns false if this
    /// token was revoked: it stays revoked.
    pub async fn provision(&self, token: &Token, role: Role, now: Timestamp) -> Result<bool, StoreError> {
        let source = TokenSource::File(role);
        let name = format!("{} token file", role.as_str());
        let mut change = self.begin_write().await?;
        let revoked = sqlx::query("select 1 from revoked_tokens where hash = $1").bind(token.digest());
        if revoked.fetch_optional(&mut *change).await?.is_some() {
            return Ok(false);
        }
        let known: Option<(String,)> = sqlx::query_as(
            "select id from tokens where source = $1 and id is not null order by created_at desc limit 1",
        )
        .bind(source.as_word())
        .fetch_optional(&mut *change)
        .await?;
        let id = known.and_then(|(id,)| id.parse().ok()).unwrap_or_else(Uuid::now_v7);
        sqlx::query("delete from tokens where source = $1 and hash <> $2")
            .bind(source.as_word())
            .bind(token.digest())
            .execute(&mut *change)
            .await?;
        insert(&mut change, id, token, (role, &name, source), now).await?;
        change.commit().await?;
        Ok(true)
    }

    /// The actor of a valid token.
    pub async fn actor_of_token(&self, token: &Token, now: Timestamp) -> Result<Option<Actor>, StoreError> {
        let row: Option<(String, Text, String)> = sqlx::query_as(
            "select id, name, role from tokens where hash = $1 and (expires_at is null or expires_at > $2)",
        )
        .bind(token.digest())
        .bind(now.as_millisecond())
        .fetch_optional(&self.reader)
        .await?;
        actor(token, row)
    }

    /// When a token expires.
    pub async fn token_expiry(&self, token: &Token) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(Option<i64>,)> = sqlx::query_as("select expires_at from tokens where hash = $1")
            .bind(token.digest())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.and_then(|(millis,)| Timestamp::from_millisecond(millis?).ok()))
    }

    /// Adds a token that was created through the API.
    pub async fn issue_token(
        &self,
        token: &Token,
        info: TokenInfo,
        author: &Author,
    ) -> Result<TokenInfo, ChangeError> {
        let insert = sqlx::query(
            "insert into tokens (hash, id, name, role, source, created_at, expires_at) values ($1, $2, $3, $4, 'api', $5, $6)",
        )
        .bind(token.digest())
        .bind(info.id.to_string())
        .bind(Text::from(info.name.as_str()))
        .bind(info.role.as_str())
        .bind(info.created_at.as_millisecond())
        .bind(info.expires_at.map(Timestamp::as_millisecond));
        self.begin_change(author).await?.add(info, insert).await
    }

    /// Revokes a token and its sessions, for good: its token file does not bring it back.
    pub async fn revoke_token(&self, id: Uuid, author: &Author) -> Result<(), ChangeError> {
        let mut change = self.begin_change(author).await?;
        let token: TokenInfo = change.find(id).await?;
        if token.role == Role::Admin {
            change.may_remove(token.id).await?;
        }
        sqlx::query(
            "insert into revoked_tokens (hash, revoked_at) select hash, cast($2 as bigint) from tokens where id = $1 \
             on conflict (hash) do nothing",
        )
        .bind(id.to_string())
        .bind(author.at.as_millisecond())
        .execute(change.connection())
        .await?;
        delete_private(change.connection(), token.id).await?;
        change.delete(&token).await
    }
}

impl Stored for TokenInfo {
    const KIND: ObjectKind = ObjectKind::Token;
    const NAMES: (&'static str, &'static str) = ("token", "tokens");
    const SELECT: &'static str = "select id, name, role, created_at, expires_at from tokens";

    fn id(&self) -> Uuid {
        self.id
    }
}

impl ReadRow for TokenInfo {
    const TABLE: &'static str = "tokens";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            role: row.word("role")?,
            created_at: row.time("created_at")?,
            expires_at: row.optional("expires_at", Row::time)?,
            name: row.text("name")?,
        })
    }
}

fn actor(token: &Token, row: Option<(String, Text, String)>) -> Result<Option<Actor>, StoreError> {
    let Some((id, name, role)) = row else { return Ok(None) };
    let bad = |column| StoreError::bad_row("tokens", &token.digest(), column);
    let id = id.parse().map_err(|_| bad("id"))?;
    Ok(Some(Actor { id, name: name.into(), role: Role::parse(&role).ok_or_else(|| bad("role"))? }))
}
