//! Distributions from AWS's descriptions.

use std::time::Duration;

use cloudfront_sim::cloudfront::{
    CachePolicy, ConfigError, Given, Loaded, OriginRequestPolicy, Selection, Trigger, ViewerProtocol, load,
};
use serde_json::{Value, json};

use crate::harness::does;

/// The output of `aws cloudfront get-distribution-config`, without empty fields.
fn aws() -> Value {
    json!({ "ETag": "E2QWRUHEXAMPLE", "DistributionConfig": {
        "CallerReference": "x",
        "Aliases": { "Quantity": 0 },
        "DefaultRootObject": "index.html",
        "Origins": { "Quantity": 2, "Items": [
            { "Id": "api", "DomainName": "api.example.com", "OriginPath": "/v1",
              "CustomHeaders": { "Quantity": 1, "Items": [{ "HeaderName": "X-Key", "HeaderValue": "k" }] },
              "CustomOriginConfig": { "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only",
                "OriginSslProtocols": { "Quantity": 1, "Items": ["TLSv1.2"] },
                "OriginReadTimeout": 20, "OriginKeepaliveTimeout": 5 },
              "ConnectionAttempts": 3, "OriginShield": { "Enabled": false } },
            { "Id": "files", "DomainName": "files.s3.eu-west-1.amazonaws.com", "OriginPath": "",
              "S3OriginConfig": { "OriginAccessIdentity": "" } },
        ]},
        "OriginGroups": { "Quantity": 1, "Items": [{ "Id": "both",
            "FailoverCriteria": { "StatusCodes": { "Quantity": 2, "Items": [500, 503] } },
            "Members": { "Quantity": 2, "Items": [{ "OriginId": "api" }, { "OriginId": "files" }] } }] },
        "DefaultCacheBehavior": behavior("api"),
        "CacheBehaviors": { "Quantity": 1, "Items": [
            { "PathPattern": "/static/*", "TargetOriginId": "both", "ViewerProtocolPolicy": "https-only",
              "CachePolicyId": "mine", "Compress": true },
        ]},
        "CustomErrorResponses": { "Quantity": 1, "Items": [
            { "ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "200", "ErrorCachingMinTTL": 30 },
        ]},
        "Comment": "", "Logging": { "Enabled": false }, "PriceClass": "PriceClass_All", "Enabled": true,
        "Restrictions": { "GeoRestriction": { "RestrictionType": "none", "Quantity": 0 } },
        "WebACLId": "arn:aws:wafv2:us-east-1:1:global/webacl/x",
    },
    "CachePolicies": { "mine": { "CachePolicy": { "Id": "mine", "CachePolicyConfig": {
        "Name": "mine", "MinTTL": 1, "DefaultTTL": 60, "MaxTTL": 3600,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": true,
            "HeadersConfig": { "HeaderBehavior": "whitelist", "Headers": { "Quantity": 1, "Items": ["X-Tenant"] } },
            "CookiesConfig": { "CookieBehavior": "none" },
            "QueryStringsConfig": { "QueryStringBehavior": "allExcept",
                "QueryStrings": { "Quantity": 1, "Items": ["utm"] } },
        },
    }}}}})
}

fn behavior(target: &str) -> Value {
    json!({ "TargetOriginId": target, "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": { "Quantity": 3, "Items": ["GET", "HEAD", "OPTIONS"],
            "CachedMethods": { "Quantity": 3, "Items": ["GET", "HEAD", "OPTIONS"] } },
        "SmoothStreaming": false, "FieldLevelEncryptionId": "", "TrustedSigners": { "Enabled": false, "Quantity": 0 },
        "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        "OriginRequestPolicyId": "216adef6-5c7f-47e4-b989-5492eafa07d3",
        "LambdaFunctionAssociations": { "Quantity": 0 } })
}

fn given() -> Given {
    let at = |text: &str| text.parse().unwrap();
    let origins =
        vec![at("api=http://127.0.0.1:3001"), at("files.s3.eu-west-1.amazonaws.com=http://127.0.0.1:3002")];
    Given { origins, ..Given::default() }
}

fn read(document: &Value) -> Result<Loaded, ConfigError> {
    load(&document.to_string(), &given())
}

/// The document with the value at a JSON pointer replaced or removed.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = aws();
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

#[test]
fn reads_the_output_of_get_distribution_config() {
    let distribution = read(&aws()).unwrap().distribution;
    let [api, files] = &distribution.origins[..] else { panic!("two origins") };
    assert_eq!((api.address.port(), api.path.as_str(), api.read_timeout.as_secs()), (3001, "/v1", 20));
    assert_eq!((files.address.port(), api.custom_headers[0].1.as_str()), (3002, "k"));
    assert_eq!(distribution.origin_groups[0].status_codes, [500, 503]);
    let behavior = &distribution.default_behavior;
    assert_eq!(behavior.viewer_protocol, ViewerProtocol::RedirectToHttps);
    assert_eq!((behavior.allowed_methods.len(), behavior.caches_options), (3, true));
    assert_eq!(behavior.cache, CachePolicy::disabled());
    assert_eq!(behavior.origin_request, OriginRequestPolicy::all_viewer());
    let (pattern, statics) = &distribution.behaviors[0];
    assert!(pattern.matches("/static/a") && statics.target == "both");
    let expected = CachePolicy {
        headers: Selection::only(&["X-Tenant"]),
        query: Selection::AllBut(vec!["utm".to_owned()]),
        gzip: true,
        ..CachePolicy::with_ttls(1, 60, 3600)
    };
    assert_eq!((&statics.cache, &statics.origin_request), (&expected, &OriginRequestPolicy::default()));
    let error = &distribution.error_responses[0];
    let page = error.page.as_ref().unwrap();
    assert_eq!((error.caching_min_ttl, page.response_code), (Duration::from_secs(30), 200));
    assert_eq!(distribution.default_root_object.unwrap(), "index.html");
}

#[test]
fn lists_keys_without_effect_unless_they_are_off() {
    assert_eq!(
        read(&aws()).unwrap().not_simulated,
        [
            "DistributionConfig.Origins.Items[0].ConnectionAttempts: has no effect here",
            "DistributionConfig.CacheBehaviors.Items[0].Compress: has no effect here",
            "DistributionConfig.WebACLId: has no effect here",
        ]
    );
}

#[tokio::test]
async fn the_example_of_the_documentation_gives_no_warnings() {
    let page = include_str!("../../../../docs/simulator.md");
    let (_, example) = page.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let function = does("return request").await;
    let functions = [("request".to_owned(), function.function.clone())].into();
    let origins = vec!["api=http://127.0.0.1:3001".parse().unwrap()];
    let given = Given { functions, origins, ..Given::default() };
    let others = "OriginRequestPolicies: { a: { Name: a } }\nResponseHeadersPolicies: { a: { Name: a } }\n";
    for description in [example.to_owned(), format!("{example}{others}")] {
        assert_eq!(load(&description, &given).unwrap().not_simulated, [""; 0]);
    }
}

#[test]
fn errors_name_the_key_of_a_wrong_value() {
    let config = "/DistributionConfig";
    for (pointer, value, expected) in [
        (
            "/Origins/Items/0/DomainName",
            json!(7),
            "DistributionConfig.Origins.Items[0].DomainName: must be a string",
        ),
        ("/Origins/Items", json!([]), "DistributionConfig.Origins: must contain an origin"),
        (
            "/Origins/Items/0/CustomOriginConfig/OriginReadTimeout",
            json!(500),
            "DistributionConfig.Origins.Items[0].CustomOriginConfig.OriginReadTimeout: must be from 1 to 120",
        ),
        (
            "/DefaultCacheBehavior/TargetOriginId",
            json!("unknown"),
            "DistributionConfig.DefaultCacheBehavior.TargetOriginId: no origin or origin group has the id unknown",
        ),
        (
            "/DefaultCacheBehavior/CachePolicyId",
            json!("abc"),
            "DistributionConfig.DefaultCacheBehavior.CachePolicyId: abc is not a known managed policy; add it to \
             CachePolicies",
        ),
        (
            "/DefaultCacheBehavior/ViewerProtocolPolicy",
            json!("http"),
            "DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy: must be allow-all, redirect-to-https or \
             https-only",
        ),
        (
            "/CustomErrorResponses/Items/0/ErrorCode",
            json!(4040),
            "DistributionConfig.CustomErrorResponses.Items[0].ErrorCode: must be a status from 200 to 599",
        ),
        (
            "/DefaultCacheBehavior/LambdaFunctionAssociations",
            json!({ "Items": [{ "EventType": "origin-response", "LambdaFunctionARN": "f", "IncludeBody": true }] }),
            "DistributionConfig.DefaultCacheBehavior.LambdaFunctionAssociations.Items[0]: IncludeBody is only allowed for \
             request events",
        ),
        (
            "/DefaultCacheBehavior/LambdaFunctionAssociations",
            json!({ "Items": [{ "EventType": "origin-request",
                "LambdaFunctionARN": "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST" }] }),
            "DistributionConfig.DefaultCacheBehavior.LambdaFunctionAssociations.Items[0].LambdaFunctionARN: must end in \
             a version number; $LATEST and aliases are not allowed",
        ),
        ("/DefaultCacheBehavior", Value::Null, "DistributionConfig.DefaultCacheBehavior: is missing"),
    ] {
        let error = read(&with(&format!("{config}{pointer}"), value)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn errors_name_an_origin_without_address_and_the_line_of_malformed_input() {
    let without_address = load(&aws().to_string(), &Given::default()).unwrap_err().to_string();
    assert_eq!(
        without_address,
        "DistributionConfig.Origins.Items[0]: api.example.com has no address on this machine; add --origin \
         api=http://127.0.0.1:…"
    );
    assert!(load("{", &given()).unwrap_err().to_string().contains("line 1"));
    assert!(load("a: [1", &given()).unwrap_err().to_string().contains("line"));
    assert!(load("a: 1", &given()).unwrap_err().to_string().contains("contains no distribution"));
}

/// A typical template: YAML, plain lists, policies and versions by reference.
const TEMPLATE: &str = "
Resources:
  Keep:
    Type: AWS::CloudFront::CachePolicy
    Properties:
      CachePolicyConfig:
        Name: keep
        MinTTL: 0
        DefaultTTL: 5.0
        MaxTTL: 60
        ParametersInCacheKeyAndForwardedToOrigin:
          EnableAcceptEncodingGzip: false
          HeadersConfig: { HeaderBehavior: none }
          CookiesConfig: { CookieBehavior: all }
          QueryStringsConfig: { QueryStringBehavior: whitelist, QueryStrings: [page] }
  Headers:
    Type: AWS::CloudFront::ResponseHeadersPolicy
    Properties:
      ResponseHeadersPolicyConfig:
        Name: headers
        SecurityHeadersConfig:
          StrictTransportSecurity: { AccessControlMaxAgeSec: 60, IncludeSubdomains: true, Override: true }
        CustomHeadersConfig: { Items: [{ Header: X-A, Value: b, Override: false }] }
        RemoveHeadersConfig: { Items: [{ Header: Server }] }
  Edge:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        Origins:
          - Id: local
            DomainName: localhost
            CustomOriginConfig: { HTTPPort: 3001, OriginProtocolPolicy: http-only }
        DefaultCacheBehavior:
          TargetOriginId: local
          ViewerProtocolPolicy: allow-all
          AllowedMethods: [GET, HEAD, OPTIONS]
          CachedMethods: [GET, HEAD, OPTIONS]
          CachePolicyId: !Ref Keep
          ResponseHeadersPolicyId: { Ref: Headers }
          LambdaFunctionAssociations:
            - { EventType: viewer-request, IncludeBody: true, LambdaFunctionARN: { Ref: Waf } }
            - EventType: origin-response
              LambdaFunctionARN: arn:aws:lambda:us-east-1:123456789012:function:waf-response:7
";

#[tokio::test]
async fn reads_a_cloudformation_template() {
    let (request, response) = (does("return request").await, does("return response").await);
    let functions = [("Waf", &request), ("waf-response", &response)];
    let functions = functions.map(|(name, function)| (name.to_owned(), function.function.clone())).into();
    let Loaded { distribution, not_simulated } =
        load(TEMPLATE, &Given { functions, ..Given::default() }).unwrap();
    assert_eq!(not_simulated, [""; 0]);
    assert_eq!(distribution.origins[0].address, "127.0.0.1:3001".parse().unwrap());
    let behavior = distribution.default_behavior;
    assert_eq!((behavior.cache.default_ttl.as_secs(), behavior.caches_options), (5, true));
    assert_eq!(
        (&behavior.cache.cookies, &behavior.cache.query),
        (&Selection::All, &Selection::only(&["page"]))
    );
    let headers = &behavior.response_headers;
    assert_eq!(headers.headers[0].value, "max-age=60; includeSubDomains");
    assert_eq!((headers.headers[1].name.as_str(), headers.remove[0].as_str()), ("X-A", "Server"));
    let association = |trigger| behavior.functions.at(trigger).unwrap();
    assert!(association(Trigger::ViewerRequest).include_body);
    assert!(!association(Trigger::OriginResponse).include_body);
    assert!(behavior.functions.at(Trigger::OriginRequest).is_none());
    let unknown = load(TEMPLATE, &Given::default()).unwrap_err().to_string();
    assert!(unknown.ends_with("the function Waf has no zip; add --function Waf=FILE.zip"), "{unknown}");
}

#[test]
fn reads_legacy_forwarded_values() {
    let behavior = json!({ "TargetOriginId": "api", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0, "MaxTTL": 100,
        "ForwardedValues": { "QueryString": true, "QueryStringCacheKeys": { "Quantity": 1, "Items": ["page"] },
            "Cookies": { "Forward": "whitelist", "WhitelistedNames": { "Quantity": 1, "Items": ["lang"] } },
            "Headers": { "Quantity": 1, "Items": ["Host"] } } });
    let behavior = read(&with("/DistributionConfig/DefaultCacheBehavior", behavior)).unwrap();
    let behavior = behavior.distribution.default_behavior;
    assert_eq!(behavior.cache.query, Selection::only(&["page"]));
    assert_eq!(behavior.cache.cookies, Selection::only(&["lang"]));
    assert_eq!(behavior.cache.headers, Selection::only(&["Host"]));
    assert_eq!(
        (behavior.cache.default_ttl.as_secs(), behavior.origin_request.query),
        (86_400, Selection::All)
    );
}
