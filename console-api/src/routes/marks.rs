//! What people say attacks are.

use crate::{
    actor::Analyst,
    attack::{Attack, MarkDraft},
    error::ApiError,
    extract::{self, Id, IfMatch, Tag, etag},
    store::Store,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
};

/// Longer notes belong elsewhere.
const MAX_NOTE_CHARS: usize = 2_000;

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
    Draft(draft): Draft,
) -> Result<(Tag, Json<Attack>), ApiError> {
    store.mark(id, revision, draft, &author).await?.or_error("attack", "marks")?;
    let attack = store.attack(id).await?.ok_or(ApiError::NotFound("attack"))?;
    Ok((etag(attack.revision), Json(attack)))
}

/// The body of a call.
pub(super) struct Draft(MarkDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let draft: MarkDraft = extract::json_body(request, state, "a mark", super::BODY_LIMIT).await?;
        if draft.note.chars().count() > MAX_NOTE_CHARS {
            let detail = format!("`note` must be at most {MAX_NOTE_CHARS} characters long");
            return Err(ApiError::parameter("note", detail));
        }
        Ok(Self(draft))
    }
}
