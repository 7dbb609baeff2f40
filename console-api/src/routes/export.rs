//! Exports of attacks and of hits as files, streamed in batches: attacks in the order of their ids,
//! hits in that of time, the latest first.

use crate::{
    attachment::Attachment,
    attack::Attack,
    error::ApiError,
    extract::{HitsFilter, Query, Reader, Searching},
    facet,
    hit::RecordedHit,
    invisible::is_invisible,
    paging::{Listed as _, Slice},
    query::Filter,
    store::{Store, StoreError},
};
use axum::{body::Body, extract::State};
use futures_util::stream;
use serde::Serialize;

/// The number of items in a batch.
const BATCH: u32 = 500;

const CSV: Format<Attack> = Format {
    content_type: "text/csv; charset=utf-8",
    file_name: "attacks.csv",
    head: CSV_HEADER,
    write: as_csv,
};
const NDJSON: Format<Attack> =
    Format { content_type: "application/x-ndjson", file_name: "attacks.ndjson", head: "", write: as_ndjson };

/// Exports the attacks that match a filter as CSV.
#[utoipa::path(
    get,
    path = "/attacks/export.csv",
    security(("token" = ["reader"])),
    params(Filter),
    responses(
        (status = 200, description = "The attacks, one row each.", body = String, content_type = "text/csv"),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn csv(
    caller: Searching<Reader>,
    State(store): State<Store>,
    Query(filter): Query<Filter>,
) -> Result<Attachment, ApiError> {
    export(caller, store, filter, &CSV).await
}

/// Exports the attacks that match a filter as NDJSON.
#[utoipa::path(
    get,
    path = "/attacks/export.ndjson",
    security(("token" = ["reader"])),
    params(Filter),
    responses(
        (status = 200, description = "The attacks, one object per line.", body = String, content_type = "application/x-ndjson"),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn ndjson(
    caller: Searching<Reader>,
    State(store): State<Store>,
    Query(filter): Query<Filter>,
) -> Result<Attachment, ApiError> {
    export(caller, store, filter, &NDJSON).await
}

const HITS_CSV: Format<RecordedHit> = Format {
    content_type: "text/csv; charset=utf-8",
    file_name: "requests.csv",
    head: HITS_CSV_HEADER,
    write: hits_as_csv,
};
const HITS_NDJSON: Format<RecordedHit> =
    Format { content_type: "application/x-ndjson", file_name: "requests.ndjson", head: "", write: as_ndjson };

/// Exports the hits that match a filter as CSV.
#[utoipa::path(
    get,
    path = "/requests/export.csv",
    operation_id = "csv",
    security(("token" = ["reader"])),
    params(Filter),
    responses(
        (status = 200, description = "The hits, one row each.", body = String, content_type = "text/csv"),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn requests_csv(
    caller: Searching<Reader>,
    State(store): State<Store>,
    Query(HitsFilter(filter)): Query<HitsFilter>,
) -> Result<Attachment, ApiError> {
    export(caller, store, filter, &HITS_CSV).await
}

/// Exports the hits that match a filter as NDJSON.
#[utoipa::path(
    get,
    path = "/requests/export.ndjson",
    operation_id = "ndjson",
    security(("token" = ["reader"])),
    params(Filter),
    responses(
        (status = 200, description = "The hits, one object per line.", body = String, content_type = "application/x-ndjson"),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn requests_ndjson(
    caller: Searching<Reader>,
    State(store): State<Store>,
    Query(HitsFilter(filter)): Query<HitsFilter>,
) -> Result<Attachment, ApiError> {
    export(caller, store, filter, &HITS_NDJSON).await
}

/// An item of an export.
pub(super) trait Exported: Sized + Send + Sync + 'static {
    /// The next items after one, or the first ones.
    fn batch(
        store: &Store,
        filter: &Filter,
        after: Option<&Self>,
    ) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;
}

impl Exported for Attack {
    async fn batch(store: &Store, filter: &Filter, after: Option<&Self>) -> Result<Vec<Self>, StoreError> {
        store.attacks_after(filter, after.map(|attack| attack.id), BATCH).await
    }
}

impl Exported for RecordedHit {
    async fn batch(store: &Store, filter: &Filter, after: Option<&Self>) -> Result<Vec<Self>, StoreError> {
        let slice = Slice { limit: BATCH, after: after.map(Self::cursor) };
        store.batch_of_hits(filter, &slice).await
    }
}

/// A file format.
pub(super) struct Format<T: 'static> {
    pub(super) content_type: &'static str,
    pub(super) file_name: &'static str,
    /// The start of the file.
    pub(super) head: &'static str,
    pub(super) write: fn(&mut Vec<u8>, &[T]),
}

/// The first batch is read before the response starts, so that a failure is an error response. A
/// later failure truncates the file. It counts as one search until its end.
pub(super) async fn export<T: Exported>(
    Searching { permit, .. }: Searching<Reader>,
    store: Store,
    filter: Filter,
    format: &Format<T>,
) -> Result<Attachment, ApiError> {
    let &Format { content_type, file_name, head, write } = format;
    let first = T::batch(&store, &filter, None).await?;
    let start = (Some(first), head.as_bytes().to_vec(), permit);
    let body = Body::from_stream(stream::try_unfold(start, move |(items, mut text, permit)| {
        let (store, filter) = (store.clone(), filter.clone());
        async move {
            let Some(items) = items else { return Ok::<_, StoreError>(None) };
            write(&mut text, &items);
            let next = match items.last() {
                Some(last) if items.len() == BATCH as usize => {
                    Some(T::batch(&store, &filter, Some(last)).await?)
                }
                _ => None,
            };
            Ok(Some((text, (next, Vec::new(), permit))))
        }
    }));
    Ok(Attachment { content_type, file_name: file_name.to_owned(), body })
}

fn as_ndjson<T: Serialize>(text: &mut Vec<u8>, items: &[T]) {
    for item in items {
        serde_json::to_writer(&mut *text, item)
            .expect("attacks and hits have text keys, and writing to memory does not fail");
        text.push(b'\n');
    }
}

const CSV_HEADER: &str = "id,type,title,status,host,path,parameter,payload,hits,blocked,sources,first_seen,last_seen,\
                          mark,suspicious,seen_by\r\n";

fn as_csv(text: &mut Vec<u8>, attacks: &[Attack]) {
    let mut rows = csv_rows(text);
    for attack in attacks {
        let Attack { id, attack_type, title, host, path, parameter, payload, .. } = attack;
        let row: [&str; 16] = [
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
            // New columns come last, so that the positions of the others stay.
            &attack.suspicious.to_string(),
            &attack.seen_by.join(" "),
        ];
        rows.write_record(row.map(guarded)).expect("rows have equal lengths");
    }
}

const HITS_CSV_HEADER: &str = "at,id,request_id,attack_id,type,title,action,severity,score,signature,source,country,\
                               network,user_agent,http_version,method,host,path,query,parameter,payload,response,rule,\
                               connector,node,seen_by\r\n";

fn hits_as_csv(text: &mut Vec<u8>, hits: &[RecordedHit]) {
    let mut rows = csv_rows(text);
    for hit in hits {
        let of = |value: &Option<String>| value.clone().unwrap_or_default();
        let row: [String; 26] = [
            hit.at.to_string(),
            hit.id.to_string(),
            hit.request_id.to_string(),
            hit.attack_id.to_string(),
            hit.attack_type.to_string(),
            hit.title.clone(),
            hit.action().as_str().to_owned(),
            hit.severity.map_or_else(String::new, |severity| facet::severity(severity).to_owned()),
            hit.score.map(|score| score.to_string()).unwrap_or_default(),
            of(&hit.signature),
            hit.client_ip.to_string(),
            of(&hit.country),
            of(&hit.network),
            of(&hit.user_agent),
            of(&hit.http_version),
            hit.method.clone(),
            hit.host.clone(),
            hit.path.clone(),
            hit.query.clone(),
            hit.parameter.clone(),
            of(&hit.payload),
            hit.response_status.map(|status| status.to_string()).unwrap_or_default(),
            of(&hit.rule),
            of(&hit.connector),
            of(&hit.node),
            // New columns come last, so that the positions of the others stay.
            of(&hit.seen_by),
        ];
        rows.write_record(row.iter().map(|field| guarded(field))).expect("rows have equal lengths");
    }
}

fn csv_rows(text: &mut Vec<u8>) -> csv::Writer<&mut Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(text)
}

/// Formula guard (OWASP, CSV injection): spreadsheets evaluate fields that start like a formula,
/// even quoted ones, and some drop what precedes it. An apostrophe makes them text.
fn guarded(field: &str) -> String {
    let is_formula = field.starts_with(['\t', '\r', '\n'])
        || field.trim_start_matches(is_blank).starts_with(starts_formula);
    if is_formula { format!("'{field}") } else { field.to_owned() }
}

/// White space of Unicode, and invisible characters.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || is_invisible(character)
}

/// The signs that start a formula, with their full-width and small forms.
fn starts_formula(character: char) -> bool {
    "=+-@＝＋－＠﹦﹢﹣﹫−".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stays_one_field_and_is_never_a_formula() {
        let field = |field| {
            let mut text = Vec::new();
            csv_rows(&mut text).write_record([guarded(field)]).unwrap();
            String::from_utf8(text).unwrap().strip_suffix("\r\n").unwrap().to_owned()
        };
        assert_eq!(field("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(field("@SUM(1,2)"), "\"'@SUM(1,2)\"");
        assert_eq!(field("a\",b\r\n"), "\"a\"\",b\r\n\"");
        assert_eq!(field("1=1"), "1=1");
    }

    #[test]
    fn a_formula_after_blanks_is_text() {
        for start in
            ["", " ", "  \t", "\r", "\n", "\u{a0}", "\u{3000}", "\u{2028}", "\u{feff}", "\u{200b} ", "\0"]
        {
            for sign in "=+-@＝＋－＠﹦﹢﹣﹫−".chars() {
                let field = format!("{start}{sign}1");
                assert_eq!(guarded(&field), format!("'{field}"), "{field:?}");
            }
        }
        for field in ["", " ", " 1=1", "/a?b=-1", "'=1", "\u{3000}a=1"] {
            assert_eq!(guarded(field), field, "{field:?}");
        }
    }
}
