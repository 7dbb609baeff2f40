//! Dialects: the statements in which SQLite and PostgreSQL differ. All others are the same text.

use crate::store::Connection;
use sqlx::{Database, Sqlite};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    pub(crate) fn of(connection: &Connection) -> Self {
        if connection.backend_name() == Sqlite::NAME { Self::Sqlite } else { Self::Postgres }
    }

    /// Settings of a writing connection.
    ///
    /// With a write-ahead log and `normal`, committed transactions survive a kill of the process. A
    /// power failure can lose the last transactions, but does not corrupt the file. `token create`
    /// and a running server wait for each other.
    pub(crate) fn writer_start(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => {
                &[
                    "pragma busy_timeout = 10000",
                    "pragma journal_mode = wal",
                    "pragma synchronous = normal",
                    // Ids are random, so batches touch pages all over the file. 64 MB of pages stay
                    // cached, and as many collect in the log before a checkpoint writes each of
                    // them once.
                    "pragma cache_size = -65536",
                    "pragma wal_autocheckpoint = 16000",
                    // A long read delays checkpoints and lets the log grow: this returns the space.
                    "pragma journal_size_limit = 268435456",
                ]
            }
            // Plans, also those of foreign-key checks, are cached while tables are empty: none of
            // them may scan a table. Writes find their rows by key.
            Self::Postgres => &[
                "set enable_seqscan = off",
                // A statement that has to scan a table anyway would be compiled each time, which
                // takes 0.1 s and more.
                "set jit = off",
                "set lock_timeout = '10s'",
            ],
        }
    }

    /// Settings of a read-only connection.
    pub(crate) fn reader_start(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                "pragma busy_timeout = 10000",
                "pragma query_only = on",
                // Aggregations read the same pages repeatedly.
                "pragma cache_size = -8192",
            ],
            Self::Postgres => &[
                "set default_transaction_read_only = on",
                // The best plan depends on the values of the filters.
                "set plan_cache_mode = force_custom_plan",
                // Compiling a query takes longer than running it.
                "set jit = off",
                // The hash of excluded attack ids fits in memory.
                "set work_mem = '32MB'",
            ],
        }
    }

    /// Begins a transaction that reads before it writes. `immediate`: a later upgrade to the write
    /// lock fails when another process wrote.
    pub(crate) fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }

    /// Completes the query of a row to change: a concurrent change of the row waits. SQLite has one
    /// writer.
    pub(crate) fn lock_row(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " for update",
        }
    }

    /// Serializes the grouping of hits by several consoles; readers do not wait.
    pub(crate) fn lock_attacks(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("lock table attacks in exclusive mode"),
        }
    }

    /// Serializes changes of the keys by several processes.
    pub(crate) fn lock_keys(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("lock table secret_key in exclusive mode"),
        }
    }

    /// Rewrites the tables of secrets: pages keep the bytes of deleted and replaced values. A first
    /// number other than 0 in a row means that a reader prevents it.
    pub(crate) fn erase_replaced(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["vacuum", "pragma wal_checkpoint(truncate)"],
            Self::Postgres => &["vacuum full webhooks", "vacuum full signing_keys", "vacuum full audit"],
        }
    }

    /// Begins a transaction with a consistent snapshot.
    pub(crate) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "begin",
            Self::Postgres => "begin isolation level repeatable read",
        }
    }

    /// The list of the view `v`. Views of older versions are of attacks.
    pub(crate) fn list_of_view(self) -> &'static str {
        match self {
            Self::Sqlite => "coalesce(json_extract(v.draft, '$.list'), 'attacks')",
            Self::Postgres => "coalesce(v.draft::json ->> 'list', 'attacks')",
        }
    }

    /// The size of the database in bytes.
    pub(crate) fn size(self) -> &'static str {
        match self {
            Self::Sqlite => "select page_count * page_size from pragma_page_count(), pragma_page_size()",
            Self::Postgres => "select pg_database_size(current_database())",
        }
    }

    pub(crate) fn vacuum(self) -> &'static str {
        match self {
            Self::Sqlite => "vacuum",
            Self::Postgres => "vacuum analyze",
        }
    }

    /// The `attack_id`s of rows `t`, as a JSON array.
    pub(crate) fn ids(self) -> &'static str {
        match self {
            Self::Sqlite => "json_group_array(t.attack_id)",
            Self::Postgres => "cast(json_agg(t.attack_id) as text)",
        }
    }

    /// Completes a condition: the column is in the JSON array of texts at this bind.
    pub(crate) fn is_among(self, bind: usize) -> String {
        match self {
            Self::Sqlite => format!("in (select value from json_each(${bind}))"),
            Self::Postgres => format!("= any(array(select json_array_elements_text(${bind}::json)))"),
        }
    }
}
