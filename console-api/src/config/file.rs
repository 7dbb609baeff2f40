//! The configuration file: what flags cannot express.

use crate::oidc::{Oidc, OidcSection, OidcSettings, SettingsError};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The configuration file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    #[serde(default)]
    oidc: Option<OidcSection>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    #[error("cannot read the configuration file {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the configuration file {} is not valid", path.display())]
    Parse { path: PathBuf, source: toml::de::Error },
    #[error("the section `oidc` needs `--public-url`, the address that the provider sends browsers back to")]
    NoPublicUrl,
    #[error(transparent)]
    Oidc(#[from] SettingsError),
}

impl ConfigFile {
    pub fn read(path: &Path) -> Result<Self, ConfigFileError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigFileError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| ConfigFileError::Parse { path: path.to_owned(), source })
    }

    /// Sign-in at the OpenID provider of the section `oidc`.
    pub fn oidc(self, public_url: Option<&str>) -> Result<Option<Oidc>, ConfigFileError> {
        let Some(section) = self.oidc else { return Ok(None) };
        let public_url = public_url.ok_or(ConfigFileError::NoPublicUrl)?;
        Ok(Some(Oidc::new(OidcSettings::read(section)?, public_url)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_oidc_needs_a_public_url() {
        let dir = tempfile::tempdir().unwrap();
        let (file, secret) = (dir.path().join("console.toml"), dir.path().join("secret"));
        fs::write(&secret, "the-secret").unwrap();
        let text = format!(
            "[oidc]\nissuer = \"https://id.example.com\"\nclient_id = \"waf\"\nclient_secret_file = {secret:?}\n\
             passwords = false\n[oidc.roles]\nsoc = \"analyst\"\n"
        );
        fs::write(&file, text).unwrap();
        let oidc = |public_url| ConfigFile::read(&file).unwrap().oidc(public_url);
        let oidc_with_url = oidc(Some("https://waf.example.com")).unwrap().unwrap();
        assert!(!oidc_with_url.allows_passwords());
        assert!(matches!(oidc(None), Err(ConfigFileError::NoPublicUrl)));
        fs::write(&file, "").unwrap();
        assert!(oidc(None).unwrap().is_none());
        fs::write(&file, "[odic]").unwrap();
        assert!(matches!(ConfigFile::read(&file), Err(ConfigFileError::Parse { .. })));
    }
}
