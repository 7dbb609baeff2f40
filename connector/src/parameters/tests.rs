use super::*;

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
    assert_eq!(parameters.node.deadline, Parameters::DEFAULT_DEADLINE);
    assert_eq!(parameters.body, BodyParameters { inspect: true, truncated: TruncatedBody::Inspect });
    assert_eq!(parameters.block, BlockParameters { json: true, ..BlockParameters::default() });
    assert_eq!(read(&[("WLRM_NODE_ADDR", "")]).unwrap_err().name, "wlrm_node_addr");
    assert_eq!(read(&[("WLRM_FUNCTION", "None")]).unwrap_err().name, "wlrm_function");
}

#[test]
fn a_wrong_value_is_named_with_what_was_expected() {
    let wrong = [
        ("WLRM_FUNCTION", "both"),
        ("WLRM_NODE_ADDR", "node.example.com:5050"),
        ("WLRM_NODE_ADDR", "ftp://node.example.com"),
        ("WLRM_NODE_ADDR", "https://node.example.com/inspect"),
        ("WLRM_NODE_ADDR", "https://user@node.example.com"),
        ("WLRM_INLINE", "yes"),
        ("WLRM_FAIL_MODE", "ajar"),
        ("WLRM_DEADLINE_MS", "0"),
        ("WLRM_DEADLINE_MS", "5000"),
        ("WLRM_RETRIES", "11"),
        ("WLRM_BREAKER_FAILURES", "-1"),
        ("WLRM_BREAKER_PAUSE_MS", "soon"),
        ("WLRM_HOST_HEADER", "x host"),
        ("WLRM_ALLOW_PLAIN_HTTP", "maybe"),
        ("WLRM_NODE_CA", "not a certificate"),
        ("WLRM_INSPECT_BODY", "no"),
        ("WLRM_TRUNCATED_BODY", "drop"),
        ("WLRM_BLOCK_STATUS", "200"),
        ("WLRM_BLOCK_REDIRECT", "/blocked"),
        ("WLRM_SUPPORT_CONTACT", "<b>"),
        ("WLRM_BLOCK_JSON", "often"),
        ("WLRM_RESPONSE_REPORTS", "off"),
    ];
    for (name, value) in wrong {
        let error = read(&[(name, value)]).unwrap_err();
        assert_eq!(error.name.to_ascii_uppercase(), name);
        assert!(error.to_string().contains(value), "{error}");
    }
}

#[test]
fn several_addresses_keep_their_order() {
    let parameters =
        read(&[("WLRM_NODE_ADDR", "https://a.example.com, https://b.example.com:5050/")]).unwrap();
    let endpoints: Vec<_> =
        parameters.node.addresses.iter().map(|address| address.endpoint("/v1/x").to_string()).collect();
    assert_eq!(endpoints, ["https://a.example.com/v1/x", "https://b.example.com:5050/v1/x"]);
}

#[test]
fn requests_cross_a_network_unencrypted_only_when_that_was_said() {
    for local in ["http://127.0.0.1:5050", "http://[::1]:5050", "http://localhost:5050"] {
        assert!(read(&[("WLRM_NODE_ADDR", local)]).is_ok(), "{local}");
    }
    let abroad = ("WLRM_NODE_ADDR", "https://a.example.com,http://10.0.0.1:5050");
    assert!(read(&[abroad]).unwrap_err().expected.contains("wlrm_allow_plain_http"));
    assert!(read(&[abroad, ("WLRM_ALLOW_PLAIN_HTTP", "True")]).is_ok());
}

#[test]
fn half_a_signing_key_is_an_error_that_does_not_show_the_other_half() {
    assert_eq!(read(&[("WLRM_SIGNING_KEY_ID", "edge")]).unwrap_err().name, "wlrm_signing_key");
    let error = read(&[("WLRM_SIGNING_KEY", "s3cret")]).unwrap_err();
    assert_eq!(error.name, "wlrm_signing_key_id");
    assert!(!error.to_string().contains("s3cret"));
    let key =
        read(&[("WLRM_SIGNING_KEY_ID", "edge"), ("WLRM_SIGNING_KEY", "s3cret")]).unwrap().node.signing_key;
    assert!(!format!("{key:?}").contains("s3cret"));
}
