//! The commands that work on the whole database: backup, restore, migrate, vacuum, seed.

use crate::run;
use anyhow::{Context, bail};
use console_api::{
    clock::Clock,
    config::{Backup, Data, Engine, Migrate, Restore, Seed},
    seed,
    store::{DatabaseUrl, Delivery, Store, ValidRecord},
};

/// Hits that `seed` stores in one transaction, like a node.
const SEED_BATCH: u64 = 500;

pub(crate) async fn seed(flags: Seed) -> anyhow::Result<()> {
    let store = run::open(&flags.data).await?;
    let (node, now) = (seed::node(), Clock::System.now());
    for batch in seed::batches(flags.hits, SEED_BATCH, now) {
        store
            .ingest(
                Delivery { node: &node, token: None, status: None, now },
                &batch.into_iter().map(|record| ValidRecord::new(record, now)).collect::<Vec<_>>(),
            )
            .await?;
    }
    store.close().await;
    println!("recorded {} hits", flags.hits);
    Ok(())
}

pub(crate) async fn backup(flags: Backup) -> anyhow::Result<()> {
    if flags.file.exists() {
        bail!("{} already exists; choose another file", flags.file.display());
    }
    let store = run::open(&flags.data).await?;
    copy(&store, &DatabaseUrl::File(flags.file)).await
}

pub(crate) async fn restore(flags: Restore) -> anyhow::Result<()> {
    if !flags.file.exists() {
        bail!("file {} does not exist", flags.file.display());
    }
    let backup = Store::open(&DatabaseUrl::File(flags.file)).await?;
    run::make_dir(&flags.data)?;
    copy(&backup, &flags.data.database_url()?).await
}

pub(crate) async fn migrate(flags: Migrate) -> anyhow::Result<()> {
    if flags.from == flags.to {
        bail!("`--from` and `--to` must be different kinds of databases");
    }
    let database = |engine| match engine {
        Engine::Sqlite => Ok(DatabaseUrl::in_dir(&flags.data.dir)),
        Engine::Postgres if flags.data.database_url.is_some() => Ok(flags.data.database_url()?),
        Engine::Postgres => bail!("missing `--database-url` with the address of PostgreSQL"),
    };
    let (from, to) = (database(flags.from)?, database(flags.to)?);
    if let DatabaseUrl::File(path) = &from
        && !path.exists()
    {
        bail!("no database at {}", path.display());
    }
    run::make_dir(&flags.data)?;
    copy(&Store::open(&from).await?, &to).await
}

pub(crate) async fn vacuum(data: Data) -> anyhow::Result<()> {
    let store = run::open(&data).await?;
    store.vacuum().await?;
    store.close().await;
    Ok(())
}

async fn copy(from: &Store, to: &DatabaseUrl) -> anyhow::Result<()> {
    let target = Store::open(to).await?;
    let rows = from.copy_to(&target).await.with_context(|| format!("cannot fill the database {to}"))?;
    from.close().await;
    target.close().await;
    println!("copied {rows} rows");
    Ok(())
}
