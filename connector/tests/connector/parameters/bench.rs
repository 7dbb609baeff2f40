//! Test bench: a function at one trigger with a fake node, and the observations of both.

use super::rows::Row;
use crate::{
    ORIGIN_REQUEST, ORIGIN_RESPONSE, VIEWER_REQUEST, VIEWER_RESPONSE,
    certificates::{Identity, authority, pin},
    harness::part,
    node::{Node, Received, router},
};
use axum::serve::{Listener as _, ListenerExt as _};
use connector::Connector;
use serde_json::{Value, json, value::RawValue};
use shared::{Body, ConnectorInfo, RequestId};
use std::{
    collections::BTreeMap,
    ops::Index,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

#[derive(Clone, Copy)]
pub(super) struct At {
    pub name: &'static str,
    event: &'static str,
}

pub(super) const TRIGGERS: [At; 4] = [
    At { name: "viewer-request", event: VIEWER_REQUEST },
    At { name: "origin-request", event: ORIGIN_REQUEST },
    At { name: "origin-response", event: ORIGIN_RESPONSE },
    At { name: "viewer-response", event: VIEWER_RESPONSE },
];

pub(super) struct Bench {
    connector: Arc<Connector>,
    trigger: At,
    received: Arc<Mutex<Received>>,
    connections: Arc<AtomicU32>,
    log: Arc<Mutex<Vec<String>>>,
    /// Accepts connections and never replies.
    _unresponsive: TcpListener,
}

/// Observations of a run: name → value.
pub(super) struct Observed(BTreeMap<&'static str, String>);

impl At {
    pub(super) fn is_request(self) -> bool {
        self.name.ends_with("request")
    }

    fn function(self) -> &'static str {
        if self.is_request() { "request" } else { "response" }
    }
}

impl Bench {
    /// With the row's parameter set to this value, or unset.
    pub(super) async fn start(row: &Row, trigger: At, value: Option<&str>) -> Self {
        let set = value.map(|value| (row.parameter, value));
        Self::with(row.node, set.iter().chain(row.with).copied().collect(), trigger).await
    }

    pub(super) async fn misconfigured(parameter: &str, value: &str, trigger: At, fail_mode: &str) -> Self {
        Self::with(Node::Blocks, vec![(parameter, value), ("wlrm_fail_mode", fail_mode)], trigger).await
    }

    async fn with(node: Node, set: Vec<(&str, &str)>, trigger: At) -> Self {
        let received = Arc::<Mutex<Received>>::default();
        let router = router((Arc::new(Mutex::new(node)), received.clone()));
        let connections = Arc::<AtomicU32>::default();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let counted = tcp.tap_io({
            let connections = connections.clone();
            move |_| {
                connections.fetch_add(1, Ordering::SeqCst);
            }
        });
        tokio::spawn(axum::serve(counted, router.clone()).into_future());

        let authority = authority();
        let identity = Identity::new(&authority, "localhost", false);
        let tls = identity.listen().await;
        let tls_port = tls.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(tls, router).await });
        let unresponsive = TcpListener::bind("127.0.0.1:0").await.unwrap();

        let placeholders = [
            ("{node}", format!("http://127.0.0.1:{port}")),
            ("{remote}", format!("http://0.0.0.0:{port}")),
            ("{tls}", format!("https://localhost:{tls_port}")),
            ("{unresponsive}", format!("https://{}", unresponsive.local_addr().unwrap())),
            ("{authority}", authority.pem()),
            ("{pin}", pin(&identity.certificate)),
        ];
        let filled = |text: &str| {
            placeholders.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        let base = [
            ("wlrm_function", trigger.function()),
            ("wlrm_node_addr", "{node}"),
            ("wlrm_deadline_ms", "4000"),
        ];
        let log = Arc::<Mutex<Vec<String>>>::default();
        let sink = {
            let log = log.clone();
            move |line: &str| log.lock().unwrap().push(line.to_owned())
        };
        let connector = Connector::logging_to(sink, |name| {
            let name = name.to_ascii_lowercase();
            let set = set.iter().chain(&base).find(|(known, _)| *known == name);
            set.map(|(_, value)| filled(value))
        });
        Self {
            connector: Arc::new(connector),
            trigger,
            received,
            connections,
            log,
            _unresponsive: unresponsive,
        }
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Handles the row's event as often as configured, and returns the observations.
    pub(super) async fn observe(&self, row: &Row) -> Observed {
        let event = event(self.trigger, row);
        let mut reply = String::new();
        for time in 0..row.times {
            if time > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let raw = RawValue::from_string(event.clone()).unwrap();
            let answer = self.connector.clone().handle(raw).await.unwrap();
            reply = serde_json::to_string(&answer).unwrap();
            self.connector.after_reply().await;
        }
        let (reply, page) = self.read(&reply, &event);
        let not_inspected = self.connector.not_inspected();
        let not_inspected: Vec<_> = not_inspected.iter().map(|entry| entry.reason.as_str()).collect();
        let log: Vec<_> = self.log().iter().map(|line| message(line)).collect();
        let mut observed = BTreeMap::from([
            ("reply", reply),
            ("page", page),
            ("not inspected", not_inspected.join(", ")),
            ("connections", self.connections.load(Ordering::SeqCst).to_string()),
            ("log", log.join(", ")),
        ]);
        self.read_calls(&mut observed);
        Observed(observed)
    }

    fn read(&self, reply: &str, event: &str) -> (String, String) {
        if reply == part(event, self.trigger.function()) {
            return ("unchanged".to_owned(), String::new());
        }
        let reply: Value = serde_json::from_str(reply).unwrap();
        if reply["headers"].get("x-wallarm-mark").is_some() {
            return ("marked".to_owned(), String::new());
        }
        let header = |name: &str| reply["headers"][name][0]["value"].as_str().map(str::to_owned);
        let kind = header("location").or_else(|| header("content-type")).unwrap_or_default();
        let config = serde_json::from_str::<Value>(event).unwrap()["Records"][0]["cf"]["config"].clone();
        let id = RequestId::derive(
            config["distributionId"].as_str().unwrap(),
            config["requestId"].as_str().unwrap(),
        );
        let body = reply["body"].as_str().unwrap().replace(&id.to_string(), "ID");
        let page = if body.starts_with("<!doctype") { "built-in".to_owned() } else { body };
        (format!("{} {kind}", reply["status"].as_str().unwrap()), page)
    }

    fn read_calls(&self, observed: &mut BTreeMap<&'static str, String>) {
        let received = self.received.lock().unwrap();
        observed.insert("calls", (received.requests.len() + received.reports.len()).to_string());
        observed.insert("signed", received.signatures.len().to_string());
        let last = received.requests.last();
        let connector = last.and_then(|request| request.connector.clone());
        let connector =
            connector.or_else(|| received.reports.last().and_then(|report| report.connector.clone()));
        let ConnectorInfo { application, bypassed, .. } = connector.unwrap_or_default();
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        observed.insert("application", number(application.map(u64::from)));
        observed.insert("bypassed", number(bypassed));
        let Some(request) = last else { return };
        let body = request.body.as_ref().map(|Body(body)| String::from_utf8_lossy(body).into_owned());
        let cut = if request.body_truncated { ", cut" } else { "" };
        let secret = request.headers.iter().any(|(name, _)| name == "x-wallarm-block-me");
        observed.insert("delivery", format!("{:?}", request.delivery));
        observed.insert("host", request.host.clone());
        observed.insert("client", request.client_ip.to_string());
        observed.insert("body", body.unwrap_or_default() + cut);
        let unseen = request.unseen_body.as_ref().map(|unseen| unseen.policy.to_string());
        observed.insert("unseen", unseen.unwrap_or_default());
        observed.insert("secret", if secret { "shown" } else { "kept" }.to_owned());
    }
}

/// The trigger's sample event with the changes of the row.
fn event(trigger: At, row: &Row) -> String {
    let mut event: Value = serde_json::from_str(trigger.event).unwrap();
    let request = &mut event["Records"][0]["cf"]["request"];
    for (name, value) in row.headers {
        request["headers"][*name] = json!([{ "key": name, "value": value }]);
    }
    if trigger.is_request() {
        request["body"] = json!({ "inputTruncated": row.cut, "action": "read-only", "encoding": "base64",
            "data": "eyJ1IjoiZXZlIn0=" });
    }
    if let Some((method, uri)) = row.plain {
        request["method"] = method.into();
        request["uri"] = uri.into();
        request["querystring"] = "".into();
        request.as_object_mut().unwrap().remove("body");
    }
    event.to_string()
}

fn message(line: &str) -> String {
    serde_json::from_str::<Value>(line).unwrap()["message"].as_str().unwrap().to_owned()
}

impl Observed {
    /// `name: before → after` of all observations that differ. Observations of a call that is
    /// missing in `other` are left out.
    pub(super) fn difference(&self, other: &Self) -> String {
        let names = other.0.keys();
        let shown = |observed: &Self, name| match observed.0.get(name).map(String::as_str) {
            None | Some("") => "–".to_owned(),
            Some(value) => value.to_owned(),
        };
        let changes = names.map(|name| (name, shown(self, name), shown(other, name)));
        let changes = changes.filter(|(_, before, after)| before != after);
        changes
            .map(|(name, before, after)| format!("{name}: {before} → {after}"))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

impl Index<&str> for Observed {
    type Output = String;

    fn index(&self, name: &str) -> &String {
        &self.0[name]
    }
}
