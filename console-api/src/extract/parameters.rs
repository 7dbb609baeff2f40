//! Query parameters: every parameter must be known, valid and unique.

use crate::{
    clock::Clock,
    error::ApiError,
    query::{self, TimeRange},
};
use axum::{
    extract::{FromRef, FromRequestParts, Query as RawQuery},
    http::request::Parts,
};
use jiff::Timestamp;
use std::str::FromStr;

/// The query parameters of a call, read one by one. A parameter that nothing reads is rejected by
/// name.
pub struct Parameters {
    pairs: Vec<(String, String)>,
    /// The base of relative times such as `-24h`.
    pub(super) now: Timestamp,
}

impl Parameters {
    pub fn new(pairs: Vec<(String, String)>, now: Timestamp) -> Self {
        Self { pairs, now }
    }

    /// The value of a parameter. An empty value counts as absent: forms send empty fields.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let mut pairs = self.pairs.extract_if(.., |(key, _)| key == name);
        let value = pairs.next().map(|(_, value)| value);
        if pairs.next().is_some() {
            return Err(ApiError::parameter(name, format!("`{name}` is given more than once")));
        }
        if value.as_ref().is_some_and(|value| value.contains('\0')) {
            return Err(ApiError::parameter(name, format!("`{name}` contains a NUL")));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// A value read by `read`; `expected` completes "`name` must be …".
    pub fn read<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let bad = || ApiError::parameter(name, format!("`{name}` must be {expected}"));
        read(&text).ok_or_else(bad).map(Some)
    }

    pub fn parse<T: FromStr>(&mut self, name: &str, expected: &str) -> Result<Option<T>, ApiError> {
        self.read(name, expected, |text| text.parse().ok())
    }

    /// Whether a flag is set, as `?word`, `?word=true` or `?word=1`.
    pub fn flag(&mut self, name: &str) -> Result<bool, ApiError> {
        let is_present = self.pairs.iter().any(|(key, _)| key == name);
        let value = self.read(name, "true or false, or stand alone", |text| match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })?;
        Ok(value.unwrap_or(is_present))
    }

    pub fn time(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let now = self.now;
        self.read(name, TimeRange::MOMENT, |text| query::moment(text, now))
    }

    fn end(self) -> Result<(), ApiError> {
        match self.pairs.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => {
                let detail = format!("`{name}` is not a parameter of this call");
                Err(ApiError::parameter(name, detail))
            }
        }
    }
}

/// A type that is read from query parameters.
pub trait FromParameters: Sized {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError>;
}

impl<A: FromParameters, B: FromParameters> FromParameters for (A, B) {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        Ok((A::from_parameters(parameters)?, B::from_parameters(parameters)?))
    }
}

impl FromParameters for () {
    fn from_parameters(_: &mut Parameters) -> Result<Self, ApiError> {
        Ok(())
    }
}

/// The query of a call; every parameter must be known.
pub struct Query<T>(pub T);

impl<S: Sync, T: FromParameters> FromRequestParts<S> for Query<T>
where
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let RawQuery(pairs) = RawQuery::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::BadBody("the query is not percent-encoded UTF-8".to_owned()))?;
        let mut parameters = Parameters::new(pairs, Clock::from_ref(state).now());
        let value = T::from_parameters(&mut parameters)?;
        parameters.end()?;
        Ok(Self(value))
    }
}
