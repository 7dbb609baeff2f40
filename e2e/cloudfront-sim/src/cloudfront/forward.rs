//! Forwarding of viewer requests to origins: "Request and response behavior for custom origins",
//! "Control origin requests with a policy", "Understand cache policies".

use super::distribution::{Behavior, Origin};
use super::event::Viewer;
use super::policy::Selection;
use super::request::{EdgeRequest, text};
use crate::http1::{Headers, Response, Version};

/// The headers of "Add CloudFront request headers" whose values are known here.
pub(super) const OWN_HEADERS: [&str; 3] =
    ["CloudFront-Forwarded-Proto", "CloudFront-Viewer-Address", "CloudFront-Viewer-Http-Version"];

/// Adds CloudFront's headers that a policy names, after viewer-request, replacing the viewer's.
pub(super) fn add_own_headers(viewer: &Viewer, request: &mut EdgeRequest) {
    let version = match viewer.peer.version {
        Version::Http1_0 => "1.0",
        Version::Http1_1 => "1.1",
        Version::Http2 => "2.0",
    };
    let values = [viewer.peer.scheme().to_owned(), viewer.peer.address.to_string(), version.to_owned()];
    let Behavior { cache, origin_request, .. } = viewer.behavior;
    let named = cache.headers.names().iter().chain(origin_request.headers.names());
    let named: Vec<_> = named.chain(&origin_request.cloudfront_headers).collect();
    for (header, value) in OWN_HEADERS.into_iter().zip(values) {
        if named.iter().any(|name| name.eq_ignore_ascii_case(header)) {
            request.headers.set(header, value);
        }
    }
}

/// The request as sent to the origin and shown in origin events.
pub(super) fn to_origin(
    viewer: &Viewer,
    origin: &Origin,
    via: &str,
    mut request: EdgeRequest,
) -> EdgeRequest {
    let Behavior { cache, origin_request, .. } = viewer.behavior;
    request.query =
        request.query.and_then(|query| select_query(&[&cache.query, &origin_request.query], query));
    let headers = &mut request.headers;
    let cookies = select_cookies(&[&cache.cookies, &origin_request.cookies], headers);
    let normalized = accept_encoding(viewer.behavior, headers);
    let host = headers.text("host").filter(|_| is_forwarded(viewer.behavior, "host"));
    headers.0.retain(|(name, _)| is_forwarded(viewer.behavior, &text(name).to_ascii_lowercase()));
    match cookies {
        Cookies::AsSent => {}
        Cookies::None => headers.remove("cookie"),
        Cookies::Some(cookies) => headers.set("Cookie", cookies),
    }
    match normalized {
        AcceptEncoding::AsAnyHeader => {}
        AcceptEncoding::Absent => headers.remove("accept-encoding"),
        AcceptEncoding::Normalized(value) => headers.set("Accept-Encoding", value),
    }
    if !headers.has("user-agent") || !is_forwarded(viewer.behavior, "user-agent") {
        headers.set("User-Agent", "Amazon CloudFront");
    }
    headers.set("Host", host.as_deref().unwrap_or(&origin.domain_name));
    append(headers, "X-Forwarded-For", &viewer.client_ip().to_string());
    append(headers, "Via", via);
    headers.set("X-Amz-Cf-Id", viewer.request_id);
    request
}

fn is_forwarded(behavior: &Behavior, name: &str) -> bool {
    // Cookies have their own selections.
    name == "cookie"
        || is_always_forwarded(name)
        || behavior.cache.headers.takes_header(name)
        || behavior.origin_request.headers.takes_header(name)
        || behavior.origin_request.cloudfront_headers.iter().any(|listed| listed.eq_ignore_ascii_case(name))
}

/// Headers forwarded without any policy.
fn is_always_forwarded(name: &str) -> bool {
    matches!(name, "content-length" | "content-type" | "transfer-encoding" | "range" | "origin")
        || matches!(name, "x-forwarded-for" | "via")
}

/// The parameters in one of the selections; the query as sent if one selects all.
pub(super) fn select_query(selections: &[&Selection], query: Vec<u8>) -> Option<Vec<u8>> {
    if selections.contains(&&Selection::All) {
        return Some(query);
    }
    let name = |part: &[u8]| text(part.split(|byte| *byte == b'=').next().unwrap_or_default());
    let parts = query.split(|byte| *byte == b'&');
    let selected = parts.filter(|part| selections.iter().any(|selection| selection.selects(&name(part))));
    let selected: Vec<_> = selected.collect();
    (!selected.is_empty()).then(|| selected.join(b"&".as_slice()))
}

pub(super) enum Cookies {
    AsSent,
    None,
    Some(Vec<u8>),
}

/// The cookies in one of the selections.
pub(super) fn select_cookies(selections: &[&Selection], headers: &Headers) -> Cookies {
    if selections.contains(&&Selection::All) {
        return Cookies::AsSent;
    }
    let name = |pair: &[u8]| text(pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii());
    let pairs = headers.all("cookie").flat_map(|value| value.split(|byte| *byte == b';'));
    let pairs = pairs.map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty());
    let selected: Vec<_> =
        pairs.filter(|pair| selections.iter().any(|selection| selection.selects(&name(pair)))).collect();
    if selected.is_empty() { Cookies::None } else { Cookies::Some(selected.join(b"; ".as_slice())) }
}

pub(super) enum AcceptEncoding {
    AsAnyHeader,
    Absent,
    Normalized(&'static str),
}

impl AcceptEncoding {
    /// The part in the cache key: `identity` is only sent to the origin.
    pub(super) fn in_key(self) -> Option<&'static str> {
        match self {
            Self::Normalized(value) if value != "identity" => Some(value),
            _ => None,
        }
    }
}

/// "Understand cache policies", compression support.
pub(super) fn accept_encoding(behavior: &Behavior, headers: &Headers) -> AcceptEncoding {
    let (gzip, brotli) = (behavior.cache.gzip, behavior.cache.brotli);
    if !gzip && !brotli {
        return AcceptEncoding::AsAnyHeader;
    }
    let Some(sent) = headers.text("accept-encoding") else { return AcceptEncoding::Absent };
    let accepts = |coding: &str| {
        let names = sent.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
        names.into_iter().any(|name| name.eq_ignore_ascii_case(coding))
    };
    AcceptEncoding::Normalized(match (brotli && accepts("br"), gzip && accepts("gzip")) {
        (true, true) => "br,gzip",
        (true, false) => "br",
        (false, true) => "gzip",
        (false, false) => "identity",
    })
}

/// "Use `WebSockets` with CloudFront distributions": a handshake is one at the origin if the policies
/// forward both headers.
pub(super) fn upgrade(request: &mut EdgeRequest) {
    let headers = &mut request.headers;
    if request.is_websocket && headers.has("sec-websocket-key") && headers.has("sec-websocket-version") {
        headers.set("Connection", "Upgrade");
        headers.set("Upgrade", "websocket");
    }
}

/// "HTTP response headers that CloudFront removes or replaces".
pub(super) fn from_origin<B>(behavior: &Behavior, response: &mut Response<B>) {
    let headers = &mut response.headers;
    for name in ["keep-alive", "proxy-connection", "trailer", "x-cache"] {
        headers.remove(name);
    }
    if response.status != 101 {
        headers.remove("connection");
        headers.remove("upgrade");
    }
    headers.0.retain(|(name, _)| !text(name).to_ascii_lowercase().starts_with("x-amz-cf-"));
    let Behavior { cache, origin_request, .. } = behavior;
    if cache.cookies == Selection::None && origin_request.cookies == Selection::None {
        headers.remove("set-cookie");
    }
    if let Some(vary) = headers.text("vary") {
        let is_forwarded_name = |name: &&str| {
            matches!(name.to_ascii_lowercase().as_str(), "accept-encoding" | "cookie" | "*")
                || is_forwarded(behavior, &name.to_ascii_lowercase())
        };
        let remaining: Vec<_> = vary.split(',').map(str::trim).filter(is_forwarded_name).collect();
        headers.remove("vary");
        if !remaining.is_empty() {
            headers.set("Vary", remaining.join(", "));
        }
    }
}

pub(super) fn append(headers: &mut Headers, name: &str, element: &str) {
    let mut values: Vec<_> = headers.all(name).map(<[u8]>::to_vec).collect();
    values.push(element.as_bytes().to_vec());
    headers.set(name, values.join(b", ".as_slice()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_keeps_the_selected_parameters() {
        let select = |selections: &[&Selection], query: &str| {
            select_query(selections, query.into()).map(|query| String::from_utf8(query).unwrap())
        };
        let only = Selection::only(&["a", "b"]);
        assert_eq!(select(&[&only, &Selection::None], "b=2&c=3&a&A=1").unwrap(), "b=2&a");
        assert_eq!(select(&[&only, &Selection::All], "c&&=").unwrap(), "c&&=");
        assert_eq!(select(&[&Selection::AllBut(vec!["utm".into()])], "utm=1&x=2").unwrap(), "x=2");
        assert_eq!(select(&[&Selection::None, &only], "c=1"), None);
    }

    #[test]
    fn keeps_the_selected_cookies() {
        let headers = Headers::default().with("Cookie", "session=1; theme=dark").with("cookie", "ab=x");
        let Cookies::Some(selected) = select_cookies(&[&Selection::only(&["theme", "ab"])], &headers) else {
            panic!("no cookies selected")
        };
        assert_eq!(selected, b"theme=dark; ab=x");
        assert!(matches!(select_cookies(&[&Selection::None], &headers), Cookies::None));
    }

    #[test]
    fn accept_encoding_is_normalized_where_compression_is_on() {
        let mut behavior = Behavior::new("origin");
        let header = |value: &str| Headers::default().with("Accept-Encoding", value);
        assert!(matches!(accept_encoding(&behavior, &header("gzip")), AcceptEncoding::AsAnyHeader));
        behavior.cache.gzip = true;
        for (sent, both, normal) in [
            ("gzip, deflate, br;q=1", false, "gzip"),
            ("br, gzip", true, "br,gzip"),
            ("zstd", true, "identity"),
        ] {
            behavior.cache.brotli = both;
            let AcceptEncoding::Normalized(value) = accept_encoding(&behavior, &header(sent)) else {
                panic!("not normalized: {sent}")
            };
            assert_eq!(value, normal, "{sent}");
        }
    }
}
