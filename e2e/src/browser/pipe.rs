//! The remote debugging protocol over a pipe.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout},
    sync::{Mutex as AsyncMutex, oneshot},
    time::timeout,
};

pub(super) struct Pipe {
    input: AsyncMutex<ChildStdin>,
    next: AtomicU64,
    received: Arc<Received>,
}

/// Messages received from Chromium.
#[derive(Default)]
struct Received {
    /// Pending calls.
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    complaints: Mutex<Vec<String>>,
}

impl Pipe {
    /// Time limit of a call.
    const TIMEOUT: Duration = Duration::from_mins(1);

    pub(super) fn new(process: &mut Child) -> anyhow::Result<Self> {
        let input = process.stdin.take().context("standard input is not a pipe")?;
        let output = process.stdout.take().context("standard output is not a pipe")?;
        let received = Arc::<Received>::default();
        tokio::spawn(listen(output, received.clone()));
        Ok(Self { input: AsyncMutex::new(input), next: AtomicU64::new(1), received })
    }

    pub(super) async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> anyhow::Result<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.received.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, answer);
        let mut call = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = session {
            call["sessionId"] = session.into();
        }
        let mut message = call.to_string().into_bytes();
        message.push(0);
        self.input.lock().await.write_all(&message).await.context("Chromium has ended")?;
        let answer =
            timeout(Self::TIMEOUT, answered).await.with_context(|| format!("{method} is not answered"))?;
        let mut answer = answer.context("Chromium has ended")?;
        if let Some(error) = answer.get("error") {
            bail!("{method}: {error}");
        }
        Ok(answer["result"].take())
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        mem::take(&mut self.received.complaints.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn listen(output: ChildStdout, received: Arc<Received>) {
    let (mut output, mut message) = (BufReader::new(output), Vec::new());
    while output.read_until(0, &mut message).await.is_ok_and(|read| read > 0) {
        if let Ok(json) = serde_json::from_slice::<Value>(&message[..message.len() - 1]) {
            received.handle(json);
        }
        message.clear();
    }
    // Dropping the senders fails the pending calls.
    received.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

impl Received {
    fn handle(&self, json: Value) {
        if let Some(id) = json["id"].as_u64() {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            waiting.map(|waiting| waiting.send(json));
            return;
        }
        let parameters = &json["params"];
        let complaint = match json["method"].as_str() {
            Some("Runtime.consoleAPICalled") => format!("console: {}", parameters["args"]),
            Some("Runtime.exceptionThrown") => format!("exception: {}", parameters["exceptionDetails"]),
            // Hidden in Chromium's console by default.
            Some("Log.entryAdded") if parameters["entry"]["level"] == "verbose" => return,
            Some("Log.entryAdded") => format!("log: {}", parameters["entry"]),
            Some("Page.javascriptDialogOpening") => format!("dialog: {}", parameters["message"]),
            _ => return,
        };
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).push(complaint);
    }
}
