//! The key file: a key per line, the current one first.

use super::{Keys, key::Key};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process,
};

const HEADER: &str = "\
# Keys of the secrets in the console's database: the first encrypts, all decrypt. Without them, the
# secrets are lost. Keep a copy, apart from the backups of the database.
";

#[derive(Debug, Clone)]
pub struct KeyFile {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("cannot read the key file {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the key file {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the key file {} contains no key; restore it from its copy", path.display())]
    Empty { path: PathBuf },
    #[error("the key file {}, line {line}, is not a key: 32 bytes in base64url, 43 characters", path.display())]
    Invalid { path: PathBuf, line: usize },
}

impl KeyFile {
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn in_dir(data_dir: &Path) -> Self {
        Self::at(data_dir.join("secrets.key"))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys; `None` if there is no file.
    pub fn load(&self) -> Result<Option<Keys>, KeyFileError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => self.parse(&text).map(Some),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeyFileError::Read { path: self.path.clone(), source }),
        }
    }

    /// The keys; a missing file is created with a new key.
    pub fn load_or_create(&self) -> Result<Keys, KeyFileError> {
        if let Some(keys) = self.load()? {
            return Ok(keys);
        }
        let text = format!("{HEADER}{}\n", Key::generate_line());
        match self.create(&text) {
            Ok(()) => {
                tracing::info!(file = %self.path.display(), "created the key file; keep a copy apart from backups");
                self.parse(&text)
            }
            // Another process created it.
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => self.load_or_create(),
            Err(source) => Err(KeyFileError::Write { path: self.path.clone(), source }),
        }
    }

    /// Adds a new current key before the others.
    pub(crate) fn add_key(&self) -> Result<Keys, KeyFileError> {
        let path = || self.path.clone();
        let text =
            fs::read_to_string(&self.path).map_err(|source| KeyFileError::Read { path: path(), source })?;
        let is_comment = |line: &&str| line.trim().is_empty() || line.trim().starts_with('#');
        let (comments, keys): (Vec<_>, Vec<_>) = text.split_inclusive('\n').partition(is_comment);
        let text = format!("{}{}\n{}", comments.concat(), Key::generate_line(), keys.concat());
        self.replace(&text).map_err(|source| KeyFileError::Write { path: path(), source })?;
        self.parse(&text)
    }

    /// Whether every user of the machine can read the file.
    pub fn is_public(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
    }

    fn parse(&self, text: &str) -> Result<Keys, KeyFileError> {
        let path = || self.path.clone();
        Keys::parse(&self.path, text).map_err(|line| match line {
            0 => KeyFileError::Empty { path: path() },
            line => KeyFileError::Invalid { path: path(), line },
        })
    }

    /// Never leaves half a file: a key that was used must not be lost.
    fn create(&self, text: &str) -> io::Result<()> {
        fs::create_dir_all(self.dir())?;
        let temporary = self.write_temporary(text)?;
        let linked = fs::hard_link(&temporary, &self.path);
        fs::remove_file(&temporary)?;
        linked?;
        File::open(self.dir())?.sync_all()
    }

    /// Replaces the file. Its owner and mode stay.
    fn replace(&self, text: &str) -> io::Result<()> {
        let before = fs::metadata(&self.path)?;
        let temporary = self.write_temporary(text)?;
        let replaced = chown(&temporary, Some(before.uid()), Some(before.gid()))
            .and_then(|()| fs::set_permissions(&temporary, before.permissions()))
            .and_then(|()| fs::rename(&temporary, &self.path));
        if let Err(cause) = replaced {
            fs::remove_file(&temporary)?;
            return Err(cause);
        }
        File::open(self.dir())?.sync_all()
    }

    fn write_temporary(&self, text: &str) -> io::Result<PathBuf> {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}", process::id()));
        // Of a killed process with the same id.
        if let Err(cause) = fs::remove_file(&name)
            && cause.kind() != io::ErrorKind::NotFound
        {
            return Err(cause);
        }
        // The mode is set at creation, so that other users can never read the file.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&name)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(name.into())
    }

    fn dir(&self) -> &Path {
        self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_file_is_private_and_stable() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::at(dir.path().join("deep/secrets.key"));
        assert!(file.load().unwrap().is_none());
        let created = file.load_or_create().unwrap();
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!file.is_public());
        assert_eq!(file.load_or_create().unwrap().current(), created.current());
        assert_eq!(fs::read_dir(dir.path().join("deep")).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn an_added_key_comes_first_and_keeps_owner_mode_and_comments() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::in_dir(dir.path());
        let old = file.load_or_create().unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        let new = file.add_key().unwrap();
        assert_ne!(new.current(), old.current());
        assert_eq!(new.old().collect::<Vec<_>>(), [old.current()]);
        assert_eq!(file.load().unwrap().unwrap().current(), new.current());
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::read_to_string(file.path()).unwrap().starts_with(HEADER));
    }

    #[test]
    fn an_invalid_key_file_is_named_and_its_text_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::in_dir(dir.path());
        fs::write(file.path(), "almost-a-key\n").unwrap();
        let error = file.load().unwrap_err().to_string();
        assert!(error.contains("secrets.key, line 1, is not a key") && !error.contains("almost"), "{error}");
        fs::write(file.path(), "\n").unwrap();
        assert!(file.load().unwrap_err().to_string().contains("secrets.key contains no key"));
    }
}
