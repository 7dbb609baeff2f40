//! Selected attacks or requests: marks, sources to block, a search for them. Then what was done,
//! with an undo button, and attacks that are similar to a false positive.

pub(super) mod groups;

use super::{
    actions::is_detected,
    ip_lists::{self, BlockForm},
    render,
    search::{self, Given, Origin},
    view,
};
use crate::{
    attack::{Attack, AttackGroup, GroupField, Grouping, Mark, Marks, Order},
    clock::Clock,
    error::ApiError,
    extract::{Analyst, Reader, Searching},
    facet::Facet,
    hit::{HitDetail, RecordedHit},
    paging::{Page, Slice},
    query::{Condition, Filter, Pattern},
    store::{Batch, BatchSummary, Store, StoreError},
    use_cases::{self, RulesetWriter, batches},
    view::Subject,
};
use askama::Template;
use axum::{
    Form,
    extract::{Query as Pairs, State},
    response::{Redirect, Response},
};
use form_urlencoded::Serializer;
use std::{collections::BTreeSet, str::FromStr};
use uuid::Uuid;

type Fields = Vec<(String, String)>;

/// Maximum number of selected rows: a search takes as many conditions.
const MAX_SELECTED: usize = Filter::MAX_CONDITIONS;
/// The sources to choose from: those with the most hits.
const SOURCES: Slice = Slice { limit: 50, after: None };
/// The similar attacks to choose from.
const SIMILAR: Slice = Slice { limit: 20, after: None };
/// How long to block, in hours; 0: no end.
pub(super) const DURATIONS: [(u32, &str); 4] =
    [(1, "1 hour"), (24, "24 hours"), (168, "7 days"), (0, "forever")];

/// The values of a field that may be given several times.
fn values<'f>(fields: &'f [(String, String)], name: &'f str) -> impl Iterator<Item = &'f str> {
    fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn parsed<T: FromStr>(fields: &[(String, String)], name: &str) -> Result<Vec<T>, ApiError> {
    let wrong = || ApiError::parameter(name, format!("`{name}` is not valid"));
    values(fields, name).map(|value| value.parse().map_err(|_| wrong())).collect()
}

/// The selected rows, as a search.
struct Selection {
    query: String,
    filter: Filter,
    /// The search of the list.
    origin: Origin,
}

impl Selection {
    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let origin = Origin::of(&Given::new(fields.to_vec()));
        let ids: Vec<&str> = values(fields, "id").collect();
        if ids.is_empty() || ids.len() > MAX_SELECTED {
            let detail = format!("select at least one row, and at most {MAX_SELECTED}");
            return Err(ApiError::parameter("id", detail));
        }
        let field = match origin.subject() {
            Subject::Attacks => "attack",
            Subject::Requests => "request_id",
        };
        let query = format!("{field}:{}", ids.join(","));
        let wrong = |_| ApiError::parameter("id", "`id` is not the id of a row");
        let filter = Filter::parse(&query, Clock::System.now()).map_err(wrong)?;
        Ok(Self { query, filter, origin })
    }
}

/// The search for the selected rows.
pub(super) async fn search(_: Reader, Pairs(fields): Pairs<Fields>) -> Result<Redirect, ApiError> {
    let Selection { query, origin, .. } = Selection::read(&fields)?;
    let query = Serializer::new(String::new()).append_pair("q", &query).finish();
    Ok(Redirect::to(&search::address(origin.subject(), &query)))
}

/// The page that shows a batch, with an undo button; `hit`: a false positive that similar attacks are
/// looked for.
pub(super) fn done_page(batch: Uuid, origin: &Origin, hit: Option<Uuid>) -> Redirect {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(origin.pairs()).append_pair("batch", &batch.to_string());
    if let Some(hit) = hit {
        query.append_pair("hit", &hit.to_string());
    }
    Redirect::to(&format!("/selection/done?{}", query.finish()))
}

/// The batch of a page or a form.
fn batch(fields: &[(String, String)]) -> Result<Uuid, ApiError> {
    let batches = parsed(fields, "batch")?;
    batches.first().copied().ok_or_else(|| ApiError::parameter("batch", "`batch` is missing"))
}

/// The mark to set; `None`: clears it.
fn mark_to_set(fields: &[(String, String)]) -> Result<Option<Mark>, ApiError> {
    match values(fields, "set").next().unwrap_or_default() {
        "none" => Ok(None),
        word => Mark::parse(word)
            .map(Some)
            .ok_or_else(|| ApiError::parameter("set", "`set` must be false_positive, true_positive or none")),
    }
}

/// Marks the selected attacks, or clears their marks.
pub(super) async fn mark(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, ApiError> {
    let selection = Selection::read(&fields)?;
    let (attacks, mark) = (parsed(&fields, "id")?, mark_to_set(&fields)?);
    let done = batches::apply(&ruleset, &author, Batch { attacks, mark, ..Batch::default() }).await?;
    Ok(done_page(done, &selection.origin, None))
}

/// The sources of the selected rows, to choose from.
#[derive(Template)]
#[template(path = "selection_sources.html")]
struct SourcesPage {
    sources: Page<AttackGroup>,
    origin: Origin,
}

impl SourcesPage {
    fn address(group: &AttackGroup) -> &str {
        group.group.get(GroupField::Ip.name()).map_or("", String::as_str)
    }
}

pub(super) async fn sources(
    _: Searching<Analyst>,
    State(store): State<Store>,
    Pairs(fields): Pairs<Fields>,
) -> Result<Response, ApiError> {
    let Selection { filter, origin, .. } = Selection::read(&fields)?;
    let sources = store.groups(&filter, &Grouping::by(GroupField::Ip), &SOURCES).await?;
    Ok(render(&SourcesPage { sources, origin }))
}

/// Adds the chosen sources to the denylist.
pub(super) async fn block(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, ApiError> {
    let origin = Origin::of(&Given::new(fields.clone()));
    let hours: Vec<u32> = parsed(&fields, "for")?;
    let [hours] = hours.as_slice() else {
        return Err(ApiError::parameter("for", "`for` must be a number of hours"));
    };
    let addresses: Vec<&str> = values(&fields, "address").collect();
    if addresses.is_empty() || addresses.len() > SOURCES.limit as usize {
        let detail = format!("select at least one source, and at most {}", SOURCES.limit);
        return Err(ApiError::parameter("address", detail));
    }
    let form = BlockForm { r#for: *hours, confirmed: false };
    let entry = |address: &str| {
        let draft = form.draft(ip_lists::source(address)?, "from selected rows".to_owned(), author.at)?;
        Ok::<_, ApiError>(use_cases::ip_lists::new(&author, draft)?)
    };
    let distinct: BTreeSet<&str> = addresses.into_iter().collect();
    let entries = distinct.into_iter().map(entry).collect::<Result<_, _>>()?;
    let done = batches::apply(&ruleset, &author, Batch { entries, ..Batch::default() }).await?;
    Ok(done_page(done, &origin, None))
}

#[derive(Template)]
#[template(path = "selection_done.html")]
struct DonePage {
    batch: Uuid,
    done: BatchSummary,
    /// The false positive, and attacks that are similar.
    hit: Option<RecordedHit>,
    similar: Vec<Attack>,
    can_edit: bool,
    origin: Origin,
}

pub(super) async fn done(
    Searching { caller: Reader(actor), .. }: Searching<Reader>,
    State(store): State<Store>,
    Pairs(fields): Pairs<Fields>,
) -> Result<Response, ApiError> {
    let batch = batch(&fields)?;
    let (done, origin) = (store.batch_summary(batch).await?, Origin::of(&Given::new(fields.clone())));
    let hit = match parsed(&fields, "hit")?.first() {
        Some(id) => store.hit(*id).await?.map(|HitDetail { hit, .. }| hit),
        None => None,
    };
    let similar = match &hit {
        Some(hit) => similar(&store, hit).await?,
        None => Vec::new(),
    };
    let can_edit = actor.role.can_edit();
    Ok(render(&DonePage { batch, done, hit, similar, can_edit, origin }))
}

/// Unmarked attacks of the same type and signature, at the same parameter or path.
async fn similar(store: &Store, hit: &RecordedHit) -> Result<Vec<Attack>, StoreError> {
    let Some(attack) = store.attack(hit.attack_id).await?.filter(|_| is_detected(hit)) else {
        return Ok(Vec::new());
    };
    let places = [
        Condition::Parameter(Pattern::exact(&attack.parameter)),
        Condition::Path(Pattern::exact(&attack.path)),
    ];
    let mut filter = Filter::from(Condition::Mark(Marks::None))
        .and(Condition::Type(hit.attack_type.clone()).into())
        .and(Filter::Any(places.map(Filter::from).to_vec()));
    if let Some(signature) = &hit.signature {
        filter = filter.and(Condition::Facet(Facet::Signature, Some(signature.clone())).into());
    }
    let attacks = store.attacks(&filter, Order::default(), &SIMILAR).await?.items;
    Ok(attacks.into_iter().filter(|other| other.id != attack.id).collect())
}

/// Undoes a batch, unless a part of it was changed since.
pub(super) async fn undo(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, ApiError> {
    batches::undo(&ruleset, &author, batch(&fields)?).await?;
    let origin = Origin::of(&Given::new(fields.clone()));
    Ok(match parsed::<Uuid>(&fields, "hit")?.first() {
        Some(hit) => Redirect::to(&format!("/hits/{hit}{origin}")),
        None => Redirect::to(&origin.list()),
    })
}
