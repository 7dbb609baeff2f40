//! Users: add, restore, replace, delete.

use crate::{
    access::{User, UserDraft},
    actor::Role,
    audit::Author,
    error::ApiError,
    password::Password,
    store::Store,
    token::Token,
    validation,
};
use uuid::Uuid;

pub async fn add(store: &Store, author: &Author, draft: UserDraft) -> Result<User, ApiError> {
    validate(&draft)?;
    let missing = || ApiError::parameter("password", "`password` must be given for a new user");
    let hash = draft.password.ok_or_else(missing)?.hash().await?;
    let UserDraft { name, role, .. } = draft;
    let user = User { id: Uuid::now_v7(), name, role, revision: 1, created_at: author.at, identity: None };
    Ok(store.add_user(user, &hash, author).await?)
}

/// Adds a deleted user again, with the id. The password is unknown: the user signs in with a new one.
pub async fn restore(store: &Store, author: &Author, user: User) -> Result<User, ApiError> {
    let unknown = Password::parse(Token::generate().reveal().to_owned())?;
    Ok(store.add_user(user, &unknown.hash().await?, author).await?)
}

/// Replaces a user with a password. A new password ends all sessions of the user.
pub async fn replace(
    store: &Store,
    author: &Author,
    known: (Uuid, u32),
    draft: UserDraft,
) -> Result<User, ApiError> {
    validate(&draft)?;
    if store.find::<User>(known.0).await?.is_some_and(|user| user.identity.is_some()) {
        let detail =
            "the name and the role of this user are those of the OpenID provider, and there is no password";
        return Err(ApiError::Conflict(detail.to_owned()));
    }
    let hash = match draft.password {
        Some(password) => Some(password.hash().await?),
        None => None,
    };
    Ok(store.replace_user(known, (draft.name, draft.role), hash, author).await?)
}

/// Deletes a user and ends all sessions of the user. A user of the OpenID provider cannot sign in again.
pub async fn delete(store: &Store, author: &Author, known: (Uuid, u32)) -> Result<(), ApiError> {
    Ok(store.delete_user(known, author).await?)
}

fn validate(draft: &UserDraft) -> Result<(), ApiError> {
    validation::name(&draft.name)?;
    if let Some(password) = &draft.password {
        password.check_for(&draft.name)?;
    }
    if draft.role == Role::Node {
        return Err(ApiError::parameter("role", "`role` must be admin, analyst or read_only"));
    }
    Ok(())
}
