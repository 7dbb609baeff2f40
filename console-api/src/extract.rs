//! Extractors: what handlers receive, validated. Callers, query parameters, bodies, and the
//! entities that paths name.

mod body;
mod caller;
mod parameters;
mod path;
mod revision;
mod search;

pub use body::{BODY_LIMIT, Body, FromBody, json_body};
pub use caller::{Admin, Analyst, Identified, NodeCaller, Reader, Searching};
pub use parameters::{FromParameters, Parameters, Query};
pub use path::{Entity, Id, Named, Number};
pub use revision::{IfMatch, Revised, Tag, Tagged, etag};
pub use search::{Compare, HitsFilter, StateFilter};
