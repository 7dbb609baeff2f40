//! Export for a SIEM: Common Event Format, version 0, one event per line.

use super::export::{Format, export};
use crate::{
    attachment::Attachment,
    attack::{Attack, cef},
    error::ApiError,
    extract::{Query, Reader, Searching},
    query::Filter,
    store::Store,
};
use axum::extract::State;

const CEF: Format<Attack> = Format {
    content_type: "text/plain; charset=utf-8",
    file_name: "attacks.cef",
    head: "",
    write: as_events,
};

/// Exports the attacks that match a filter as CEF events, one per line.
#[utoipa::path(
    get,
    path = "/attacks/export.cef",
    security(("token" = ["reader"])),
    params(Filter),
    responses(
        (status = 200, description = "The attacks, one event per line.", body = String, content_type = "text/plain"),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn cef(
    caller: Searching<Reader>,
    State(store): State<Store>,
    Query(filter): Query<Filter>,
) -> Result<Attachment, ApiError> {
    export(caller, store, filter, &CEF).await
}

fn as_events(text: &mut Vec<u8>, attacks: &[Attack]) {
    for attack in attacks {
        text.extend_from_slice(cef::event(attack).as_bytes());
        text.push(b'\n');
    }
}
