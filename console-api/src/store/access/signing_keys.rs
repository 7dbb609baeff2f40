//! Signing keys of connectors.

use crate::store::{
    Store, StoreError,
    change::{ChangeError, Stored},
    sql::{
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::Text,
    },
};
use crate::{
    audit::{Author, ObjectKind},
    sealing::{Location, Sealed},
    signing_key::{KeyInfo, KeySecret},
};
use uuid::Uuid;

impl ReadRow for KeyInfo {
    const TABLE: &'static str = "signing_keys";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { id: row.parse("id")?, created_at: row.time("created_at")?, name: row.text("name")? })
    }
}

struct StoredSecret(Sealed);

impl ReadRow for StoredSecret {
    const TABLE: &'static str = KeyInfo::TABLE;

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        row.sealed("secret").map(Self)
    }
}

impl Stored for KeyInfo {
    const KIND: ObjectKind = ObjectKind::SigningKey;
    const NAMES: (&'static str, &'static str) = ("key", "keys");
    const MAX: Option<i64> = Some(1000);
    const SELECT: &'static str = "select id, name, created_at from signing_keys";

    fn id(&self) -> Uuid {
        self.id
    }
}

impl Store {
    pub async fn signing_secret(&self, id: Uuid) -> Result<Option<KeySecret>, StoreError> {
        let mut statement = Statement::new("select id, secret from signing_keys where id = ");
        statement.bind(id.to_string());
        let Some(StoredSecret(sealed)) = statement.fetch_optional(&self.reader).await? else {
            return Ok(None);
        };
        Ok(Some(KeySecret::stored(self.keys.open(&Location::signing_key(&id), &sealed)?)))
    }

    pub async fn add_signing_key(
        &self,
        name: String,
        secret: &KeySecret,
        author: &Author,
    ) -> Result<KeyInfo, ChangeError> {
        let info = KeyInfo { id: Uuid::now_v7(), name, created_at: author.at };
        let secret = self.keys.seal(&Location::signing_key(&info.id), secret.reveal());
        let insert =
            sqlx::query("insert into signing_keys (id, name, secret, created_at) values ($1, $2, $3, $4)")
                .bind(info.id.to_string())
                .bind(Text::from(info.name.as_str()))
                .bind(secret.as_str().to_owned())
                .bind(info.created_at.as_millisecond());
        self.begin_change(author).await?.add(info, insert).await
    }

    /// Deletes a key. Nodes and bundles keep their copies.
    pub async fn delete_signing_key(&self, id: Uuid, author: &Author) -> Result<(), ChangeError> {
        let mut change = self.begin_change(author).await?;
        let key: KeyInfo = change.find(id).await?;
        change.delete(&key).await
    }
}
