//! What SQLite and PostgreSQL say differently. All other statements are the same text for both.

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

    /// Of a connection that writes.
    ///
    /// With a write-ahead log, `normal` keeps what was committed through a killed process; a power cut may take the last
    /// transactions, never the file. `token create` and a running server wait for each other.
    pub(crate) fn writer_start(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => {
                &[
                    "pragma busy_timeout = 10000",
                    "pragma journal_mode = wal",
                    "pragma synchronous = normal",
                    // IdSet are random, so batches touch pages all over the file: 64 MB of them are kept at hand, and as many
                    // are gathered in the log before they are moved to the file, each once however often it changed.
                    "pragma cache_size = -65536",
                    "pragma wal_autocheckpoint = 16000",
                    // A long question keeps the log from being moved, so it may grow: that space is given back.
                    "pragma journal_size_limit = 268435456",
                ]
            }
            // Plans, those of the checks of references too, are made while tables are empty, and kept: they must not be to read
            // all rows. What is written is always found by its key.
            Self::Postgres => &["set enable_seqscan = off", "set lock_timeout = '10s'"],
        }
    }

    /// Of a connection that only reads.
    pub(crate) fn reader_start(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                "pragma busy_timeout = 10000",
                "pragma query_only = on",
                // What is added up is looked at again and again.
                "pragma cache_size = -8192",
            ],
            Self::Postgres => &[
                "set default_transaction_read_only = on",
                // Which filters are given makes all the difference to a plan.
                "set plan_cache_mode = force_custom_plan",
                // Questions are short, whatever the planner expects: compiling one takes longer than answering it.
                "set jit = off",
                // The ids of the attacks that are left out are to be found at once.
                "set work_mem = '32MB'",
            ],
        }
    }

    /// Begins the transaction of a batch. `immediate`: taking the write lock later could fail when another process wrote in
    /// between.
    pub(crate) fn begin_ingest(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }

    /// Right after that: batches that several consoles take in group their hits one after the other; readers do not wait.
    pub(crate) fn lock_attacks(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("lock table attacks in exclusive mode"),
        }
    }

    /// Begins a transaction that sees everything as it is at one moment.
    pub(crate) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "begin",
            Self::Postgres => "begin isolation level repeatable read",
        }
    }

    /// The bytes that everything takes.
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

    /// Completes a condition: the column is one of the texts of a JSON array, the bind of this number.
    pub(crate) fn is_among(self, bind: usize) -> String {
        match self {
            Self::Sqlite => format!("in (select value from json_each(${bind}))"),
            Self::Postgres => format!("= any(array(select json_array_elements_text(${bind}::json)))"),
        }
    }
}
