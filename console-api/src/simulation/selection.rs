//! Which recorded requests are meant, as people write it.

use super::Recorded;
use crate::{
    error::ApiError,
    query::{self, Filter, Times},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WhichRecorded)]
pub struct Selection {
    /// In the language of searches; false positives are not left out.
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub from: Option<String>,
    #[serde(default)]
    pub to: Option<String>,
}

impl Selection {
    pub fn read(&self, now: Timestamp) -> Result<Recorded, ApiError> {
        let filter = Filter::parse(&self.query, now)
            .map_err(|error| ApiError::parameter("recorded.query", format!("`recorded.query`: {error}")))?;
        let time = |name: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let wrong = || ApiError::parameter(name, format!("`{name}` must be {}", Times::MOMENT));
            query::moment(text, now).ok_or_else(wrong).map(Some)
        };
        let (from, to) = (time("recorded.from", &self.from)?, time("recorded.to", &self.to)?);
        Ok(Recorded { filter, times: Times { from, to } })
    }
}
