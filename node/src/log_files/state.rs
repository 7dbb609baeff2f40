//! How far each file was read: a JSON file, replaced as a whole.

use crate::atomic_file;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tracing::warn;

#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    files: BTreeMap<PathBuf, FileState>,
    is_saved: bool,
    saved_at: Instant,
}

/// Between two writes. After a kill, the records of this time are read again, as duplicates.
const SAVE_INTERVAL: Duration = Duration::from_millis(200);

/// The position in one file, at the end of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    /// Another file of the same name begins anew.
    pub(super) inode: u64,
    /// Without compression; in rows of a Parquet file.
    pub(super) offset: u64,
    /// Of its `#Fields` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) columns: Option<String>,
    /// The size of the file when it was read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) read_bytes: Option<u64>,
}

impl State {
    /// Starts empty if there is no file, or a damaged one, which is renamed: then all records are read
    /// again, and the console stores their hits once.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => b"{}".to_vec(),
            read => read?,
        };
        let files = match serde_json::from_slice(&bytes) {
            Ok(files) => files,
            Err(cause) => {
                warn!("{} is damaged and renamed, all files are read again: {cause}", path.display());
                fs::rename(path, path.with_extension("json.damaged"))?;
                BTreeMap::new()
            }
        };
        Ok(Self { path: path.to_owned(), files, is_saved: true, saved_at: Instant::now() })
    }

    /// The state of a file; a renamed or truncated file begins anew.
    pub(super) fn of(&self, path: &Path, inode: u64, bytes: u64) -> FileState {
        let is_same =
            |file: &&FileState| file.inode == inode && file.read_bytes.is_none_or(|read| read <= bytes);
        let known = self.files.get(path).filter(is_same);
        known.cloned().unwrap_or(FileState { inode, ..FileState::default() })
    }

    /// Sets the state of a file, and saves all from time to time.
    pub(super) fn set(&mut self, path: &Path, file: FileState) -> io::Result<()> {
        if self.files.get(path) != Some(&file) {
            self.files.insert(path.to_owned(), file);
            self.is_saved = false;
        }
        if self.saved_at.elapsed() < SAVE_INTERVAL { Ok(()) } else { self.save() }
    }

    /// Replaces the file by what has changed.
    pub(super) fn save(&mut self) -> io::Result<()> {
        if self.is_saved {
            return Ok(());
        }
        atomic_file::replace(&self.path, &[&serde_json::to_vec(&self.files)?])?;
        (self.is_saved, self.saved_at) = (true, Instant::now());
        Ok(())
    }

    /// Forgets files that are gone.
    pub(super) fn retain(&mut self, present: &[PathBuf]) {
        let present: BTreeSet<_> = present.iter().collect();
        self.files.retain(|path, _| present.contains(path));
    }
}
