//! Errors of a sign-in at the provider: a sentence for the user, details for the log.

use openidconnect::ClaimsVerificationError;
use std::{error::Error, time::Duration};

type Cause = Box<dyn Error + Send + Sync>;

/// Why a sign-in at the provider failed.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("cannot reach the OpenID provider")]
    Unreachable(#[source] Cause),
    #[error("the OpenID provider was not reachable; the next attempt is in {} s", OidcError::PAUSE.as_secs())]
    Pause,
    #[error("the browser has no cookie of a sign-in of the last ten minutes")]
    NoAttempt,
    #[error("the state is not that of the cookie")]
    State,
    #[error("the issuer of the response is {0:?}")]
    Issuer(String),
    #[error("the OpenID provider refused: {code:?} ({description:?})")]
    Refused { code: String, description: String },
    #[error("the OpenID provider rejected the code")]
    Code(#[source] Cause),
    #[error("the OpenID provider sent no ID token")]
    NoIdToken,
    #[error("the ID token is not valid")]
    IdToken(#[source] ClaimsVerificationError),
    #[error("the claims of the user cannot be read")]
    Claims(#[source] Cause),
    #[error("the claims have no usable `preferred_username` or `email`")]
    NoName,
    #[error("no group of {name:?} has a role: {groups:?}")]
    NoRole { name: String, groups: Vec<String> },
}

impl OidcError {
    /// The pause after a failed discovery: a provider that is down is not called by every visitor.
    pub(super) const PAUSE: Duration = Duration::from_secs(5);

    /// The sentence of the sign-in page. Details are for the log.
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::Pause => {
                "The single sign-on service does not respond. Try again in a moment."
            }
            Self::NoAttempt | Self::State => {
                "This sign-in has expired or was started in another browser. Sign in again."
            }
            Self::Refused { .. } => "The single sign-on service did not sign you in.",
            Self::NoName => {
                "The single sign-on service sent no user name. Ask an administrator to check its claims."
            }
            Self::NoRole { .. } => "None of your groups has access to this console. Ask an administrator.",
            Self::Issuer(_) | Self::Code(_) | Self::NoIdToken | Self::IdToken(_) | Self::Claims(_) => {
                "The response of the single sign-on service is not valid. Sign in again."
            }
        }
    }

    /// Whether the provider, not the user, is the cause.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Pause)
    }

    /// Whether the browser did not begin this sign-in.
    pub fn is_without_attempt(&self) -> bool {
        matches!(self, Self::NoAttempt | Self::State)
    }

    /// The name of the user, as far as it is verified.
    pub fn user(&self) -> Option<&str> {
        if let Self::NoRole { name, .. } = self { Some(name) } else { None }
    }
}
