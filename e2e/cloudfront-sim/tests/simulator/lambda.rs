//! The Lambda emulator without CloudFront.

use std::time::{Duration, Instant};

use cloudfront_sim::lambda::{BundleError, Function, FunctionConfig, InvokeError, LogEvent};
use serde_json::{Value, json};

use crate::harness::{configured, count, eventually, from_files, function, process_state, python};

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[tokio::test]
async fn environment_is_reused_after_a_response() {
    let echo = function(
        "def lambda_handler(event, context):\n    return {'got': event, 'name': context.function_name}",
    )
    .await;
    for n in [1, 2, 3] {
        let answer = json(&echo.invoke(format!("{{\"n\": {n}}}")).await.unwrap());
        assert_eq!(answer, json!({"got": {"n": n}, "name": "us-east-1.under-test"}));
        echo.at_rest().await;
    }
    assert_eq!(echo.pids().len(), 1);
    assert_eq!(count(echo.log(), |event| *event == LogEvent::Started), 1);
}

#[tokio::test]
async fn function_sees_lambdas_variables_only() {
    let source = "import os\ndef lambda_handler(event, context):\n    return dict(os.environ)";
    let variables = json(&function(source).await.invoke("{}").await.unwrap());
    assert_eq!(variables["AWS_REGION"], "us-east-1");
    assert_eq!(variables["TZ"], ":UTC");
    assert!(variables["LAMBDA_TASK_ROOT"].as_str().unwrap().ends_with("/task"));
    assert!(variables.get("HOME").is_none() && variables.get("CARGO_MANIFEST_DIR").is_none(), "{variables}");
}

#[tokio::test]
async fn environment_is_frozen_between_invocations() {
    let source = "
import threading, time
beats = 0
def beat():
    global beats
    while True:
        beats += 1
        time.sleep(0.005)
threading.Thread(target=beat, daemon=True).start()
def lambda_handler(event, context):
    return beats";
    let heartbeat = function(source).await;
    let before = json(&heartbeat.invoke("{}").await.unwrap()).as_u64().unwrap();
    heartbeat.at_rest().await;
    let pid = heartbeat.pids()[0];
    eventually("the environment is stopped", || process_state(pid) == Some('T')).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = json(&heartbeat.invoke("{}").await.unwrap()).as_u64().unwrap();
    assert!(after - before < 50, "{} beats while frozen", after - before);
    heartbeat.at_rest().await;
    let thaws = |event: &LogEvent| *event == LogEvent::Thawed;
    assert_eq!((heartbeat.pids()[0], count(heartbeat.log(), thaws)), (pid, 1));
}

#[tokio::test]
async fn caller_does_not_wait_for_work_after_the_reply() {
    let busy = configured(SPEAKS_ITSELF, |config| config.max_environments = 1).await;
    busy.invoke("{}").await.unwrap();
    busy.at_rest().await;
    let start = Instant::now();
    busy.invoke(r#"{"after": 0.4}"#).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(400), "waited {:?}", start.elapsed());
    // The environment is busy until it polls again, so the next caller has to wait.
    busy.invoke(r#"{"after": 0}"#).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(400), "did not wait: {:?}", start.elapsed());
    let logged =
        count(busy.log(), |event| matches!(event, LogEvent::Next { user_agent } if user_agent == "by-hand"));
    assert!(logged >= 2, "{:?}", busy.log());
}

/// As the connector's bundle starts: the process is replaced during the import of its module.
#[tokio::test]
async fn a_module_may_replace_the_process_while_it_is_imported() {
    let launcher = "import os, sys\nos.execve(sys.executable, [sys.executable, 'other.py'], {**os.environ, 'ADDED': '1'})";
    let files = [("lambda_function.py", launcher, 0o644), ("other.py", SPEAKS_ITSELF, 0o644)];
    let replaced = from_files(&files, |_| {}).await;
    assert_eq!(json(&replaced.invoke("{}").await.unwrap()), json!("done"));
    let pid = replaced.pids()[0];
    let entries = replaced.log().entries();
    assert!(entries.iter().all(|entry| entry.pid == pid));
    let next = |event: &LogEvent| matches!(event, LogEvent::Next { user_agent } if user_agent == "by-hand");
    assert!(entries.iter().any(|entry| next(&entry.event)), "{entries:?}");
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(command.ends_with("other.py\0"), "{command}");
}

#[tokio::test]
async fn a_reply_counts_even_if_the_process_dies_after_it() {
    let exiting = function(SPEAKS_ITSELF).await;
    for _ in 0..2 {
        assert_eq!(json(&exiting.invoke(r#"{"die": "after"}"#).await.unwrap()), json!("done"));
        eventually("the environment has ended", || exiting.pids().is_empty()).await;
    }
    let early = exiting.invoke(r#"{"die": "before"}"#).await;
    assert!(matches!(early, Err(InvokeError::Exited { .. })), "{early:?}");
    assert!(exiting.invoke("{}").await.is_ok());
}

#[tokio::test]
async fn an_environment_killed_while_idle_is_replaced() {
    let echo = function("def lambda_handler(event, context):\n    return event").await;
    echo.invoke("1").await.unwrap();
    let pid = echo.pids()[0];
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    eventually("its end is detected", || echo.pids().is_empty()).await;
    assert_eq!(echo.invoke("2").await.unwrap(), b"2");
    assert_ne!(echo.pids()[0], pid);
}

#[tokio::test]
async fn a_hanging_function_is_killed_and_the_next_call_works() {
    let source = "import time\ndef lambda_handler(event, context):\n    time.sleep(event)\n    return event";
    let hanging = configured(source, |config| config.timeout = Duration::from_millis(600)).await;
    assert_eq!(hanging.invoke("60").await, Err(InvokeError::Timeout));
    eventually("the environment has ended", || hanging.pids().is_empty()).await;
    assert_eq!(hanging.invoke("0").await.unwrap(), b"0");
}

#[tokio::test]
async fn exceptions_and_failed_imports_are_reported() {
    let raising =
        function("def lambda_handler(event, context):\n    raise ValueError('no such thing')").await;
    let Err(InvokeError::FunctionError { body }) = raising.invoke("{}").await else { panic!() };
    let body = json(body.as_bytes());
    assert_eq!((&body["errorType"], &body["errorMessage"]), (&json!("ValueError"), &json!("no such thing")));
    let broken = function("import no_such_module").await;
    let Err(InvokeError::Init { message }) = broken.invoke("{}").await else { panic!() };
    assert!(message.contains("no_such_module"), "{message}");
}

#[tokio::test]
async fn callers_share_a_limited_number_of_environments() {
    let source = "import time\ndef lambda_handler(event, context):\n    time.sleep(0.02)\n    return event";
    let shared = configured(source, |config| config.max_environments = 3).await;
    let calls = (0..20).map(|n| {
        let function = std::sync::Arc::clone(&shared.function);
        tokio::spawn(async move { (function.invoke(n.to_string()).await, n) })
    });
    for call in calls.collect::<Vec<_>>() {
        let (answer, n) = call.await.unwrap();
        assert_eq!(answer.unwrap(), n.to_string().as_bytes());
    }
    assert!(count(shared.log(), |event| *event == LogEvent::Started) <= 3);
}

#[tokio::test]
async fn waiting_beyond_the_timeout_is_throttled() {
    let source = "import time\ndef lambda_handler(event, context):\n    time.sleep(event)\n    return event";
    let settings = |config: &mut FunctionConfig| {
        (config.max_environments, config.timeout) = (1, Duration::from_millis(700));
    };
    let busy = configured(source, settings).await;
    // The second caller's timeout starts now, the first one's with its environment.
    let (first, second) = tokio::join!(busy.invoke("60"), busy.invoke("0"));
    assert_eq!((first, second), (Err(InvokeError::Timeout), Err(InvokeError::Throttled)));
}

#[tokio::test]
async fn standard_output_and_error_are_logged() {
    let source = "import sys\ndef lambda_handler(event, context):\n    print('out')\n    print('err', file=sys.stderr)\n    return 1";
    let printing = function(source).await;
    printing.invoke("{}").await.unwrap();
    let printed = |line: &str| printing.log().output().iter().any(|printed| printed == line);
    eventually("both lines are logged", || printed("out") && printed("err")).await;
}

#[tokio::test]
async fn stopping_and_dropping_leave_no_process_behind() {
    let source = "import subprocess\nsubprocess.Popen(['sleep', '600'])\ndef lambda_handler(event, context):\n    return event";
    let (stopped, dropped) = (function(source).await, function(source).await);
    stopped.invoke("1").await.unwrap();
    dropped.invoke("1").await.unwrap();
    let groups = [stopped.pids()[0], dropped.pids()[0]];
    assert!(groups.iter().all(|group| members(*group) == 2));
    stopped.stop().await;
    drop(dropped);
    eventually("the environment has ended", || groups.iter().all(|group| members(*group) == 0)).await;
    assert_eq!(stopped.invoke("1").await, Err(InvokeError::Stopped));
}

#[tokio::test]
async fn files_keep_the_modes_of_the_zip() {
    let source = "import os\ndef lambda_handler(event, context):\n    return [os.stat(f).st_mode & 0o777 for f in ('bootstrap', 'data/plain')]";
    let files = [("lambda_function.py", source, 0o644), ("bootstrap", "", 0o755), ("data/plain", "", 0o600)];
    let function = from_files(&files, |_| {}).await;
    assert_eq!(json(&function.invoke("{}").await.unwrap()), json!([0o755, 0o600]));
}

#[tokio::test]
async fn rejects_a_file_that_is_not_a_zip() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("function.zip");
    let start = || Function::start(FunctionConfig::new("broken", &path, python()));
    assert!(matches!(start().await.err(), Some(BundleError::Open { .. })));
    std::fs::write(&path, "not a zip").unwrap();
    assert!(matches!(start().await.err(), Some(BundleError::Zip { .. })));
}

/// The number of live members of a process group.
fn members(group: u32) -> usize {
    let stats = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect();
        (fields[0] != "Z").then(|| fields[2].clone())
    });
    stats.filter(|pgrp| *pgrp == group.to_string()).count()
}

/// Calls the Runtime API itself during the import, as the connector's bundle does.
const SPEAKS_ITSELF: &str = r#"
import http.client, json, os, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation/" + path, body, {"User-Agent": "by-hand"})
    response = api.getresponse()
    return response.headers["Lambda-Runtime-Aws-Request-Id"], response.read()
while True:
    id, event = call("GET", "next")
    event = json.loads(event)
    if event.get("die") == "before":
        os._exit(3)
    call("POST", id + "/response", b'"done"')
    if event.get("die") == "after":
        os._exit(3)
    time.sleep(event.get("after", 0))
"#;
