//! Users. Passwords are stored as Argon2 hashes.

use crate::store::{
    Change, Connection, Store, StoreError,
    access::audit,
    sql::{
        statement::Statement,
        text_codec::{Columns, Text},
    },
};
use crate::{
    access::User,
    actor::Role,
    audit::{Author, Deed, Kind},
    paging::{Page, Slice},
};
use sqlx::FromRow;
use uuid::Uuid;

const MAX_USERS: i64 = 10_000;

#[derive(FromRow)]
struct Row {
    id: String,
    name: Text,
    role: String,
    revision: i64,
    created_at: i64,
}

impl TryFrom<Row> for User {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "users", id: &row.id };
        Ok(Self {
            id: columns.parse("id", &row.id)?,
            role: Role::parse(&row.role).ok_or_else(|| columns.bad("role"))?,
            revision: u32::try_from(row.revision).map_err(|_| columns.bad("revision"))?,
            created_at: columns.time("created_at", row.created_at)?,
            name: row.name.into(),
        })
    }
}

impl Store {
    /// The newest first.
    pub async fn users(&self, slice: &Slice) -> Result<Page<User>, StoreError> {
        let mut statement = Statement::new("select id, name, role, revision, created_at from users where ");
        statement.push_newest(slice);
        statement.fetch_page::<Row, _>(&self.reader, slice).await
    }

    pub async fn user(&self, id: Uuid) -> Result<Option<User>, StoreError> {
        user(&mut *self.reader.acquire().await?, id).await
    }

    /// The user of this name, and the password hash.
    pub async fn user_to_sign_in(&self, name: &str) -> Result<Option<(User, String)>, StoreError> {
        let row: Option<(String, String)> = sqlx::query_as("select id, password from users where name = $1")
            .bind(Text::from(name))
            .fetch_optional(&self.reader)
            .await?;
        let Some((id, password)) = row else { return Ok(None) };
        let id = Columns { table: "users", id: &id }.parse("id", &id)?;
        Ok(self.user(id).await?.map(|user| (user, password)))
    }

    /// Adds a user; `None` if the name is in use.
    pub async fn add_user(
        &self,
        user: User,
        password: &str,
        author: &Author,
    ) -> Result<Option<Change<User>>, StoreError> {
        let mut change = self.writer.begin().await?;
        let (users,): (i64,) = sqlx::query_as("select count(*) from users").fetch_one(&mut *change).await?;
        if users >= MAX_USERS {
            return Ok(Some(Change::Full(MAX_USERS)));
        }
        let added = sqlx::query(
            "insert into users (id, name, role, password, revision, created_at) values ($1, $2, $3, $4, $5, $6) \
             on conflict (name) do nothing",
        )
        .bind(user.id.to_string())
        .bind(Text::from(user.name.as_str()))
        .bind(user.role.as_str())
        .bind(password)
        .bind(i64::from(user.revision))
        .bind(user.created_at.as_millisecond())
        .execute(&mut *change)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(None);
        }
        audit::record(&mut change, author, &Deed::created(Kind::User, &user.id, &user)).await?;
        change.commit().await?;
        Ok(Some(Change::Made(user)))
    }

    /// Replaces a user who still has this revision; `None` if the name is in use. A new password
    /// ends the sessions of the user.
    pub async fn replace_user(
        &self,
        revision: u32,
        (id, name, role): (Uuid, String, Role),
        password: Option<&str>,
        author: &Author,
    ) -> Result<Option<Change<User>>, StoreError> {
        let mut change = self.writer.begin().await?;
        let Some(before) = user(&mut change, id).await? else { return Ok(Some(Change::Unknown)) };
        if before.revision != revision {
            return Ok(Some(Change::Stale(before.revision)));
        }
        let after = User { id, name, role, revision: revision + 1, created_at: before.created_at };
        let replaced = sqlx::query(
            "update users set name = $2, role = $3, password = coalesce($4, password), revision = $5 where id = $1 \
             and revision = $6 and not exists (select 1 from users other where other.name = $2 and other.id <> $1)",
        )
        .bind(id.to_string())
        .bind(Text::from(after.name.as_str()))
        .bind(after.role.as_str())
        .bind(password)
        .bind(i64::from(after.revision))
        .bind(i64::from(revision))
        .execute(&mut *change)
        .await?;
        if replaced.rows_affected() == 0 {
            return Ok(None);
        }
        if password.is_some() {
            sqlx::query("delete from sessions where user_id = $1")
                .bind(id.to_string())
                .execute(&mut *change)
                .await?;
        }
        audit::record(&mut change, author, &Deed::changed(Kind::User, &id, &before, &after)).await?;
        change.commit().await?;
        Ok(Some(Change::Made(after)))
    }

    pub async fn delete_user(
        &self,
        id: Uuid,
        revision: u32,
        author: &Author,
    ) -> Result<Change<()>, StoreError> {
        let mut change = self.writer.begin().await?;
        let Some(before) = user(&mut change, id).await? else { return Ok(Change::Unknown) };
        if before.revision != revision {
            return Ok(Change::Stale(before.revision));
        }
        sqlx::query("delete from users where id = $1").bind(id.to_string()).execute(&mut *change).await?;
        audit::record(&mut change, author, &Deed::deleted(Kind::User, &id, &before)).await?;
        change.commit().await?;
        Ok(Change::Made(()))
    }
}

async fn user(connection: &mut Connection, id: Uuid) -> Result<Option<User>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as("select id, name, role, revision, created_at from users where id = $1")
            .bind(id.to_string())
            .fetch_optional(connection)
            .await?;
    row.map(User::try_from).transpose()
}
