//! Searches and pages of lists, read from query parameters.

use super::parameters::{FromParameters, Parameters};
use crate::{
    attack::Order,
    error::ApiError,
    paging::{Cursor, Slice},
    query::{Condition, Field, Filter, Problem, TimeRange},
    webhook::DeliveryState,
};

/// A cursor is valid only for the order that it was issued for.
impl FromParameters for (Order, Slice) {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let order = parameters.read("sort", Order::EXPECTED, Order::parse)?.unwrap_or_default();
        let slice = slice(parameters, &order.text())?;
        Ok((order, slice))
    }
}

impl FromParameters for Slice {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        slice(parameters, "")
    }
}

fn slice(parameters: &mut Parameters, list: &str) -> Result<Slice, ApiError> {
    let limit = parameters.read("limit", "a number from 1 to 200", |text| {
        text.parse().ok().filter(|limit| (1..=Slice::MAX_LIMIT).contains(limit))
    })?;
    let after = parameters.read("cursor", "a `next_cursor` of this list", |text| {
        Cursor::parse(text).filter(|cursor| cursor.list == list)
    })?;
    Ok(Slice { limit: limit.unwrap_or(Slice::DEFAULT_LIMIT), after })
}

/// `q`, a parameter for each field, and the time range `from`, `to`: all conditions must hold.
/// Without conditions on them, false positives and suspicious attacks are left out.
impl FromParameters for Filter {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let (filter, time_range) = FromParameters::from_parameters(parameters)?;
        Ok(Self::within(filter, time_range))
    }
}

/// Whether to compare with the period before the time range.
pub struct Compare(pub bool);

impl FromParameters for Compare {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let previous = parameters.read("compare", "previous", |text| (text == "previous").then_some(true))?;
        Ok(Self(previous.unwrap_or_default()))
    }
}

/// A filter of a list of hits: its time range is that of the hits.
pub struct HitsFilter(pub Filter);

impl FromParameters for HitsFilter {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let (filter, time_range) = FromParameters::from_parameters(parameters)?;
        Ok(Self(Filter::hits_within(filter, time_range)))
    }
}

/// The same, with the time range apart.
impl FromParameters for (Filter, TimeRange) {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let now = parameters.now;
        let mut filter = match parameters.text("q")? {
            Some(text) => {
                Filter::parse(&text, now).map_err(|error| ApiError::parameter("q", error.to_string()))?
            }
            None => Filter::default(),
        };
        for field in Field::ALL {
            if let Some(value) = parameters.text(field.name())? {
                let condition = Condition::of(field, &value, now);
                let wrong = |problem: Problem| ApiError::parameter(field.name(), problem.to_string());
                filter = filter.and(condition.map_err(wrong)?.into());
            }
        }
        let filter = filter.without_hidden();
        Ok((filter, TimeRange { from: parameters.time("from")?, to: parameters.time("to")? }))
    }
}

/// The state of the deliveries to list; all states when absent.
pub struct StateFilter(pub Option<DeliveryState>);

impl FromParameters for StateFilter {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.read("state", DeliveryState::EXPECTED, DeliveryState::parse).map(Self)
    }
}
