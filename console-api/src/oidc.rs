//! Sign-in at an OpenID provider: authorization code flow with PKCE, state and nonce.
//!
//! Nothing is kept of a sign-in that has not ended: what its end needs is sealed in a cookie of the
//! browser ([`SignInAttempt`]). Metadata and keys of the provider are cached, and fetched again
//! after an hour or for an unknown key.

mod attempt;
mod claims;
mod error;
mod http;
mod provider;
mod settings;

pub use attempt::{ATTEMPT, SignInAttempt};
pub use claims::{Identity, RoleMap};
pub use error::OidcError;
pub use provider::{Answer, Oidc};
pub use settings::{OidcSection, OidcSettings, SettingsError};
