//! Lambda's limits and log lines.

use std::time::{Duration, Instant};

use cloudfront_sim::faults::{FaultPlan, Faults};
use cloudfront_sim::lambda::{InvokeError, LogEvent};
use serde_json::json;

use crate::harness::{TestFunction, configured, count, eventually, function, zipped};

const ECHO: &str = "def lambda_handler(event, context):\n    return event";
const SLEEPS: &str =
    "import time\ndef lambda_handler(event, context):\n    time.sleep(event)\n    return event";

fn started(function: &TestFunction) -> usize {
    count(function.log(), |event| *event == LogEvent::Started)
}

/// The last line with this prefix, with visible tabs and without numbers.
fn line(function: &TestFunction, beginning: &str) -> Option<String> {
    let lines = function.log().lines();
    let line = lines.iter().rev().find(|line| line.starts_with(beginning))?;
    let text = line.replace('\t', " | ");
    let shape = |word: &str| match word.parse::<f64>() {
        Ok(_) => "#".to_owned(),
        Err(_) if word.len() == 36 => "<id>".to_owned(),
        Err(_) => word.to_owned(),
    };
    Some(text.trim_end().split(' ').map(shape).collect::<Vec<_>>().join(" "))
}

async fn with_faults(plan: serde_json::Value) -> (TestFunction, Faults) {
    let faults = Faults::seeded(1);
    faults.set(serde_json::from_value::<FaultPlan>(plan).unwrap()).unwrap();
    (configured(ECHO, |config| config.faults = faults.clone()).await, faults)
}

#[tokio::test]
async fn throttles_immediately_above_reserved_concurrency() {
    let reserved = configured(SLEEPS, |config| config.reserved_concurrency = Some(1)).await;
    let first = tokio::spawn({
        let function = std::sync::Arc::clone(&reserved.function);
        async move { function.invoke("1").await }
    });
    eventually("the first invocation has started", || reserved.environments().busy == 1).await;
    assert_eq!(reserved.invoke("0").await, Err(InvokeError::Throttled));
    assert_eq!(first.await.unwrap().unwrap(), b"1");
    reserved.at_rest().await;
    assert_eq!(reserved.invoke("0").await.unwrap(), b"0");
    let none = configured(ECHO, |config| config.reserved_concurrency = Some(0)).await;
    assert_eq!(none.invoke("1").await, Err(InvokeError::Throttled));
    assert_eq!((none.counts().throttles, reserved.counts().answered), (1, 2));
}

#[tokio::test]
async fn starts_another_environment_above_the_request_rate() {
    let capped = configured(ECHO, |config| config.requests_per_second = Some(2)).await;
    let start = Instant::now();
    for n in 0..3 {
        capped.invoke(n.to_string()).await.unwrap();
        capped.at_rest().await;
    }
    // On a slow machine the first environment's limit may have been renewed.
    assert!(started(&capped) == 2 || start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn callers_wait_for_the_rate_when_no_environment_may_start() {
    let change = |config: &mut cloudfront_sim::lambda::FunctionConfig| {
        (config.requests_per_second, config.max_environments) = (Some(1), 1);
    };
    let capped = configured(ECHO, change).await;
    capped.invoke("1").await.unwrap();
    let start = Instant::now();
    capped.invoke("2").await.unwrap();
    assert!(start.elapsed() > Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!(started(&capped), 1);
}

/// Lambda freezes an environment only when nothing is pending.
#[tokio::test]
async fn environment_with_a_waiting_caller_is_not_frozen() {
    let busy = configured(SLEEPS, |config| config.max_environments = 1).await;
    let (first, second) = tokio::join!(busy.invoke("0.2"), busy.invoke("0.1"));
    assert!(first.is_ok() && second.is_ok());
    busy.at_rest().await;
    let events = busy.log().events();
    let order: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            LogEvent::InvokeStart { .. } => Some("invoked"),
            LogEvent::Frozen => Some("frozen"),
            LogEvent::Thawed => Some("thawed"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["invoked", "invoked", "frozen"]);
}

#[tokio::test]
async fn function_above_its_memory_limit_is_killed() {
    let source = "import time\ndef lambda_handler(event, context):\n    kept = bytearray(event << 20)\n    time.sleep(30 if event else 0)";
    let over_limit = configured(source, |config| {
        (config.memory_mb, config.timeout) = (128, Duration::from_secs(25));
    })
    .await;
    over_limit.invoke("0").await.unwrap();
    over_limit.at_rest().await;
    let killed = over_limit.invoke("300").await;
    let status = "Runtime exited with error: signal: killed".to_owned();
    assert_eq!(killed, Err(InvokeError::Exited { status }));
    let report = "REPORT RequestId: <id> | Duration: # ms | Billed Duration: # ms | Memory Size: # MB | Max Memory Used: # MB | Status: error | Error Type: Runtime.OutOfMemory";
    assert_eq!(line(&over_limit, "REPORT").unwrap(), report);
    let last = line(&over_limit, "RequestId").unwrap();
    assert_eq!(last, "RequestId: <id> Error: Runtime exited with error: signal: killed");
    over_limit.invoke("0").await.unwrap();
}

#[tokio::test]
async fn every_invocation_logs_start_end_and_report() {
    let source =
        "def lambda_handler(event, context):\n    print('at work')\n    return context.aws_request_id";
    let last = configured(source, |config| config.version = 7).await;
    let id: String = serde_json::from_slice(&last.invoke("{}").await.unwrap()).unwrap();
    last.at_rest().await;
    let printed = || last.log().lines().iter().any(|line| line == "at work");
    eventually("the printed line is logged", printed).await;
    let lines = last.log().lines();
    assert!(lines.contains(&format!("START RequestId: {id} Version: 7")), "{lines:?}");
    assert!(lines.contains(&format!("END RequestId: {id}")), "{lines:?}");
    let cold = "REPORT RequestId: <id> | Duration: # ms | Billed Duration: # ms | Memory Size: # MB | Max Memory Used: # MB | Init Duration: # ms |";
    assert_eq!(line(&last, "REPORT").unwrap(), cold);
    last.invoke("{}").await.unwrap();
    last.at_rest().await;
    let warm = "REPORT RequestId: <id> | Duration: # ms | Billed Duration: # ms | Memory Size: # MB | Max Memory Used: # MB |";
    assert_eq!(line(&last, "REPORT").unwrap(), warm);
}

#[tokio::test]
async fn start_beyond_its_timeout_fails() {
    let source = "import time\ntime.sleep(60)";
    let slow = configured(source, |config| config.init_timeout = Duration::from_millis(400)).await;
    let Err(InvokeError::Init { message }) = slow.invoke("{}").await else { panic!() };
    assert_eq!(message, "the runtime requested no event within 400ms");
    let last = line(&slow, "INIT_REPORT").unwrap();
    assert_eq!(last, "INIT_REPORT Init Duration: # ms | Phase: init | Status: timeout");
    eventually("the environment has ended", || slow.pids().is_empty()).await;
    assert_eq!(slow.environments().busy, 0);
}

#[tokio::test]
async fn new_version_serves_from_the_next_invocation() {
    let source = |n: u32| {
        format!(
            "def lambda_handler(event, context):\n    return [{n}, context.function_version, context.invoked_function_arn[-2:]]"
        )
    };
    let versions = function(&source(1)).await;
    let answer = |bytes: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
    assert_eq!(answer(versions.invoke("{}").await.unwrap()), json!([1, "1", ":1"]));
    versions.at_rest().await;
    let directory = tempfile::tempdir().unwrap();
    let zip = directory.path().join("next.zip");
    std::fs::write(&zip, zipped(&[("lambda_function.py", &source(2), 0o644)])).unwrap();
    assert_eq!(versions.publish(zip).await.unwrap(), 2);
    assert_eq!(answer(versions.invoke("{}").await.unwrap()), json!([2, "2", ":2"]));
    versions.at_rest().await;
    eventually("the environment has ended", || versions.pids().len() == 1).await;
    assert!(versions.publish(directory.path().join("none.zip")).await.is_err());
    assert_eq!(versions.version(), 2);
}

#[tokio::test]
async fn faults_apply_until_the_plan_changes() {
    let (function, faults) = with_faults(json!({"functions": {"under-test": {"fail": "crash"}}})).await;
    let status = "Runtime exited with error: signal: killed".to_owned();
    assert_eq!(function.invoke("1").await, Err(InvokeError::Exited { status }));
    let plan = |json| serde_json::from_value::<FaultPlan>(json).unwrap();
    faults.set(plan(json!({"functions": {"*": {"fail": "throttle"}}}))).unwrap();
    assert_eq!(function.invoke("1").await, Err(InvokeError::Throttled));
    faults.set(plan(json!({"functions": {"*": {"fail": "init"}}}))).unwrap();
    assert!(matches!(function.invoke("1").await, Err(InvokeError::Init { .. })));
    faults.set(plan(json!({"functions": {"*": {"fail": "error"}}}))).unwrap();
    assert!(matches!(function.invoke("1").await, Err(InvokeError::FunctionError { .. })));
    faults.set(plan(json!({"functions": {"*": {"delay_ms": 300}}}))).unwrap();
    let start = Instant::now();
    assert_eq!(function.invoke("1").await.unwrap(), b"1");
    assert!(start.elapsed() >= Duration::from_millis(300));
    faults.set(plan(json!({"functions": {"*": {"delay_ms": 60_000}}}))).unwrap();
    assert_eq!(function.invoke("1").await, Err(InvokeError::Timeout));
    faults.set(FaultPlan::default()).unwrap();
    assert_eq!(function.invoke("1").await.unwrap(), b"1");
}

#[tokio::test]
async fn seed_determines_request_ids() {
    let source = "def lambda_handler(event, context):\n    return context.aws_request_id";
    let seeded = async |seed| {
        let function = configured(source, |config| config.seed = Some(seed)).await;
        function.invoke("{}").await.unwrap()
    };
    let (one, again, other) = (seeded(1).await, seeded(1).await, seeded(2).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
}
