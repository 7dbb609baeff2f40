use crate::{
    attack::{BUCKET, GroupField, Order, SortKey},
    paging::{Cursor, Slice},
    query::Filter,
    sealing::KeyFile,
    seed,
    store::{
        DatabaseUrl, Delivery, Store, ValidRecord,
        attacks::{PageLimits, groups, stats},
        search::plan::{HitLookup, Plan, SearchScope},
        sql::statement::Statement,
    },
};
use jiff::Timestamp;
use shared::{AttackRecord, Outcome, Record};

const MANY: i64 = 30_000;

/// The scope of a search. A page has a limit of collected rows.
#[derive(Debug, Clone, Copy)]
enum Scope {
    Few,
    Page(i64),
    All,
}

const QUERIES: [&str; 22] = [
    "type:sqli",
    "type:\"none\"",
    "host:api.example.com",
    "host:*.org",
    "path:/search",
    "path:/API/*",
    "parameter:*CMD",
    "payload:union",
    "payload:*passwd",
    "-payload:select",
    "ip:198.18.0.0/16",
    "method:get -type:xss",
    "severity:critical,low",
    "country:DE -network:AS64501",
    "user_agent:curl OR severity:low",
    "response:404",
    "-response:2xx",
    "etc/ OR nowhere OR -alert",
    "status:suspicious",
    "-status:suspicious",
    "-status:suspicious payload:union",
    "status:suspicious,blocked -mark:false_positive",
];

#[tokio::test]
async fn every_plan_of_a_filter_finds_the_same_attacks() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&DatabaseUrl::in_dir(dir.path()), &KeyFile::in_dir(dir.path())).await.unwrap();
    for batch in seed::batches(600, 500, Timestamp::now()) {
        let (node, now) = (seed::node(), Timestamp::now());
        let records = batch.into_iter().map(|record| ValidRecord::new(partly_suspicious(record), now));
        let delivery = Delivery { node: &node, token: None, status: None, now };
        let records: Vec<_> = records.collect();
        store.ingest(delivery, &records).await.unwrap();
    }
    let all = store.ids_of_query("", Scope::Few).await.len();
    for query in QUERIES {
        let expected = store.ids_of_query(query, Scope::Few).await;
        assert!(
            query == "type:\"none\"" || !expected.is_empty() && expected.len() < all,
            "{query}: {}",
            expected.len()
        );
        for scope in [Scope::Page(0), Scope::Page(MANY), Scope::All] {
            assert_eq!(store.ids_of_query(query, scope).await, expected, "{query}, {scope:?}");
        }
        let filter = Filter::parse(query, Timestamp::now()).unwrap();
        let by_hit = store.ids_by_hit(&filter, HitLookup::Each).await;
        assert_eq!(store.ids_by_hit(&filter, HitLookup::Collect).await, by_hit, "{query}");
        if !filter.selects_hits() {
            assert_eq!(by_hit, expected, "{query}");
        }
        for limits in [
            PageLimits { max_rare_matches: 0, next: 1 },
            PageLimits { max_rare_matches: 0, next: 9 },
            PageLimits { max_rare_matches: MANY, next: 0 },
        ] {
            assert_eq!(store.paged_ids(query, limits).await, by_hit, "{query}, {limits:?}");
        }
        let candidates = store.ids_of_filter(&filter.of_attacks(), Scope::Few).await;
        assert!(by_hit.iter().all(|id| candidates.contains(id)), "{query}");
        for few in [0, 2000] {
            assert_eq!(
                store.ids_of_attack_set(query, few).await,
                [candidates.clone(), candidates.clone()],
                "{query}, {few}"
            );
        }
    }
}

/// Makes all requests of one path suspicious, and some of the others.
fn partly_suspicious(mut record: Record) -> Record {
    if let Record::Attack(attack) = &mut record {
        let AttackRecord { request, decision, hits, .. } = &mut **attack;
        if request.path == "/search" || hits[0].id.as_u128() % 5 == 0 {
            decision.outcome = Outcome::Suspicious;
        }
    }
    record
}

#[tokio::test]
async fn statistics_find_the_excluded_attacks_by_their_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&DatabaseUrl::in_dir(dir.path()), &KeyFile::in_dir(dir.path())).await.unwrap();
    let set = store.attack_set(&Filter::default().without_hidden()).await.unwrap();
    let slice = Slice { limit: 8, after: None };
    for (statement, scan) in [
        (groups::values_of(&set, GroupField::Ip, &slice), "SCAN s USING COVERING INDEX attack_sources_by_ip"),
        (stats::statuses_of(&set), "SCAN s USING COVERING INDEX attack_statuses_by_status"),
        (
            stats::series_of(&set, BUCKET, 0..=1),
            "SEARCH t USING COVERING INDEX attack_times_by_slot (slot>? AND slot<?)",
        ),
    ] {
        let plan = statement.plan(&store.reader).await.unwrap();
        for step in [
            scan,
            "SEARCH a USING INDEX attacks_by_mark (mark=?)",
            "USING INDEX attacks_suspicious (<expr>=?)",
        ] {
            assert!(plan.contains(step), "{step}:\n{plan}");
        }
    }
}

impl Store {
    /// The ids of a set of attacks, read from attacks and from their counters.
    async fn ids_of_attack_set(&self, query: &str, few: i64) -> [Vec<(String,)>; 2] {
        let filter = Filter::parse(query, Timestamp::now()).unwrap();
        let set = self.attack_set_within(&filter, few).await.unwrap();
        let mut attacks = Statement::new("select a.id from attacks a where ");
        attacks.push_attack_set(&set).push(" order by a.id");
        let mut sources = Statement::new("select distinct s.attack_id from attack_sources s where ");
        sources.push_attack_set_of("s.attack_id", &set).push(" order by s.attack_id");
        [attacks.fetch_tuples(&self.reader).await.unwrap(), sources.fetch_tuples(&self.reader).await.unwrap()]
    }

    /// The ids of the attacks with matching hits.
    async fn ids_by_hit(&self, filter: &Filter, lookup: HitLookup) -> Vec<(String,)> {
        let mut statement =
            Statement::new("select distinct a.id from hits h join attacks a on a.id = h.attack_id where ");
        statement.push_plan(&Plan::new(filter, SearchScope::Hits(lookup))).push(" order by a.id");
        statement.fetch_tuples(&self.reader).await.unwrap()
    }

    /// The ids of the matching attacks, read page by page.
    async fn paged_ids(&self, query: &str, limits: PageLimits) -> Vec<(String,)> {
        let filter = Filter::parse(query, Timestamp::now()).unwrap();
        let order = Order { by: SortKey::LastSeen, descending: true };
        let (mut slice, mut ids, mut last) = (Slice { limit: 3, after: None }, Vec::new(), None);
        loop {
            let page = self.attacks_within(limits, &filter, order, &slice).await.unwrap();
            for attack in page.items {
                assert!(last.is_none_or(|last| attack.last_seen <= last));
                last = Some(attack.last_seen);
                slice.after = Some(Cursor {
                    list: order.text(),
                    position: attack.last_seen.as_millisecond(),
                    id: attack.id.to_string(),
                });
                ids.push((attack.id.to_string(),));
            }
            if page.next_cursor.is_none() {
                ids.sort();
                return ids;
            }
        }
    }

    /// The ids of the matching attacks.
    async fn ids_of_query(&self, query: &str, scope: Scope) -> Vec<(String,)> {
        self.ids_of_filter(&Filter::parse(query, Timestamp::now()).unwrap(), scope).await
    }

    async fn ids_of_filter(&self, filter: &Filter, scope: Scope) -> Vec<(String,)> {
        let plan = match scope {
            Scope::Few => Plan::new(filter, SearchScope::Few),
            Scope::All => Plan::new(filter, SearchScope::All),
            Scope::Page(max_scanned_rows) => {
                let matches = &self.matches_up_to(max_scanned_rows, filter).await.unwrap();
                Plan::new(filter, SearchScope::Page { matches, max_scanned_rows })
            }
        };
        let mut statement = Statement::new("select a.id from attacks a where ");
        statement.push_plan(&plan).push(" order by a.id");
        statement.fetch_tuples(&self.reader).await.unwrap()
    }
}
