//! CloudFront events and replies.
//!
//! See the CloudFront developer guide, "Lambda@Edge event structure". `request` and `response` stay
//! raw JSON, so that a reply returns the same bytes, unknown fields included. Only the header with the
//! mark of two stages is set and removed ([`Event::with_header`]).

mod edit;
mod event;
mod headers;
mod reply;

pub use event::{Event, EventBody, EventConfig, EventError, EventRequest, EventResponse, Origin};
pub use headers::Headers;
pub use reply::{GeneratedResponse, Reply};
