//! Doctor checks: a distribution without hazards, and variants with one change each.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod logs;

use connector::doctor::{Deployment, DocumentError, Documents, Stages, examine};
use insta::assert_snapshot;
use jiff::civil::date;
use serde_json::{Value, json};
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

const CONFIG: &str = "/Distribution/DistributionConfig";
const BEHAVIOR: &str = "/Distribution/DistributionConfig/DefaultCacheBehavior";
const REQUEST: &str =
    "/Distribution/DistributionConfig/DefaultCacheBehavior/LambdaFunctionAssociations/Items/0";

/// The fixtures: the distribution first, then its functions and their role.
fn clean() -> Value {
    let mut documents: Value =
        serde_json::from_str(include_str!("../../fixtures/doctor/account.json")).unwrap();
    let distribution = serde_json::from_str(include_str!("../../fixtures/doctor/distribution.json")).unwrap();
    documents.as_array_mut().unwrap().insert(0, distribution);
    documents
}

/// The fixtures with one object of the distribution changed.
fn with(pointer: &str, change: Value) -> Value {
    let mut documents = clean();
    merge(documents[0].pointer_mut(pointer).unwrap(), change);
    documents
}

/// The fixtures attached to origin triggers, with one object of the behavior changed.
fn at_origin(change: Value) -> Value {
    let mut documents = with(REQUEST, json!({"EventType": "origin-request"}));
    one_stage(&mut documents);
    merge(documents[0].pointer_mut(BEHAVIOR).unwrap(), change);
    documents
}

/// Without the function at the second stage.
fn one_stage(documents: &mut Value) {
    let slots = BEHAVIOR.to_owned() + "/LambdaFunctionAssociations/Items";
    documents[0].pointer_mut(&slots).unwrap().as_array_mut().unwrap().truncate(2);
}

fn merge(object: &mut Value, change: Value) {
    let Value::Object(change) = change else { panic!("an object") };
    object.as_object_mut().unwrap().extend(change);
}

fn doctor(documents: &Value) -> String {
    with_logs(documents, None)
}

/// With the URL of the logs.
fn with_logs(documents: &Value, logs: Option<&str>) -> String {
    let deployment = Deployment {
        name: "wallarm-connector".to_owned(),
        stages: Stages::Both,
        behavior: "*".to_owned(),
        block_status: 403,
        logs: logs.map(|url| url.parse().unwrap()),
    };
    let mut read = Documents::default();
    let examined = read
        .read("test.json", &documents.to_string())
        .and_then(|()| examine(&read, &deployment, date(2026, 11, 22)));
    examined.map_or_else(|error| format!("error: {error}"), |report| report.to_string())
}

#[test]
fn reports_no_hazards_for_a_correct_deployment() {
    assert_snapshot!(doctor(&clean()), @"no hazards found");
}

#[test]
fn reports_an_error_page_that_replaces_the_block_page() {
    let page = json!([{"ErrorCode": 403, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0}]);
    assert_snapshot!(doctor(&with(CONFIG, json!({"CustomErrorResponses": {"Items": page}}))), @r"
    error-page-replaces-block (distribution)
      A blocked visitor gets /index.html with status 200: the error page for 403 replaces the block page.
      Fix: Remove that custom error response, or block with another status (wlrm_block_status).

    1 hazard
    ");
}

#[test]
fn reports_a_cached_block_at_origin_request() {
    let mut documents = at_origin(json!({"CachePolicyId": "4cc15a8a-d715-48a4-82b8-cc0b614638fe"}));
    merge(documents[0].pointer_mut(CONFIG).unwrap(), json!({"CustomErrorResponses": {"Quantity": 0}}));
    assert_snapshot!(doctor(&documents), @r"
    cache-hits-not-inspected (*)
      Requests answered from the cache are not inspected: origin-request does not run for them.
      Fix: Attach to viewer triggers, or give the behavior the policy CachingDisabled.

    block-cached (*)
      A 403 may be cached for 10 s (CloudFront's default) and served to other visitors.
      Fix: Add a custom error response for this status with an error caching minimum TTL of 0 and no page, or attach to viewer triggers.

    2 hazards
    ");
}

#[test]
fn reports_nothing_where_caching_is_disabled() {
    let mut documents = at_origin(json!({}));
    merge(documents[0].pointer_mut(CONFIG).unwrap(), json!({"CustomErrorResponses": {"Quantity": 0}}));
    assert_snapshot!(doctor(&documents), @"no hazards found");
}

#[test]
fn ignores_policies_at_viewer_request() {
    let none = json!({"CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6", "OriginRequestPolicyId": ""});
    let mut documents = with(BEHAVIOR, none);
    one_stage(&mut documents);
    assert_snapshot!(doctor(&documents), @r"
    body-rest-not-inspected (*)
      Of a request body, the function at viewer-request receives 40 KB: attacks behind them are missed. The function at origin-request, in addition, receives 1 MB.
      Fix: Run deploy with --stages viewer+origin.

    1 hazard
    ");
}

#[test]
fn reports_a_mark_that_does_not_reach_the_origin_stage() {
    // CachingDisabled forwards nothing; UserAgentRefererHeaders no mark.
    let expected = "mark-not-seen (*)
  The function at origin-request does not receive the mark of the viewer stage, or not the query that it belongs to: each request that the cache does not answer is inspected twice.
  Fix: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or one with all query parameters and the header x-wallarm-mark.

1 hazard
";
    for policy in ["", "acba4595-bd28-49b8-b9fe-13317c0390fa"] {
        assert_eq!(doctor(&with(BEHAVIOR, json!({"OriginRequestPolicyId": policy}))), expected, "{policy}");
    }
    for policy in ["216adef6-5c7f-47e4-b989-5492eafa07d3", "b689b0a8-53d0-40ab-baf2-68738e2966ac"] {
        let forwarded = with(BEHAVIOR, json!({"OriginRequestPolicyId": policy}));
        assert_eq!(doctor(&forwarded), "no hazards found\n", "{policy}");
    }
}

#[test]
fn reports_a_mark_in_the_cache_key() {
    let id = "11111111-2222-3333-4444-555555555555";
    let mut documents = with(BEHAVIOR, json!({"CachePolicyId": id}));
    documents.as_array_mut().unwrap().push(json!({"CachePolicy": {"Id": id, "CachePolicyConfig": {
        "MaxTTL": 60,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["X-Wallarm-Mark"]}},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    }}}));
    assert_snapshot!(doctor(&documents), @r"
    mark-in-cache-key (*)
      The mark of the viewer stage, which differs in each request, is in the cache key: no request is answered from the cache.
      Fix: Forward the header x-wallarm-mark by the origin request policy, not by the cache policy.

    1 hazard
    ");
}

#[test]
fn reports_parts_that_managed_policies_hide_from_origin_request() {
    assert_snapshot!(doctor(&at_origin(json!({"OriginRequestPolicyId": "59781a5b-3903-41f3-afcb-af62929ccde1"}))), @r"
    query-not-seen (*)
      Of the viewer's query parameters, the function at origin-request receives none: attacks in the others are missed.
      Fix: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    headers-not-seen (*)
      Of the viewer's headers, the function at origin-request receives only Origin: attacks in the others are missed.
      Fix: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    cookies-not-seen (*)
      Of the viewer's cookies, the function at origin-request receives none: attacks in the others are missed.
      Fix: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    host-not-seen (*)
      The function at origin-request receives the origin's host instead of the viewer's: attacks are recorded for the wrong host.
      Fix: Copy the viewer's host to another header (for example with a CloudFront function), forward that header, and set wlrm_host_header to it; or attach to viewer triggers.

    4 hazards
    ");
}

#[test]
fn reports_a_policy_that_hides_only_the_host() {
    assert_snapshot!(doctor(&at_origin(json!({"OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac"}))), @r"
    host-not-seen (*)
      The function at origin-request receives the origin's host instead of the viewer's: attacks are recorded for the wrong host.
      Fix: Copy the viewer's host to another header (for example with a CloudFront function), forward that header, and set wlrm_host_header to it; or attach to viewer triggers.

    1 hazard
    ");
}

#[test]
fn reads_custom_policies_from_their_documents() {
    let mut documents = at_origin(json!({"OriginRequestPolicyId": "11111111-2222-3333-4444-555555555555"}));
    assert_snapshot!(doctor(&documents), @r"
    not checked: what the policies hide from the function at *; add the output of: aws cloudfront get-origin-request-policy --id 11111111-2222-3333-4444-555555555555
    no hazards found
    ");
    documents.as_array_mut().unwrap().push(json!({"ETag": "E1", "OriginRequestPolicy": {
        "Id": "11111111-2222-3333-4444-555555555555",
        "OriginRequestPolicyConfig": {
            "Name": "ours",
            "HeadersConfig": {"HeaderBehavior": "allViewer"},
            "CookiesConfig": {"CookieBehavior": "allExcept", "Cookies": {"Quantity": 1, "Items": ["session"]}},
            "QueryStringsConfig": {"QueryStringBehavior": "all"},
        },
    }}));
    assert_snapshot!(doctor(&documents), @r"
    cookies-not-seen (*)
      Of the viewer's cookies, the function at origin-request receives all except session: attacks in the others are missed.
      Fix: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    1 hazard
    ");
}

#[test]
fn reads_the_legacy_settings_of_a_behavior() {
    let legacy = json!({"QueryString": true, "Cookies": {"Forward": "all"}, "Headers": {"Quantity": 1, "Items": ["Host"]}});
    let change =
        json!({"CachePolicyId": null, "OriginRequestPolicyId": null, "MaxTTL": 0, "ForwardedValues": legacy});
    assert_snapshot!(doctor(&at_origin(change)), @r"
    headers-not-seen (*)
      Of the viewer's headers, the function at origin-request receives only Host: attacks in the others are missed.
      Fix: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    1 hazard
    ");
}

#[test]
fn reports_a_trigger_without_include_body() {
    assert_snapshot!(doctor(&with(REQUEST, json!({"IncludeBody": false}))), @r#"
    body-not-included (*)
      Request bodies are not inspected: the function at viewer-request does not receive them.
      Fix: Run deploy again, or select "Include body" at the trigger.

    1 hazard
    "#);
}

#[test]
fn reports_an_occupied_slot() {
    let other = json!({"LambdaFunctionARN": "arn:aws:lambda:us-east-1:123456789012:function:sign-in:7"});
    let mut documents = with(REQUEST, other);
    let slots = BEHAVIOR.to_owned() + "/LambdaFunctionAssociations/Items";
    documents[0].pointer_mut(&slots).unwrap().as_array_mut().unwrap().truncate(1);
    assert_snapshot!(doctor(&documents), @r"
    slot-occupied (*)
      arn:aws:lambda:us-east-1:123456789012:function:sign-in:7 is attached to viewer-request, and a behavior allows one function per trigger.
      Fix: Attach to the other side's triggers (--stages), or run deploy with --replace.

    1 hazard
    ");
}

#[test]
fn reports_a_cloudfront_function_at_viewer_triggers() {
    let function = json!({"FunctionARN": "arn:aws:cloudfront::123456789012:function/rewrite", "EventType": "viewer-request"});
    assert_snapshot!(doctor(&with(BEHAVIOR, json!({"FunctionAssociations": {"Quantity": 1, "Items": [function]}}))), @r"
    cloudfront-function (*)
      The CloudFront function arn:aws:cloudfront::123456789012:function/rewrite is attached to viewer-request: a behavior cannot combine it with Lambda functions at viewer triggers.
      Fix: Attach to origin triggers (--stages origin), or remove the CloudFront function from this behavior.

    1 hazard
    ");
}

#[test]
fn reports_a_behavior_with_grpc() {
    assert_snapshot!(doctor(&with(BEHAVIOR, json!({"GrpcConfig": {"Enabled": true}}))), @r"
    grpc-not-inspected (*)
      gRPC calls are not inspected: CloudFront forwards them without running Lambda functions.
      Fix: Disallow gRPC in this behavior, or protect its calls at the origin.

    1 hazard
    ");
    let disabled = with(BEHAVIOR, json!({"GrpcConfig": {"Enabled": false}}));
    assert_eq!(doctor(&disabled), doctor(&clean()));
}

#[test]
fn reports_a_behavior_without_the_request_function() {
    let api = json!({"PathPattern": "/api/*", "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"});
    assert_snapshot!(doctor(&with(CONFIG, json!({"CacheBehaviors": {"Quantity": 1, "Items": [api]}}))), @r"
    behavior-not-covered (/api/*)
      Requests to /api/* are not inspected: the request function is attached to other behaviors only.
      Fix: Run deploy with --behavior for this path pattern.

    1 hazard
    ");
}

#[test]
fn reports_a_runtime_near_its_end_of_support() {
    let mut documents = clean();
    documents[1]["Runtime"] = json!("python3.10");
    documents[2]["Runtime"] = json!("python3.11");
    // 2027-06-30 is more than 180 days away from the day of these tests.
    assert_snapshot!(doctor(&documents), @r"
    runtime-ends (arn:aws:lambda:us-east-1:123456789012:function:wallarm-connector-request:3)
      AWS's support for python3.10 ended on 2026-10-31; later, functions on it cannot be created or updated.
      Fix: Run upgrade with --runtime python3.13.

    1 hazard
    ");
}

#[test]
fn reports_a_role_that_does_not_trust_both_services() {
    let mut documents = clean();
    let principal = documents[3].pointer_mut("/Role/AssumeRolePolicyDocument/Statement/0/Principal/Service");
    *principal.unwrap() = json!("lambda.amazonaws.com");
    assert_snapshot!(doctor(&documents), @r"
    trust-missing (arn:aws:iam::123456789012:role/wallarm-connector)
      The role does not trust edgelambda.amazonaws.com: CloudFront cannot run functions that use it.
      Fix: Add lambda.amazonaws.com and edgelambda.amazonaws.com to the role's trust policy.

    1 hazard
    ");
}

#[test]
fn lists_missing_documents_as_not_checked() {
    let Value::Array(mut documents) = clean() else { panic!("a list") };
    documents.truncate(2);
    assert_snapshot!(doctor(&documents.into()), @r"
    not checked: the trust policy of arn:aws:iam::123456789012:role/wallarm-connector; add the output of: aws iam get-role --role-name wallarm-connector
    not checked: the runtime and role of arn:aws:lambda:us-east-1:123456789012:function:wallarm-connector-response:3; add the output of: aws lambda get-function-configuration --region us-east-1 --function-name arn:aws:lambda:us-east-1:123456789012:function:wallarm-connector-response:3
    no hazards found
    ");
}

#[test]
fn rejects_files_that_are_not_aws_output() {
    assert_snapshot!(doctor(&json!({"DistributionList": {}})), @"error: test.json is not the output of aws cloudfront get-distribution, get-distribution-config, get-cache-policy, get-origin-request-policy or get-realtime-log-config, aws lambda get-function-configuration, aws iam get-role, aws logs describe-delivery-sources, describe-deliveries or describe-delivery-destinations, or aws firehose describe-delivery-stream");
    assert_snapshot!(doctor(&json!([])), @"error: no file contains a distribution; save one with: aws cloudfront get-distribution --id ID > distribution.json");
    assert_snapshot!(doctor(&json!({"DistributionConfig": {}})), @"error: test.json: the distribution does not match the format that AWS prints");
    let error = Documents::default().read("test.json", "<xml/>").unwrap_err();
    assert!(matches!(error, DocumentError::Json { .. }), "{error}");
}

#[test]
fn exit_codes_distinguish_hazards_from_unreadable_files() {
    let exit_code = |input: &str| {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_wallarm-connector"))
            .args(["doctor", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        tool.wait().unwrap().code()
    };
    assert_eq!(exit_code(&clean().to_string()), Some(0));
    assert_eq!(exit_code(&with(REQUEST, json!({"IncludeBody": false})).to_string()), Some(1));
    assert_eq!(exit_code("no json"), Some(2));
}
