//! Test harness: a connector with a fake node.

use crate::node::{Node, Received, router};
use connector::Connector;
use serde_json::value::RawValue;
use shared::InspectRequest;
use std::sync::{Arc, Mutex};

pub(crate) struct Harness {
    pub connector: Arc<Connector>,
    pub received: Arc<Mutex<Received>>,
    pub node: Arc<Mutex<Node>>,
    pub address: String,
}

pub(crate) async fn harness(node: Node, parameters: &[(&str, &str)]) -> Harness {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (node, received) = (Arc::new(Mutex::new(node)), Arc::<Mutex<Received>>::default());
    let router = router((node.clone(), Arc::clone(&received)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let base = [("WLRM_FUNCTION", "request"), ("WLRM_NODE_ADDR", &address), ("WLRM_DEADLINE_MS", "4000")];
    let connector = Connector::new(|name| {
        let set = parameters.iter().chain(&base).find(|(known, _)| *known == name);
        set.map(|(_, value)| (*value).to_owned())
    });
    Harness { connector: Arc::new(connector), received, node, address }
}

impl Harness {
    /// The reply to CloudFront, as JSON, before the work after the reply.
    pub(crate) async fn reply(&self, event: &str) -> String {
        let event = RawValue::from_string(event.to_owned()).unwrap();
        let reply = self.connector.clone().handle(event).await.unwrap();
        serde_json::to_string(&reply).unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<InspectRequest> {
        self.received.lock().unwrap().requests.clone()
    }
}

/// The request or response of an event, byte for byte.
pub(crate) fn part<'a>(event: &'a str, name: &str) -> &'a str {
    #[derive(serde::Deserialize)]
    struct Event<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<std::collections::HashMap<&'a str, std::collections::HashMap<&'a str, &'a RawValue>>>,
    }
    serde_json::from_str::<Event<'a>>(event).unwrap().records[0]["cf"][name].get()
}
