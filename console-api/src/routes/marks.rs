//! Marks of attacks.

use crate::{
    attack::{Attack, MarkDraft},
    error::ApiError,
    extract::{Analyst, Body, Id, IfMatch, Tagged},
    store::Store,
    use_cases::marks,
};
use axum::extract::State;

/// Marks an attack as true or false positive, or clears its mark. Later hits share the mark.
#[utoipa::path(
    post,
    path = "/attacks/{id}/mark",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    request_body(content = MarkDraft, example = json!({"mark": "false_positive", "note": "a search for words"})),
    responses((status = 200, description = "The changed attack; `ETag` is the revision of its mark.", body = Attack))
)]
pub(super) async fn mark(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Body(draft): Body<MarkDraft>,
) -> Result<Tagged<Attack>, ApiError> {
    marks::mark(&store, &author, (id, revision), draft).await.map(Tagged)
}
