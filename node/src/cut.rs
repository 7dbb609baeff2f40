//! Records within the console's limits: longer texts and lists are cut, with a mark.
//!
//! Connectors and visitors choose the lengths, and the console rejects a record beyond its limits: the
//! hit would not be listed.

use shared::{
    ConnectorInfo, NotInspected, NotInspectedReason, RecordedRequest, ResponseReport, Trigger,
    record_limits::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_PATH_BYTES, MAX_QUERY_BYTES, MAX_WORD_BYTES},
};

/// The end of a text that is cut, and the name of the line that counts headers left out.
const MARK: &str = "…";
/// The longest value among too many bytes of headers: CloudFront's limit of all.
const MAX_VALUE_BYTES: usize = 32 << 10;
/// Room for the mark among the headers.
const MARK_BYTES: usize = 64;
/// Of a request without a host.
const NO_HOST: &str = "-";

pub(crate) fn request(request: &mut RecordedRequest) {
    if request.host.is_empty() {
        NO_HOST.clone_into(&mut request.host);
    }
    text(&mut request.host, MAX_WORD_BYTES);
    text(&mut request.method, MAX_WORD_BYTES);
    text(&mut request.path, MAX_PATH_BYTES);
    text(&mut request.query, MAX_QUERY_BYTES);
    for word in [&mut request.scheme, &mut request.http_version].into_iter().flatten() {
        plain(word);
    }
    headers(&mut request.headers);
    connector(request.connector.as_mut());
}

pub(crate) fn report(mut report: ResponseReport) -> ResponseReport {
    headers(&mut report.headers);
    connector(report.connector.as_mut());
    if let Some(id) = &mut report.edge_request_id {
        plain(id);
    }
    if let Some(logged) = &mut report.logged {
        let words = [
            &mut logged.result_type,
            &mut logged.response_result_type,
            &mut logged.detailed_result_type,
            &mut logged.edge_location,
            &mut logged.path_pattern,
            &mut logged.tls_version,
        ];
        words.into_iter().flatten().for_each(|word| text(word, MAX_WORD_BYTES));
    }
    report
}

pub(crate) fn not_inspected(mut entry: NotInspected) -> NotInspected {
    if let NotInspectedReason::Other(reason) = &entry.reason {
        let mut cut = reason.to_string();
        plain(&mut cut);
        entry.reason = NotInspectedReason::from(cut.as_str());
    }
    entry
}

fn connector(connector: Option<&mut ConnectorInfo>) {
    let Some(connector) = connector else { return };
    let ids = [&mut connector.distribution_id, &mut connector.distribution_domain];
    let words = [&mut connector.kind, &mut connector.version].into_iter().chain(ids.into_iter().flatten());
    words.for_each(|word| text(word, MAX_WORD_BYTES));
    if let Some(id) = &mut connector.edge_request_id {
        plain(id);
    }
    if let Some(Trigger::Other(event)) = &connector.event {
        let mut cut = event.to_string();
        plain(&mut cut);
        connector.event = Some(Trigger::from(cut.as_str()));
    }
}

/// Leaves out the last of too many headers. A line at the end counts them.
fn headers(headers: &mut Vec<(String, String)>) {
    let bytes = |(name, value): &(String, String)| name.len() + value.len();
    if headers.len() <= MAX_HEADERS && headers.iter().map(bytes).sum::<usize>() <= MAX_HEADER_BYTES {
        return;
    }
    let mut left = MAX_HEADER_BYTES - MARK_BYTES;
    let mut kept = 0;
    for (name, value) in headers.iter_mut().take(MAX_HEADERS - 1) {
        text(name, MAX_WORD_BYTES);
        text(value, MAX_VALUE_BYTES);
        let Some(rest) = left.checked_sub(name.len() + value.len()) else { break };
        (left, kept) = (rest, kept + 1);
    }
    if kept < headers.len() {
        let more = format!("{} more headers", headers.len() - kept);
        headers.truncate(kept);
        headers.push((MARK.to_owned(), more));
    }
}

/// A word without control characters.
fn plain(word: &mut String) {
    if word.contains(char::is_control) {
        *word = word.replace(char::is_control, "\u{fffd}");
    }
    text(word, MAX_WORD_BYTES);
}

fn text(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes - MARK.len()));
        text.push_str(MARK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> RecordedRequest {
        serde_json::from_value(serde_json::json!({"request_id": "0f3c5bb6d1e94e0c8e0f2b6c4d1a7e55",
            "at": "2026-01-01T00:00:00Z", "client_ip": "::1", "method": "GET", "host": "h", "path": "/"}))
        .unwrap()
    }

    #[test]
    fn long_texts_are_cut_with_a_mark() {
        let mut long = RecordedRequest {
            host: "h".repeat(1001),
            method: "é".repeat(501),
            path: "/".repeat(MAX_PATH_BYTES + 1),
            query: "q".repeat(MAX_QUERY_BYTES + 1),
            scheme: Some("ht\ntp".repeat(1000)),
            connector: Some(ConnectorInfo {
                kind: "k".repeat(5000),
                version: "v".repeat(1001),
                event: Some(Trigger::from("\0".repeat(2000).as_str())),
                edge_request_id: Some("e".repeat(1001)),
                ..ConnectorInfo::default()
            }),
            ..recorded()
        };
        request(&mut long);
        let connector = long.connector.unwrap();
        let event = connector.event.unwrap().to_string();
        let scheme = long.scheme.unwrap();
        let id = connector.edge_request_id.unwrap();
        for word in [&long.host, &long.method, &connector.kind, &connector.version, &event, &scheme, &id] {
            assert!(word.ends_with(MARK) && word.len() <= MAX_WORD_BYTES && word.len() > 900, "{word}");
            assert!(!word.contains(char::is_control), "{word}");
        }
        assert_eq!((long.path.len(), long.query.len()), (MAX_PATH_BYTES, MAX_QUERY_BYTES));
        assert!(long.path.ends_with(MARK) && long.query.ends_with(MARK));
    }

    #[test]
    fn texts_within_the_limits_stay() {
        let mut short = RecordedRequest { host: "h".repeat(1000), ..recorded() };
        short.headers = vec![("a".to_owned(), "b".to_owned()); MAX_HEADERS];
        let before = short.clone();
        request(&mut short);
        assert_eq!(short, before);
    }

    #[test]
    fn the_last_of_too_many_headers_are_counted() {
        let header = |length: usize| ("a".to_owned(), "b".repeat(length));
        for (mut all, kept, more) in [
            (vec![header(1); 9000], MAX_HEADERS - 1, 809),
            (vec![header(1000); 300], 261, 39),
            (vec![header(300_000), header(1)], 2, 0),
        ] {
            headers(&mut all);
            let bytes: usize = all.iter().map(|(name, value)| name.len() + value.len()).sum();
            assert!(bytes <= MAX_HEADER_BYTES && all.len() <= MAX_HEADERS, "{bytes}");
            assert_eq!(all.len(), kept + usize::from(more > 0));
            if more > 0 {
                assert_eq!(all.last().unwrap(), &(MARK.to_owned(), format!("{more} more headers")));
            }
        }
    }

    #[test]
    fn reports_are_cut_as_well() {
        let long = ResponseReport {
            request_id: shared::RequestId::random(),
            connector: None,
            edge_request_id: Some("e\n".repeat(1000)),
            status: 200,
            headers: vec![("a".to_owned(), "b".to_owned()); 9000],
            logged: Some(Box::new(shared::LoggedResponse {
                path_pattern: Some("/".repeat(2000)),
                tls_version: Some("T".repeat(2000)),
                ..shared::LoggedResponse::default()
            })),
            not_inspected: Vec::new(),
        };
        let cut = report(long);
        assert_eq!(cut.headers.len(), MAX_HEADERS);
        assert!(cut.edge_request_id.is_some_and(|id| id.len() <= MAX_WORD_BYTES && !id.contains('\n')));
        let logged = cut.logged.unwrap();
        for word in [logged.path_pattern, logged.tls_version] {
            assert!(word.is_some_and(|it| it.ends_with(MARK) && it.len() <= MAX_WORD_BYTES));
        }
    }
}
