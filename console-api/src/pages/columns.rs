//! Columns of the list of requests on pages: their choice, titles and cells.

use super::{search::condition, view};
use crate::{attack::GroupField, column::Column, facet::Facet, hit::RecordedHit, query::HitAction};

/// A part of a cell.
pub(super) struct Part {
    pub text: String,
    /// Selects the hits with this value; empty: none does.
    pub condition: String,
    pub class: &'static str,
}

impl Column {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Method => "Method",
            Self::Host => GroupField::Host.title(),
            Self::Path => GroupField::Path.title(),
            Self::Parameter => GroupField::Parameter.title(),
            Self::Type => GroupField::Type.title(),
            Self::Payload => "Payload",
            Self::Score => Facet::Score.title(),
            Self::Response => "Response",
            Self::Action => "Action",
            Self::Of(facet) => facet.title(),
        }
    }

    /// All columns, whether each is shown, and the value of `columns` that shows or hides it.
    pub(super) fn choices(shown: &[Self]) -> Vec<(&'static str, bool, String)> {
        let toggled = |column: Self| {
            let is_shown = shown.contains(&column);
            let others = shown.iter().copied().filter(|other| *other != column);
            let columns: Vec<_> = others.chain((!is_shown).then_some(column)).collect();
            let text = if columns == Self::DEFAULT {
                String::new()
            } else {
                columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(",")
            };
            (column.title(), is_shown, text)
        };
        // One column is left at least.
        let is_last = |column: &Self| shown == [*column];
        Self::ALL.into_iter().filter(|column| !is_last(column)).map(toggled).collect()
    }

    pub(super) fn class(self) -> &'static str {
        if matches!(self, Self::Score | Self::Response) { "number" } else { "" }
    }

    /// The parts of the cell of a hit.
    pub(super) fn cell(self, hit: &RecordedHit) -> Vec<Part> {
        let part = |field: &str, text: &str, class| Part {
            text: text.to_owned(),
            condition: condition(field, text),
            class,
        };
        match self {
            Self::Source => {
                let mut parts = vec![part("ip", &hit.client_ip.to_string(), "raw")];
                parts.extend(of_facet(Facet::Country, hit));
                parts.extend(of_facet(Facet::Network, hit));
                parts
            }
            Self::Method => vec![part("method", &hit.method, "")],
            Self::Host => vec![part("host", &hit.host, "raw")],
            // The path of an attack ends where a payload starts.
            Self::Path if hit.parameter.starts_with("uri") => {
                vec![Part { text: hit.path.clone(), condition: String::new(), class: "raw" }]
            }
            Self::Path => vec![part("path", &hit.path, "raw")],
            Self::Parameter => vec![part("parameter", &hit.parameter, "raw")],
            Self::Type => vec![part("type", hit.attack_type.as_str(), "tag")],
            Self::Payload => {
                let payload = hit.payload.iter().map(|payload| part("payload", payload, "raw"));
                payload.collect()
            }
            Self::Score => of_facet(Facet::Score, hit).into_iter().collect(),
            Self::Response => {
                let status = hit.response_status.map(|status| status.to_string());
                status.iter().map(|status| part("response", status, "")).collect()
            }
            Self::Action => {
                let action = hit.action();
                let class = match action {
                    HitAction::Blocked => "status blocked",
                    HitAction::Suspicious => "status suspicious",
                    HitAction::Passed | HitAction::Any => "status monitoring",
                };
                vec![Part {
                    text: action.title().to_owned(),
                    condition: condition("action", action.as_str()),
                    class,
                }]
            }
            Self::Of(facet) => of_facet(facet, hit).into_iter().collect(),
        }
    }
}

fn of_facet(facet: Facet, hit: &RecordedHit) -> Option<Part> {
    let value = match facet {
        Facet::Country => hit.country.clone(),
        Facet::Network => hit.network.clone(),
        Facet::UserAgent => hit.user_agent.clone(),
        Facet::HttpVersion => hit.http_version.clone(),
        Facet::Connector => hit.connector.clone(),
        Facet::Node => hit.node.clone(),
        Facet::Rule => hit.rule.clone(),
        Facet::Signature => hit.signature.clone(),
        Facet::Severity => hit.severity.map(|severity| crate::facet::severity(severity).to_owned()),
        Facet::Score => hit.score.map(|score| score.to_string()),
        Facet::SeenBy => hit.seen_by.clone(),
    }?;
    let text = view::value(facet.name(), &value);
    Some(Part { text, condition: condition(facet.name(), &value), class: "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_columns_reads_back_and_toggles() {
        assert_eq!(Column::parse_list("source,country").unwrap().len(), 2);
        for wrong in ["", "source,", "source,source", "time", "size"] {
            assert_eq!(Column::parse_list(wrong), None, "{wrong}");
        }
        let shown = Column::DEFAULT.to_vec();
        for (title, is_shown, columns) in Column::choices(&shown) {
            let toggled = Column::parse_list(&columns).unwrap();
            assert_eq!(toggled.len(), if is_shown { shown.len() - 1 } else { shown.len() + 1 }, "{title}");
        }
        let without = Column::parse_list("source").unwrap();
        assert!(Column::choices(&without).iter().all(|(title, ..)| *title != "Source"));
    }
}
