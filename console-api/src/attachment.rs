//! Responses that browsers save as a file.

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};

pub struct Attachment {
    pub content_type: &'static str,
    pub file_name: String,
    pub body: Body,
}

impl IntoResponse for Attachment {
    fn into_response(self) -> Response {
        let disposition = format!("attachment; filename=\"{}\"", self.file_name);
        let content_type = self.content_type.to_owned();
        let headers = [(header::CONTENT_TYPE, content_type), (header::CONTENT_DISPOSITION, disposition)];
        (headers, self.body).into_response()
    }
}
