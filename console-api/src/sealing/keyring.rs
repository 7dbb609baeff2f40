//! The keys of a running console.

use super::{KeyFile, Keys, Location, Sealed, UnsealCause, UnsealError};
use std::sync::{Arc, PoisonError, RwLock};

/// The keys of a running console. They follow the file, so that `rotate-key` needs no restart.
#[derive(Clone)]
pub struct Keyring {
    file: KeyFile,
    keys: Arc<RwLock<Arc<Keys>>>,
}

impl Keyring {
    pub fn new(file: KeyFile, keys: Keys) -> Self {
        Self { file, keys: Arc::new(RwLock::new(Arc::new(keys))) }
    }

    /// Seals with the current key of the file: a secret of an old key would be lost with its line.
    pub fn seal(&self, location: &Location, text: &str) -> Sealed {
        self.reload();
        self.keys().seal(location, text)
    }

    pub fn open(&self, location: &Location, sealed: &Sealed) -> Result<String, UnsealError> {
        match self.keys().open(location, sealed) {
            Err(UnsealError { cause: UnsealCause::UnknownKey { .. }, .. }) => {
                self.reload();
                self.keys().open(location, sealed)
            }
            opened => opened,
        }
    }

    fn keys(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file again. A file without the key in use is the wrong one, and is ignored.
    fn reload(&self) {
        match self.file.load() {
            Ok(Some(new)) if new.has(self.keys().current().as_str()) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
            }
            Ok(_) => {
                tracing::warn!(file = %self.file.path().display(), "the key file lacks the key in use; ignored");
            }
            Err(error) => tracing::warn!(%error, "the keys stay as they were"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_rotated_key_is_used_without_a_restart_and_a_foreign_file_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::in_dir(dir.path());
        let keyring = Keyring::new(file.clone(), file.load_or_create().unwrap());
        let location = Location::webhook_secret(&"w1");
        let rotated = file.add_key().unwrap();
        let sealed = rotated.seal(&location, "whsec_x");
        assert_eq!(keyring.open(&location, &sealed).unwrap(), "whsec_x");

        fs::remove_file(file.path()).unwrap();
        file.load_or_create().unwrap();
        assert_eq!(keyring.seal(&location, "whsec_x").key(), rotated.current().as_str());
    }
}
