//! The default block page; a connector's own page takes precedence.

use shared::{BlockResponse, RequestId};
use std::time::Duration;

/// The block response: 429 with `Retry-After` for a rate limit, else 403.
pub fn block_page(request_id: RequestId, retry_after: Option<Duration>) -> BlockResponse {
    let mut headers = vec![
        ("content-type".to_owned(), "text/html; charset=utf-8".to_owned()),
        ("x-content-type-options".to_owned(), "nosniff".to_owned()),
    ];
    if let Some(wait) = retry_after {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        headers.push(("retry-after".to_owned(), seconds.to_string()));
    }
    BlockResponse {
        status: if retry_after.is_some() { 429 } else { 403 },
        headers,
        body: format!(include_str!("block_page.html"), request_id = request_id),
    }
}
