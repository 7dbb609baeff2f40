//! The zip: checking it and unpacking it with the modes it names.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;

/// Why a zip is no function.
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
        source: zip::result::ZipError,
    },
    #[error("the entry {name:?} would land outside of the task directory")]
    Escapes { name: String },
    #[error("cannot unpack")]
    Write(#[from] io::Error),
}

/// Whether the file is a zip at all.
pub(super) fn check(path: &Path) -> Result<(), BundleError> {
    open(path).map(drop)
}

/// Unpacks the zip into an existing directory.
pub(super) fn unpack(path: &Path, into: &Path) -> Result<(), BundleError> {
    let mut archive = open(path)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index);
        unpack_entry(entry.map_err(|source| BundleError::Zip { path: path.to_owned(), source })?, into)?;
    }
    Ok(())
}

/// Reading and writing files would hold up every other task.
pub(super) async fn off_the_runtime<T, F>(work: F) -> Result<T, BundleError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, BundleError> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

fn open(path: &Path) -> Result<ZipArchive<File>, BundleError> {
    let file = File::open(path).map_err(|source| BundleError::Open { path: path.to_owned(), source })?;
    ZipArchive::new(file).map_err(|source| BundleError::Zip { path: path.to_owned(), source })
}

fn unpack_entry(mut entry: ZipFile<'_, File>, into: &Path) -> Result<(), BundleError> {
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
    // Lambda keeps the modes of the zip: a lost execute bit must show here too. Zips from Windows name none.
    let mode = entry.unix_mode().map_or(0o644, |mode| mode & 0o777);
    Ok(fs::set_permissions(target, Permissions::from_mode(mode))?)
}
