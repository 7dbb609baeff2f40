//! The section `oidc` of the configuration file.

use super::claims::RoleMap;
use crate::{
    actor::Role,
    authorities::{Authorities, AuthoritiesError},
};
use openidconnect::{ClientId, ClientSecret, IssuerUrl, Scope, url::Url};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, io, path::PathBuf};

/// The section as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSection {
    issuer: String,
    client_id: String,
    client_secret_file: PathBuf,
    #[serde(default = "default_scopes")]
    scopes: Vec<String>,
    #[serde(default = "default_groups_claim")]
    groups_claim: String,
    roles: BTreeMap<String, Role>,
    #[serde(default = "default_button")]
    button: String,
    #[serde(default = "default_passwords")]
    passwords: bool,
    #[serde(default)]
    ca_file: Option<PathBuf>,
}

fn default_scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

fn default_groups_claim() -> String {
    "groups".to_owned()
}

fn default_button() -> String {
    "Sign in with single sign-on".to_owned()
}

fn default_passwords() -> bool {
    true
}

/// The validated section.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    pub issuer: IssuerUrl,
    pub client_id: ClientId,
    pub client_secret: ClientSecret,
    /// Besides `openid`.
    pub scopes: Vec<Scope>,
    pub groups_claim: String,
    pub roles: RoleMap,
    /// The label of the button.
    pub button: String,
    /// Whether users may also sign in with passwords of this console.
    pub passwords: bool,
    /// Of the provider's certificate.
    pub authorities: Authorities,
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("`oidc.issuer` must be an https URL, or an http URL of this machine: {0}")]
    Issuer(String),
    #[error("`oidc.{0}` must not be empty")]
    Empty(&'static str),
    #[error("`oidc.roles`: the role of group {0:?} must be admin, analyst or read_only")]
    NodeRole(String),
    #[error("`oidc.button` must have 1 to 60 characters")]
    Button,
    #[error("cannot read `oidc.client_secret_file` {}", path.display())]
    Secret { path: PathBuf, source: io::Error },
    #[error("`oidc.ca_file`")]
    Authorities(#[source] AuthoritiesError),
    #[error("`--public-url` cannot be part of a redirect URL: {0}")]
    PublicUrl(String),
}

impl OidcSettings {
    /// Validates the section, and reads its files.
    pub fn read(section: OidcSection) -> Result<Self, SettingsError> {
        let issuer = IssuerUrl::new(section.issuer.clone()).ok().filter(|issuer| is_safe(issuer.url()));
        let issuer = issuer.ok_or(SettingsError::Issuer(section.issuer))?;
        let is_empty = |text: &str| text.trim().is_empty();
        if is_empty(&section.client_id) {
            return Err(SettingsError::Empty("client_id"));
        }
        if is_empty(&section.groups_claim) {
            return Err(SettingsError::Empty("groups_claim"));
        }
        if section.roles.is_empty() {
            return Err(SettingsError::Empty("roles"));
        }
        if let Some((group, _)) = section.roles.iter().find(|(_, role)| **role == Role::Node) {
            return Err(SettingsError::NodeRole(group.clone()));
        }
        if is_empty(&section.button) || section.button.chars().count() > 60 {
            return Err(SettingsError::Button);
        }
        let authorities = section.ca_file.as_deref().map(Authorities::of_file);
        Ok(Self {
            issuer,
            client_id: ClientId::new(section.client_id),
            client_secret: secret(section.client_secret_file)?,
            scopes: section.scopes.into_iter().map(Scope::new).collect(),
            groups_claim: section.groups_claim,
            roles: RoleMap::new(section.roles),
            button: section.button,
            passwords: section.passwords,
            authorities: authorities.transpose().map_err(SettingsError::Authorities)?.unwrap_or_default(),
        })
    }
}

/// Whether the network cannot change what the provider sends.
fn is_safe(issuer: &Url) -> bool {
    let is_local = matches!(issuer.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    issuer.scheme() == "https" || (issuer.scheme() == "http" && is_local)
}

fn secret(path: PathBuf) -> Result<ClientSecret, SettingsError> {
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => Err(SettingsError::Empty("client_secret_file")),
        Ok(text) => Ok(ClientSecret::new(text.trim().to_owned())),
        Err(source) => Err(SettingsError::Secret { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::with_sources;

    fn read(changes: &str) -> Result<OidcSettings, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        fs::write(&file, "the-secret\n").unwrap();
        let minimal = format!(
            "issuer = \"https://id.example.com/realms/main\"\nclient_id = \"waf\"\nclient_secret_file = {file:?}\n\
             [roles]\nsoc = \"analyst\"\n"
        );
        let mut table: toml::Table = minimal.parse().unwrap();
        table.extend(changes.parse::<toml::Table>().unwrap());
        let section: OidcSection =
            table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
        OidcSettings::read(section).map_err(|error| with_sources(&error))
    }

    #[test]
    fn only_issuer_client_and_roles_are_required() {
        let settings = read("").unwrap();
        assert_eq!(settings.client_secret.secret(), "the-secret");
        assert_eq!((settings.groups_claim.as_str(), settings.passwords), ("groups", true));
        assert_eq!(settings.scopes.len(), 2);
        assert_eq!(settings.roles.highest(&["soc".to_owned()]), Some(Role::Analyst));
        assert!(!format!("{settings:?}").contains("the-secret"));
    }

    #[test]
    fn each_key_is_documented() {
        const DOCS: &str = include_str!("../../../docs/access.md");
        let error = read("unknown = 1").unwrap_err();
        let keys = error.split('`').skip(3).step_by(2).filter(|key| *key != "unknown");
        let keys: Vec<&str> = keys.collect();
        assert!(keys.len() > 8, "{error}");
        let section = DOCS.split("## Single sign-on").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("| `")).collect();
        for key in keys {
            let in_row = |row: &&str| {
                row.split('|').next().is_some_and(|cell| format!("`{cell}").contains(&format!("`{key}`")))
            };
            assert!(rows.iter().any(in_row), "{key} is not in docs/access.md");
        }
    }

    #[test]
    fn a_mistake_is_named() {
        for (change, error) in [
            ("issuer = \"http://id.example.com\"", "`oidc.issuer` must be an https URL"),
            ("issuer = \"id.example.com\"", "`oidc.issuer` must be an https URL"),
            ("client_id = \" \"", "`oidc.client_id` must not be empty"),
            ("groups_claim = \"\"", "`oidc.groups_claim` must not be empty"),
            (
                "client_secret_file = \"/nowhere/secret\"",
                "cannot read `oidc.client_secret_file` /nowhere/secret",
            ),
            (
                "ca_file = \"/nowhere/ca.pem\"",
                "`oidc.ca_file`: cannot read certificates from /nowhere/ca.pem",
            ),
            ("button = \"\"", "`oidc.button` must have 1 to 60 characters"),
            ("[roles]", "`oidc.roles` must not be empty"),
            ("[roles]\nedge = \"node\"", "`oidc.roles`: the role of group \"edge\" must be"),
            ("[roles]\nsoc = \"root\"", "unknown variant `root`"),
            ("group_claim = \"groups\"", "unknown field `group_claim`"),
        ] {
            let found = read(change).unwrap_err();
            assert!(found.starts_with(error), "{change}: {found}");
        }
        assert!(read("issuer = \"http://127.0.0.1:8080/realms/main\"").is_ok());
    }
}
