//! Sign-in by password, by token or at the OpenID provider, from the page or through the API; changes of the own password; and
//! the end of sessions.

use crate::{
    access::{PasswordChange, SESSION, Session, User},
    actor::Actor,
    audit::{AuditEvent, Author},
    clock::Clock,
    error::{ApiError, with_sources},
    login_throttle::{Attempt, LoginThrottle},
    oidc::{Answer, Identity, Oidc, OidcError, SignInAttempt},
    password::{Caller, Password},
    store::{ChangeError, Holder, Store},
    token::Token,
};
use jiff::Timestamp;
use listener::network;
use std::net::IpAddr;
use uuid::Uuid;

/// A new session, and the secret for its cookie.
pub struct Opened {
    pub session: Session,
    pub secret: Token,
}

/// Opens sessions, and limits failed attempts.
#[derive(Clone)]
pub struct SignIn {
    pub store: Store,
    pub clock: Clock,
    pub throttle: LoginThrottle,
    pub oidc: Option<Oidc>,
}

impl SignIn {
    /// Opens a session for a user.
    pub async fn by_password(
        &self,
        source: IpAddr,
        browser: Option<String>,
        name: &str,
        password: String,
    ) -> Result<Opened, ApiError> {
        self.check_passwords()?;
        let now = self.clock.now();
        let is_known = self.store.is_known_network(name, network(source), now).await?;
        let attempt = Attempt::Password { user: name, is_known };
        self.throttle.enter(attempt, source, now).map_err(|seconds| ApiError::TooMany { seconds })?;
        let (user, stored) = self.store.user_to_sign_in(name).await?.unzip();
        let caller = if is_known { Caller::Known } else { Caller::Unknown };
        let matches = Password::presented(password).matches(stored, caller).await;
        let is_right = matches.inspect_err(|_| self.throttle.undo(Some(name), source))?;
        let Some(user) = user.filter(|_| is_right) else {
            self.record_failure(name, source).await?;
            return Err(ApiError::WrongPassword);
        };
        self.throttle.succeeded(Some(name), source);
        let actor = Actor { id: user.id, name: user.name, role: user.role };
        let holder = Holder::User { id: user.id, network: network(source) };
        self.open(actor, holder, (source, browser), now + SESSION).await
    }

    /// Opens a session for the holder of a token.
    pub async fn by_token(
        &self,
        source: IpAddr,
        browser: Option<String>,
        token: &Token,
    ) -> Result<Opened, ApiError> {
        let now = self.clock.now();
        self.throttle.enter(Attempt::Token, source, now).map_err(|seconds| ApiError::TooMany { seconds })?;
        let Some(actor) = self.store.actor_of_token(token, now).await? else {
            self.record_failure("token", source).await?;
            return Err(ApiError::Unauthorized);
        };
        self.throttle.succeeded(None, source);
        if !actor.role.can_read() {
            return Err(ApiError::Forbidden("a token of role admin, analyst or read_only"));
        }
        let expiry = self.store.token_expiry(token).await?;
        let ends = expiry.map_or(now + SESSION, |expiry| expiry.min(now + SESSION));
        self.open(actor, Holder::Token(token.clone()), (source, browser), ends).await
    }

    /// Opens a session for a user whom the OpenID provider has authenticated. `attempt`: of the
    /// cookie.
    pub async fn by_provider(
        &self,
        oidc: &Oidc,
        (source, browser): (IpAddr, Option<String>),
        attempt: Option<&SignInAttempt>,
        answer: Answer,
    ) -> Result<Opened, ApiError> {
        let now = self.clock.now();
        let entered = self.throttle.enter(Attempt::Provider, source, now);
        entered.map_err(|seconds| ApiError::TooMany { seconds })?;
        let identity = match attempt {
            Some(attempt) => oidc.finish(attempt, answer, now).await,
            None => Err(OidcError::NoAttempt),
        };
        let user = match identity {
            Ok(identity) => self.user_of(identity, source).await?,
            Err(error) => {
                let sentence = error.sentence();
                tracing::warn!(%source, error = with_sources(&error), "sign-in at the OpenID provider failed");
                if error.is_outage() {
                    self.throttle.undo(None, source);
                    return Err(ApiError::Provider(sentence));
                }
                // Any site can cause such calls in a visitor's browser. They guess no secret.
                if error.is_without_attempt() {
                    self.throttle.undo(None, source);
                    return Err(ApiError::Refused(sentence.to_owned()));
                }
                self.record_refusal(error.user().unwrap_or("single sign-on"), source, Some(sentence)).await?;
                return Err(ApiError::Refused(sentence.to_owned()));
            }
        };
        self.throttle.succeeded(None, source);
        let actor = Actor { id: user.id, name: user.name, role: user.role };
        let holder = Holder::User { id: user.id, network: network(source) };
        self.open(actor, holder, (source, browser), now + SESSION).await
    }

    /// The user of an identity, added or updated.
    async fn user_of(&self, identity: Identity, source: IpAddr) -> Result<User, ApiError> {
        let Identity { external, name, role } = identity;
        let reason = match self.store.user_of_identity(&external, (&name, role), self.clock.now()).await {
            Ok(user) => return Ok(user),
            Err(ChangeError::RemovedIdentity) => {
                "An administrator of this console removed your user.".to_owned()
            }
            Err(ChangeError::NameTaken { .. }) => {
                format!(
                    "This console has another user named {name}. Ask an administrator to rename or delete it."
                )
            }
            Err(other) => return Err(other.into()),
        };
        self.record_refusal(&name, source, Some(&reason)).await?;
        Err(ApiError::Refused(reason))
    }

    /// Whether this is a user who signs in with a password.
    pub async fn has_password(&self, id: Uuid) -> Result<bool, ApiError> {
        let user: Option<User> = self.store.find(id).await?;
        Ok(self.check_passwords().is_ok() && user.is_some_and(|user| user.identity.is_none()))
    }

    fn check_passwords(&self) -> Result<(), ApiError> {
        match &self.oidc {
            Some(oidc) if !oidc.allows_passwords() => Err(ApiError::Refused(
                "Passwords are switched off. Use single sign-on or a token.".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    async fn open(
        &self,
        actor: Actor,
        holder: Holder,
        (source, browser): (IpAddr, Option<String>),
        expires_at: Timestamp,
    ) -> Result<Opened, ApiError> {
        let (secret, now) = (Token::generate(), self.clock.now());
        let session = Session {
            id: Uuid::now_v7(),
            holder_id: actor.id,
            name: actor.name.clone(),
            role: actor.role,
            created_at: now,
            expires_at,
            last_active_at: now,
            ip: Some(source),
            browser,
        };
        self.store.open_session(&session, &secret, &holder, &Author::new(actor, now)).await?;
        tracing::info!(name = session.name, role = session.role.as_str(), "signed in");
        Ok(Opened { session, secret })
    }

    /// Replaces the password of the caller, a user, and ends the user's sessions but `kept`. Guesses
    /// of the current password count as failed sign-ins.
    pub async fn change_password(
        &self,
        source: IpAddr,
        actor: &Actor,
        kept: Option<&Token>,
        PasswordChange { current, password }: PasswordChange,
    ) -> Result<(), ApiError> {
        self.check_passwords()?;
        let now = self.clock.now();
        let user: Option<User> = self.store.find(actor.id).await?;
        let user = user.filter(|user| user.identity.is_none());
        let name = user.ok_or(ApiError::Forbidden("a user who signs in with a password"))?.name;
        password.check_for(&name)?;
        let is_known = self.store.is_known_network(&name, network(source), now).await?;
        let attempt = Attempt::Password { user: &name, is_known };
        self.throttle.enter(attempt, source, now).map_err(|seconds| ApiError::TooMany { seconds })?;
        let (_, stored) = self.store.user_to_sign_in(&name).await?.unzip();
        let matches = Password::presented(current).matches(stored, Caller::Known).await;
        if !matches.inspect_err(|_| self.throttle.undo(Some(&name), source))? {
            self.record_failure(&name, source).await?;
            return Err(ApiError::parameter("current", "`current` is not the current password"));
        }
        self.throttle.succeeded(Some(&name), source);
        let (hash, author) = (password.hash().await?, Author::new(actor.clone(), now));
        self.store.set_password(actor.id, hash, kept, &author).await?;
        Ok(())
    }

    async fn record_failure(&self, name: &str, source: IpAddr) -> Result<(), ApiError> {
        self.record_refusal(name, source, None).await
    }

    async fn record_refusal(&self, name: &str, source: IpAddr, reason: Option<&str>) -> Result<(), ApiError> {
        // An unknown name can be long, or a password typed into the wrong field.
        let name: String = name.chars().take(100).collect();
        let author = Author { id: None, name: name.clone(), role: None, at: self.clock.now() };
        let event = AuditEvent::refused_sign_in(&name, source, reason);
        Ok(self.store.record_audit_event(&author, &event).await?)
    }
}

/// Ends a session of any user.
pub async fn end(store: &Store, author: &Author, id: Uuid) -> Result<(), ApiError> {
    Ok(store.end_session(id, None, author).await?)
}

/// Ends a session of the caller.
pub async fn end_own(store: &Store, actor: Actor, now: Timestamp, id: Uuid) -> Result<(), ApiError> {
    let holder = actor.id;
    Ok(store.end_session(id, Some(holder), &Author::new(actor, now)).await?)
}
