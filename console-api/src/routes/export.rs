//! Attacks as a file, streamed: however many there are, in the order they became known.

use crate::{
    attachment::Attachment,
    attack::Attack,
    error::ApiError,
    extract::{Query, Reader},
    query::Filter,
    store::{Store, StoreError},
};
use axum::{body::Body, extract::State};
use futures_util::stream;
use std::borrow::Cow;

/// How many attacks are read, written and sent at a time.
const BATCH: u32 = 500;

const CSV: Format = Format {
    content_type: "text/csv; charset=utf-8",
    file_name: "attacks.csv",
    head: CSV_HEADER,
    write: as_csv,
};
const NDJSON: Format =
    Format { content_type: "application/x-ndjson", file_name: "attacks.ndjson", head: "", write: as_ndjson };

/// All attacks of a query as a table.
#[utoipa::path(
    get,
    path = "/attacks/export.csv",
    security(("token" = ["reader"])),
    params(Filter),
    responses((status = 200, description = "All attacks of the query, a row each.", body = String, content_type = "text/csv"))
)]
pub(super) async fn csv(
    _: Reader,
    State(store): State<Store>,
    Query(filter): Query<Filter>,
) -> Result<Attachment, ApiError> {
    export(store, filter, &CSV).await
}

/// All attacks of a query as lines of JSON.
#[utoipa::path(
    get,
    path = "/attacks/export.ndjson",
    security(("token" = ["reader"])),
    params(Filter),
    responses((status = 200, description = "All attacks of the query, an object on each line.", body = String, content_type = "application/x-ndjson"))
)]
pub(super) async fn ndjson(
    _: Reader,
    State(store): State<Store>,
    Query(filter): Query<Filter>,
) -> Result<Attachment, ApiError> {
    export(store, filter, &NDJSON).await
}

/// A kind of file.
pub(super) struct Format {
    pub(super) content_type: &'static str,
    /// What browsers save it as.
    pub(super) file_name: &'static str,
    /// What it begins with.
    pub(super) head: &'static str,
    pub(super) write: fn(&mut Vec<u8>, &[Attack]),
}

/// The first attacks are read before anything is answered, so that a failure is an answer. A later one cuts the file off.
pub(super) async fn export(store: Store, filter: Filter, format: &Format) -> Result<Attachment, ApiError> {
    let &Format { content_type, file_name, head, write } = format;
    let first = store.attacks_after(&filter, None, BATCH).await?;
    let start = (Some(first), head.as_bytes().to_vec());
    let body = Body::from_stream(stream::try_unfold(start, move |(attacks, mut text)| {
        let (store, filter) = (store.clone(), filter.clone());
        async move {
            let Some(attacks) = attacks else { return Ok::<_, StoreError>(None) };
            write(&mut text, &attacks);
            let next = match attacks.last() {
                Some(last) if attacks.len() == BATCH as usize => {
                    Some(store.attacks_after(&filter, Some(last.id), BATCH).await?)
                }
                _ => None,
            };
            Ok(Some((text, (next, Vec::new()))))
        }
    }));
    Ok(Attachment { content_type, file_name: file_name.to_owned(), body })
}

fn as_ndjson(text: &mut Vec<u8>, attacks: &[Attack]) {
    for attack in attacks {
        serde_json::to_writer(&mut *text, attack).expect("attacks have text keys, and memory takes all");
        text.push(b'\n');
    }
}

const CSV_HEADER: &str =
    "id,type,title,status,host,path,parameter,payload,hits,blocked,sources,first_seen,last_seen,mark\r\n";

fn as_csv(text: &mut Vec<u8>, attacks: &[Attack]) {
    for attack in attacks {
        let Attack { id, attack_type, title, host, path, parameter, payload, .. } = attack;
        let row: [&str; 14] = [
            &id.to_string(),
            attack_type.as_str(),
            title,
            attack.status.as_str(),
            host,
            path,
            parameter,
            payload.as_deref().unwrap_or_default(),
            &attack.hits.to_string(),
            &attack.blocked.to_string(),
            &attack.sources.to_string(),
            &attack.first_seen.to_string(),
            &attack.last_seen.to_string(),
            attack.mark.as_ref().map_or("", |mark| mark.value.as_str()),
        ];
        let row: Vec<_> = row.into_iter().map(|field| quoted(&guarded(field)).into_owned()).collect();
        text.extend_from_slice(row.join(",").as_bytes());
        text.extend_from_slice(b"\r\n");
    }
}

/// Spreadsheets run what begins like a formula, even in quotes; behind an apostrophe it is text (OWASP, CSV injection).
fn guarded(field: &str) -> Cow<'_, str> {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        Cow::Owned(format!("'{field}"))
    } else {
        Cow::Borrowed(field)
    }
}

/// RFC 4180, section 2.
fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\r', '\n']) {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_cannot_become_a_formula_or_another_field() {
        let field = |field| quoted(&guarded(field)).into_owned();
        assert_eq!(field("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(field("@SUM(1,2)"), "\"'@SUM(1,2)\"");
        assert_eq!(field("a\",b\r\n"), "\"a\"\",b\r\n\"");
        assert_eq!(field("1=1"), "1=1");
    }
}
