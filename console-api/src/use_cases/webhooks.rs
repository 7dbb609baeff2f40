//! Webhooks: add, replace, rotate the secret, delete. [`crate::notification::Dispatcher`] sends the deliveries.

use crate::{
    audit::Author,
    error::ApiError,
    store::Store,
    validation,
    webhook::{NewWebhook, Secret, SecretRotation, Targets, Webhook, WebhookDraft},
};
use uuid::Uuid;

/// Adds a webhook with a new secret, which cannot be read again.
pub async fn add(
    store: &Store,
    targets: &Targets,
    author: &Author,
    draft: WebhookDraft,
) -> Result<NewWebhook, ApiError> {
    let (draft, secret) = (validated(draft, targets, author)?, Secret::generate());
    let webhook = store.add_webhook(draft, &secret, author).await?;
    Ok(NewWebhook { webhook, secret: secret.reveal() })
}

pub async fn replace(
    store: &Store,
    targets: &Targets,
    author: &Author,
    known: (Uuid, u32),
    draft: WebhookDraft,
) -> Result<Webhook, ApiError> {
    let draft = validated(draft, targets, author)?;
    Ok(store.replace_webhook(known, draft, author).await?)
}

/// Replaces the secret. The previous one also signs until the end of the overlap.
pub async fn rotate_secret(
    store: &Store,
    author: &Author,
    known: (Uuid, u32),
    rotation: SecretRotation,
) -> Result<NewWebhook, ApiError> {
    let (end, secret) = (rotation.end(author.at)?, Secret::generate());
    let webhook = store.rotate_webhook_secret(known, &secret, end, author).await?;
    Ok(NewWebhook { webhook, secret: secret.reveal() })
}

/// Deletes a webhook with its pending deliveries.
pub async fn delete(store: &Store, author: &Author, known: (Uuid, u32)) -> Result<(), ApiError> {
    Ok(store.delete_webhook(known, author).await?)
}

fn validated(draft: WebhookDraft, targets: &Targets, author: &Author) -> Result<WebhookDraft, ApiError> {
    validation::name(&draft.name)?;
    Ok(draft.validated(targets, author.at)?)
}
