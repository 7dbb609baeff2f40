//! Groups of attacks.

use crate::store::{
    Store, StoreError,
    search::{condition::facet_column, id_set::AttackSet},
    sql::{
        address,
        row::Row,
        statement::Statement,
        text_codec::{Text, count},
    },
};
use crate::{
    attack::{AttackGroup, AttackStatus, GroupField, Grouping},
    facet::UNKNOWN,
    paging::{Cursor, Page, Slice},
    query::Filter,
};
use sqlx::{Row as _, any::AnyRow};
use std::collections::BTreeMap;

/// Separates the values of a key. A value that contains it is displayed together with the one
/// before it.
const SEPARATOR: char = '\u{1f}';

/// The counters that decide the status of a group, of attacks, values and hits.
const BY_ATTACK: &str = "cast(sum(a.blocked) as bigint) as blocked, \
     cast(sum(a.hits - a.suspicious) as bigint) as not_suspicious";
const BY_VALUE: &str = "cast(sum(s.blocked) as bigint) as blocked, \
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
        if let [field] = grouping.fields()
            && field.is_of_hit()
            && !set.selects_hits()
        {
            return Ok(self.values(&set, *field, slice).await?.1);
        }
        self.groups_of(&set, grouping, slice).await
    }

    pub(crate) async fn groups_of(
        &self,
        set: &AttackSet,
        grouping: &Grouping,
        slice: &Slice,
    ) -> Result<Page<AttackGroup>, StoreError> {
        // Counters by attack have values of one field of hits.
        let of_hit: Vec<_> = grouping.fields().iter().copied().filter(|field| field.is_of_hit()).collect();
        let reads_hits = set.selects_hits() || of_hit.len() > 1;
        let counter = of_hit.first().copied();
        let mut statement = Statement::new("select * from (select ");
        for (n, field) in grouping.fields().iter().enumerate() {
            if n > 0 {
                statement.push(" || '\u{1f}' || ");
            }
            match field {
                GroupField::Ip if reads_hits => statement.push("h.ip"),
                GroupField::Facet(facet) if reads_hits => {
                    statement.push("coalesce(").push(facet_column(*facet)).push(", '')")
                }
                field => statement.push(column(*field)),
            };
        }
        if reads_hits {
            statement
                .push(" as key, count(distinct h.attack_id) as attacks, count(*) as hits, ")
                .push(BY_HIT);
            statement.push(", min(h.at) as first_seen, max(h.at) as last_seen from ").push_selected_hits(set);
        } else {
            statement
                .push(" as key, count(*) as attacks, ")
                .push_hits(if counter.is_some() { "s" } else { "a" }, set)
                .push(" as hits, ")
                .push(if counter.is_some() { BY_VALUE } else { BY_ATTACK })
                .push(", min(a.first_seen) as first_seen, max(a.last_seen) as last_seen from attacks a ");
            if let Some(field) = counter {
                statement.push("join ").push_counters(field).push("s.attack_id = a.id where ");
            } else {
                statement.push("where ");
            }
            statement.push_attack_set(set);
            if counter.is_some() {
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
    /// The values of a field of hits, the one with the most hits first, and their number from the
    /// start of the page. One scan of the counters, and one of the attacks of a page.
    pub(crate) async fn values(
        &self,
        set: &AttackSet,
        field: GroupField,
        slice: &Slice,
    ) -> Result<(u64, Page<AttackGroup>), StoreError> {
        let grouping = Grouping::by(field);
        if set.selects_hits() {
            let mut statement = Statement::new("select count(distinct ");
            statement.push(match field {
                GroupField::Facet(facet) => facet_column(facet),
                _ => "h.ip",
            });
            statement.push(") from ").push_selected_hits(set);
            let (values,): (i64,) = statement.fetch_tuple(&self.searcher).await?;
            return Ok((count(values), self.groups_of(set, &grouping, slice).await?));
        }
        let rows = values_of(set, field, slice).fetch_rows(&self.searcher).await?;
        let values = rows.first().map_or(Ok(0), |row| row.try_get("all_values").map(count))?;
        let groups = rows.iter().map(|row| read(row, &grouping)).collect::<Result<_, _>>()?;
        Ok((values, Page::cut(groups, slice.limit)))
    }
}

impl Statement {
    /// The counters `s` of the values of a field of hits. A condition follows.
    fn push_counters(&mut self, field: GroupField) -> &mut Self {
        match field {
            GroupField::Facet(facet) => {
                self.push("attack_facets s on s.facet = ").bind(facet.name()).push(" and ")
            }
            _ => self.push("attack_sources s on "),
        }
    }
}

/// The statement of a page of the values of a field of hits.
pub(crate) fn values_of(set: &AttackSet, field: GroupField, slice: &Slice) -> Statement {
    let value = column(field);
    // Otherwise SQLite may select the page again for each attack.
    let mut statement = Statement::new("with page as materialized (select ");
    statement
        .push(value)
        .push(" as key, count(*) as attacks, ")
        .push_hits("s", set)
        .push(" as hits, ")
        .push(BY_VALUE)
        .push(", count(*) over () as all_values from ");
    match field {
        GroupField::Facet(facet) => {
            statement.push("attack_facets s where s.facet = ").bind(facet.name()).push(" and ")
        }
        _ => statement.push("attack_sources s where "),
    };
    statement.push_attack_set_of("s.attack_id", set).push_has_hits("s", set).push(" group by ").push(value);
    if let Some(after) = &slice.after {
        statement.push(" having ").push_hits("s", set).push(" < ").bind(after.position);
        statement.push(" or (").push_hits("s", set).push(" = ").bind(after.position);
        statement.push(" and ").push(value).push(" > ").bind(after.id.as_str()).push(")");
    }
    statement.push(" order by 3 desc, 1 limit ").bind(i64::from(slice.limit) + 1).push(
        ") select p.key, p.attacks, p.hits, p.blocked, p.not_suspicious, \
             min(a.first_seen) as first_seen, max(a.last_seen) as last_seen, p.all_values from page p join ",
    );
    statement.push_counters(field).push(value).push(" = p.key join attacks a on a.id = s.attack_id where ");
    statement.push_attack_set(set).push_has_hits("s", set);
    statement.push(
        " group by p.key, p.attacks, p.hits, p.blocked, p.not_suspicious, p.all_values order by p.hits desc, p.key",
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
        GroupField::Facet(_) => "s.value",
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
            GroupField::Facet(_) if value.is_empty() => UNKNOWN.to_owned(),
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
