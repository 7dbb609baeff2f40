//! The pages with the lists of attacks and of requests.

use super::{
    render,
    search::{self, Given, Origin, RequestSearch, Search},
    view,
};
use crate::{
    actor::Actor,
    app::{App, Site},
    attack::{Attack, AttackGroup, AttackStatus, GroupField, Mark, Marks},
    column::Column,
    error::ApiError,
    extract::{Query, Reader, Searching},
    hit::RecordedHit,
    paging::{Page, Slice},
    query::{Condition, Filter, HitAction},
    store::{Store, StoreError},
    view::{Subject, View},
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
const GROUPINGS: [(&str, &str); 20] = [
    ("", "No grouping"),
    ("type", "Type"),
    ("ip", "Source address"),
    ("host", "Host"),
    ("host,path", "Host and path"),
    ("parameter", "Parameter"),
    ("type,parameter,host", "Type, parameter and host"),
    ("type,ip", "Type and source"),
    ("path", "Path"),
    ("country", "Country"),
    ("network", "Network"),
    ("user_agent", "User agent"),
    ("http_version", "HTTP version"),
    ("connector", "Connector"),
    ("node", "Node"),
    ("rule", "Rule"),
    ("signature", "Signature"),
    ("severity", "Severity"),
    ("score", "Score"),
    ("seen_by", "Seen by"),
];

/// Maximum number of views above the list.
const VIEWS: u32 = 8;

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    subject: Subject,
    list: List,
    columns: Vec<Column>,
    given: Given,
    /// The search with fixed times, for links.
    frozen: Given,
    /// Attacks that match, but are hidden. Counted where the list is empty.
    hidden: Hidden,
    /// The search, for other pages.
    origin: Origin,
    order: String,
    not_inspected: u64,
    /// Saved searches of this list, the newest first.
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
    Requests(Page<RecordedHit>),
    Groups { fields: Vec<GroupField>, page: Page<AttackGroup> },
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
            Self::Requests(page) => page.items.is_empty(),
            Self::Groups { page, .. } => page.items.is_empty(),
        }
    }

    /// Whether its rows can be selected.
    fn has_rows(&self) -> bool {
        matches!(self, Self::Attacks(_) | Self::Requests(_))
    }

    fn next_cursor(&self) -> Option<&str> {
        match self {
            Self::Attacks(page) => page.next_cursor.as_deref(),
            Self::Requests(page) => page.next_cursor.as_deref(),
            Self::Groups { page, .. } => page.next_cursor.as_deref(),
        }
    }
}

impl ListPage {
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
        search::of_view(&view.draft) == search::of_view(&self.given.to_view(self.subject))
    }

    /// The percentage of the hits of the largest group on the page.
    fn share_of_group(page: &Page<AttackGroup>, group: &AttackGroup) -> u64 {
        let most = page.items.iter().map(|group| group.hits).max().unwrap_or(0);
        group.hits * 100 / most.max(1)
    }

    fn can_be_saved(&self) -> bool {
        self.can_edit
            && self.problem.is_none()
            && search::of_view(&self.given.to_view(self.subject)) != search::address(self.subject, "")
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

    /// The page that marks the attacks of a group.
    fn to_mark(origin: &Origin, group: &AttackGroup) -> String {
        format!("/selection/group{}", origin.and("on", Self::conditions(group)))
    }
}

pub(super) async fn attacks(
    Searching { caller: Reader(actor), .. }: Searching<Reader>,
    State(app): State<App>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    search: Result<Query<Search>, ApiError>,
) -> Result<Response, ApiError> {
    list(&app, &actor, Subject::Attacks, Given::new(pairs), search.map(|Query(search)| search)).await
}

pub(super) async fn requests(
    Searching { caller: Reader(actor), .. }: Searching<Reader>,
    State(app): State<App>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    search: Result<Query<RequestSearch>, ApiError>,
) -> Result<Response, ApiError> {
    let search = search.map(|Query(RequestSearch(search))| search);
    list(&app, &actor, Subject::Requests, Given::new(pairs), search).await
}

async fn list(
    App { store, clock, site, .. }: &App,
    actor: &Actor,
    subject: Subject,
    given: Given,
    search: Result<Search, ApiError>,
) -> Result<Response, ApiError> {
    let since = Uuid::now_v7();
    if let Some(hit) = hit_of(store, given.value("q")).await? {
        return Ok(Redirect::to(&hit).into_response());
    }
    let views = store.latest_views(actor.id, subject, VIEWS).await?;
    let mut page = ListPage {
        subject,
        list: List::Attacks(Page { items: Vec::new(), next_cursor: None }),
        columns: Vec::new(),
        frozen: given.frozen(clock.now()),
        origin: Origin::of_list(subject, &given),
        given,
        hidden: Hidden::default(),
        order: String::new(),
        not_inspected: store.not_inspected_counts().await?.total,
        views,
        can_edit: actor.role.can_edit(),
        since,
        problem: None,
        site: site.clone(),
    };
    let search = match search {
        Ok(search) => search,
        Err(problem @ ApiError::Invalid(_)) => {
            let status = problem.status();
            page.problem = Some(problem);
            return Ok((status, render(&page)).into_response());
        }
        Err(problem) => return Err(problem),
    };
    let filter = search.filter();
    let Search { order, grouping, slice, columns, .. } = search;
    page.list = match (grouping, subject) {
        (Some(grouping), _) => List::Groups {
            fields: grouping.fields().to_vec(),
            page: store.groups(&filter, &grouping, &slice).await?,
        },
        (None, Subject::Attacks) => List::Attacks(store.attacks(&filter, order, &slice).await?),
        (None, Subject::Requests) => List::Requests(store.hits_matching(&filter, &slice).await?),
    };
    page.order = order.text();
    page.columns = columns;
    if page.list.is_empty() && slice.after.is_none() {
        page.hidden = Hidden::by(&filter, store).await?;
    }
    Ok(render(&page))
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
