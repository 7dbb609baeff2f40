//! The `cloudfront-sim` program.

use std::fs;
use std::net::SocketAddr;

use cloudfront_sim::http1::{Client, Request, Response};
use cloudfront_sim::origin::Origin;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::harness::{eventually, process_state, zipped};
use crate::process::{SIMULATOR, Simulator};

/// Responds with its process id and the number of the call.
const COUNTS: &str = "
import os
calls = 0
def lambda_handler(event, context):
    global calls
    calls += 1
    cf = event['Records'][0]['cf']
    message = cf.get('response') or cf['request']
    message['headers']['x-%d' % calls] = [{'value': str(os.getpid())}]
    return message";

async fn origin() -> Origin {
    Origin::start(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap()
}

async fn send_to(address: SocketAddr, request: Request) -> Response {
    Client::default().send(address, &request).await.unwrap()
}

async fn get(address: SocketAddr, target: &str) -> Response {
    send_to(address, Request::new("GET", target, "localhost")).await
}

async fn change(address: SocketAddr, method: &str, target: &str, body: &Value) -> Response {
    let request = Request::new(method, target, "localhost").header("Content-Type", "application/json");
    send_to(address, request.with_body(body.to_string())).await
}

#[tokio::test]
async fn no_process_outlives_a_stop() {
    leaves_no_process(15).await;
}

/// Without any handler: the kernel sends SIGHUP to a stopped process group that loses its parent.
#[tokio::test]
async fn no_process_outlives_a_kill() {
    leaves_no_process(9).await;
}

/// Starts, serves one request at two triggers, and receives the signal.
async fn leaves_no_process(signal: i32) {
    let origin = origin().await;
    let zip = zipped(&[("lambda_function.py", COUNTS, 0o644)]);
    let address = origin.address().to_string();
    let arguments =
        ["--origin", &address, "--origin-response", "counts.zip", "--viewer-request", "counts.zip"];
    let mut simulator = Simulator::start(&[("counts.zip", &zip)], &arguments);
    let edge = simulator.address_after("listening on http://").await;
    let response = get(edge, "/").await;
    assert_eq!(response.status, 200);
    let pid =
        ["x-1", "x-2"].into_iter().find_map(|name| response.headers.text(name)).unwrap().parse().unwrap();
    eventually("the function is frozen", || process_state(pid) == Some('T')).await;
    simulator.signal(signal);
    assert_eq!(simulator.process.wait().await.unwrap().success(), signal == 15);
    eventually("the environment has ended", || matches!(process_state(pid), None | Some('Z'))).await;
}

const DESCRIPTION: &str = r#"{
  "DistributionConfig": {
    "Origins": {"Quantity": 1, "Items": [{
      "Id": "shop", "DomainName": "shop.internal.example.com",
      "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    }]},
    "DefaultCacheBehavior": {
      "TargetOriginId": "shop", "ViewerProtocolPolicy": "allow-all",
      "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
      "LambdaFunctionAssociations": {"Quantity": 1, "Items": [{
        "LambdaFunctionARN": "arn:aws:lambda:us-east-1:123456789012:function:colours:3",
        "EventType": "viewer-request", "IncludeBody": false
      }]}
    }
  }
}"#;

const COLOURS: &str = "
def pick(event, context):
    request = event['Records'][0]['cf']['request']
    request['uri'] = '/picked' + request['uri']
    return request";

/// `--config` and `--function` suffice; the other options are for observation.
#[tokio::test]
async fn starts_from_a_description_and_a_zip() {
    let zip = zipped(&[("shop.py", COLOURS, 0o644)]);
    let files: [(&str, &[u8]); 2] = [("dist.json", DESCRIPTION.as_bytes()), ("colours.zip", &zip)];
    let mut arguments = vec!["--config", "dist.json", "--function", "colours=colours.zip", "--sample-origin"];
    arguments.extend(["--handler", "shop.pick", "--tls-port", "0", "--ca", "ca.pem"]);
    arguments.extend(["--admin", "127.0.0.1:0", "--access-log", "access.log", "--function-logs", "logs"]);
    let mut simulator = Simulator::start(&files, &arguments);
    let edge = simulator.address_after("listening on http://").await;
    simulator.address_after("listening on https://").await;
    let admin = simulator.address_after("admin API on http://").await;

    let x_cache = |response: &Response| response.headers.text("x-cache").unwrap();
    assert_eq!(x_cache(&get(edge, "/red").await), "Miss from cloudfront");
    assert_eq!(x_cache(&get(edge, "/red").await), "Hit from cloudfront");
    let removed = change(admin, "POST", "/invalidations", &json!({"paths": ["/*"]})).await;
    assert_eq!(removed.body_text(), r#"{"removed":1}"#);
    assert_eq!(x_cache(&get(edge, "/red").await), "Miss from cloudfront");
    change(admin, "POST", "/clock", &json!({"advance_seconds": 90_000})).await;
    assert_ne!(x_cache(&get(edge, "/red").await), "Hit from cloudfront");

    let slow =
        json!({"origin": {"status": 500}, "functions": {"colours": {"fail": "throttle", "share": 0.0}}});
    assert_eq!(change(admin, "PUT", "/faults", &slow).await.status, 200);
    assert_eq!(get(edge, "/blue").await.status, 500);
    change(admin, "PUT", "/faults", &json!({"functions": {"*": {"fail": "throttle"}}})).await;
    assert_eq!(get(edge, "/green").await.status, 503);
    let wrong = change(admin, "PUT", "/faults", &json!({"origin": {"slow": true}})).await;
    assert!(wrong.status == 400 && wrong.body_text().contains("unknown field `slow`"), "{wrong:?}");

    let metrics = get(admin, "/metrics").await.body_text();
    let throttled = r#"cloudfront_sim_invocations_total{function="colours",end="throttled"} 1"#;
    assert!(metrics.contains(throttled), "{metrics}");
    let status: Value = serde_json::from_slice(&get(admin, "/status").await.body).unwrap();
    assert_eq!(status["functions"][0]["invocations"]["throttled"], 1);
    let log = get(admin, "/functions/colours/log").await.body_text();
    assert!(log.contains("START RequestId: ") && log.contains("Init Duration: "), "{log}");

    // A record is written after its response was sent: the order across connections is not fixed.
    let results = || {
        let access = fs::read_to_string(simulator.path().join("access.log")).unwrap();
        let mut results: Vec<String> =
            access.lines().skip(2).map(|line| line.split('\t').nth(13).unwrap().into()).collect();
        results.sort();
        results
    };
    let expected = ["Error", "Error", "Hit", "Miss", "Miss", "Miss"];
    eventually("all six requests are in the access log", || results() == expected).await;
    assert!(fs::read_to_string(simulator.path().join("ca.pem")).unwrap().starts_with("-----BEGIN CERT"));
    let log_file = fs::read_to_string(simulator.path().join("logs/us-east-1.colours.log")).unwrap();
    assert!(log_file.contains("REPORT RequestId: "), "{log_file}");
    simulator.signal(15);
    assert!(simulator.process.wait().await.unwrap().success());
}

#[tokio::test]
async fn admin_api_rejects_browsers_and_other_machines() {
    let mut simulator =
        Simulator::start(&[], &["--sample-origin", "--origin", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    simulator.address_after("listening on http://").await;
    let admin = simulator.address_after("admin API on http://").await;
    let rebound = send_to(admin, Request::new("GET", "/status", "evil.example.com")).await;
    assert_eq!(rebound.status, 403);
    let simple = Request::new("POST", "/clock", "localhost").header("Content-Type", "text/plain");
    assert_eq!(send_to(admin, simple.with_body(r#"{"advance_seconds": 5}"#)).await.status, 415);
    assert_eq!(get(admin, "/clock").await.status, 405);
    assert_eq!(get(admin, "/nothing").await.status, 404);
    let help = get(admin, "/").await.body_text();
    assert!(help.contains("PUT  /faults"), "{help}");
    let output = Command::new(SIMULATOR).args(["--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0"]).output();
    let output_text = String::from_utf8_lossy(&output.await.unwrap().stderr).into_owned();
    assert!(output_text.contains("error: the admin API listens on loopback addresses only"), "{output_text}");
}

#[tokio::test]
async fn startup_errors_name_the_value_and_the_fix() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("other.zip"), zipped(&[("main.py", "", 0o644)])).unwrap();
    fs::write(directory.path().join("faults.yaml"), "origin:\n  share: 2\n").unwrap();
    for (arguments, expected) in [
        (&["--viewer-request", "no-such.zip"][..], "error: cannot open no-such.zip: "),
        (
            &["--viewer-request", "other.zip"],
            "error: other.zip contains neither lambda_function.py nor index.js; name the handler with --handler",
        ),
        (
            &["--viewer-request", "other.zip", "--handler", "shop.run"],
            "error: other.zip contains neither shop.py nor shop.js",
        ),
        (&["--faults", "faults.yaml"], "error: faults.yaml: origin.share is 2, not a share between 0 and 1"),
        (&["--config", "none.json"], "error: cannot read none.json: "),
        (&["--origin", "a=127.0.0.1:1"], "error: --origin must be one ADDRESS when --config is not given"),
    ] {
        let mut simulator = Command::new(SIMULATOR);
        let output = simulator.current_dir(directory.path()).args(arguments).output().await.unwrap();
        let output_text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && output_text.contains(expected), "{arguments:?}: {output_text}");
    }
}
