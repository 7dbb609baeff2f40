//! What people say attacks are.

use crate::{
    attack::{Attack, MarkDraft},
    error::ApiError,
    extract::{Analyst, Body, Id, IfMatch, Tagged},
    store::Store,
    use_cases::marks,
};
use axum::extract::State;

/// Marks an attack as a true or a false positive, or takes the mark away. Hits that come later share it.
#[utoipa::path(
    post,
    path = "/attacks/{id}/mark",
    security(("token" = ["analyst"])),
    params(Id, IfMatch),
    request_body(content = MarkDraft, example = json!({"mark": "false_positive", "note": "a search for words"})),
    responses((status = 200, description = "The attack as it is now; `ETag` is the revision of its mark.", body = Attack))
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
