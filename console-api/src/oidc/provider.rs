//! The provider: its cached metadata and keys, and the two halves of a sign-in.

use super::{
    attempt::SignInAttempt,
    claims::{self, Claims, Identity},
    error::OidcError,
    http::{HttpClient, HttpError},
    settings::{OidcSettings, SettingsError},
};
use crate::access::ExternalIdentity;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hyper::{Method, Request, header};
use jiff::Timestamp;
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClaimsVerificationError, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, JwsSigningAlgorithm as _, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, SignatureVerificationError, TokenResponse as _,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreJwsSigningAlgorithm,
        CoreProviderMetadata, CoreTokenResponse,
    },
    url::Url,
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// How long metadata and keys are used without a look at the provider.
const FRESH: Duration = Duration::from_hours(1);

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Sign-in at the configured provider.
#[derive(Clone)]
pub struct Oidc(Arc<Provider>);

struct Provider {
    settings: OidcSettings,
    redirect: RedirectUrl,
    http: HttpClient,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    metadata: Option<(Arc<CoreProviderMetadata>, Instant)>,
    failed_at: Option<Instant>,
}

/// What the provider sends back with the browser.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    /// The issuer (RFC 9207).
    iss: Option<String>,
}

impl Oidc {
    /// `public_url`: of the console, without a path.
    pub fn new(settings: OidcSettings, public_url: &str) -> Result<Self, SettingsError> {
        let http = HttpClient::new(&settings.authorities);
        let redirect = RedirectUrl::new(format!("{public_url}/sign-in/oidc/callback"));
        let redirect = redirect.map_err(|_| SettingsError::PublicUrl(public_url.to_owned()))?;
        Ok(Self(Arc::new(Provider { settings, redirect, http, cache: Mutex::default() })))
    }

    /// The label of the button.
    pub fn button(&self) -> &str {
        &self.0.settings.button
    }

    pub fn issuer(&self) -> &str {
        self.0.settings.issuer.as_str()
    }

    /// Whether users may also sign in with passwords of this console.
    pub fn allows_passwords(&self) -> bool {
        self.0.settings.passwords
    }

    /// Fetches the metadata, so that the first sign-in need not.
    pub async fn prepare(&self) -> Result<(), OidcError> {
        self.0.metadata(FRESH).await.map(drop)
    }

    /// The address at the provider that a sign-in starts with, and what its end needs.
    pub async fn begin(&self, to: &str, now: Timestamp) -> Result<(Url, SignInAttempt), OidcError> {
        let metadata = self.0.metadata(FRESH).await?;
        let client = self.0.client(&metadata);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (address, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(self.0.settings.scopes.iter().cloned())
            .set_pkce_challenge(challenge)
            .url();
        let secrets = (state.into_secret(), nonce.secret().clone(), verifier.into_secret());
        Ok((address, SignInAttempt::new(secrets, to, now)))
    }

    /// The user whom the provider has authenticated in this attempt.
    pub async fn finish(
        &self,
        attempt: &SignInAttempt,
        answer: Answer,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        let provider = &*self.0;
        let code = provider.code(attempt, answer)?;
        let metadata = provider.metadata(FRESH).await?;
        let tokens = provider.exchange(&metadata, code, attempt.verifier.clone()).await?;
        let token = tokens.id_token().ok_or(OidcError::NoIdToken)?;
        let nonce = Nonce::new(attempt.nonce.clone());
        let unknown_key = SignatureVerificationError::NoMatchingKey;
        let verified = match provider.verify(&metadata, token, &nonce, now) {
            Err(ClaimsVerificationError::SignatureVerification(cause)) if cause == unknown_key => {
                let metadata = provider.metadata(Duration::ZERO).await?;
                provider.verify(&metadata, token, &nonce, now)
            }
            verified => verified,
        };
        let subject = verified.map_err(OidcError::IdToken)?;
        let mut claims = claims_of(token)?;
        if !claims.contains_key(&provider.settings.groups_claim) {
            // Those of the ID token are signed, and stay.
            for (name, value) in provider.user_info(&metadata, tokens.access_token(), &subject).await? {
                claims.entry(name).or_insert(value);
            }
        }
        let external = ExternalIdentity { issuer: provider.settings.issuer.to_string(), subject };
        claims::identity(external, &claims, &provider.settings.groups_claim, &provider.settings.roles)
    }
}

impl Provider {
    /// Metadata that is younger than `age`. One caller fetches it, the others wait.
    async fn metadata(&self, age: Duration) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut cache = self.cache.lock().await;
        let known = cache.metadata.clone();
        if let Some((metadata, _)) = known.as_ref().filter(|(_, fetched_at)| fetched_at.elapsed() < age) {
            return Ok(metadata.clone());
        }
        if cache.failed_at.is_some_and(|at| at.elapsed() < OidcError::PAUSE) {
            return known.map(|(metadata, _)| metadata).ok_or(OidcError::Pause);
        }
        match CoreProviderMetadata::discover_async(self.settings.issuer.clone(), &self.http).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *cache = Cache { metadata: Some((metadata.clone(), Instant::now())), failed_at: None };
                Ok(metadata)
            }
            Err(cause) => {
                cache.failed_at = Some(Instant::now());
                known.map(|(metadata, _)| metadata).ok_or_else(|| OidcError::Unreachable(cause.into()))
            }
        }
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Client {
        let (id, secret) = (self.settings.client_id.clone(), self.settings.client_secret.clone());
        let methods = metadata.token_endpoint_auth_methods_supported();
        let in_body = methods.is_some_and(|methods| {
            !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret));
        client.set_redirect_uri(self.redirect.clone()).set_auth_type(if in_body {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        })
    }

    /// The code of an answer to this attempt.
    fn code(&self, attempt: &SignInAttempt, answer: Answer) -> Result<AuthorizationCode, OidcError> {
        if answer.state.as_ref() != Some(&attempt.state) {
            return Err(OidcError::State);
        }
        if let Some(issuer) = answer.iss.filter(|issuer| *issuer != *self.settings.issuer) {
            return Err(OidcError::Issuer(issuer));
        }
        let refused = |code| {
            let description = answer.error_description.unwrap_or_default();
            OidcError::Refused { code, description }
        };
        match (answer.error, answer.code) {
            (None, Some(code)) => Ok(AuthorizationCode::new(code)),
            (error, _) => Err(refused(error.unwrap_or_default())),
        }
    }

    async fn exchange(
        &self,
        metadata: &CoreProviderMetadata,
        code: AuthorizationCode,
        verifier: String,
    ) -> Result<CoreTokenResponse, OidcError> {
        let client = self.client(metadata);
        let request = client.exchange_code(code).map_err(|cause| OidcError::Code(cause.into()))?;
        let tokens =
            request.set_pkce_verifier(PkceCodeVerifier::new(verifier)).request_async(&self.http).await;
        tokens.map_err(|cause| match cause {
            openidconnect::RequestTokenError::Request(cause) => OidcError::Unreachable(cause.into()),
            openidconnect::RequestTokenError::ServerResponse(response) => {
                OidcError::Code(response.to_string().into())
            }
            other => OidcError::Code(other.into()),
        })
    }

    /// The subject of an ID token with the right signature, issuer, audience, nonce and time.
    fn verify(
        &self,
        metadata: &CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<String, ClaimsVerificationError> {
        let client = self.client(metadata);
        let algorithms = metadata.id_token_signing_alg_values_supported().iter();
        // The client secret signs nothing: others may know it.
        let is_public =
            |it: &&CoreJwsSigningAlgorithm| !it.uses_shared_secret() && **it != CoreJwsSigningAlgorithm::None;
        let now = DateTime::from_timestamp_millis(now.as_millisecond()).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(algorithms.filter(is_public).cloned())
            .set_time_fn(move || now);
        token.claims(&verifier, nonce).map(|claims| claims.subject().to_string())
    }

    /// The claims of the userinfo endpoint: some providers put only a few into the ID token.
    async fn user_info(
        &self,
        metadata: &CoreProviderMetadata,
        token: &AccessToken,
        subject: &str,
    ) -> Result<Claims, OidcError> {
        let Some(endpoint) = metadata.userinfo_endpoint() else { return Ok(Claims::new()) };
        let request = Request::builder()
            .method(Method::GET)
            .uri(endpoint.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", token.secret()))
            .body(Vec::new())
            .map_err(|cause| OidcError::Claims(cause.into()))?;
        let response =
            self.http.send(request).await.map_err(|cause: HttpError| OidcError::Unreachable(cause.into()))?;
        if !response.status().is_success() {
            return Err(OidcError::Claims(
                format!("the userinfo endpoint returned {}", response.status()).into(),
            ));
        }
        let claims: Claims =
            serde_json::from_slice(response.body()).map_err(|cause| OidcError::Claims(cause.into()))?;
        // Of another user otherwise.
        if claims.get("sub").and_then(|found| found.as_str()) != Some(subject) {
            return Err(OidcError::Claims("the userinfo endpoint returned another user".into()));
        }
        Ok(claims)
    }
}

/// All claims of a verified ID token.
fn claims_of(token: &CoreIdToken) -> Result<Claims, OidcError> {
    let token = token.to_string();
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|cause| OidcError::Claims(cause.into()))?;
    serde_json::from_slice(&payload).map_err(|cause| OidcError::Claims(cause.into()))
}
