//! The keys of a key file.

use super::{KeyId, Location, Sealed, key::Key};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The keys of a file: the first is current and seals, all of them open.
pub struct Keys {
    file: PathBuf,
    current: Key,
    old: Vec<Key>,
}

/// A secret that cannot be decrypted. Everything else goes on without it.
#[derive(Debug, thiserror::Error)]
#[error("table {}, row {}: column {} cannot be decrypted: {cause}", location.table, location.row, location.column)]
pub struct UnsealError {
    pub location: Location,
    pub cause: UnsealCause,
}

#[derive(Debug, thiserror::Error)]
pub enum UnsealCause {
    #[error("the key file {} has no key {key}; add its line again", file.display())]
    UnknownKey { key: String, file: PathBuf },
    #[error("the value was damaged, or copied from another place")]
    Forged,
}

impl Keys {
    /// The keys of the lines of a file. The error is the number of the invalid line, 0 if there is
    /// no key.
    pub(super) fn parse(file: &Path, text: &str) -> Result<Self, usize> {
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let mut keys = lines.map(|(index, line)| Key::parse(line).ok_or(index + 1));
        let current = keys.next().ok_or(0_usize)??;
        Ok(Self { file: file.to_owned(), current, old: keys.collect::<Result<_, _>>()? })
    }

    pub fn current(&self) -> &KeyId {
        &self.current.id
    }

    pub fn old(&self) -> impl Iterator<Item = &KeyId> {
        self.old.iter().map(|key| &key.id)
    }

    /// Whether a sealed text of this key can be opened.
    pub fn has(&self, key: &str) -> bool {
        self.key(key).is_some()
    }

    fn key(&self, id: &str) -> Option<&Key> {
        [&self.current].into_iter().chain(&self.old).find(|key| key.id.as_str() == id)
    }

    pub fn seal(&self, location: &Location, text: &str) -> Sealed {
        self.current.seal(location, text)
    }

    pub fn open(&self, location: &Location, sealed: &Sealed) -> Result<String, UnsealError> {
        let opened = match self.key(sealed.key()) {
            Some(key) => key.open(location, sealed).ok_or(UnsealCause::Forged),
            None => Err(UnsealCause::UnknownKey { key: sealed.key().to_owned(), file: self.file.clone() }),
        };
        opened.map_err(|cause| UnsealError { location: location.clone(), cause })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Keys").field(&self.current.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const NEW: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

    fn keys(text: &str) -> Result<Keys, usize> {
        Keys::parse(Path::new("secrets.key"), text)
    }

    fn at(column: &'static str, row: &str) -> Location {
        Location::new("webhooks", column, &row)
    }

    #[test]
    fn a_sealed_text_opens_only_in_its_row_and_column() {
        let (keys, here) = (keys(NEW).unwrap(), at("secret", "w1"));
        let sealed = keys.seal(&here, "whsec_x");
        assert_ne!(sealed, keys.seal(&here, "whsec_x"), "nonces are random");
        assert!(!sealed.as_str().contains("whsec"));
        assert_eq!(keys.open(&here, &sealed).unwrap(), "whsec_x");
        let elsewhere = [at("secret", "w2"), at("url", "w1"), Location { table: "audit", ..here.clone() }];
        for location in elsewhere {
            let error = keys.open(&location, &sealed).unwrap_err();
            assert!(matches!(error.cause, UnsealCause::Forged), "{location:?}");
        }
    }

    #[test]
    fn damage_is_an_error_that_names_the_location() {
        let (keys, here) = (keys(NEW).unwrap(), at("secret", "w1"));
        let sealed = keys.seal(&here, "whsec_x");
        for end in 0..sealed.as_str().len() {
            let cut = Sealed::parse(&sealed.as_str()[..end]);
            assert!(cut.is_none_or(|cut| keys.open(&here, &cut).is_err()), "cut at {end}");
        }
        let flipped = Sealed::parse(&sealed.as_str().replace(&sealed.as_str()[40..44], "____")).unwrap();
        assert_eq!(
            keys.open(&here, &flipped).unwrap_err().to_string(),
            "table webhooks, row w1: column secret cannot be decrypted: the value was damaged, or copied from another place"
        );
    }

    #[test]
    fn the_first_key_seals_and_old_keys_open() {
        let (old, here) = (keys(OLD).unwrap(), at("secret", "w1"));
        let sealed = old.seal(&here, "whsec_x");
        let both = keys(&format!("# A comment.\n{NEW}\n\n{OLD}\n")).unwrap();
        assert_eq!(both.open(&here, &sealed).unwrap(), "whsec_x");
        assert_eq!(both.seal(&here, "whsec_x").key(), both.current().as_str());
        let error = keys(NEW).unwrap().open(&here, &sealed).unwrap_err().to_string();
        let expected = format!("the key file secrets.key has no key {}; add its line again", old.current());
        assert!(error.ends_with(&expected), "{error}");
    }

    #[test]
    fn an_invalid_line_is_named_by_its_number() {
        assert_eq!(keys(&format!("# A comment.\n{NEW}\nkey")).unwrap_err(), 3);
        assert_eq!(keys("# A comment.\n").unwrap_err(), 0);
        assert!(!format!("{:?}", keys(NEW)).contains(NEW));
    }
}
