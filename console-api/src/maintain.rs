//! The commands that work on the whole database: backup, restore, migrate, vacuum, rotate-key, seed.

use crate::run;
use anyhow::{Context, bail};
use console_api::{
    clock::Clock,
    config::{Backup, Data, Engine, Migrate, Restore, RotateKey, Seed},
    sealing::{KeyFile, KeyId},
    seed,
    store::{Database, DatabaseUrl, Delivery, ValidRecord},
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
    // Encrypts plain text of an older version: a backup never contains any.
    let store = run::open(&flags.data).await?;
    copy(&store.database(), &DatabaseUrl::File(flags.file)).await?.close().await;
    Ok(())
}

pub(crate) async fn restore(flags: Restore) -> anyhow::Result<()> {
    if !flags.file.exists() {
        bail!("file {} does not exist", flags.file.display());
    }
    let backup = Database::open(&DatabaseUrl::File(flags.file)).await?;
    run::make_dir(&flags.data)?;
    copy_for(&flags.data.key_file(), &backup, &flags.data.database_url()?).await
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
    copy_for(&flags.data.key_file(), &Database::open(&from).await?, &to).await
}

pub(crate) async fn vacuum(data: Data) -> anyhow::Result<()> {
    let store = run::open(&data).await?;
    store.vacuum().await?;
    store.close().await;
    Ok(())
}

/// Encrypts all secrets with a new key.
pub(crate) async fn rotate_key(flags: RotateKey) -> anyhow::Result<()> {
    run::make_dir(&flags.data)?;
    let (database, file) = (Database::open(&flags.data.database_url()?).await?, flags.data.key_file());
    let done = if flags.lost_key {
        database.replace_lost_key(&file).await?
    } else {
        database.rotate_key(&file).await?
    };
    database.close().await;
    println!(
        "encrypted {} secrets with the key {} of {}",
        done.encrypted,
        done.current,
        file.path().display()
    );
    if done.unreadable > 0 {
        println!("{} secrets are unreadable; the log names them", done.unreadable);
    }
    if !done.old.is_empty() {
        let old: Vec<&str> = done.old.iter().map(KeyId::as_str).collect();
        println!("old keys, for backups made before: {}", old.join(", "));
    }
    Ok(())
}

/// Copies a database whose secrets the key file opens. The copy has none in plain text.
async fn copy_for(keys: &KeyFile, from: &Database, to: &DatabaseUrl) -> anyhow::Result<()> {
    from.verify(keys).await?;
    copy(from, to).await?.unlock(keys).await?.close().await;
    Ok(())
}

/// Copies the rows of a database into a new one.
async fn copy(from: &Database, to: &DatabaseUrl) -> anyhow::Result<Database> {
    let target = Database::open(to).await?;
    let rows = from.copy_to(&target).await.with_context(|| format!("cannot fill the database {to}"))?;
    from.close().await;
    println!("copied {rows} rows");
    Ok(target)
}
