//! Doctor checks of access logs, and the pieces that set them up.

use super::*;
use access_log::Selection;
use connector::doctor::{LogsUrl, Setup, SetupFormat};

const URL: &str = "https://waf.example.com";
const STREAM: &str = "arn:aws:firehose:us-east-1:123456789012:deliverystream/wallarm-connector-logs";
const CONFIG_ARN: &str = "arn:aws:cloudfront::123456789012:realtime-log-config/ours";

/// The documents of standard logs (v2) to a stream that delivers to the node.
fn standard() -> Value {
    let arn = |kind: &str| format!("arn:aws:logs:us-east-1:123456789012:{kind}");
    let distribution = |id: &str| format!("arn:aws:cloudfront::123456789012:distribution/{id}");
    let destination = arn("delivery-destination:wallarm-connector-logs");
    let delivery = |id: &str, source: &str, fields: &[&str]| {
        json!({"id": id, "arn": arn("delivery:1"), "deliverySourceName": source, "recordFields": fields,
               "deliveryDestinationArn": destination, "deliveryDestinationType": "FH"})
    };
    let mut documents = clean();
    documents.as_array_mut().unwrap().extend([
        json!({"deliverySources": [
            {"name": "ours", "resourceArns": [distribution("EDFDVBD6EXAMPLE")], "logType": "ACCESS_LOGS"},
            {"name": "theirs", "resourceArns": [distribution("E2OTHER")], "logType": "ACCESS_LOGS"},
        ]}),
        json!({"deliveries": [
            delivery("d1", "ours", Selection::StandardV2.fields()),
            delivery("d2", "theirs", &["date"]),
        ]}),
        json!({"deliveryDestinations": [
            {"name": "wallarm-connector-logs", "arn": destination, "outputFormat": "json",
             "deliveryDestinationConfiguration": {"destinationResourceArn": STREAM}},
        ]}),
        json!({"DeliveryStreamDescription": {
            "DeliveryStreamName": "wallarm-connector-logs", "DeliveryStreamARN": STREAM,
            "Destinations": [{"DestinationId": "1", "HttpEndpointDestinationDescription": {
                "EndpointConfiguration": {"Url": "https://waf.example.com/v1/logs/firehose", "Name": "wallarm-node"},
                "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 10}}}]}}),
    ]);
    documents
}

/// The documents without any delivery.
fn without_logs() -> Value {
    let mut documents = clean();
    documents.as_array_mut().unwrap().extend([json!({"deliverySources": []}), json!({"deliveries": []})]);
    documents
}

fn real_time(rate: u64, fields: &[&str]) -> Value {
    json!({"RealtimeLogConfig": {"ARN": CONFIG_ARN, "Name": "ours", "SamplingRate": rate, "Fields": fields,
        "EndPoints": [{"StreamType": "Kinesis", "KinesisStreamConfig": {
            "RoleARN": "arn:aws:iam::123456789012:role/ours", "StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/ours"}}]}})
}

fn last(documents: &mut Value, behind: usize) -> &mut Value {
    let documents = documents.as_array_mut().unwrap();
    let at = documents.len() - 1 - behind;
    &mut documents[at]
}

fn logs(documents: &Value) -> String {
    with_logs(documents, Some(URL))
}

#[test]
fn logs_are_checked_on_request_only() {
    assert_snapshot!(doctor(&without_logs()), @"no hazards found");
    assert_snapshot!(logs(&without_logs()), @r"
    logs-off (distribution)
      CloudFront writes no access log: requests that no function sees are neither inspected nor counted.
      Fix: Run deploy with --logs, or use what --setup prints.

    1 hazard
    ");
    let unknown = logs(&clean());
    assert!(unknown.starts_with("not checked: standard logs (v2): aws logs"), "{unknown}");
}

#[test]
fn reports_no_hazards_for_standard_logs_with_all_fields_to_the_node() {
    assert_snapshot!(logs(&standard()), @"no hazards found");
    assert_snapshot!(with_logs(&standard(), Some("https://waf.example.com:443/v1/logs/firehose")), @"no hazards found");
}

#[test]
fn names_fields_that_a_delivery_lacks() {
    let mut documents = standard();
    let fields: Vec<_> = Selection::StandardV2
        .fields()
        .iter()
        .filter(|name| !matches!(**name, "c-ip" | "cs(Cookie)" | "asn"))
        .collect();
    last(&mut documents, 2)["deliveries"][0]["recordFields"] = json!(fields);
    assert_snapshot!(logs(&documents), @r"
    log-fields-required (standard logs (v2), delivery d1)
      The node reads no record without: c-ip.
      Fix: Select these fields: run deploy with --logs again, or use what --setup prints.

    log-fields-missing (standard logs (v2), delivery d1)
      Coverage is incomplete without: cs(Cookie), asn.
      Fix: Select these fields. Standard logs (legacy) have none to select: run deploy with --logs.

    2 hazards
    ");
}

#[test]
fn reports_a_stream_that_delivers_elsewhere_or_too_much_at_a_time() {
    let mut documents = standard();
    let stream = last(&mut documents, 0)
        .pointer_mut("/DeliveryStreamDescription/Destinations/0/HttpEndpointDestinationDescription");
    let stream = stream.unwrap();
    stream["EndpointConfiguration"]["Url"] = "https://old.example.com/v1/logs/firehose".into();
    stream["BufferingHints"]["SizeInMBs"] = 5.into();
    let found = logs(&documents);
    assert!(found.contains("log-not-delivered (Firehose stream wallarm-connector-logs)\n  It delivers to https://old.example.com/v1/logs/firehose, not to https://waf.example.com/v1/logs/firehose."), "{found}");
    assert!(found.contains("log-buffer") && found.ends_with("2 hazards\n"), "{found}");
    documents.as_array_mut().unwrap().pop();
    let unknown = logs(&documents);
    assert!(
        unknown.contains(
            "not checked: Firehose stream wallarm-connector-logs: aws firehose describe-delivery-stream"
        ),
        "{unknown}"
    );
}

#[test]
fn reports_destinations_and_formats_that_the_node_does_not_read() {
    let to = |kind: &str, format: &str, target: &str| {
        let mut documents = standard();
        last(&mut documents, 2)["deliveries"][0]["deliveryDestinationType"] = kind.into();
        let destination = &mut last(&mut documents, 1)["deliveryDestinations"][0];
        destination["outputFormat"] = format.into();
        destination["deliveryDestinationConfiguration"]["destinationResourceArn"] = target.into();
        logs(&documents)
    };
    let group = to("CWL", "json", "arn:aws:logs:us-east-1:123456789012:log-group:x");
    assert!(group.contains("log-not-delivered") && group.ends_with("1 hazard\n"), "{group}");
    for (kind, format, is_read) in [
        ("S3", "json", true),
        ("S3", "w3c", true),
        ("S3", "parquet", true),
        ("S3", "plain", false),
        ("FH", "w3c", false),
        ("FH", "parquet", false),
    ] {
        let found = to(kind, format, if kind == "FH" { STREAM } else { "arn:aws:s3:::logs" });
        assert_eq!(!found.contains("log-format"), is_read, "{kind} {format}: {found}");
        assert_eq!(found.contains("whether the node reads arn:aws:s3:::logs"), kind == "S3", "{found}");
    }
}

#[test]
fn reports_what_standard_logs_of_a_bucket_lack() {
    let mut documents = without_logs();
    let logging = |cookies: bool| json!({"Logging": {"Enabled": true, "IncludeCookies": cookies, "Bucket": "logs.s3.amazonaws.com", "Prefix": "shop/"}});
    merge(documents[0].pointer_mut(CONFIG).unwrap(), logging(false));
    let found = logs(&documents);
    assert!(found.contains("without: cs(Cookie), c-country, asn, cache-behavior-path-pattern."), "{found}");
    assert!(found.contains("whether the node reads logs.s3.amazonaws.com/shop/ (logs.paths)"), "{found}");
    merge(documents[0].pointer_mut(CONFIG).unwrap(), logging(true));
    assert!(logs(&documents).contains("without: c-country, asn"));
}

#[test]
fn reports_sampled_real_time_logs_and_behaviors_without_them() {
    let mut documents = without_logs();
    merge(documents[0].pointer_mut(BEHAVIOR).unwrap(), json!({"RealtimeLogConfigArn": CONFIG_ARN}));
    let unknown = logs(&documents);
    assert!(unknown.contains(&format!("get-realtime-log-config --arn {CONFIG_ARN}")), "{unknown}");
    documents.as_array_mut().unwrap().push(real_time(100, Selection::RealTime.fields()));
    let found = logs(&documents);
    assert!(
        found.contains("and the node has logs.fields: [timestamp, c-ip,")
            && found.ends_with("no hazards found\n"),
        "{found}"
    );
    *last(&mut documents, 0) = real_time(10, &["timestamp", "c-ip"]);
    let mut api = documents[0].pointer(BEHAVIOR).unwrap().clone();
    merge(&mut api, json!({"PathPattern": "/api/*", "RealtimeLogConfigArn": ""}));
    merge(documents[0].pointer_mut(CONFIG).unwrap(), json!({"CacheBehaviors": {"Items": [api]}}));
    let found = logs(&documents);
    for part in [
        "log-fields-required (real-time logs, ours)",
        "x-edge-request-id; cs-method;",
        "log-fields-missing (real-time logs, ours)",
        "log-sampled (real-time logs, ours)\n  Only 10 % of the requests are logged.",
        "log-behavior-missing (/api/*)",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
}

#[test]
fn the_url_of_the_logs_is_one_that_firehose_accepts() {
    for url in [
        "https://waf.example.com",
        "https://waf.example.com/",
        "https://waf.example.com:443/v1/logs/firehose",
    ] {
        assert_eq!(url.parse::<LogsUrl>(), URL.parse(), "{url}");
    }
    assert_ne!("https://waf.example.com/edge/logs".parse::<LogsUrl>(), URL.parse());
    for url in [
        "http://waf.example.com",
        "waf.example.com",
        "https://",
        "https://waf.example.com:5050",
        "https://a\"b",
        "https://a/$(id)",
        "https://a@b",
    ] {
        assert!(url.parse::<LogsUrl>().is_err(), "{url}");
    }
}

fn deployment(name: &str) -> Deployment {
    let logs = Some(URL.parse().unwrap());
    let (stages, behavior) = (Stages::Both, "*".to_owned());
    Deployment { name: name.to_owned(), stages, behavior, block_status: 403, logs }
}

/// A distribution with this id in its ARN.
fn distribution(id: &str) -> Documents {
    let mut text = clean();
    text[0]["Distribution"]["Id"] = id.into();
    text[0]["Distribution"]["ARN"] = format!("arn:aws:cloudfront::123456789012:distribution/{id}").into();
    let mut documents = Documents::default();
    documents.read("test.json", &text.to_string()).unwrap();
    documents
}

#[test]
fn pieces_have_the_url_the_fields_and_the_names_of_the_deployment() {
    let (documents, deployment) = (distribution("EDFDVBD6EXAMPLE"), deployment("shop"));
    for (is_real_time, selection, name) in
        [(false, Selection::StandardV2, "shop-logs"), (true, Selection::RealTime, "shop-real-time")]
    {
        let setup = Setup::new(&documents, &deployment, is_real_time).unwrap();
        for format in [SetupFormat::Cli, SetupFormat::CloudFormation, SetupFormat::Terraform] {
            let piece = setup.render(format);
            assert!(!piece.contains('@'), "{piece}");
            assert!(
                piece.contains("https://waf.example.com/v1/logs/firehose")
                    && piece.contains("EDFDVBD6EXAMPLE")
            );
            assert!(piece.contains(name), "{piece}");
            assert!(selection.fields().iter().all(|field| piece.contains(field)), "{piece}");
        }
    }
}

#[test]
fn names_that_would_be_code_in_a_piece_are_refused() {
    for id in ["", "E1\nrm -rf", "E1$(id)", "E1`id`", "E1\"", "E1'", "E1\\"] {
        assert!(Setup::new(&distribution(id), &deployment("shop"), false).is_none(), "{id}");
    }
    for name in ["", "a b", "$(id)", "a\"", "a.b"] {
        assert!(Setup::new(&distribution("E1"), &deployment(name), false).is_none(), "{name}");
    }
    assert!(Setup::new(&Documents::default(), &deployment("shop"), false).is_none());
    assert!(Setup::new(&distribution("E1"), &deployment("shop"), false).is_some());
}
