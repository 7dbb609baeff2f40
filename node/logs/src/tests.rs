//! Tests of the formats, of the encoding, and of malformed lines.

use super::*;
use crate::escape::decode;
use proptest::prelude::*;
use std::fmt::Write as _;

const STANDARD: &str = "#Version: 1.0\n\
    #Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) \
    cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes \
    time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status \
    fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len \
    sc-range-start sc-range-end\n\
    2026-11-30\t23:59:58\tFRA56-P1\t4567\t203.0.113.178\tGET\td111111abcdef8.cloudfront.net\t/files/%252e%252e/a\t200\t\
    https://shop.example.com/?a=1\tMozilla/5.0%20(X11;%20%5Bx%5D)\tq=%2527+or+1=1\ta=1;%20b=2\tHit\tk3Zm9v==\t\
    shop.example.com\thttps\t123\t0.082\t198.51.100.7\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t51234\t\
    0.001\tHit\ttext/html\t4096\t-\t-\n";

const JSON: &str = r#"{"timestamp":"1796083198","DistributionId":"E2EXAMPLE","date":"2026-11-30","time":"23:59:58","x-edge-location":"FRA56-P1","sc-bytes":4567,"c-ip":"2001:db8::7","cs-method":"GET","cs(Host)":"d111111abcdef8.cloudfront.net","cs-uri-stem":"/search","sc-status":"403","cs(Referer)":"-","cs(User-Agent)":"curl/8.0","cs-uri-query":"q=%253Cscript%253E","cs(Cookie)":"-","x-edge-result-type":"Error","x-edge-request-id":"k4Zm9v==","x-host-header":"shop.example.com","cs-protocol":"https","cs-protocol-version":"HTTP/3.0","time-taken":"0.1","timestamp(ms)":"1796083198123","c-country":"DE","asn":"64500","cache-behavior-path-pattern":"/search*","later":{"a":[1]},"origin-fbl":null}"#;

const REAL_TIME_FIELDS: &str = "timestamp c-ip sc-status sc-bytes cs-method cs-protocol cs-host cs-uri-stem \
    x-edge-location x-edge-request-id x-host-header time-taken cs-protocol-version cs-user-agent cs-referer cs-cookie \
    cs-uri-query x-edge-response-result-type x-forwarded-for x-edge-result-type x-edge-detailed-result-type c-country \
    cache-behavior-path-pattern cs-headers primary-distribution-id primary-distribution-dns-name asn";

const REAL_TIME: &str = "1796083198.123\t203.0.113.178\t000\t0\tPOST\thttp\tshop.example.com\t/login?next=%252F\tFRA56-P1\t\
    k5Zm9v==\td111111abcdef8.cloudfront.net\t0.004\tHTTP/1.1\tcurl/8.0\t-\tsid=1\tnext=%252F\tError\t-\tError\t\
    ClientCommError\tDE\t*\tHost:shop.example.com%0AX-Api:%2524%257Bjndi:x%257D%0AUser-Agent:curl/8.0%0A\tE2EXAMPLE\t\
    d111111abcdef8.cloudfront.net\t64500\n";

fn all(columns: Option<&str>, text: &str) -> Vec<Result<LogRecord, String>> {
    let mut parser = Parser::new(columns.map(|columns| columns.parse().unwrap()));
    let records = text.lines().filter_map(|line| parser.parse(line.as_bytes()));
    records.map(|record| record.map_err(|error| error.to_string())).collect()
}

fn one(columns: Option<&str>, text: &str) -> LogRecord {
    let mut records = all(columns, text);
    assert_eq!(records.len(), 1);
    records.remove(0).unwrap()
}

#[test]
fn reads_standard_logs() {
    insta::assert_debug_snapshot!(one(None, STANDARD));
}

#[test]
fn reads_standard_logs_in_json() {
    insta::assert_debug_snapshot!(one(None, JSON));
}

#[test]
fn reads_real_time_logs() {
    insta::assert_debug_snapshot!(one(Some(REAL_TIME_FIELDS), REAL_TIME));
}

#[test]
fn a_record_becomes_a_request_and_a_report_with_the_id_of_the_connector() {
    let record = one(Some(REAL_TIME_FIELDS), REAL_TIME);
    let request = record.inspect_request("E2EXAMPLE", "1.0.0");
    assert_eq!(request.request_id, Some(shared::RequestId::derive("E2EXAMPLE", "k5Zm9v==")));
    insta::assert_json_snapshot!(request);
    assert_eq!(record.response_report("E2EXAMPLE", "1.0.0"), None, "the visitor got no response");
    insta::assert_json_snapshot!(one(None, STANDARD).response_report("E2EXAMPLE", "1.0.0"));
}

#[test]
fn the_header_determines_the_columns() {
    let text = "#Version: 1.0\n#Fields: x-edge-request-id time date c-ip later cs-uri-stem cs-method cs(Host)\n\
        a==\t01:02:03\t2026-01-02\t::1\tx\t/1\tGET\td.net\n\
        #Fields: time date c-ip cs-uri-stem cs-method cs(Host) x-edge-request-id\n\
        01:02:03\t2026-01-02\t::1\t/2\tGET\td.net\tb==\n";
    let paths: Vec<_> = all(None, text).into_iter().map(|record| record.unwrap().path).collect();
    assert_eq!(paths, ["/1", "/2"]);
}

#[test]
fn headers_without_a_field_of_their_own_are_inspected() {
    let fields = "timestamp c-ip cs-method cs-host cs-uri-stem x-edge-request-id cs-user-agent cs-headers";
    let line =
        "1767225600\t::1\tGET\td.net\t/\ta==\tcurl\tHost:d.net%0AUser-Agent:curl%0ACookie:a=b%0AReferer:c";
    let record = one(Some(fields), line);
    let names: Vec<_> = record.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["cookie", "referer"]);
}

#[test]
fn a_malformed_number_that_no_detection_needs_costs_no_record() {
    let fields =
        "timestamp c-ip cs-method cs-host cs-uri-stem x-edge-request-id sc-status sc-bytes time-taken asn";
    let record = one(Some(fields), "1767225600\t::1\tGET\td.net\t/\ta==\tOK\tmany\tlong\tAS1");
    assert_eq!((record.status, record.response.bytes, record.location.asn), (None, None, None));
}

#[test]
fn malformed_lines_are_errors_that_name_line_and_field() {
    let fields = "#Fields: date time c-ip cs-method cs(Host) cs-uri-stem x-edge-request-id sc-status";
    let good = "2026-01-02\t01:02:03\t::1\tGET\td.net\t/\ta==\t200";
    let text = [
        good,
        fields,
        good,
        "2026-13-02\t01:02:03\t::1\tGET\td.net\t/\ta==\t200",
        "2026-01-02\t01:02\t::1\tGET\td.net\t/\ta==\tOK",
        "2026-01-02\t01:02:03\t::1\tGET\td.net\t/\t-\t200",
        "2026-01-02\t01:02:03\tlocalhost\tGET\td.net\t/\ta==\t200",
        "2026-01-02\t01:02:03\t::1\tGET",
        "{\"date\": [1]}",
        "{\"c-ip\"",
        "{\"c-ip\":\"::1\"}",
        "",
        good,
        "#Fields: date time",
        good,
    ];
    let errors: Vec<_> = all(None, &text.join("\n")).into_iter().map(|it| it.map(|it| it.path)).collect();
    insta::assert_debug_snapshot!(errors);
    let mut parser = Parser::new(None);
    let not_text = parser.parse(b"\xff").unwrap().unwrap_err();
    assert_eq!(not_text.to_string(), "line 1: is not UTF-8");
    let line = vec![b'a'; Parser::MAX_LINE_BYTES + 1];
    let long = parser.parse(&line).unwrap().unwrap_err();
    assert_eq!(long.to_string(), "line 2: has more than 262144 bytes");
}

#[test]
fn lists_of_fields_need_what_identifies_a_request() {
    let missing = "date, time, c-ip".parse::<Columns>().unwrap_err();
    assert_eq!(missing.to_string(), "has no field x-edge-request-id");
    let columns: Columns = REAL_TIME_FIELDS.parse().unwrap();
    assert_eq!(columns.names(), REAL_TIME_FIELDS);
}

/// Encodes as CloudFront's page defines it.
fn encode(value: &[u8]) -> String {
    let mut text = String::new();
    for &byte in value {
        if byte <= b' ' || byte >= 0x7f || b"<>\"#%{}|\\^~[]`'".contains(&byte) {
            let _ = write!(text, "%{byte:02X}");
        } else {
            text.push(byte.into());
        }
    }
    text
}

/// `e2e/tests/scenarios/log_encodings` has a table of values.
#[test]
fn empty_values_and_bytes_that_are_not_utf_8_are_lost() {
    let lost: [(&[u8], _); 4] =
        [(b"", None), (b"-", None), (b"\xe9", Some("é")), (b"\xfcber%20", Some("über%20"))];
    for (sent, read) in lost {
        let logged = if sent.is_empty() { "-".to_owned() } else { encode(sent) };
        let fields = "date time c-ip cs-method cs(Host) cs-uri-stem x-edge-request-id cs(User-Agent)";
        let record = one(Some(fields), &format!("2026-01-02\t01:02:03\t::1\tGET\td.net\t/\ta==\t{logged}"));
        assert_eq!(record.user_agent.as_deref(), read, "{}", sent.escape_ascii());
    }
}

#[test]
fn values_that_are_logged_unencoded_stay() {
    for value in ["Mozilla/5.0 (X11; 100%25)", "a\"%41", "ü%41", "100%", "%zz%4", "%+1"] {
        assert_eq!(decode(value), value);
    }
}

proptest! {
    #[test]
    fn decoding_inverts_encoding(value in ".*") {
        let encoded = encode(value.as_bytes());
        prop_assert_eq!(decode(&encoded), value);
    }

    #[test]
    fn any_line_is_a_record_an_error_or_nothing(lines in prop::collection::vec(".*", 0..8)) {
        let mut parser = Parser::new(Some(REAL_TIME_FIELDS.parse().unwrap()));
        for line in lines {
            let _ = parser.parse(line.as_bytes());
        }
    }

    #[test]
    fn fields_of_a_record_survive(
        path in "/[^?\t]*", query in ".*", agent in ".+", address in any::<std::net::IpAddr>(), status in 100u16..1000,
    ) {
        prop_assume!(!matches!(query.as_str(), "" | "-") && agent != "-");
        let line = format!(
            "1796083198.5\t{address}\t{status}\tGET\tshop.example.com\t{}?{}\ta==\t{}",
            encode(path.as_bytes()), encode(query.as_bytes()), encode(agent.as_bytes())
        );
        let fields = "timestamp c-ip sc-status cs-method cs-host cs-uri-stem x-edge-request-id cs-user-agent";
        let record = one(Some(fields), &line);
        prop_assert_eq!((record.path, record.query, record.user_agent), (path, query, Some(agent)));
        prop_assert_eq!((record.client_ip, record.status), (address, Some(status)));
        prop_assert_eq!(record.time.as_millisecond(), 1_796_083_198_500);
    }
}
