//! Views: saved searches of attacks or of requests.

use crate::{
    actor::Role,
    attack::{Grouping, Order},
    column::Column,
    paging::{Cursor, Listed},
    query::{self, Filter, TimeRange},
    validation::{self, ValidationError},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a search lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SearchSubject)]
pub enum Subject {
    #[default]
    Attacks,
    /// Hits, one by one.
    Requests,
}

impl Subject {
    pub fn name(self) -> &'static str {
        match self {
            Self::Attacks => "attacks",
            Self::Requests => "requests",
        }
    }

    /// The name on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Attacks => "Attacks",
            Self::Requests => "Requests",
        }
    }
}

/// A search to save. An empty field counts as absent.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewDraft {
    pub name: String,
    /// What it lists: attacks by default.
    #[serde(default)]
    pub list: Subject,
    /// In the search language.
    #[serde(default)]
    pub query: String,
    /// One to four fields, separated by commas.
    #[serde(default)]
    pub group_by: String,
    /// Of attacks: requests have one order.
    #[serde(default)]
    pub sort: String,
    /// The start of the time range, e.g. `-24h`: relative times are evaluated each time.
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub to: String,
    /// Of requests: names of columns, separated by commas. Empty: the default ones.
    #[serde(default)]
    pub columns: String,
    /// Whether all users see it.
    #[serde(default)]
    pub shared: bool,
}

/// The fields of a view to change.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewChange {
    pub name: Option<String>,
    pub list: Option<Subject>,
    pub query: Option<String>,
    pub group_by: Option<String>,
    pub sort: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub columns: Option<String>,
    pub shared: Option<bool>,
}

/// A saved search.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct View {
    pub id: Uuid,
    /// Incremented by each change.
    pub revision: u32,
    /// The name of the user or the token that saved it.
    pub owner: String,
    /// The id of the owner: another one can get the same name later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(flatten)]
    pub draft: ViewDraft,
}

impl Listed for View {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}

impl View {
    pub fn is_visible_to(&self, caller: Option<Uuid>) -> bool {
        self.draft.shared || self.is_of(caller)
    }

    /// By its owner, and by administrators.
    pub fn is_editable_by(&self, caller: Option<Uuid>, role: Option<Role>) -> bool {
        self.is_of(caller) || role == Some(Role::Admin)
    }

    fn is_of(&self, caller: Option<Uuid>) -> bool {
        self.owner_id.is_some() && self.owner_id == caller
    }
}

impl ViewDraft {
    /// The draft, if its search is valid.
    pub fn validated(self, now: Timestamp) -> Result<Self, ValidationError> {
        let wrong =
            |name: &str, what: &str| Err(ValidationError::new(name, format!("`{name}` must be {what}")));
        validation::name(&self.name)?;
        if let Err(error) = Filter::parse(&self.query, now) {
            return Err(ValidationError::new("query", format!("`query`: {error}")));
        }
        let is_empty_or = |text: &str, is_right: bool| text.is_empty() || is_right;
        if !is_empty_or(&self.group_by, Grouping::parse(&self.group_by).is_some()) {
            return wrong("group_by", Grouping::EXPECTED);
        }
        if !is_empty_or(&self.sort, Order::parse(&self.sort).is_some()) {
            return wrong("sort", Order::EXPECTED);
        }
        if self.list == Subject::Requests && !self.sort.is_empty() {
            return wrong("sort", "empty: requests have one order, the latest first");
        }
        if !is_empty_or(&self.columns, Column::parse_list(&self.columns).is_some()) {
            return wrong("columns", Column::EXPECTED);
        }
        if self.list == Subject::Attacks && !self.columns.is_empty() {
            return wrong("columns", "empty: only lists of requests have a choice of columns");
        }
        for (name, time) in [("from", &self.from), ("to", &self.to)] {
            if !is_empty_or(time, query::moment(time, now).is_some()) {
                return wrong(name, TimeRange::MOMENT);
            }
        }
        Ok(self)
    }

    /// The draft after a change.
    #[must_use]
    pub fn with(self, change: ViewChange) -> Self {
        Self {
            name: change.name.unwrap_or(self.name),
            list: change.list.unwrap_or(self.list),
            query: change.query.unwrap_or(self.query),
            group_by: change.group_by.unwrap_or(self.group_by),
            sort: change.sort.unwrap_or(self.sort),
            from: change.from.unwrap_or(self.from),
            to: change.to.unwrap_or(self.to),
            columns: change.columns.unwrap_or(self.columns),
            shared: change.shared.unwrap_or(self.shared),
        }
    }
}
