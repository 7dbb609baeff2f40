//! Content rules from a hit: preview, add.

use super::exclusions::Wanted;
use crate::{
    error::ApiError,
    extract::{Analyst, Body, Id, Named, Query, Searching},
    hit::HitDetail,
    ruleset::StoredRule,
    simulation::{content::ContentDraft, preview},
    use_cases::RulesetWriter,
};
use axum::{extract::State, response::Response};

/// Adds a rule on the content of a hit's field; with `dry_run`, previews the recorded hits that
/// would no longer be attacks.
#[utoipa::path(
    post,
    path = "/hits/{id}/content",
    security(("token" = ["analyst"])),
    params(Id, Wanted),
    request_body(content = ContentDraft, example = json!({"content": "code"})),
    responses(
        (status = 200, description = "The preview.", body = preview::Preview),
        (status = 201, description = "The new rule; `ETag` is its revision.", body = StoredRule),
        (status = 409, description = "The limit of rules is reached."),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn declare(
    Searching { caller: Analyst(author), .. }: Searching<Analyst>,
    State(ruleset): State<RulesetWriter>,
    Query(wanted): Query<Wanted>,
    Named(HitDetail { hit, .. }): Named<HitDetail>,
    Body(draft): Body<ContentDraft>,
) -> Result<Response, ApiError> {
    wanted.respond(&ruleset, &author, &hit, draft).await
}
