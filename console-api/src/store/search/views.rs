//! Views: saved searches.

use crate::store::{
    Connection, Store, StoreError,
    access::audit,
    rules::Change,
    sql::{
        statement::Statement,
        text_codec::{Columns, Text, json},
    },
};
use crate::{
    audit::{Author, Deed, Kind},
    paging::{Page, Slice},
    view::{View, ViewDraft},
};
use sqlx::FromRow;
use uuid::Uuid;

const MAX_VIEWS: i64 = 10_000;

#[derive(FromRow)]
struct Row {
    id: String,
    revision: i64,
    owner: Text,
    created_at: i64,
    updated_at: i64,
    draft: Text,
}

impl TryFrom<Row> for View {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "views", id: &row.id };
        Ok(Self {
            id: columns.parse("id", &row.id)?,
            revision: u32::try_from(row.revision).map_err(|_| columns.bad("revision"))?,
            owner: row.owner.into(),
            created_at: columns.time("created_at", row.created_at)?,
            updated_at: columns.time("updated_at", row.updated_at)?,
            draft: columns.json("draft", &String::from(row.draft))?,
        })
    }
}

impl Store {
    /// The shared views, and those of one owner, the newest first.
    pub async fn views(&self, owner: &str, slice: &Slice) -> Result<Page<View>, StoreError> {
        let mut statement = Statement::new(
            "select id, revision, owner, created_at, updated_at, draft from views where (shared = 'yes' or owner = ",
        );
        statement.bind(Text::from(owner)).push(") and ").push_newest(slice);
        statement.fetch_page::<Row, _>(&self.reader, slice).await
    }

    pub async fn view(&self, id: Uuid) -> Result<Option<View>, StoreError> {
        view(&mut *self.reader.acquire().await?, id).await
    }

    pub async fn add_view(&self, draft: ViewDraft, author: &Author) -> Result<Change<View>, StoreError> {
        let mut change = self.writer.begin().await?;
        let (existing,): (i64,) =
            sqlx::query_as("select count(*) from views").fetch_one(&mut *change).await?;
        if existing >= MAX_VIEWS {
            return Ok(Change::Full(MAX_VIEWS));
        }
        let (id, owner, at) = (Uuid::now_v7(), author.name.clone(), author.at);
        let view = View { id, revision: 1, owner, created_at: at, updated_at: at, draft };
        insert(&mut change, &view).await?;
        audit::record(&mut change, author, &Deed::created(Kind::View, &id, &view)).await?;
        change.commit().await?;
        Ok(Change::Made(view))
    }

    /// Replaces or deletes a view, if it still has this revision.
    pub async fn change_view(
        &self,
        id: Uuid,
        revision: u32,
        draft: Option<ViewDraft>,
        author: &Author,
    ) -> Result<Change<View>, StoreError> {
        let mut change = self.begin_ingest().await?;
        let Some(before) = view(&mut change, id).await? else { return Ok(Change::Unknown) };
        if before.revision != revision {
            return Ok(Change::Stale(before.revision));
        }
        sqlx::query("delete from views where id = $1").bind(id.to_string()).execute(&mut *change).await?;
        let (deed, view) = match draft {
            Some(draft) => {
                let after = View { revision: revision + 1, updated_at: author.at, draft, ..before.clone() };
                insert(&mut change, &after).await?;
                (Deed::changed(Kind::View, &id, &before, &after), after)
            }
            None => (Deed::deleted(Kind::View, &id, &before), before),
        };
        audit::record(&mut change, author, &deed).await?;
        change.commit().await?;
        Ok(Change::Made(view))
    }
}

async fn view(connection: &mut Connection, id: Uuid) -> Result<Option<View>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as("select id, revision, owner, created_at, updated_at, draft from views where id = $1")
            .bind(id.to_string())
            .fetch_optional(connection)
            .await?;
    row.map(View::try_from).transpose()
}

async fn insert(connection: &mut Connection, view: &View) -> Result<(), StoreError> {
    sqlx::query(
        "insert into views (id, revision, owner, created_at, updated_at, draft, shared) \
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(view.id.to_string())
    .bind(i64::from(view.revision))
    .bind(Text::from(view.owner.as_str()))
    .bind(view.created_at.as_millisecond())
    .bind(view.updated_at.as_millisecond())
    .bind(Text::from(json(&view.draft).as_str()))
    .bind(if view.draft.shared { "yes" } else { "no" })
    .execute(connection)
    .await?;
    Ok(())
}
