//! A distribution without hazards, and what the doctor says when one thing about it is changed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use connector::doctor::{Deployment, DocumentError, Documents, Side, examine};
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
    let mut documents: Value = serde_json::from_str(include_str!("../fixtures/doctor/account.json")).unwrap();
    let distribution = serde_json::from_str(include_str!("../fixtures/doctor/distribution.json")).unwrap();
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
    merge(documents[0].pointer_mut(BEHAVIOR).unwrap(), change);
    documents
}

fn merge(object: &mut Value, change: Value) {
    let Value::Object(change) = change else { panic!("an object") };
    object.as_object_mut().unwrap().extend(change);
}

fn doctor(documents: &Value) -> String {
    let deployment = Deployment {
        name: "wallarm-connector".to_owned(),
        side: Side::Viewer,
        behavior: "*".to_owned(),
        block_status: 403,
    };
    let mut read = Documents::default();
    let examined = read
        .read("test.json", &documents.to_string())
        .and_then(|()| examine(&read, &deployment, date(2026, 11, 22)));
    examined.map_or_else(|error| format!("error: {error}"), |report| report.to_string())
}

#[test]
fn a_sound_deployment_has_no_hazards() {
    assert_snapshot!(doctor(&clean()), @"no hazards found");
}

#[test]
fn an_error_page_takes_the_place_of_the_block_page() {
    let page = json!([{"ErrorCode": 403, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0}]);
    assert_snapshot!(doctor(&with(CONFIG, json!({"CustomErrorResponses": {"Items": page}}))), @r"
    error-page-replaces-block (distribution)
      A blocked visitor gets /index.html with status 200: the error page for 403 takes the place of the block page.
      Do: Remove that custom error response, or block with another status (wlrm_block_status).

    1 hazard
    ");
}

#[test]
fn a_block_at_origin_request_may_be_cached() {
    let mut documents = at_origin(json!({"CachePolicyId": "4cc15a8a-d715-48a4-82b8-cc0b614638fe"}));
    merge(documents[0].pointer_mut(CONFIG).unwrap(), json!({"CustomErrorResponses": {"Quantity": 0}}));
    assert_snapshot!(doctor(&documents), @r"
    cache-hits-not-inspected (*)
      Requests that the cache answers are not inspected: origin-request does not run for them.
      Do: Attach to viewer triggers, or give the behavior the policy CachingDisabled.

    block-cached (*)
      A 403 may be cached for 10 s (CloudFront's default) and be shown to visitors who did nothing wrong.
      Do: Add a custom error response for this status with an error caching minimum TTL of 0 and no page, or attach to viewer triggers.

    2 hazards
    ");
}

#[test]
fn nothing_is_cached_where_caching_is_disabled() {
    let mut documents = at_origin(json!({}));
    merge(documents[0].pointer_mut(CONFIG).unwrap(), json!({"CustomErrorResponses": {"Quantity": 0}}));
    assert_snapshot!(doctor(&documents), @"no hazards found");
}

#[test]
fn at_viewer_request_policies_hide_nothing() {
    let none = json!({"CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6", "OriginRequestPolicyId": ""});
    assert_snapshot!(doctor(&with(BEHAVIOR, none)), @"no hazards found");
}

#[test]
fn policies_hide_query_headers_cookies_and_host_from_origin_request() {
    assert_snapshot!(doctor(&at_origin(json!({"OriginRequestPolicyId": "59781a5b-3903-41f3-afcb-af62929ccde1"}))), @r"
    query-not-seen (*)
      Of the viewer's query parameters, the function at origin-request sees none: attacks in the hidden ones are missed.
      Do: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    headers-not-seen (*)
      Of the viewer's headers, the function at origin-request sees only Origin: attacks in the hidden ones are missed.
      Do: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    cookies-not-seen (*)
      Of the viewer's cookies, the function at origin-request sees none: attacks in the hidden ones are missed.
      Do: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    host-not-seen (*)
      The function at origin-request sees the origin's host instead of the viewer's: attacks are recorded for the wrong host.
      Do: Have the viewer's host copied to a header of its own (a CloudFront function can), forward that, and name it in wlrm_host_header; or attach to viewer triggers.

    4 hazards
    ");
}

#[test]
fn a_policy_may_hide_the_host_alone() {
    assert_snapshot!(doctor(&at_origin(json!({"OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac"}))), @r"
    host-not-seen (*)
      The function at origin-request sees the origin's host instead of the viewer's: attacks are recorded for the wrong host.
      Do: Have the viewer's host copied to a header of its own (a CloudFront function can), forward that, and name it in wlrm_host_header; or attach to viewer triggers.

    1 hazard
    ");
}

#[test]
fn policies_of_ones_own_are_read_from_their_documents() {
    let mut documents = at_origin(json!({"OriginRequestPolicyId": "11111111-2222-3333-4444-555555555555"}));
    assert_snapshot!(doctor(&documents), @r"
    not checked: what its policies hide from the function at *; add the output of: aws cloudfront get-origin-request-policy --id 11111111-2222-3333-4444-555555555555
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
      Of the viewer's cookies, the function at origin-request sees all but session: attacks in the hidden ones are missed.
      Do: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    1 hazard
    ");
}

#[test]
fn a_behavior_older_than_policies_is_read_too() {
    let legacy = json!({"QueryString": true, "Cookies": {"Forward": "all"}, "Headers": {"Quantity": 1, "Items": ["Host"]}});
    let change =
        json!({"CachePolicyId": null, "OriginRequestPolicyId": null, "MaxTTL": 0, "ForwardedValues": legacy});
    assert_snapshot!(doctor(&at_origin(change)), @r"
    headers-not-seen (*)
      Of the viewer's headers, the function at origin-request sees only Host: attacks in the hidden ones are missed.
      Do: Use the origin request policy AllViewer (or AllViewerExceptHostHeader), or attach to viewer triggers.

    1 hazard
    ");
}

#[test]
fn bodies_are_missed_without_include_body() {
    assert_snapshot!(doctor(&with(REQUEST, json!({"IncludeBody": false}))), @r#"
    body-not-included (*)
      Bodies of requests are not inspected: the function at viewer-request does not get them.
      Do: Run deploy again, or tick "Include body" at the trigger.

    1 hazard
    "#);
}

#[test]
fn the_place_may_be_taken_before_the_first_deployment() {
    let other = json!({"LambdaFunctionARN": "arn:aws:lambda:us-east-1:123456789012:function:sign-in:7"});
    let mut documents = with(REQUEST, other);
    let slots = BEHAVIOR.to_owned() + "/LambdaFunctionAssociations/Items";
    documents[0].pointer_mut(&slots).unwrap().as_array_mut().unwrap().truncate(1);
    assert_snapshot!(doctor(&documents), @r"
    slot-occupied (*)
      arn:aws:lambda:us-east-1:123456789012:function:sign-in:7 is at viewer-request already, and a behavior takes one function per trigger.
      Do: Attach to the other side's triggers (--trigger), or let deploy take the place with --replace.

    1 hazard
    ");
}

#[test]
fn a_cloudfront_function_keeps_lambda_from_viewer_triggers() {
    let function = json!({"FunctionARN": "arn:aws:cloudfront::123456789012:function/rewrite", "EventType": "viewer-request"});
    assert_snapshot!(doctor(&with(BEHAVIOR, json!({"FunctionAssociations": {"Quantity": 1, "Items": [function]}}))), @r"
    cloudfront-function (*)
      The CloudFront function arn:aws:cloudfront::123456789012:function/rewrite is at viewer-request: a behavior cannot have one and a Lambda function at viewer triggers.
      Do: Attach to origin triggers (--trigger origin), or remove the CloudFront function from this behavior.

    1 hazard
    ");
}

#[test]
fn a_behavior_beside_the_inspected_one_is_named() {
    let api = json!({"PathPattern": "/api/*", "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"});
    assert_snapshot!(doctor(&with(CONFIG, json!({"CacheBehaviors": {"Quantity": 1, "Items": [api]}}))), @r"
    behavior-not-covered (/api/*)
      Requests to /api/* are not inspected: the request function is attached to other behaviors only.
      Do: Run deploy with --behavior for this path pattern, too.

    1 hazard
    ");
}

#[test]
fn runtimes_end() {
    let mut documents = clean();
    documents[1]["Runtime"] = json!("python3.10");
    documents[2]["Runtime"] = json!("python3.11");
    // 2027-06-30 is more than 180 days away from the day of these tests.
    assert_snapshot!(doctor(&documents), @r"
    runtime-ends (arn:aws:lambda:us-east-1:123456789012:function:wallarm-connector-request:3)
      AWS's support for python3.10 ended on 2026-10-31: some time after, functions on it can be neither made nor changed.
      Do: Run upgrade with --runtime python3.13.

    1 hazard
    ");
}

#[test]
fn both_services_must_be_trusted() {
    let mut documents = clean();
    let principal = documents[3].pointer_mut("/Role/AssumeRolePolicyDocument/Statement/0/Principal/Service");
    *principal.unwrap() = json!("lambda.amazonaws.com");
    assert_snapshot!(doctor(&documents), @r"
    trust-missing (arn:aws:iam::123456789012:role/wallarm-connector)
      The role does not trust edgelambda.amazonaws.com: CloudFront cannot run functions that have it.
      Do: Let the role's trust policy name lambda.amazonaws.com and edgelambda.amazonaws.com.

    1 hazard
    ");
}

#[test]
fn what_was_not_given_is_asked_for() {
    let Value::Array(mut documents) = clean() else { panic!("a list") };
    documents.truncate(2);
    assert_snapshot!(doctor(&documents.into()), @r"
    not checked: whom arn:aws:iam::123456789012:role/wallarm-connector trusts; add the output of: aws iam get-role --role-name wallarm-connector
    not checked: runtime and role of arn:aws:lambda:us-east-1:123456789012:function:wallarm-connector-response:3; add the output of: aws lambda get-function-configuration --region us-east-1 --function-name arn:aws:lambda:us-east-1:123456789012:function:wallarm-connector-response:3
    no hazards found
    ");
}

#[test]
fn an_unreadable_file_is_said_to_be_so() {
    assert_snapshot!(doctor(&json!({"DistributionList": {}})), @"error: test.json holds something else than the output of aws cloudfront get-distribution, get-distribution-config, get-cache-policy or get-origin-request-policy, aws lambda get-function-configuration, or aws iam get-role");
    assert_snapshot!(doctor(&json!([])), @"error: no file holds a distribution; save one with: aws cloudfront get-distribution --id ID > distribution.json");
    assert_snapshot!(doctor(&json!({"DistributionConfig": {}})), @"error: test.json: the distribution does not have the form AWS prints");
    let error = Documents::default().read("test.json", "<xml/>").unwrap_err();
    assert!(matches!(error, DocumentError::Json { .. }), "{error}");
}

#[test]
fn the_exit_code_tells_hazards_from_files_that_cannot_be_read() {
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
