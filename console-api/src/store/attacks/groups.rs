//! Groups of attacks.

use crate::store::{
    Store, StoreError,
    search::id_set::AttackSet,
    sql::{
        address,
        row::Row,
        statement::Statement,
        text_codec::{Text, count},
    },
};
use crate::{
    attack::{AttackGroup, AttackStatus, GroupField, Grouping},
    paging::{Cursor, Page, Slice},
    query::Filter,
};
use sqlx::{Row as _, any::AnyRow};
use std::collections::BTreeMap;

/// Separates the values of a key. A value that contains it is displayed together with the one
/// before it.
const SEPARATOR: char = '\u{1f}';

/// The counters that decide the status of a group, of attacks, sources and hits.
const BY_ATTACK: &str = "cast(sum(a.blocked) as bigint) as blocked, \
     cast(sum(a.hits - a.suspicious) as bigint) as not_suspicious";
const BY_SOURCE: &str = "cast(sum(s.blocked) as bigint) as blocked, \
     cast(sum(s.hits - s.suspicious) as bigint) as not_suspicious";
const BY_HIT: &str = "cast(sum(h.blocked) as bigint) as blocked, \
     cast(sum(1 - h.suspicious) as bigint) as not_suspicious";

impl Store {
    /// The groups of the attacks that match a filter, the one with the most hits first.
    pub async fn groups(
        &self,
        filter: &Filter,
        grouping: &Grouping,
        slice: &Slice,
    ) -> Result<Page<AttackGroup>, StoreError> {
        let set = self.attack_set(filter).await?;
        if grouping.fields() == [GroupField::Ip] && !set.selects_hits() {
            return Ok(self.sources(&set, slice).await?.1);
        }
        self.groups_of(&set, grouping, slice).await
    }

    pub(crate) async fn groups_of(
        &self,
        set: &AttackSet,
        grouping: &Grouping,
        slice: &Slice,
    ) -> Result<Page<AttackGroup>, StoreError> {
        let by_source = grouping.fields().contains(&GroupField::Ip);
        let mut statement = Statement::new("select * from (select ");
        for (n, field) in grouping.fields().iter().enumerate() {
            if n > 0 {
                statement.push(" || '\u{1f}' || ");
            }
            statement.push(match field {
                GroupField::Ip if set.selects_hits() => "h.ip",
                field => column(*field),
            });
        }
        if set.selects_hits() {
            statement
                .push(" as key, count(distinct h.attack_id) as attacks, count(*) as hits, ")
                .push(BY_HIT);
            statement.push(", min(h.at) as first_seen, max(h.at) as last_seen from ").push_selected_hits(set);
        } else {
            statement
                .push(" as key, count(*) as attacks, ")
                .push_hits(if by_source { "s" } else { "a" }, set)
                .push(" as hits, ")
                .push(if by_source { BY_SOURCE } else { BY_ATTACK })
                .push(", min(a.first_seen) as first_seen, max(a.last_seen) as last_seen from attacks a ")
                .push(if by_source { "join attack_sources s on s.attack_id = a.id " } else { "" })
                .push("where ")
                .push_attack_set(set);
            if by_source {
                statement.push_has_hits("s", set);
            }
        }
        statement.push(" group by 1) g");
        if let Some(after) = &slice.after {
            statement.push(" where g.hits < ").bind(after.position);
            statement.push(" or (g.hits = ").bind(after.position);
            statement.push(" and g.key > ").bind(after.id.as_str()).push(")");
        }
        statement.push(" order by g.hits desc, g.key limit ").bind(i64::from(slice.limit) + 1);
        let rows = statement.fetch_rows(&self.searcher).await?;
        let groups = rows.iter().map(|row| read(row, grouping)).collect::<Result<_, _>>()?;
        Ok(Page::cut(groups, slice.limit))
    }
}

impl Store {
    /// The sources of attacks, the one with the most hits first, and their number from the start of
    /// the page. One scan of the sources, and one of the attacks of a page.
    pub(crate) async fn sources(
        &self,
        set: &AttackSet,
        slice: &Slice,
    ) -> Result<(u64, Page<AttackGroup>), StoreError> {
        if set.selects_hits() {
            let mut statement = Statement::new("select count(distinct h.ip) from ");
            statement.push_selected_hits(set);
            let (sources,): (i64,) = statement.fetch_tuple(&self.searcher).await?;
            return Ok((count(sources), self.groups_of(set, &Grouping::by(GroupField::Ip), slice).await?));
        }
        let rows = sources_of(set, slice).fetch_rows(&self.searcher).await?;
        let sources = rows.first().map_or(Ok(0), |row| row.try_get("sources").map(count))?;
        let by_ip = Grouping::by(GroupField::Ip);
        let groups = rows.iter().map(|row| read(row, &by_ip)).collect::<Result<_, _>>()?;
        Ok((sources, Page::cut(groups, slice.limit)))
    }
}

/// The statement of a page of sources.
pub(crate) fn sources_of(set: &AttackSet, slice: &Slice) -> Statement {
    let mut statement = Statement::new("with page as (select s.ip as ip, count(*) as attacks, ");
    statement
        .push_hits("s", set)
        .push(" as hits, ")
        .push(BY_SOURCE)
        .push(", count(*) over () as sources from attack_sources s where ")
        .push_attack_set_of("s.attack_id", set)
        .push_has_hits("s", set)
        .push(" group by s.ip");
    if let Some(after) = &slice.after {
        statement.push(" having ").push_hits("s", set).push(" < ").bind(after.position);
        statement.push(" or (").push_hits("s", set).push(" = ").bind(after.position);
        statement.push(" and s.ip > ").bind(after.id.as_str()).push(")");
    }
    statement.push(" order by 3 desc, 1 limit ").bind(i64::from(slice.limit) + 1).push(
        ") select p.ip as key, p.attacks, p.hits, p.blocked, p.not_suspicious, \
             min(a.first_seen) as first_seen, max(a.last_seen) as last_seen, p.sources from page p \
             join attack_sources s on s.ip = p.ip join attacks a on a.id = s.attack_id where ",
    );
    statement.push_attack_set(set).push_has_hits("s", set);
    statement.push(
        " group by p.ip, p.attacks, p.hits, p.blocked, p.not_suspicious, p.sources order by p.hits desc, p.ip",
    );
    statement
}

fn column(field: GroupField) -> &'static str {
    match field {
        GroupField::Type => "a.type",
        GroupField::Host => "a.host",
        GroupField::Path => "a.path",
        GroupField::Parameter => "a.parameter",
        GroupField::Ip => "s.ip",
    }
}

/// Reads a group. Its key consists of the values, with [`SEPARATOR`] between them.
fn read(row: &AnyRow, grouping: &Grouping) -> Result<AttackGroup, StoreError> {
    let row = Row { table: "attacks", row };
    let stored: Text = row.get("key")?;
    let cursor = Cursor { list: String::new(), position: row.get("hits")?, id: stored.stored().to_owned() };
    let key = String::from(stored);
    let mut group = BTreeMap::new();
    let fields = grouping.fields();
    for (field, value) in fields.iter().zip(key.splitn(fields.len(), SEPARATOR)) {
        let value = match field {
            GroupField::Ip => address::from_key(value).ok_or_else(|| row.bad("ip"))?.to_string(),
            _ => value.to_owned(),
        };
        group.insert(field.name(), value);
    }
    let blocked = row.count("blocked")?;
    Ok(AttackGroup {
        group,
        attacks: row.count("attacks")?,
        hits: row.count("hits")?,
        blocked,
        status: AttackStatus::of(row.count("not_suspicious")?, blocked),
        first_seen: row.time("first_seen")?,
        last_seen: row.time("last_seen")?,
        cursor,
    })
}
