//! The fields to select in CloudFront's configurations, and what a selection lacks.

use crate::{Field, columns::REQUIRED};

/// The configurations whose fields are selected. Those of standard logs (legacy) are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    StandardV2,
    /// In the order of CloudFront.
    RealTime,
}

/// Fields that a configuration lacks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MissingFields {
    /// Without one of these, no line is a record.
    pub required: Vec<&'static str>,
    /// Without these, less is inspected, or less is known of a request.
    pub useful: Vec<&'static str>,
}

const STANDARD_V2: &[&str] = &[
    "timestamp(ms)",
    "DistributionId",
    "x-edge-request-id",
    "c-ip",
    "x-forwarded-for",
    "cs-method",
    "cs(Host)",
    "x-host-header",
    "cs-uri-stem",
    "cs-uri-query",
    "cs(User-Agent)",
    "cs(Referer)",
    "cs(Cookie)",
    "cs-protocol",
    "cs-protocol-version",
    "ssl-protocol",
    "sc-status",
    "sc-bytes",
    "time-taken",
    "x-edge-location",
    "x-edge-result-type",
    "x-edge-response-result-type",
    "x-edge-detailed-result-type",
    "c-country",
    "asn",
    "cache-behavior-path-pattern",
];

/// `cs-uri-stem` has the query as well.
const REAL_TIME: &[&str] = &[
    "timestamp",
    "c-ip",
    "sc-status",
    "sc-bytes",
    "cs-method",
    "cs-protocol",
    "cs-host",
    "cs-uri-stem",
    "x-edge-location",
    "x-edge-request-id",
    "x-host-header",
    "time-taken",
    "cs-protocol-version",
    "cs-user-agent",
    "cs-referer",
    "cs-cookie",
    "x-edge-response-result-type",
    "x-forwarded-for",
    "ssl-protocol",
    "x-edge-result-type",
    "x-edge-detailed-result-type",
    "c-country",
    "cache-behavior-path-pattern",
    "cs-headers",
    "primary-distribution-id",
    "asn",
];

impl Selection {
    /// All fields that are read.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::StandardV2 => STANDARD_V2,
            Self::RealTime => REAL_TIME,
        }
    }

    pub fn missing<'n>(self, selected: impl IntoIterator<Item = &'n str>) -> MissingFields {
        let selected: Vec<_> = selected.into_iter().filter_map(Field::named).collect();
        let is_in = |fields: &[Field]| fields.iter().any(|field| selected.contains(field));
        let is_required = |field: &Field| REQUIRED.iter().any(|(_, fields)| fields.contains(field));
        let useful = self
            .fields()
            .iter()
            .filter(|name| Field::named(name).is_some_and(|field| !is_in(&[field]) && !is_required(&field)));
        MissingFields {
            required: REQUIRED.iter().filter(|(_, fields)| !is_in(fields)).map(|(name, _)| *name).collect(),
            useful: useful.copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Columns;

    #[test]
    fn selections_are_complete_and_known() {
        for selection in [Selection::StandardV2, Selection::RealTime] {
            let fields = selection.fields();
            assert_eq!(selection.missing(fields.iter().copied()), MissingFields::default());
            assert!(fields.iter().all(|name| Field::named(name).is_some()), "{selection:?}");
            assert!(Columns::parse(fields.iter().copied()).is_ok(), "{selection:?}");
        }
    }

    #[test]
    fn names_what_a_selection_lacks() {
        let fields = ["date", "time", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "later"];
        let missing = Selection::StandardV2.missing(fields);
        assert_eq!(missing.required, ["x-edge-request-id"]);
        assert!(missing.useful.contains(&"cs-uri-query") && !missing.useful.contains(&"timestamp(ms)"));
        assert_eq!(Selection::RealTime.missing([]).required.len(), REQUIRED.len());
    }
}
