//! The last good ruleset on disk, for starts without the console.

use crate::atomic_file;
use shared::ruleset::Ruleset;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file: checksum, line feed, the ruleset as received.
#[derive(Debug, Clone)]
pub struct LastCopy(PathBuf);

/// Why the copy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("cannot read or write {}: {cause}", path.display())]
    Disk { path: PathBuf, cause: io::Error },
    #[error("{} is damaged: wrong checksum", .0.display())]
    Damaged(PathBuf),
    #[error("{} is not a ruleset: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: serde_json::Error },
}

impl LastCopy {
    pub fn inside(directory: &Path) -> Self {
        Self(directory.join("ruleset.json"))
    }

    /// `None` when no copy exists.
    pub fn read(&self) -> Result<Option<Ruleset>, CopyError> {
        let bytes = match fs::read(&self.0) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(self.disk(cause)),
        };
        let damaged = || CopyError::Damaged(self.0.clone());
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let (sum, ruleset) = (&bytes[..end], &bytes[end + 1..]);
        if sum != checksum(ruleset).as_bytes() {
            return Err(damaged());
        }
        serde_json::from_slice(ruleset)
            .map(Some)
            .map_err(|cause| CopyError::Unreadable { path: self.0.clone(), cause })
    }

    pub fn write(&self, ruleset: &[u8]) -> Result<(), CopyError> {
        let sum = checksum(ruleset);
        atomic_file::replace(&self.0, &[sum.as_bytes(), b"\n", ruleset]).map_err(|cause| self.disk(cause))
    }

    fn disk(&self, cause: io::Error) -> CopyError {
        CopyError::Disk { path: self.0.clone(), cause }
    }
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULESET: &str =
        r#"{"version":3,"id":"00000000-0000-0000-0000-000000000001","rules":[],"lists":[]}"#;

    #[test]
    fn reads_the_latest_copy() {
        let directory = tempfile::tempdir().unwrap();
        let copy = LastCopy::inside(directory.path());
        assert!(copy.read().unwrap().is_none());
        copy.write(RULESET.replace('3', "2").as_bytes()).unwrap();
        copy.write(RULESET.as_bytes()).unwrap();
        assert_eq!(copy.read().unwrap().unwrap().version, 3);
    }

    #[test]
    fn rejects_a_damaged_copy() {
        let directory = tempfile::tempdir().unwrap();
        let copy = LastCopy::inside(directory.path());
        copy.write(RULESET.as_bytes()).unwrap();
        let bytes = fs::read(&copy.0).unwrap();
        for damage in
            [bytes[..bytes.len() - 1].to_vec(), bytes[..4].to_vec(), Vec::new(), [&bytes[..], b"x"].concat()]
        {
            fs::write(&copy.0, damage).unwrap();
            assert!(matches!(copy.read(), Err(CopyError::Damaged(_))));
        }
    }
}
