//! How far each file was read: a JSON file, replaced as a whole.

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    files: BTreeMap<PathBuf, FileState>,
}

/// The position in one file, at the end of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    /// Another file of the same name begins anew.
    pub(super) inode: u64,
    /// Without compression.
    pub(super) offset: u64,
    /// Of its `#Fields` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) columns: Option<String>,
    /// The size of the file when it was read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) read_bytes: Option<u64>,
}

impl State {
    /// Starts empty if there is no file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let files = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(cause) => return Err(cause),
        };
        Ok(Self { path: path.to_owned(), files })
    }

    /// The state of a file; a renamed or truncated file begins anew.
    pub(super) fn of(&self, path: &Path, inode: u64, bytes: u64) -> FileState {
        let is_same =
            |file: &&FileState| file.inode == inode && file.read_bytes.is_none_or(|read| read <= bytes);
        let known = self.files.get(path).filter(is_same);
        known.cloned().unwrap_or(FileState { inode, ..FileState::default() })
    }

    /// Sets the state of a file and writes all.
    pub(super) fn set(&mut self, path: &Path, file: FileState) -> io::Result<()> {
        if self.files.get(path) == Some(&file) {
            return Ok(());
        }
        self.files.insert(path.to_owned(), file);
        let new = self.path.with_extension("new");
        fs::write(&new, serde_json::to_vec(&self.files)?)?;
        fs::rename(new, &self.path)
    }

    /// Forgets files that are gone.
    pub(super) fn retain(&mut self, present: &[PathBuf]) {
        let present: BTreeSet<_> = present.iter().collect();
        self.files.retain(|path, _| present.contains(path));
    }
}
