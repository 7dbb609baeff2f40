//! The audit log.

use crate::{
    audit::{AuditAction, AuditLine, LogFilter, ObjectKind},
    error::ApiError,
    extract::{Admin, FromParameters, Parameters, Query},
    openapi::query_parameter,
    paging::{Page, Slice},
    store::Store,
};
use axum::{Json, extract::State};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterIn},
    },
};

/// Lists audit lines, the latest first.
#[utoipa::path(
    get,
    path = "/audit",
    security(("token" = ["admin"])),
    params(LogFilter, Slice),
    responses((status = 200, description = "A page of the audit log.", body = Page<AuditLine>))
)]
pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Query((filter, slice)): Query<(LogFilter, Slice)>,
) -> Result<Json<Page<AuditLine>>, ApiError> {
    Ok(Json(store.log(&filter, &slice).await?))
}

/// `object` is a kind of objects, or one object: `rule`, `rule:ID`.
impl FromParameters for LogFilter {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let kinds: Vec<_> = ObjectKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let actions: Vec<_> = AuditAction::ALL.iter().map(|action| action.as_str()).collect();
        let expected = format!("one of {}, optionally with an id: `rule:ID`", kinds.join(", "));
        let object = parameters.read("object", &expected, |text| {
            let (kind, object) = text.split_once(':').map_or((text, None), |(kind, id)| (kind, Some(id)));
            Some((ObjectKind::parse(kind)?, object.map(str::to_owned)))
        })?;
        let (kind, object) = object.unzip();
        Ok(Self {
            actor: parameters.text("actor")?,
            action: parameters.read(
                "action",
                &format!("one of {}", actions.join(", ")),
                AuditAction::parse,
            )?,
            kind,
            object: object.flatten(),
            sign_ins: parameters.parse("sign_ins", "true or false")?,
            from: parameters.time("from")?,
            to: parameters.time("to")?,
        })
    }
}

impl IntoParams for LogFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let actions = text().enum_values(Some(AuditAction::ALL.iter().map(|action| action.as_str())));
        vec![
            query_parameter("actor", "The actor.", text()),
            query_parameter("action", "The action.", actions),
            query_parameter("object", "The object: `rule`, or `rule:ID`.", text().examples(["rule"])),
            query_parameter(
                "sign_ins",
                "True: only sign-ins and ended sessions; false: all others.",
                ObjectBuilder::new().schema_type(Type::Boolean),
            ),
            query_parameter("from", "The start of the time range.", text().examples(["-24h"])),
            query_parameter("to", "The end of the time range, exclusive.", text().examples(["2026-01-31"])),
        ]
    }
}
