//! Coverage of distributions, behaviors and days.

use crate::{
    coverage::{CoverageFilter, CoverageGroup, CoverageRow, CoverageShares, day},
    error::ApiError,
    extract::{FromParameters, Parameters, Query, Reader},
    openapi::query_parameter,
    paging::{Page, Slice},
    query::TimeRange,
    store::Store,
};
use axum::{Json, extract::State};
use jiff::SignedDuration;
use serde::Serialize;
use shared::CoverageTotals;
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterIn},
    },
};

/// Rows, and the sum of all that the filter selects.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CoverageList {
    #[serde(flatten)]
    page: Page<CoverageRow>,
    total: CoverageSum,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CoverageSum {
    #[serde(flatten)]
    totals: CoverageTotals,
    #[serde(flatten)]
    shares: CoverageShares,
}

/// Lists the requests of access logs by distribution, behavior and day, or summed up by one of
/// these: what inspected them, what the cache answered, and attacks that only logs have. The latest
/// day comes first.
#[utoipa::path(
    get,
    path = "/coverage",
    security(("token" = ["reader"])),
    params(CoverageFilter, CoverageGroup, Slice),
    responses((status = 200, description = "A page of rows, and the sum of all.", body = CoverageList))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query((filter, (group, slice))): Query<(CoverageFilter, (CoverageGroup, Slice))>,
) -> Result<Json<CoverageList>, ApiError> {
    let page = store.coverage(&filter, group, &slice).await?;
    let totals = store.coverage_total(&filter).await?;
    Ok(Json(CoverageList { page, total: CoverageSum { totals, shares: CoverageShares::of(&totals) } }))
}

impl FromParameters for CoverageGroup {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        Ok(parameters.read("group", Self::EXPECTED, Self::parse)?.unwrap_or_default())
    }
}

impl IntoParams for CoverageGroup {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let names = Self::ALL.into_iter().map(Self::as_str).filter(|name| !name.is_empty());
        let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        vec![query_parameter("group", "What the rows are summed up by. Absent: all three.", text)]
    }
}

impl FromParameters for CoverageFilter {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let first_day = parameters.time("from")?.map(day);
        // The end is exclusive: midnight ends the day before.
        let end = parameters.time("to")?;
        let last_day = end.map(|end| day(end.checked_sub(SignedDuration::from_millis(1)).unwrap_or(end)));
        Ok(Self { distribution: parameters.text("distribution")?, first_day, last_day })
    }
}

impl IntoParams for CoverageFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let from = format!("Only this and later days of UTC: {}.", TimeRange::MOMENT);
        let to = format!("Only days of UTC that begin before this: {}.", TimeRange::MOMENT);
        vec![
            query_parameter("distribution", "Only this distribution.", text().examples(["E2EXAMPLE"])),
            query_parameter("from", &from, text().examples(["2026-01-31"])),
            query_parameter("to", &to, text().examples(["2026-02-01"])),
        ]
    }
}
