//! Custom error pages: "Generate custom error responses".

use super::{Answer, Edge, Fetched};
use crate::cloudfront::event::Viewer;
use crate::cloudfront::request::EdgeRequest;
use crate::http1::{Body, reason_phrase};

impl Edge {
    /// Fetches the page with the behavior of its own path, without viewer-request. If that fails,
    /// the original error is returned.
    pub(super) async fn with_error_page(
        &self,
        viewer: &Viewer<'_>,
        request: &EdgeRequest,
        fetched: Fetched,
    ) -> Answer {
        let error = self.config.error_response(fetched.response.status);
        let Some(page) = error.and_then(|error| error.page.as_ref()).filter(|_| !fetched.is_generated) else {
            return Answer::fetched(fetched);
        };
        let behavior = self.config.behavior(&page.path);
        let page_request = EdgeRequest {
            method: "GET".to_owned(),
            path: page.path.clone().into_bytes(),
            query: None,
            headers: request.headers.clone(),
            is_websocket: false,
        };
        let viewer = Viewer { behavior, ..*viewer };
        let fetched_page = self.call_origins(&viewer, &page_request, Body::default(), None).await;
        match fetched_page.map(|it| it.response).ok().filter(|response| response.status < 400) {
            Some(mut response) => {
                response.status = page.response_code;
                reason_phrase(page.response_code).clone_into(&mut response.reason);
                Answer { is_error_page: true, ..Answer::error(response) }
            }
            None => Answer::fetched(fetched),
        }
    }
}
