//! The page with the list of attacks.

use super::{
    render,
    search::{self, Given, Origin, Search},
    view,
};
use crate::{
    app::Site,
    attack::{Attack, AttackGroup, AttackStatus, Mark, Marks},
    clock::Clock,
    error::ApiError,
    extract::{Query, Reader, Searching},
    paging::{Page, Slice},
    query::{Condition, Filter},
    store::{Store, StoreError},
    view::View,
};
use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::{IntoResponse as _, Redirect, Response},
};
use shared::RequestId;
use uuid::Uuid;

/// The time ranges to choose from, as values of `from`.
const RANGES: [(&str, &str); 7] = [
    ("-1h", "Last hour"),
    ("-6h", "Last 6 hours"),
    ("-24h", "Last 24 hours"),
    ("-7d", "Last 7 days"),
    ("-30d", "Last 30 days"),
    ("-90d", "Last 90 days"),
    ("", "All time"),
];

/// The groupings to choose from.
const GROUPINGS: [(&str, &str); 8] = [
    ("", "No grouping"),
    ("type", "Type"),
    ("ip", "Source address"),
    ("host", "Host"),
    ("host,path", "Host and path"),
    ("parameter", "Parameter"),
    ("type,parameter,host", "Type, parameter and host"),
    ("type,ip", "Type and source"),
];

/// Maximum number of views above the list.
const VIEWS: u32 = 8;

#[derive(Template)]
#[template(path = "attacks.html")]
struct AttacksPage {
    list: List,
    given: Given,
    /// The search with fixed times, for links.
    frozen: Given,
    /// Attacks that match, but are hidden. Counted where the list is empty.
    hidden: Hidden,
    /// The search, for pages of attacks.
    origin: Origin,
    order: String,
    not_inspected: u64,
    /// Saved searches, the newest first.
    views: Vec<View>,
    can_edit: bool,
    /// Created before the list is read: attacks with later ids are new.
    since: Uuid,
    /// The error of an invalid search.
    problem: Option<ApiError>,
    site: Site,
}

enum List {
    Attacks(Page<Attack>),
    Groups { fields: Vec<&'static str>, page: Page<AttackGroup> },
}

/// Numbers of attacks that lists hide by default.
#[derive(Default)]
struct Hidden {
    false_positives: u64,
    suspicious: u64,
}

impl Hidden {
    async fn by(filter: &Filter, store: &Store) -> Result<Self, StoreError> {
        let all = filter.clone().with_hidden();
        if all == *filter {
            return Ok(Self::default());
        }
        let mark = all.clone().and(Condition::Mark(Marks::Only(Mark::FalsePositive)).into());
        let status = all.and(Condition::Status(AttackStatus::Suspicious).into());
        Ok(Self {
            false_positives: store.count_attacks(&mark).await?,
            suspicious: store.count_attacks(&status).await?,
        })
    }
}

impl List {
    fn is_empty(&self) -> bool {
        match self {
            Self::Attacks(page) => page.items.is_empty(),
            Self::Groups { page, .. } => page.items.is_empty(),
        }
    }

    fn next_cursor(&self) -> Option<&str> {
        match self {
            Self::Attacks(page) => page.next_cursor.as_deref(),
            Self::Groups { page, .. } => page.next_cursor.as_deref(),
        }
    }
}

impl AttacksPage {
    /// The search sorted by a column; reversed if it is already sorted by it.
    fn sorted(&self, column: &str) -> String {
        let descending = format!("-{column}");
        self.given.with("sort", if self.order == descending { column } else { &descending })
    }

    fn aria_sort(&self, column: &str) -> &'static str {
        match self.order.strip_prefix('-') {
            Some(by) if by == column => "descending",
            None if self.order == column => "ascending",
            _ => "none",
        }
    }

    /// Whether this is the search of the view.
    fn is_view(&self, view: &View) -> bool {
        search::of_view(&view.draft) == search::of_view(&self.given.to_view())
    }

    fn can_be_saved(&self) -> bool {
        self.can_edit && self.problem.is_none() && !search::of_view(&self.given.to_view()).is_empty()
    }

    fn offers(choices: &[(&str, &str)], value: &str) -> bool {
        choices.iter().any(|(choice, _)| *choice == value)
    }

    /// The conditions that select the attacks of a group.
    fn conditions(group: &AttackGroup) -> String {
        let conditions: Vec<_> =
            group.group.iter().map(|(field, value)| search::condition(field, value)).collect();
        conditions.join(" ")
    }
}

pub(super) async fn list(
    Searching { caller: Reader(actor), .. }: Searching<Reader>,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(site): State<Site>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    search: Result<Query<Search>, ApiError>,
) -> Result<Response, ApiError> {
    let (given, since) = (Given::new(pairs), Uuid::now_v7());
    if let Some(hit) = hit_of(&store, given.value("q")).await? {
        return Ok(Redirect::to(&hit).into_response());
    }
    let not_inspected = store.not_inspected_counts().await?.total;
    let views = store.views(actor.id, &Slice { limit: VIEWS, after: None }).await?.items;
    let can_edit = actor.role.can_edit();
    let search = match search {
        Ok(Query(search)) => search,
        Err(problem @ ApiError::Invalid(_)) => {
            let list = List::Attacks(Page { items: Vec::new(), next_cursor: None });
            let (status, order) = (problem.status(), String::new());
            let problem = Some(problem);
            let page = AttacksPage {
                list,
                frozen: given.frozen(clock.now()),
                origin: Origin::of(&given),
                given,
                hidden: Hidden::default(),
                order,
                not_inspected,
                views,
                can_edit,
                since,
                problem,
                site,
            };
            return Ok((status, render(&page)).into_response());
        }
        Err(problem) => return Err(problem),
    };
    let filter = search.filter.within(search.time_range);
    let list = match search.grouping {
        Some(grouping) => List::Groups {
            fields: grouping.fields().iter().map(|field| field.name()).collect(),
            page: store.groups(&filter, &grouping, &search.slice).await?,
        },
        None => List::Attacks(store.attacks(&filter, search.order, &search.slice).await?),
    };
    let order = search.order.text();
    let is_first_page = search.slice.after.is_none();
    let hidden =
        if list.is_empty() && is_first_page { Hidden::by(&filter, &store).await? } else { Hidden::default() };
    Ok(render(&AttacksPage {
        list,
        frozen: given.frozen(clock.now()),
        origin: Origin::of(&given),
        given,
        hidden,
        order,
        not_inspected,
        views,
        can_edit,
        since,
        problem: None,
        site,
    }))
}

/// The page of the hit, if the search is a request id of the console or of CloudFront.
async fn hit_of(store: &Store, text: &str) -> Result<Option<String>, StoreError> {
    let text = text.trim();
    let slice = Slice { limit: 1, after: None };
    let hits = match text.parse::<RequestId>() {
        Ok(id) => store.hits_of_request(id, &slice).await?,
        Err(_) if is_edge_request_id(text) => store.hits_of_edge_request(text, &slice).await?,
        Err(_) => return Ok(None),
    };
    Ok(hits.items.first().map(|hit| format!("/hits/{}", hit.id)))
}

/// CloudFront's ids are 56 characters of URL-safe base64.
fn is_edge_request_id(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
}
