//! Kill -9 during ingestion: acknowledged records are stored, and none is stored twice.

use crate::{
    postgres_server,
    program::{Console, call, json_of, token},
};
use serde_json::{Value, json};
use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

const ROUNDS: u32 = 3;
const SENDERS: u32 = 3;
const BATCH: u32 = 20;
/// The number of batches acknowledged before the kill of a round. Others are in flight then.
const BEFORE_THE_KILL: u32 = 6;

/// The numbers of the requests of a batch.
fn requests(batch: u32) -> Range<u32> {
    batch * BATCH..(batch + 1) * BATCH
}

/// Records of one attack from one address, half of them with a response report.
pub(crate) fn batch(number: u32) -> String {
    let records = requests(number).flat_map(|n| {
        let request_id = format!("{n:032}");
        let finding = json!({
            "type": "ptrav", "point": [["uri"]], "signature": "s", "severity": "high", "payload": "/etc/passwd", "span": [0, 11],
        });
        let hit = json!({
            "id": format!("00000000-0000-7000-8000-{n:012}"), "type": "ptrav", "point": [["uri"]], "findings": [finding],
        });
        let attack = json!({"attack": {
            "request": {
                "request_id": request_id, "at": "2026-01-01T10:00:00Z", "client_ip": "203.0.113.7", "method": "GET",
                "host": "shop.example.com", "path": "/etc/passwd",
            },
            "decision": {
                "outcome": "blocked", "reason": "attack", "mode": "block", "mode_source": "config", "delivery": "inline",
                "enforced": "yes",
            },
            "hits": [hit],
        }});
        let response = json!({"response": {"request_id": request_id, "status": 403}});
        [Some(attack), (n % 2 == 0).then_some(response)].into_iter().flatten()
    });
    let node = json!({"id": "00000000-0000-7000-8000-000000000009", "version": "1"});
    json!({"node": node, "records": records.collect::<Vec<_>>()}).to_string()
}

/// The batches of all rounds. A sender sends the next number, and stops when the console is killed.
struct Traffic {
    next: AtomicU32,
    acknowledged: Mutex<Vec<u32>>,
}

impl Traffic {
    fn send(&self, address: &str, token: &str, number: u32) -> bool {
        let answer = call(address, token, "POST /api/v1/ingest", &batch(number)).unwrap_or_default();
        let is_acknowledged = answer.starts_with("HTTP/1.1 200") && answer.contains(r#""rejected":[]"#);
        if is_acknowledged {
            self.acknowledged.lock().unwrap().push(number);
        }
        is_acknowledged
    }

    fn send_until_killed(&self, console: &mut Console, token: &str) {
        let address = console.address.clone();
        let enough = self.acknowledged.lock().unwrap().len() + BEFORE_THE_KILL as usize;
        thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope
                    .spawn(|| while self.send(&address, token, self.next.fetch_add(1, Ordering::Relaxed)) {});
            }
            while self.acknowledged.lock().unwrap().len() < enough {
                thread::yield_now();
            }
            console.process.kill().unwrap();
            console.process.wait().unwrap();
        });
    }
}

/// Kills consoles with these options during ingestion, and asserts that each record is stored once.
fn assert_stored_once(options: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let traffic = Traffic { next: AtomicU32::new(0), acknowledged: Mutex::default() };
    let mut node = String::new();
    for _ in 0..ROUNDS {
        let mut console = Console::start_with(dir.path(), options);
        node = token(dir.path(), "node-token");
        traffic.send_until_killed(&mut console, &node);
    }
    let console = Console::start_with(dir.path(), options);
    let admin = token(dir.path(), "admin-token");
    let acknowledged = traffic.acknowledged.lock().unwrap().clone();
    for request in acknowledged.iter().flat_map(|number| requests(*number)) {
        let list = console.call(&admin, &format!("GET /api/v1/hits?request_id={request:032}"), "");
        let list = json_of(&list);
        let expected = if request % 2 == 0 { json!(403) } else { Value::Null };
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "request {request}: {list}");
        assert_eq!(list["items"][0]["response_status"], expected, "request {request}");
    }
    // All batches are sent again. A node would send only those without an acknowledgement.
    let sent = traffic.next.load(Ordering::Relaxed);
    assert!((0..sent).all(|number| traffic.send(&console.address, &node, number)));
    let list = json_of(&console.call(&admin, "GET /api/v1/attacks", ""));
    let counts =
        |name: &str| list["items"].as_array().unwrap().iter().map(|attack| attack[name].clone()).collect();
    let (hits, blocked): (Vec<Value>, Vec<Value>) = (counts("hits"), counts("blocked"));
    let all = vec![json!(sent * BATCH)];
    assert_eq!((&hits, &blocked), (&all, &all));
}

#[test]
fn sqlite_keeps_acknowledged_records_once_after_kill() {
    assert_stored_once(&[]);
}

#[test]
fn postgresql_keeps_acknowledged_records_once_after_kill() {
    postgres_server::with_server(|server| assert_stored_once(&["--database-url", &server.url()]));
}
