//! Views: saved searches.

use crate::store::{
    Connection, Store, StoreError,
    change::{ChangeError, Stored},
    sql::{
        bulk::Query,
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::{Text, json},
    },
};
use crate::{
    audit::{Author, ObjectKind},
    paging::{Page, Slice},
    view::{Subject, View, ViewDraft},
};
use uuid::Uuid;

impl ReadRow for View {
    const TABLE: &'static str = "views";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            revision: row.number("revision")?,
            owner: row.text("owner")?,
            owner_id: row.optional("owner_id", Row::parse)?,
            created_at: row.time("created_at")?,
            updated_at: row.time("updated_at")?,
            draft: row.json("draft")?,
        })
    }
}

impl Stored for View {
    const KIND: ObjectKind = ObjectKind::View;
    const NAMES: (&'static str, &'static str) = ("view", "views");
    const MAX: Option<i64> = Some(10_000);
    /// With the current name of the owner.
    const SELECT: &'static str = "select v.id, v.revision, coalesce((select u.name from users u where u.id = v.owner_id), \
        (select t.name from tokens t where t.id = v.owner_id), v.owner) as owner, v.owner_id, v.created_at, v.updated_at, \
        v.draft from views v";

    fn id(&self) -> Uuid {
        self.id
    }

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Store {
    /// The shared views, and those of one owner, the newest first.
    pub async fn views(&self, owner: Uuid, slice: &Slice) -> Result<Page<View>, StoreError> {
        let mut statement = Statement::new(View::SELECT);
        statement.push(" where (shared = 'yes' or owner_id = ").bind(owner.to_string());
        statement.push(") and ").push_newest(slice);
        statement.fetch_page(&self.reader, slice).await
    }

    /// The latest views of a list that this owner sees.
    pub async fn latest_views(
        &self,
        owner: Uuid,
        list: Subject,
        limit: u32,
    ) -> Result<Vec<View>, StoreError> {
        let mut statement = Statement::new(View::SELECT);
        statement.push(" where (v.shared = 'yes' or v.owner_id = ").bind(owner.to_string());
        statement.push(") and ").push(self.dialect.list_of_view()).push(" = ").bind(list.name());
        statement.push(" order by v.created_at desc, v.id desc limit ").bind(i64::from(limit));
        statement.fetch_all(&self.reader).await
    }

    pub async fn add_view(&self, draft: ViewDraft, author: &Author) -> Result<View, ChangeError> {
        let (id, owner, owner_id, at) = (Uuid::now_v7(), author.name.clone(), author.id, author.at);
        let view = View { id, revision: 1, owner, owner_id, created_at: at, updated_at: at, draft };
        self.put_view(view, author).await
    }

    /// Adds a view with its id.
    pub async fn put_view(&self, view: View, author: &Author) -> Result<View, ChangeError> {
        let insert = upsert(&view);
        self.begin_change(author).await?.add(view, insert).await
    }

    /// Replaces a view that still has this revision.
    pub async fn replace_view(
        &self,
        known: (Uuid, u32),
        draft: ViewDraft,
        author: &Author,
    ) -> Result<View, ChangeError> {
        let mut change = self.begin_change(author).await?;
        let before: View = change.current(known).await?;
        let after = View { revision: before.revision + 1, updated_at: author.at, draft, ..before.clone() };
        let update = upsert(&after);
        change.replace(&before, after, update).await
    }

    /// Deletes a view that still has this revision.
    pub async fn delete_view(&self, known: (Uuid, u32), author: &Author) -> Result<(), ChangeError> {
        let mut change = self.begin_change(author).await?;
        let view: View = change.current(known).await?;
        change.delete(&view).await
    }
}

/// Inserts a view, or replaces the draft of the one of this id.
fn upsert(view: &View) -> Query {
    sqlx::query(
        "insert into views (id, revision, owner, created_at, updated_at, draft, shared, owner_id) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do update set revision = excluded.revision, \
         updated_at = excluded.updated_at, draft = excluded.draft, shared = excluded.shared",
    )
    .bind(view.id.to_string())
    .bind(i64::from(view.revision))
    .bind(Text::from(view.owner.as_str()))
    .bind(view.created_at.as_millisecond())
    .bind(view.updated_at.as_millisecond())
    .bind(json(&view.draft))
    .bind(if view.draft.shared { "yes" } else { "no" })
    .bind(view.owner_id.map(|id| id.to_string()))
}

/// Deletes the views that only this owner could see.
pub(crate) async fn delete_private(connection: &mut Connection, owner: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("delete from views where owner_id = $1 and shared = 'no'")
        .bind(owner.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
