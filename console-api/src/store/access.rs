//! Tokens and sessions. Only digests are stored: who reads the database cannot call the console.

use super::{Store, StoreError};
use crate::{
    actor::{Actor, Role},
    token::Token,
};
use jiff::Timestamp;

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSource {
    /// The token file of the server for this role; the file's next content replaces it.
    File(Role),
    /// Made on the command line.
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

impl Store {
    pub async fn add_token(
        &self,
        token: &Token,
        role: Role,
        name: &str,
        source: TokenSource,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into tokens (hash, name, role, source, created_at) values ($1, $2, $3, $4, $5) \
             on conflict (hash) do update set name = excluded.name, role = excluded.role, source = excluded.source",
        )
        .bind(token.digest())
        .bind(name)
        .bind(role.as_str())
        .bind(source.as_word())
        .bind(now.as_millisecond())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Makes a file's token the only one of that file: changing the file is how its token is replaced.
    pub async fn provision(&self, token: &Token, role: Role, now: Timestamp) -> Result<(), StoreError> {
        let source = TokenSource::File(role);
        let name = format!("{} token file", role.as_str());
        sqlx::query("delete from tokens where source = $1 and hash <> $2")
            .bind(source.as_word())
            .bind(token.digest())
            .execute(&self.writer)
            .await?;
        self.add_token(token, role, &name, source, now).await
    }

    pub async fn actor_of_token(&self, token: &Token) -> Result<Option<Actor>, StoreError> {
        let row: Option<(String, String)> = sqlx::query_as("select name, role from tokens where hash = $1")
            .bind(token.digest())
            .fetch_optional(&self.reader)
            .await?;
        actor(token, row)
    }

    pub async fn actor_of_session(
        &self,
        session: &Token,
        now: Timestamp,
    ) -> Result<Option<Actor>, StoreError> {
        let row: Option<(String, String)> = sqlx::query_as(
            "select t.name, t.role from sessions s join tokens t on t.hash = s.token_hash \
             where s.hash = $1 and s.expires_at > $2",
        )
        .bind(session.digest())
        .bind(now.as_millisecond())
        .fetch_optional(&self.reader)
        .await?;
        actor(session, row)
    }

    /// Begins a session for the holder of a token; it ends with the token.
    pub async fn open_session(
        &self,
        session: &Token,
        token: &Token,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("delete from sessions where expires_at <= $1")
            .bind(now.as_millisecond())
            .execute(&self.writer)
            .await?;
        sqlx::query("insert into sessions (hash, token_hash, expires_at) values ($1, $2, $3)")
            .bind(session.digest())
            .bind(token.digest())
            .bind(expires_at.as_millisecond())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub async fn close_session(&self, session: &Token) -> Result<(), StoreError> {
        sqlx::query("delete from sessions where hash = $1")
            .bind(session.digest())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

fn actor(token: &Token, row: Option<(String, String)>) -> Result<Option<Actor>, StoreError> {
    let Some((name, role)) = row else { return Ok(None) };
    let bad = || StoreError::BadRow { table: "tokens", id: token.digest(), column: "role" };
    Ok(Some(Actor { name, role: Role::parse(&role).ok_or_else(bad)? }))
}
