//! Browser sessions. Only digests of their secrets are stored.

use crate::store::{
    Connection, Store, StoreError,
    access::networks,
    audit::{self, PartOf},
    change::ChangeError,
    sql::{
        row::{ReadRow, Row},
        statement::Statement,
    },
};
use crate::{
    access::Session,
    audit::{AuditEvent, Author, ObjectKind},
    paging::{Page, Slice},
    token::Token,
};
use jiff::Timestamp;
use std::net::IpAddr;
use uuid::Uuid;

/// The holder of a session, which ends with the user or the token.
#[derive(Debug)]
pub enum Holder {
    /// A user, who signs in from this network.
    User {
        id: Uuid,
        network: IpAddr,
    },
    Token(Token),
}

/// Name and role are the current ones of the user or the token.
const SESSIONS: &str = "select s.id, coalesce(u.id, t.id) as holder_id, coalesce(u.name, t.name) as name, coalesce(u.role, t.role) as role, s.created_at, s.expires_at, \
     coalesce(s.last_active_at, s.created_at) as last_active_at, s.ip, s.browser \
     from sessions s left join users u on u.id = s.user_id left join tokens t on t.hash = s.token_hash";

impl ReadRow for Session {
    const TABLE: &'static str = "sessions";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            holder_id: row.parse("holder_id")?,
            role: row.word("role")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            name: row.text("name")?,
            last_active_at: row.time("last_active_at")?,
            ip: row.optional("ip", Row::parse)?,
            browser: row.get("browser")?,
        })
    }
}

impl Store {
    /// Valid sessions, the newest first.
    pub async fn sessions(&self, slice: &Slice, now: Timestamp) -> Result<Page<Session>, StoreError> {
        let mut statement = Statement::new(SESSIONS);
        statement.push(" where s.expires_at > ").bind(now.as_millisecond());
        statement.push(" and ").push_newest_by(("s.created_at", "s.id"), slice);
        statement.fetch_page(&self.reader, slice).await
    }

    /// The valid sessions of a user or token, the newest first.
    pub async fn sessions_of(&self, holder: Uuid, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let mut statement = Statement::new(SESSIONS);
        statement.push(" where s.expires_at > ").bind(now.as_millisecond());
        statement.push(" and coalesce(u.id, t.id) = ").bind(holder.to_string());
        statement.push(" order by s.created_at desc, s.id desc");
        statement.fetch_all(&self.reader).await
    }

    /// Records the activity of a session.
    pub async fn touch_session(&self, id: Uuid, ip: IpAddr, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("update sessions set last_active_at = $2, ip = $3 where id = $1")
            .bind(id.to_string())
            .bind(now.as_millisecond())
            .bind(ip.to_string())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The session of a browser.
    pub async fn session(&self, secret: &Token, now: Timestamp) -> Result<Option<Session>, StoreError> {
        session(&mut *self.reader.acquire().await?, "hash", &secret.digest(), now).await
    }

    /// Starts a session, and deletes expired ones.
    pub async fn open_session(
        &self,
        session: &Session,
        secret: &Token,
        holder: &Holder,
        author: &Author,
    ) -> Result<(), StoreError> {
        let (user, token) = match holder {
            Holder::User { id, .. } => (Some(id.to_string()), None),
            Holder::Token(token) => (None, Some(token.digest())),
        };
        let mut change = self.begin_write().await?;
        sqlx::query("delete from sessions where expires_at <= $1")
            .bind(author.at.as_millisecond())
            .execute(&mut *change)
            .await?;
        sqlx::query(
            "insert into sessions (id, hash, user_id, token_hash, created_at, expires_at, ip, browser, last_active_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(session.id.to_string())
        .bind(secret.digest())
        .bind(user)
        .bind(token)
        .bind(session.created_at.as_millisecond())
        .bind(session.expires_at.as_millisecond())
        .bind(session.ip.map(|ip| ip.to_string()))
        .bind(session.browser.clone())
        .bind(session.last_active_at.as_millisecond())
        .execute(&mut *change)
        .await?;
        if let Holder::User { id, network } = holder {
            networks::record(&mut change, *id, *network, author.at).await?;
        }
        let event = AuditEvent::created(ObjectKind::Session, &session.id, session);
        audit::record(&mut change, author, &event, PartOf::default()).await?;
        Ok(change.commit().await?)
    }

    /// Ends the session of a browser, if it has one.
    pub async fn close_session(&self, secret: &Token, now: Timestamp) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        if let Some(session) = session(&mut change, "hash", &secret.digest(), now).await? {
            let author = Author::new(session.clone().actor(), now);
            end(&mut change, &session, &author).await?;
        }
        Ok(change.commit().await?)
    }

    /// Ends the other sessions of the same holder.
    pub async fn close_other_sessions(&self, secret: &Token, now: Timestamp) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        if let Some(own) = session(&mut change, "hash", &secret.digest(), now).await? {
            let author = Author::new(own.clone().actor(), now);
            for other in others(&mut change, own.id, now).await? {
                end(&mut change, &other, &author).await?;
            }
        }
        Ok(change.commit().await?)
    }

    /// Ends a session: any, or one of this holder.
    pub async fn end_session(
        &self,
        id: Uuid,
        holder: Option<Uuid>,
        author: &Author,
    ) -> Result<(), ChangeError> {
        let mut change = self.begin_write().await?;
        let session = session(&mut change, "id", &id.to_string(), author.at).await?;
        let session = session.filter(|session| holder.is_none_or(|holder| session.holder_id == holder));
        let session = session.ok_or_else(|| ChangeError::unknown("session", &id))?;
        end(&mut change, &session, author).await?;
        Ok(change.commit().await?)
    }

    /// Records an event without a change in the database, such as a failed sign-in.
    pub async fn record_audit_event(&self, author: &Author, event: &AuditEvent) -> Result<(), StoreError> {
        audit::record(&mut *self.writer.acquire().await?, author, event, PartOf::default()).await
    }
}

async fn end(connection: &mut Connection, session: &Session, author: &Author) -> Result<(), StoreError> {
    sqlx::query("delete from sessions where id = $1")
        .bind(session.id.to_string())
        .execute(&mut *connection)
        .await?;
    let event = AuditEvent::deleted(ObjectKind::Session, &session.id, session);
    audit::record(connection, author, &event, PartOf::default()).await
}

/// The sessions of the same user or token.
async fn others(connection: &mut Connection, own: Uuid, now: Timestamp) -> Result<Vec<Session>, StoreError> {
    let mut statement = Statement::new(SESSIONS);
    statement.push(" join sessions own on (own.user_id = s.user_id or own.token_hash = s.token_hash)");
    statement.push(" where own.id = ").bind(own.to_string()).push(" and s.id <> own.id");
    statement.push(" and s.expires_at > ").bind(now.as_millisecond());
    statement.push(" order by s.created_at desc, s.id desc");
    statement.fetch_all(connection).await
}

/// A valid session, by its `id` or `hash`.
async fn session(
    connection: &mut Connection,
    by: &'static str,
    value: &str,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let mut statement = Statement::new(SESSIONS);
    statement.push(" where s.").push(by).push(" = ").bind(value);
    statement.push(" and s.expires_at > ").bind(now.as_millisecond());
    statement.fetch_optional(connection).await
}
