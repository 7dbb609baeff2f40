//! Exclusive use of the programs, by one test at a time: tests assert durations, and two stacks on
//! one machine would slow each other down.

use crate::binaries::Binaries;
use std::ops::Deref;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

/// The programs. While this value exists, no other test of this process can use them.
pub struct Exclusive {
    binaries: &'static Binaries,
    _guard: MutexGuard<'static, ()>,
}

/// Waits for other tests. The first one builds the programs; after `cargo test --workspace` they
/// are up to date.
pub async fn binaries() -> anyhow::Result<Exclusive> {
    static LOCK: Mutex<()> = Mutex::const_new(());
    static BINARIES: OnceCell<Binaries> = OnceCell::const_new();
    let guard = LOCK.lock().await;
    let binaries = BINARIES.get_or_try_init(async || Binaries::build()).await?;
    Ok(Exclusive { binaries, _guard: guard })
}

impl Deref for Exclusive {
    type Target = Binaries;

    fn deref(&self) -> &Binaries {
        self.binaries
    }
}
