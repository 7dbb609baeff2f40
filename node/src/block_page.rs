//! What the node offers a blocked visitor; the connector's own page wins over it.

use shared::{BlockResponse, RequestId};
use std::time::Duration;

/// With a time to wait it says 429 and when to come back.
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
