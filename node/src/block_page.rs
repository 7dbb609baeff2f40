//! What the node offers a blocked visitor; the connector's own page wins over it.

use shared::{BlockResponse, RequestId};

pub fn block_page(request_id: RequestId) -> BlockResponse {
    BlockResponse {
        status: 403,
        headers: vec![
            ("content-type".to_owned(), "text/html; charset=utf-8".to_owned()),
            ("x-content-type-options".to_owned(), "nosniff".to_owned()),
        ],
        body: format!(include_str!("block_page.html"), request_id = request_id),
    }
}
