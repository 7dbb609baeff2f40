//! Users. Passwords are stored as Argon2 hashes.

use crate::store::{
    Store, StoreError,
    access::identities,
    change::{ChangeError, Stored},
    search::views::delete_private,
    sql::{
        bulk::Query,
        row::{ReadRow, Row},
        text_codec::Text,
    },
};
use crate::{
    access::{ExternalIdentity, User},
    actor::Role,
    audit::{Author, ObjectKind},
    token::Token,
};
use uuid::Uuid;

impl ReadRow for User {
    const TABLE: &'static str = "users";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            role: row.word("role")?,
            revision: row.number("revision")?,
            created_at: row.time("created_at")?,
            name: row.text("name")?,
            identity: row
                .optional("issuer", Row::text)?
                .zip(row.optional("subject", Row::text)?)
                .map(|(issuer, subject)| ExternalIdentity { issuer, subject }),
        })
    }
}

impl Stored for User {
    const KIND: ObjectKind = ObjectKind::User;
    const NAMES: (&'static str, &'static str) = ("user", "users");
    const MAX: Option<i64> = Some(10_000);
    const SELECT: &'static str = "select id, name, role, revision, created_at, issuer, subject from users";

    fn id(&self) -> Uuid {
        self.id
    }

    fn unique_name(&self) -> String {
        self.name.clone()
    }

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Store {
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query("select 1 from users limit 1").fetch_optional(&self.reader).await?.is_some())
    }

    /// The user of this name, and the password hash. Users of an OpenID provider have none.
    pub async fn user_to_sign_in(&self, name: &str) -> Result<Option<(User, String)>, StoreError> {
        let row: Option<(String, String)> =
            sqlx::query_as("select id, password from users where name = $1 and issuer is null")
                .bind(Text::from(name))
                .fetch_optional(&self.reader)
                .await?;
        let Some((id, password)) = row else { return Ok(None) };
        let id = id.parse().map_err(|_| StoreError::bad_row("users", &id, "id"))?;
        Ok(self.find(id).await?.map(|user| (user, password)))
    }

    pub async fn add_user(&self, user: User, password: &str, author: &Author) -> Result<User, ChangeError> {
        let mut change = self.begin_change(author).await?;
        if let Some(identity) = &user.identity {
            identities::readmit(change.connection(), identity).await?;
        }
        let insert = insert(&user, password);
        change.add(user, insert).await
    }

    /// Replaces a user who still has this revision. A new password ends the sessions of the user.
    pub async fn replace_user(
        &self,
        known: (Uuid, u32),
        (name, role): (String, Role),
        password: Option<String>,
        author: &Author,
    ) -> Result<User, ChangeError> {
        let mut change = self.begin_change(author).await?;
        let before: User = change.current(known).await?;
        let after = User { name, role, revision: before.revision + 1, ..before.clone() };
        if before.role == Role::Admin && role != Role::Admin {
            change.leaves_administrator(before.id).await?;
        }
        if password.is_some() {
            sqlx::query("delete from sessions where user_id = $1")
                .bind(after.id.to_string())
                .execute(change.connection())
                .await?;
        }
        let update = update(&after, password);
        change.replace(&before, after, update).await
    }

    /// Replaces a password, and ends the sessions of the user but one.
    pub async fn set_password(
        &self,
        id: Uuid,
        password: String,
        kept: Option<&Token>,
        author: &Author,
    ) -> Result<User, ChangeError> {
        let mut change = self.begin_change(author).await?;
        let before: User = change.find(id).await?;
        let after = User { revision: before.revision + 1, ..before.clone() };
        sqlx::query("delete from sessions where user_id = $1 and hash <> $2")
            .bind(id.to_string())
            .bind(kept.map(Token::digest).unwrap_or_default())
            .execute(change.connection())
            .await?;
        let update = sqlx::query("update users set password = $2, revision = $3 where id = $1")
            .bind(id.to_string())
            .bind(password)
            .bind(i64::from(after.revision));
        change.replace(&before, after, update).await
    }

    pub async fn delete_user(&self, known: (Uuid, u32), author: &Author) -> Result<(), ChangeError> {
        let mut change = self.begin_change(author).await?;
        let user: User = change.current(known).await?;
        if user.role == Role::Admin {
            change.may_remove(user.id).await?;
        }
        if let Some(identity) = &user.identity {
            identities::ban(change.connection(), identity, author.at).await?;
        }
        delete_private(change.connection(), user.id).await?;
        change.delete(&user).await
    }
}

/// Updates a user whose name is free.
pub(super) fn update(user: &User, password: Option<String>) -> Query {
    sqlx::query(
        "update users set name = $2, role = $3, password = coalesce($4, password), revision = $5 where id = $1 \
         and not exists (select 1 from users other where other.name = $2 and other.id <> $1)",
    )
    .bind(user.id.to_string())
    .bind(Text::from(user.name.as_str()))
    .bind(user.role.as_str())
    .bind(password)
    .bind(i64::from(user.revision))
}

/// Inserts a user with a free name.
pub(super) fn insert(user: &User, password: &str) -> Query {
    let identity = user.identity.as_ref();
    sqlx::query(
        "insert into users (id, name, role, password, revision, created_at, issuer, subject) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
    )
    .bind(user.id.to_string())
    .bind(Text::from(user.name.as_str()))
    .bind(user.role.as_str())
    .bind(password.to_owned())
    .bind(i64::from(user.revision))
    .bind(user.created_at.as_millisecond())
    .bind(identity.map(|identity| Text::from(identity.issuer.as_str())))
    .bind(identity.map(|identity| Text::from(identity.subject.as_str())))
}
