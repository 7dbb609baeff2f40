//! What CloudFront sends to a function and takes from it.
//!
//! AWS documents the shapes in the CloudFront developer guide, "Lambda@Edge event structure". `request` and `response`
//! stay raw JSON: what is returned unchanged is then the same bytes, fields of later years included.

mod event;
mod headers;
mod reply;

pub use event::{Event, EventBody, EventConfig, EventError, EventRequest, EventResponse, Origin};
pub use headers::Headers;
pub use reply::{GeneratedResponse, Reply};
