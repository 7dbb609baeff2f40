//! Selected attacks or requests: marks, sources to block, a search for them. Then what was done,
//! with an undo button, and attacks that are similar to a false positive.

use super::{
    actions::is_detected,
    ip_lists::{self, BlockForm},
    render,
    search::{self, Given, Origin},
    view,
};
use crate::{
    attack::{Attack, AttackGroup, GroupField, Grouping, Mark, MarkDraft, Marks, Order},
    audit::{Author, LogFilter, ObjectKind},
    clock::Clock,
    error::ApiError,
    extract::{Analyst, Reader, Searching},
    facet::Facet,
    hit::{HitDetail, RecordedHit},
    notification::Sender,
    paging::{Page, Slice},
    query::{Condition, Filter, Pattern},
    ruleset::{StoredEntry, StoredRule},
    store::{Store, StoreError},
    use_cases::{self, RulesetWriter, marks, rules, undo},
    view::Subject,
};
use askama::Template;
use axum::{
    Form,
    extract::{Query as Pairs, State},
    response::{Redirect, Response},
};
use form_urlencoded::Serializer;
use std::str::FromStr;
use uuid::Uuid;

type Fields = Vec<(String, String)>;

/// Maximum number of selected rows: a search takes as many conditions.
const MAX_SELECTED: usize = Filter::MAX_CONDITIONS;
/// The sources to choose from: those with the most hits.
const SOURCES: Slice = Slice { limit: 50, after: None };
/// The revision of rules and list entries that were not changed since they were made.
const NEW: u32 = 1;
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

/// What was just done, to undo it.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Attacks whose mark was set or cleared, with the revisions that this made.
    pub(super) marked: Vec<(Uuid, u32)>,
    pub(super) rules: Vec<Uuid>,
    pub(super) entries: Vec<Uuid>,
}

impl Done {
    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let wrong = || ApiError::parameter("marked", "`marked` must be an id and a revision");
        let marked = values(fields, "marked").map(|value| {
            let (id, revision) = value.split_once('.')?;
            Some((id.parse().ok()?, revision.parse().ok()?))
        });
        Ok(Self {
            marked: marked.collect::<Option<_>>().ok_or_else(wrong)?,
            rules: parsed(fields, "made_rule")?,
            entries: parsed(fields, "made_entry")?,
        })
    }

    fn fields(&self) -> Fields {
        let field = |name: &str, value: String| (name.to_owned(), value);
        let marked = self.marked.iter().map(|(id, revision)| field("marked", format!("{id}.{revision}")));
        let rules = self.rules.iter().map(|id| field("made_rule", id.to_string()));
        let entries = self.entries.iter().map(|id| field("made_entry", id.to_string()));
        marked.chain(rules).chain(entries).collect()
    }

    /// Marks an attack. One that is gone, or has this mark, stays.
    pub(super) async fn mark(
        &mut self,
        store: &Store,
        author: &Author,
        id: Uuid,
        mark: Option<Mark>,
    ) -> Result<(), ApiError> {
        let attack = store.attack(id).await?;
        let current = |attack: &Attack| attack.mark.as_ref().map(|marking| marking.value);
        if let Some(attack) = attack.filter(|attack| current(attack) != mark) {
            let draft = MarkDraft { mark, note: String::new() };
            let marked = marks::mark(store, author, (attack.id, attack.revision), draft).await?;
            self.marked.push((marked.id, marked.revision));
        }
        Ok(())
    }

    /// The page that shows it; `hit`: a false positive that similar attacks are looked for.
    pub(super) fn page(&self, origin: &Origin, hit: Option<Uuid>) -> Redirect {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(origin.pairs()).extend_pairs(self.fields());
        if let Some(hit) = hit {
            query.append_pair("hit", &hit.to_string());
        }
        Redirect::to(&format!("/selection/done?{}", query.finish()))
    }
}

/// Marks the selected attacks, or clears their marks.
pub(super) async fn mark(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, ApiError> {
    let selection = Selection::read(&fields)?;
    let mark = match values(&fields, "set").next().unwrap_or_default() {
        "none" => None,
        word => Some(Mark::parse(word).ok_or_else(|| {
            ApiError::parameter("set", "`set` must be false_positive, true_positive or none")
        })?),
    };
    let mut done = Done::default();
    for id in parsed(&fields, "id")? {
        done.mark(&store, &author, id, mark).await?;
    }
    Ok(done.page(&selection.origin, None))
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
    let sources = values(&fields, "address").map(ip_lists::source).collect::<Result<Vec<_>, _>>()?;
    let mut done = Done::default();
    for source in sources {
        let form = BlockForm { r#for: *hours, confirmed: false };
        let draft = form.draft(source, "from selected rows".to_owned(), author.at)?;
        done.entries.push(use_cases::ip_lists::add(&ruleset, &author, draft).await?.entry.id);
    }
    Ok(done.page(&origin, None))
}

#[derive(Template)]
#[template(path = "selection_done.html")]
struct DonePage {
    done: Done,
    /// The mark that the attacks have now.
    mark: Option<Mark>,
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
    let done = Done::read(&fields)?;
    let origin = Origin::of(&Given::new(fields.clone()));
    let mark = match done.marked.first() {
        Some((id, _)) => store.attack(*id).await?.and_then(|attack| attack.mark),
        None => None,
    };
    let hit = match parsed(&fields, "hit")?.first() {
        Some(id) => store.hit(*id).await?.map(|HitDetail { hit, .. }| hit),
        None => None,
    };
    let similar = match &hit {
        Some(hit) => similar(&store, hit).await?,
        None => Vec::new(),
    };
    let (mark, can_edit) = (mark.map(|marking| marking.value), actor.role.can_edit());
    Ok(render(&DonePage { done, mark, hit, similar, can_edit, origin }))
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

/// Undoes what was done, unless it was changed since.
pub(super) async fn undo(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    State(sender): State<Sender>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, ApiError> {
    let (done, store) = (Done::read(&fields)?, &ruleset.store);
    for (id, revision) in done.marked {
        let attack = store.attack(id).await?.ok_or_else(|| ApiError::not_found("attack", id))?;
        if attack.revision != revision {
            return Err(ApiError::Stale(attack.revision));
        }
        let (kind, object) = (Some(ObjectKind::Attack), Some(attack.id.to_string()));
        let filter = LogFilter { kind, object, ..LogFilter::default() };
        let lines = store.log(&filter, &Slice { limit: 1, after: None }).await?.items;
        let line = lines.first().ok_or_else(|| ApiError::not_found("audit line", id))?;
        undo::undo(&ruleset, sender.targets(), &author, line).await?;
    }
    for id in done.rules {
        if let Some(rule) = store.find::<StoredRule>(id).await? {
            rules::delete(&ruleset, &author, (rule.rule.id, NEW)).await?;
        }
    }
    for id in done.entries {
        if let Some(entry) = store.find::<StoredEntry>(id).await? {
            use_cases::ip_lists::delete(&ruleset, &author, (entry.entry.id, NEW)).await?;
        }
    }
    let origin = Origin::of(&Given::new(fields.clone()));
    Ok(match parsed::<Uuid>(&fields, "hit")?.first() {
        Some(hit) => Redirect::to(&format!("/hits/{hit}{origin}")),
        None => Redirect::to(&origin.list()),
    })
}
