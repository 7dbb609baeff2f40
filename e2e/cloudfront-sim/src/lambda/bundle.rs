//! Function zips: validation, and unpacking with the file modes of the zip.

use std::env;
use std::fs::{self, File, Permissions};
use std::io::{self, Cursor};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

/// A zip that cannot be used as a function.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("cannot open {}", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is not a readable zip", path.display())]
    Zip {
        path: PathBuf,
        #[source]
        source: ZipError,
    },
    #[error("entry {name:?} would be unpacked outside of the task directory")]
    Escapes { name: String },
    #[error("entry {index} of the zip is corrupt")]
    Entry {
        index: usize,
        #[source]
        source: ZipError,
    },
    #[error("cannot unpack the zip into the temporary directory {}", env::temp_dir().display())]
    Write(#[from] io::Error),
}

/// A function's zip, read once: later changes of the file (the next build) do not affect it.
#[derive(Clone)]
pub(super) struct Bundle(Arc<Vec<u8>>);

impl Bundle {
    pub(super) fn read(path: &Path) -> Result<Self, BundleError> {
        let bytes = fs::read(path).map_err(|source| BundleError::Open { path: path.to_owned(), source })?;
        let bundle = Self(Arc::new(bytes));
        match bundle.archive() {
            Ok(_) => Ok(bundle),
            Err(source) => Err(BundleError::Zip { path: path.to_owned(), source }),
        }
    }

    /// Unpacks the zip into an existing directory.
    pub(super) fn unpack(&self, into: &Path) -> Result<(), BundleError> {
        let mut archive = self.archive().expect("read() has opened the archive");
        for index in 0..archive.len() {
            let entry = archive.by_index(index).map_err(|source| BundleError::Entry { index, source })?;
            unpack_entry(entry, into)?;
        }
        Ok(())
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        self.archive().is_ok_and(|archive| archive.index_for_name(name).is_some())
    }

    fn archive(&self) -> Result<ZipArchive<Cursor<&[u8]>>, ZipError> {
        ZipArchive::new(Cursor::new(self.0.as_slice()))
    }
}

/// Blocking file access, off the async runtime.
pub(super) async fn off_the_runtime<T, F>(work: F) -> Result<T, BundleError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, BundleError> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

fn unpack_entry(mut entry: ZipFile<'_, Cursor<&[u8]>>, into: &Path) -> Result<(), BundleError> {
    let escapes = || BundleError::Escapes { name: String::from_utf8_lossy(entry.name_raw()).into_owned() };
    let name = entry.enclosed_name().ok_or_else(escapes)?;
    let target = into.join(name);
    if entry.is_dir() {
        return Ok(fs::create_dir_all(target)?);
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    io::copy(&mut entry, &mut File::create(&target)?)?;
    // Lambda keeps the modes of the zip, so a lost execute bit must fail here too. Zips made on
    // Windows have no modes.
    let mode = entry.unix_mode().map_or(0o644, |mode| mode & 0o777);
    Ok(fs::set_permissions(target, Permissions::from_mode(mode))?)
}
