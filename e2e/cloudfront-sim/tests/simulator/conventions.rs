//! Typical functions written for AWS run unchanged: modules next to the handler, `logging`, use of
//! the context and of the event's structure.

use std::io::Write as _;

use cloudfront_sim::http1::{Client, Request};
use cloudfront_sim::lambda::{NodeRuntime, Runtime};

use crate::harness::{Edge, TestFunction, eventually, from_files};

/// Redirects old paths and adds headers, as in tutorials.
const PYTHON_HANDLER: &str = r#"
import json
import logging
import os
from urllib.parse import parse_qs, unquote

from shop.redirects import REDIRECTS

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def lambda_handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    logger.info("function %s version %s, %d ms left", context.function_name, context.function_version,
                context.get_remaining_time_in_millis())
    target = REDIRECTS.get(unquote(request["uri"]))
    if target:
        return {
            "status": "301",
            "statusDescription": "Moved Permanently",
            "headers": {"location": [{"key": "Location", "value": target}]},
        }
    colours = parse_qs(request["querystring"]).get("colour", ["none"])
    request["headers"]["x-colour"] = [{"key": "X-Colour", "value": colours[0]}]
    request["headers"]["x-region"] = [{"key": "X-Region", "value": os.environ["AWS_REGION"]}]
    if request.get("body", {}).get("data"):
        request["headers"]["x-had-body"] = [{"key": "X-Had-Body", "value": json.dumps(True)}]
    return request
"#;

const NODE_HANDLER: &str = r"'use strict';
const { redirects } = require('./lib/redirects');
exports.handler = async (event, context) => {
  const request = event.Records[0].cf.request;
  console.log('function %s version %s', context.functionName, context.functionVersion);
  const target = redirects[decodeURIComponent(request.uri)];
  if (target) {
    return { status: '301', statusDescription: 'Moved Permanently', headers: { location: [{ key: 'Location', value: target }] } };
  }
  const colour = new URLSearchParams(request.querystring).get('colour') || 'none';
  request.headers['x-colour'] = [{ key: 'X-Colour', value: colour }];
  request.headers['x-region'] = [{ key: 'X-Region', value: process.env.AWS_REGION }];
  return request;
};
";

async fn redirects_and_adds_headers(function: &TestFunction) {
    let edge = Edge::start(|config| config.default_behavior.functions.viewer_request = function.at()).await;
    let visitor = Client::default();
    let get = async |target: &str| {
        let request = Request::new("GET", target, "shop.example.com");
        visitor.send(edge.cloudfront.address(), &request).await.unwrap()
    };
    let moved = get("/old%20page").await;
    assert_eq!((moved.status, moved.headers.text("location").as_deref()), (301, Some("/new")));
    assert_eq!(get("/shirt?colour=red").await.status, 200);
    let received = edge.origin.recorded().pop().unwrap();
    let header = |name| received.headers.text(name);
    assert_eq!(header("x-colour").as_deref(), Some("red"));
    assert_eq!(header("x-region").as_deref(), Some("us-east-1"));
    let logged =
        || function.log().output().iter().any(|line| line.contains("us-east-1.under-test version 1"));
    eventually("the line is in the log", logged).await;
}

#[tokio::test]
async fn a_python_function_written_for_aws_runs_unchanged() {
    let files = [
        ("shop_edge.py", PYTHON_HANDLER, 0o644),
        ("shop/__init__.py", "", 0o644),
        ("shop/redirects.py", "REDIRECTS = {'/old page': '/new'}\n", 0o644),
    ];
    let function = from_files(&files, |config| config.handler = "shop_edge.lambda_handler".to_owned()).await;
    redirects_and_adds_headers(&function).await;
    // The format of AWS's client, which the minimal one follows.
    assert!(function.log().output().iter().any(|line| line.starts_with("[INFO]\t")));
}

/// Only where AWS's client is installed (`just aws-lambda-ric`), as in CI: it is built from C++.
#[tokio::test]
async fn a_node_function_written_for_aws_runs_unchanged() {
    let node = match NodeRuntime::detect() {
        Ok(node) => node,
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none(), "CI needs it: {missing}");
            // Not `eprintln`, which the test runner hides.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: conventions::a_node_function_written_for_aws_runs_unchanged: Node.js or AWS's client \
                 for it is not installed (`just aws-lambda-ric`)"
            );
            return;
        }
    };
    let files = [
        ("index.js", NODE_HANDLER, 0o644),
        ("lib/redirects.js", "exports.redirects = { '/old page': '/new' };\n", 0o644),
    ];
    let function = from_files(&files, |config| {
        config.runtime = Runtime::Node(node);
        config.handler = "index.handler".to_owned();
    })
    .await;
    redirects_and_adds_headers(&function).await;
}
