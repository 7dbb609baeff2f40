use super::*;
use shared::Trigger;
use std::time::Duration;

fn read(overrides: &[(&str, &str)]) -> Result<Parameters, ParameterError> {
    Parameters::read(|name| {
        let base = [("WLRM_FUNCTION", "request"), ("WLRM_NODE_ADDR", "https://node.example.com")];
        let set = overrides.iter().chain(&base).find(|(known, _)| *known == name);
        set.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn only_function_and_node_address_have_no_default() {
    let parameters = read(&[]).unwrap();
    assert_eq!(parameters.delivery, Delivery::Inline);
    assert_eq!(parameters.fail_mode, FailMode::Open);
    assert_eq!(
        parameters.node.deadlines,
        Deadlines { viewer: Deadlines::DEFAULT, origin: Deadlines::DEFAULT }
    );
    assert_eq!(
        parameters.body,
        BodyParameters { inspect: true, limit: None, truncated: TruncatedBody::Auto }
    );
    assert_eq!(parameters.bypass, Bypass::default());
    assert!(parameters.block_me.is_none() && parameters.real_ip.is_none() && parameters.mark_keys.is_none());
    assert_eq!(parameters.block, BlockParameters { json: true, ..BlockParameters::default() });
    assert_eq!(read(&[("WLRM_NODE_ADDR", "")]).unwrap_err().name, "wlrm_node_addr");
    assert_eq!(read(&[("WLRM_FUNCTION", "None")]).unwrap_err().name, "wlrm_function");
}

#[test]
fn keeps_the_order_of_addresses() {
    let parameters =
        read(&[("WLRM_NODE_ADDR", "https://a.example.com, https://b.example.com:5050/")]).unwrap();
    let endpoints: Vec<_> =
        parameters.node.addresses.iter().map(|address| address.endpoint("/v1/x").to_string()).collect();
    assert_eq!(endpoints, ["https://a.example.com/v1/x", "https://b.example.com:5050/v1/x"]);
}

#[test]
fn allows_plain_http_to_a_remote_node_only_when_configured() {
    for local in ["http://127.0.0.1:5050", "http://[::1]:5050", "http://localhost:5050"] {
        assert!(read(&[("WLRM_NODE_ADDR", local)]).is_ok(), "{local}");
    }
    let remote = ("WLRM_NODE_ADDR", "https://a.example.com,http://10.0.0.1:5050");
    assert!(read(&[remote]).unwrap_err().expected.contains("wlrm_allow_plain_http"));
    assert!(read(&[remote, ("WLRM_ALLOW_PLAIN_HTTP", "True")]).is_ok());
}

#[test]
fn shows_no_secret_in_errors_and_debug_texts() {
    assert_eq!(read(&[("WLRM_SIGNING_KEY_ID", "edge")]).unwrap_err().name, "wlrm_signing_key");
    for (name, value) in
        [("WLRM_SIGNING_KEY", "s3cret"), ("WLRM_BLOCK_ME", "s3cret"), ("WLRM_MARK_KEYS", "s3cret")]
    {
        let error = read(&[(name, value)]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
    let secrets = [
        ("WLRM_SIGNING_KEY_ID", "edge"),
        ("WLRM_SIGNING_KEY", "s3cret"),
        ("WLRM_BLOCK_ME", "s3cret0123456789"),
        ("WLRM_MARK_KEYS", "s3cret0123456789s3cret0123456789"),
    ];
    assert!(!format!("{:?}", read(&secrets).unwrap()).contains("s3cret"));
}

#[test]
fn accepts_a_pin_with_or_without_colons() {
    let colons = format!("{}AB", "ab:".repeat(31));
    let pins = read(&[("WLRM_NODE_PIN", &format!("{}, {colons}", "ab".repeat(32)))]).unwrap().node.trust.pins;
    assert_eq!(pins.len(), 2);
    assert_eq!(pins[0], pins[1]);
}

#[test]
fn strips_the_trailing_slash_of_a_folder() {
    let bypass = read(&[("WLRM_BYPASS_PATHS", "/static/, /health")]).unwrap().bypass;
    assert_eq!(bypass.paths, ["/static", "/health"]);
}

#[test]
fn reserves_a_part_of_the_deadline_for_the_reply() {
    let deadlines =
        read(&[("WLRM_DEADLINE_MS", "80"), ("WLRM_ORIGIN_DEADLINE_MS", "25000")]).unwrap().node.deadlines;
    assert_eq!(deadlines.for_calls(&Trigger::ViewerRequest), Duration::from_millis(70));
    assert_eq!(deadlines.for_calls(&Trigger::OriginRequest), Duration::from_millis(24_960));
}
