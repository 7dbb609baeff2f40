//! What Lambda allows a function, and what it writes about it.

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

/// The last line with this beginning, its tabs visible and its numbers gone.
fn line(function: &TestFunction, beginning: &str) -> Option<String> {
    let lines = function.log().lines();
    let line = lines.iter().rev().find(|line| line.starts_with(beginning))?;
    let words = line.replace('\t', " | ");
    let shape = |word: &str| match word.parse::<f64>() {
        Ok(_) => "#".to_owned(),
        Err(_) if word.len() == 36 => "<id>".to_owned(),
        Err(_) => word.to_owned(),
    };
    Some(words.trim_end().split(' ').map(shape).collect::<Vec<_>>().join(" "))
}

async fn with_faults(plan: serde_json::Value) -> (TestFunction, Faults) {
    let faults = Faults::seeded(1);
    faults.set(serde_json::from_value::<FaultPlan>(plan).unwrap()).unwrap();
    (configured(ECHO, |config| config.faults = faults.clone()).await, faults)
}

#[tokio::test]
async fn beyond_its_reserved_concurrency_a_function_is_throttled_at_once() {
    let reserved = configured(SLEEPS, |config| config.reserved_concurrency = Some(1)).await;
    let first = tokio::spawn({
        let function = std::sync::Arc::clone(&reserved.function);
        async move { function.invoke("1").await }
    });
    eventually("the first is under way", || reserved.environments().busy == 1).await;
    assert_eq!(reserved.invoke("0").await, Err(InvokeError::Throttled));
    assert_eq!(first.await.unwrap().unwrap(), b"1");
    reserved.at_rest().await;
    assert_eq!(reserved.invoke("0").await.unwrap(), b"0");
    let none = configured(ECHO, |config| config.reserved_concurrency = Some(0)).await;
    assert_eq!(none.invoke("1").await, Err(InvokeError::Throttled));
    assert_eq!((none.counts().throttles, reserved.counts().answered), (1, 2));
}

#[tokio::test]
async fn an_environment_serves_so_often_a_second_and_then_another_one_does() {
    let capped = configured(ECHO, |config| config.requests_per_second = Some(2)).await;
    let start = Instant::now();
    for n in 0..3 {
        capped.invoke(n.to_string()).await.unwrap();
        capped.at_rest().await;
    }
    // On a machine this slow, the first environment was allowed to serve again.
    assert!(started(&capped) == 2 || start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn where_no_other_environment_may_start_callers_wait_for_the_rate() {
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

/// Lambda freezes an environment when nothing is pending; what is pending it gets as it is.
#[tokio::test]
async fn an_environment_somebody_waits_for_is_not_frozen() {
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
async fn a_function_that_takes_too_much_memory_is_killed() {
    let source = "import time\ndef lambda_handler(event, context):\n    kept = bytearray(event << 20)\n    time.sleep(30 if event else 0)";
    let greedy = configured(source, |config| {
        (config.memory_mb, config.timeout) = (128, Duration::from_secs(25));
    })
    .await;
    greedy.invoke("0").await.unwrap();
    greedy.at_rest().await;
    let killed = greedy.invoke("300").await;
    let status = "Runtime exited with error: signal: killed".to_owned();
    assert_eq!(killed, Err(InvokeError::Exited { status }));
    let report = "REPORT RequestId: <id> | Duration: # ms | Billed Duration: # ms | Memory Size: # MB | Max Memory Used: # MB | Status: error | Error Type: Runtime.OutOfMemory";
    assert_eq!(line(&greedy, "REPORT").unwrap(), report);
    let told = line(&greedy, "RequestId").unwrap();
    assert_eq!(told, "RequestId: <id> Error: Runtime exited with error: signal: killed");
    greedy.invoke("0").await.unwrap();
}

#[tokio::test]
async fn every_invocation_is_told_in_lambdas_lines() {
    let source =
        "def lambda_handler(event, context):\n    print('at work')\n    return context.aws_request_id";
    let told = configured(source, |config| config.version = 7).await;
    let id: String = serde_json::from_slice(&told.invoke("{}").await.unwrap()).unwrap();
    told.at_rest().await;
    let printed = || told.log().lines().iter().any(|line| line == "at work");
    eventually("what was printed is there", printed).await;
    let lines = told.log().lines();
    assert!(lines.contains(&format!("START RequestId: {id} Version: 7")), "{lines:?}");
    assert!(lines.contains(&format!("END RequestId: {id}")), "{lines:?}");
    let cold = "REPORT RequestId: <id> | Duration: # ms | Billed Duration: # ms | Memory Size: # MB | Max Memory Used: # MB | Init Duration: # ms |";
    assert_eq!(line(&told, "REPORT").unwrap(), cold);
    told.invoke("{}").await.unwrap();
    told.at_rest().await;
    let warm = "REPORT RequestId: <id> | Duration: # ms | Billed Duration: # ms | Memory Size: # MB | Max Memory Used: # MB |";
    assert_eq!(line(&told, "REPORT").unwrap(), warm);
}

#[tokio::test]
async fn a_start_that_takes_too_long_is_given_up() {
    let source = "import time\ntime.sleep(60)";
    let slow = configured(source, |config| config.init_timeout = Duration::from_millis(400)).await;
    let Err(InvokeError::Init { message }) = slow.invoke("{}").await else { panic!() };
    assert_eq!(message, "the runtime did not ask for work within 400ms");
    let told = line(&slow, "INIT_REPORT").unwrap();
    assert_eq!(told, "INIT_REPORT Init Duration: # ms | Phase: init | Status: timeout");
    eventually("it is gone", || slow.pids().is_empty()).await;
    assert_eq!(slow.environments().busy, 0);
}

#[tokio::test]
async fn a_new_version_takes_over_from_the_next_invocation_on() {
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
    eventually("the old one is gone", || versions.pids().len() == 1).await;
    assert!(versions.publish(directory.path().join("none.zip")).await.is_err());
    assert_eq!(versions.version(), 2);
}

#[tokio::test]
async fn planned_faults_happen_until_the_plan_changes() {
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
async fn a_seed_tells_the_ids_of_requests() {
    let source = "def lambda_handler(event, context):\n    return context.aws_request_id";
    let seeded = async |seed| {
        let function = configured(source, |config| config.seed = Some(seed)).await;
        function.invoke("{}").await.unwrap()
    };
    let (one, again, other) = (seeded(1).await, seeded(1).await, seeded(2).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
}
