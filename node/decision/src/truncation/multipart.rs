//! The part of a multipart body that the visible bytes end in.

use memchr::memmem;
use shared::InspectRequest;

/// Whether the visible part of the body ends in a file. Strict parsers begin a part only after CRLF,
/// lenient ones after LF, too: the last part of both must be a file.
pub(super) fn ends_in_file(request: &InspectRequest, body: &[u8]) -> bool {
    let types = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let mut boundaries = types.map(|(_, value)| boundary(value));
    let (Some(Some(boundary)), None) = (boundaries.next(), boundaries.next()) else { return false };
    let delimiter = format!("--{boundary}");
    let last = |line_end: &str| {
        let found = memmem::rfind(body, format!("{line_end}{delimiter}").as_bytes());
        let first = body.starts_with(delimiter.as_bytes()).then_some(0);
        found.map(|at| at + line_end.len()).or(first).map(|at| &body[at + delimiter.len()..])
    };
    [last("\r\n"), last("\n")].into_iter().all(|part| part.is_some_and(is_file))
}

/// The only boundary of a multipart type.
fn boundary(content_type: &str) -> Option<&str> {
    let lower = content_type.to_ascii_lowercase();
    if !lower.trim_start().starts_with("multipart/") || lower.matches("boundary").count() != 1 {
        return None;
    }
    let at = lower.find("boundary=")? + "boundary=".len();
    let value = &content_type[at..];
    let boundary = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ', '\t', ',']).next()?,
    };
    (!boundary.is_empty()).then_some(boundary)
}

/// Whether a part, from behind its delimiter, has a file name. A part whose headers are cut has none.
fn is_file(part: &[u8]) -> bool {
    let ends = [&b"\r\n\r\n"[..], b"\n\n"].map(|end| memmem::find(part, end));
    let Some(end) = ends.into_iter().flatten().min() else { return false };
    let headers = String::from_utf8_lossy(&part[..end]).to_ascii_lowercase();
    let mut dispositions = headers.lines().filter(|line| line.starts_with("content-disposition:"));
    let (Some(disposition), None) = (dispositions.next(), dispositions.next()) else { return false };
    // `name="a; filename=b"` is the name of a field.
    let mut outside = disposition.split('"').step_by(2).flat_map(|text| text.split(';'));
    outside.any(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default().trim();
        parameter.contains('=') && matches!(name, "filename" | "filename*")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Body;

    fn ends_in_file_of(content_type: &str, body: &str) -> bool {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        let request = InspectRequest {
            headers,
            body: Some(Body(body.as_bytes().to_vec())),
            ..engine::mutate::empty_request("POST")
        };
        ends_in_file(&request, body.as_bytes())
    }

    const FILE: &str = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n\r\ndata";
    const FIELD: &str = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ntext";

    #[test]
    fn the_last_part_decides() {
        let kind = "multipart/form-data; boundary=b";
        assert!(ends_in_file_of(kind, FILE));
        assert!(ends_in_file_of("multipart/form-data; boundary=\"b\"; charset=utf-8", FILE));
        assert!(ends_in_file_of(kind, &format!("{FIELD}\r\n{FILE}")));
        assert!(!ends_in_file_of(kind, &format!("{FILE}\r\n{FIELD}")));
        assert!(!ends_in_file_of(
            kind,
            &format!("{FILE}\r\n--b\r\nContent-Disposition: form-data; filename=")
        ));
    }

    #[test]
    fn a_field_that_looks_like_a_file_to_one_parser_is_a_field() {
        let kind = "multipart/form-data; boundary=b";
        let body = FILE.replace("\r\n", "\n");
        assert!(!ends_in_file_of(kind, &format!("{FIELD}\n{FILE}")), "LF before the delimiter");
        assert!(!ends_in_file_of(kind, &format!("{FIELD}{FILE}")), "no line end before the delimiter");
        assert!(ends_in_file_of(kind, &body));
        for disposition in [
            "form-data; name=\"a; filename=b\"",
            "form-data; name=\"a\"\r\nContent-Disposition: form-data; filename=\"b\"",
            "form-data; name=a; xfilename=b",
            "form-data; name=filename",
        ] {
            let part = format!("--b\r\nContent-Disposition: {disposition}\r\n\r\ntext");
            assert!(!ends_in_file_of(kind, &part), "{disposition}");
        }
    }

    #[test]
    fn other_types_and_ambiguous_boundaries_have_no_file() {
        for kind in [
            "application/json; boundary=b",
            "multipart/form-data",
            "multipart/form-data; boundary=b; boundary=c",
            "multipart/form-data; boundary*0=b",
            "multipart/form-data; boundary=",
        ] {
            assert!(!ends_in_file_of(kind, FILE), "{kind}");
        }
    }
}
