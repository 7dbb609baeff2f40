//! Token files: they hold the first tokens of a new console, so that no log contains them.

use crate::{actor::Role, token::InvalidToken, token::Token};
use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::PathBuf,
};

/// The token file of a role.
#[derive(Debug, Clone)]
pub struct TokenFile {
    pub path: PathBuf,
    pub role: Role,
    pub readers: Readers,
}

/// Who may read a token file that the console creates. An existing file keeps its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    Owner,
    OwnerAndGroup,
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::OwnerAndGroup => 0o640,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    #[error("cannot read the token file {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the token file {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the token file {} contains no valid token", path.display())]
    Invalid { path: PathBuf, source: InvalidToken },
}

/// A token, and whether its file was created.
#[derive(Debug)]
pub struct Provided {
    pub token: Token,
    pub is_new: bool,
}

impl TokenFile {
    /// The token of the file; if there is no file, a new token.
    pub fn provide(&self) -> Result<Provided, TokenFileError> {
        let path = || self.path.clone();
        match fs::read_to_string(&self.path) {
            Ok(text) => {
                let token = Token::parse(text.trim());
                let token = token.map_err(|source| TokenFileError::Invalid { path: path(), source })?;
                Ok(Provided { token, is_new: false })
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                let token = Token::generate();
                self.write(&token).map_err(|source| TokenFileError::Write { path: path(), source })?;
                Ok(Provided { token, is_new: true })
            }
            Err(source) => Err(TokenFileError::Read { path: path(), source }),
        }
    }

    fn write(&self, token: &Token) -> io::Result<()> {
        if let Some(parent) = self.path.parent() {
            fs::create_dir_all(parent)?;
        }
        // Private at creation, so that other users can never read the file; the umask of the process
        // would clear the bit of the group.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path)?;
        file.set_permissions(Permissions::from_mode(self.readers.mode()))?;
        writeln!(file, "{}", token.reveal())?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_file_is_private_and_stable() {
        let dir = tempfile::tempdir().unwrap();
        let file =
            TokenFile { path: dir.path().join("deep/token"), role: Role::Node, readers: Readers::Owner };
        let created = file.provide().unwrap();
        assert!(created.is_new);
        assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = file.provide().unwrap();
        assert!(!read.is_new);
        assert_eq!(read.token, created.token);
    }

    #[test]
    fn the_group_may_read_a_shared_token_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        TokenFile { path: path.clone(), role: Role::Node, readers: Readers::OwnerAndGroup }
            .provide()
            .unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn names_an_empty_token_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile { path: dir.path().join("token"), role: Role::Admin, readers: Readers::Owner };
        fs::write(&file.path, "\n").unwrap();
        assert!(file.provide().unwrap_err().to_string().contains("token contains no valid token"));
    }
}
