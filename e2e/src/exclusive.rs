//! Exclusive use of the programs, by one test at a time: tests assert durations, and two stacks on
//! one machine would slow each other down.

use crate::binaries::Binaries;
use std::ops::Deref;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

/// The programs. While this value exists, no other test of this process can use them.
pub struct Exclusive {
    binaries: &'static Binaries,
    _turn: MutexGuard<'static, ()>,
}

/// Waits for other tests. The first one builds the programs; after `cargo test --workspace` they
/// are up to date.
pub async fn binaries() -> anyhow::Result<Exclusive> {
    static TURN: Mutex<()> = Mutex::const_new(());
    static BINARIES: OnceCell<Binaries> = OnceCell::const_new();
    let turn = TURN.lock().await;
    let binaries = BINARIES.get_or_try_init(async || Binaries::build()).await?;
    Ok(Exclusive { binaries, _turn: turn })
}

impl Deref for Exclusive {
    type Target = Binaries;

    fn deref(&self) -> &Binaries {
        self.binaries
    }
}
