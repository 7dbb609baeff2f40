//! The access log and its files.

use super::*;
use crate::log::Logs;
use std::fs;

fn logging(more: &str) -> (Harness, std::path::PathBuf) {
    let mut harness = harness(Mode::Block);
    let file = harness.spool.path().join("access.log");
    let config =
        config_of(&format!("log: {{access_log: {{enabled: true, log_file: '{}'{more}}}}}", file.display()));
    let node = Arc::get_mut(&mut harness.node).unwrap();
    node.logs = Logs::open(&config.log).unwrap();
    (harness, file)
}

fn request() -> Value {
    let mut request = get("/etc/passwd", "token=secret");
    request["connector"] =
        json!({"kind": "cloudfront", "version": "1", "edge_request_id": "edge==", "application": 7});
    request["headers"] = json!([
        ["Authorization", "Bearer secret"],
        ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    ]);
    request["body"] = json!("c2VjcmV0");
    request
}

impl Harness {
    fn lines(&self, file: &Path) -> Vec<Value> {
        self.node.logs.access.as_ref().unwrap().flush(Duration::from_secs(30));
        lines(file)
    }
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    assert!(!text.contains("secret"), "{text}");
    let with_fixed_times = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        for name in ["time", "analysis_micros"] {
            if let Some(value) = line.get_mut(name) {
                *value = json!("…");
            }
        }
        line
    };
    text.lines().map(with_fixed_times).collect()
}

#[tokio::test]
async fn the_access_log_has_the_verdict_and_no_secret() {
    let (harness, file) = logging("");
    harness.inspect(&request()).await.verdict();
    harness.inspect(&get("/", "")).await.verdict();
    insta::assert_json_snapshot!(harness.lines(&file));
}

#[tokio::test]
async fn a_short_access_log_omits_the_basis_of_the_verdict() {
    let (harness, file) = logging(", verbose: false");
    harness.inspect(&request()).await.verdict();
    insta::assert_json_snapshot!(harness.lines(&file));
}

#[tokio::test]
async fn the_trace_of_the_caller_takes_precedence() {
    let (harness, file) = logging("");
    let call = Request::post(INSPECT_REQUEST_PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .body(request().to_string().into())
        .unwrap();
    reply(connector_router(harness.node.clone()), call).await.verdict();
    assert_eq!(harness.lines(&file)[0]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn reopens_a_rotated_log_on_a_signal() {
    let (harness, file) = logging("");
    harness.inspect(&get("/", "")).await.verdict();
    fs::rename(&file, file.with_extension("1")).unwrap();
    harness.inspect(&get("/", "")).await.verdict();
    harness.lines(&file.with_extension("1"));
    harness.node.logs.reopen();
    harness.inspect(&get("/", "")).await.verdict();
    assert_eq!((harness.lines(&file.with_extension("1")).len(), harness.lines(&file).len()), (2, 1));
}

#[tokio::test]
async fn an_unusable_log_is_reported_with_its_key() {
    let config = config_of("log: {access_log: {enabled: true, log_file: /nowhere/access.log}}");
    let error = Logs::open(&config.log).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "log.access_log.log_file: cannot write to /nowhere/access.log: No such file or directory (os error 2)"
    );
}
