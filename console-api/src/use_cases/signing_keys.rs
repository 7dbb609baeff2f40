//! Signing keys of connectors: add, delete.

use crate::{
    audit::Author,
    error::ApiError,
    signing_key::{KeyDraft, KeySecret, NewKey},
    store::Store,
    validation,
};
use uuid::Uuid;

/// Adds a key. Its secret is shown once; later only bundles carry it.
pub async fn add(store: &Store, author: &Author, KeyDraft { name }: KeyDraft) -> Result<NewKey, ApiError> {
    validation::name(&name)?;
    let secret = KeySecret::generate();
    let info = store.add_signing_key(name, &secret, author).await?;
    Ok(NewKey { info, secret: secret.reveal().to_owned() })
}

/// Deletes a key: new bundles cannot contain it. Nodes accept it until it is removed from their
/// configuration.
pub async fn delete(store: &Store, author: &Author, id: Uuid) -> Result<(), ApiError> {
    Ok(store.delete_signing_key(id, author).await?)
}
