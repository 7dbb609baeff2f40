//! Signing keys of connectors.

use crate::store::{
    Change, Store, StoreError,
    access::audit,
    sql::{
        statement::Statement,
        text_codec::{Columns, Text},
    },
};
use crate::{
    audit::{Author, Deed, Kind},
    paging::{Page, Slice},
    signing_key::{KeyInfo, KeySecret},
};
use sqlx::FromRow;
use uuid::Uuid;

const MAX_KEYS: i64 = 1000;

#[derive(FromRow)]
struct Row {
    id: String,
    name: Text,
    created_at: i64,
}

impl TryFrom<Row> for KeyInfo {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "signing_keys", id: &row.id };
        Ok(Self {
            id: columns.parse("id", &row.id)?,
            created_at: columns.time("created_at", row.created_at)?,
            name: row.name.into(),
        })
    }
}

impl Store {
    /// The newest first.
    pub async fn signing_keys(&self, slice: &Slice) -> Result<Page<KeyInfo>, StoreError> {
        let mut statement = Statement::new("select id, name, created_at from signing_keys where ");
        statement.push_newest(slice);
        statement.fetch_page::<Row, _>(&self.reader, slice).await
    }

    pub async fn signing_secret(&self, id: Uuid) -> Result<Option<KeySecret>, StoreError> {
        let secret: Option<(String,)> = sqlx::query_as("select secret from signing_keys where id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await?;
        Ok(secret.map(|(secret,)| KeySecret::stored(secret)))
    }

    pub async fn add_signing_key(
        &self,
        name: String,
        secret: &KeySecret,
        author: &Author,
    ) -> Result<Change<KeyInfo>, StoreError> {
        let mut change = self.writer.begin().await?;
        let (existing,): (i64,) =
            sqlx::query_as("select count(*) from signing_keys").fetch_one(&mut *change).await?;
        if existing >= MAX_KEYS {
            return Ok(Change::Full(MAX_KEYS));
        }
        let info = KeyInfo { id: Uuid::now_v7(), name, created_at: author.at };
        sqlx::query("insert into signing_keys (id, name, secret, created_at) values ($1, $2, $3, $4)")
            .bind(info.id.to_string())
            .bind(Text::from(info.name.as_str()))
            .bind(secret.reveal())
            .bind(info.created_at.as_millisecond())
            .execute(&mut *change)
            .await?;
        audit::record(&mut change, author, &Deed::created(Kind::SigningKey, &info.id, &info)).await?;
        change.commit().await?;
        Ok(Change::Made(info))
    }

    /// Deletes a key; `false` if the id is unknown. Nodes and bundles keep their copies.
    pub async fn delete_signing_key(&self, id: Uuid, author: &Author) -> Result<bool, StoreError> {
        let mut change = self.writer.begin().await?;
        let row: Option<Row> = sqlx::query_as("select id, name, created_at from signing_keys where id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *change)
            .await?;
        let Some(row) = row else { return Ok(false) };
        let before = KeyInfo::try_from(row)?;
        sqlx::query("delete from signing_keys where id = $1")
            .bind(id.to_string())
            .execute(&mut *change)
            .await?;
        audit::record(&mut change, author, &Deed::deleted(Kind::SigningKey, &id, &before)).await?;
        change.commit().await?;
        Ok(true)
    }
}
