//! Table of parameters; a test fails for a parameter without a row.

use crate::node::Node;

/// A value, and a situation in which it has an effect.
pub(super) struct Row {
    pub parameter: &'static str,
    /// Placeholders such as `{node}` are replaced by [`super::bench`].
    pub value: &'static str,
    pub why: &'static str,
    pub node: Node,
    /// Other parameters, set with and without the value.
    pub with: &'static [(&'static str, &'static str)],
    /// Headers of the viewer's request.
    pub headers: &'static [(&'static str, &'static str)],
    /// Method and path of a request without query and body.
    pub plain: Option<(&'static str, &'static str)>,
    /// CloudFront truncated the body.
    pub cut: bool,
    /// How often the event is handled.
    pub times: u32,
}

impl Row {
    const fn new(parameter: &'static str, value: &'static str, why: &'static str) -> Self {
        Self {
            parameter,
            value,
            why,
            node: Node::Allows,
            with: &[],
            headers: &[],
            plain: None,
            cut: false,
            times: 1,
        }
    }

    const fn node(self, node: Node) -> Self {
        Self { node, ..self }
    }

    const fn with(self, with: &'static [(&'static str, &'static str)]) -> Self {
        Self { with, ..self }
    }

    const fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    const fn plain(self, method: &'static str, path: &'static str) -> Self {
        Self { plain: Some((method, path)), ..self }
    }

    const fn cut(self) -> Self {
        Self { cut: true, ..self }
    }

    const fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }
}

impl Default for Row {
    fn default() -> Self {
        Self::new("", "", "")
    }
}

const JSON: &[(&str, &str)] = &[("accept", "application/json")];
const FORWARDED: &[(&str, &str)] = &[("x-forwarded-for", "127.0.0.1, 198.51.100.7, 203.0.113.178")];
const SECRET: &str = "0123456789abcdef";
const WITH_SECRET: &[(&str, &str)] = &[("x-wallarm-block-me", SECRET)];

pub(super) const ROWS: &[Row] = &[
    Row::new("wlrm_node_addr", "http://127.0.0.1:1", "unreachable"),
    Row::new("wlrm_node_addr", "http://127.0.0.1:1,{node}", "after an unreachable one")
        .with(&[("wlrm_node_addr", "http://127.0.0.1:1")]),
    Row::new("wlrm_inline", "False", "the node blocks").node(Node::Blocks),
    Row::new("wlrm_fail_mode", "closed", "the node refuses").node(Node::Refuses),
    Row::new("wlrm_deadline_ms", "50", "the node is slow").node(Node::Slow),
    Row::new("wlrm_origin_deadline_ms", "50", "the node is slow").node(Node::Slow),
    Row::new("wlrm_connect_timeout_ms", "50", "the node does not complete the handshake")
        .with(&[("wlrm_node_addr", "{unresponsive}"), ("wlrm_deadline_ms", "600")]),
    Row::new("wlrm_retries", "1", "the node refuses once").node(Node::RefusesOnce),
    Row::new("wlrm_keep_alive_ms", "0", "two events").times(2),
    Row::new("wlrm_breaker_failures", "1", "the node refuses twice").node(Node::Refuses).times(2),
    Row::new("wlrm_breaker_pause_ms", "1", "the second event follows later")
        .node(Node::Refuses)
        .with(&[("wlrm_breaker_failures", "1")])
        .times(2),
    Row::new("wlrm_node_ca", "{authority}", "issued the node's certificate")
        .with(&[("wlrm_node_addr", "{tls}")]),
    Row::new("wlrm_node_pin", "{pin}", "digest of the node's certificate")
        .with(&[("wlrm_node_addr", "{tls}")]),
    Row::new("wlrm_allow_plain_http", "True", "the node is remote").with(&[("wlrm_node_addr", "{remote}")]),
    Row::new("wlrm_signing_key_id", "edge", "the other half is set").with(&[("wlrm_signing_key", "s3cret")]),
    Row::new("wlrm_signing_key", "s3cret", "the other half is set").with(&[("wlrm_signing_key_id", "edge")]),
    Row::new("wlrm_application", "7", ""),
    Row::new("wlrm_host_header", "X-Viewer-Host", "").headers(&[("x-viewer-host", "viewer.example.com")]),
    Row::new("wlrm_real_ip_header", "X-Forwarded-For", "the caller is a proxy")
        .with(&[("wlrm_real_ip_from", "203.0.113.0/24")])
        .headers(FORWARDED),
    Row::new("wlrm_real_ip_from", "203.0.113.0/24", "the caller is a proxy")
        .with(&[("wlrm_real_ip_header", "X-Forwarded-For")])
        .headers(FORWARDED),
    Row::new("wlrm_real_ip_from", "10.0.0.0/8", "the caller is not a proxy")
        .with(&[("wlrm_real_ip_header", "X-Forwarded-For")])
        .headers(FORWARDED),
    Row::new("wlrm_mark_keys", "0123456789abcdef0123456789abcdef", "CloudFront truncated the body").cut(),
    Row::new("wlrm_bypass_paths", "/health, /static", "an exempt path")
        .plain("GET", "/static/x")
        .node(Node::Blocks),
    Row::new("wlrm_bypass_methods", "OPTIONS", "an exempt method")
        .plain("OPTIONS", "/api")
        .node(Node::Blocks),
    Row::new("wlrm_bypass_extensions", "css,js", "an exempt file").plain("GET", "/a.css").node(Node::Blocks),
    Row::new("wlrm_inspect_body", "False", ""),
    Row::new("wlrm_body_limit", "4", "the body has 11 bytes"),
    Row::new("wlrm_body_limit", "11", "the limit equals the body; 10 truncates it")
        .with(&[("wlrm_truncated_body", "block"), ("wlrm_body_limit", "10")]),
    Row::new("wlrm_truncated_body", "auto", "CloudFront truncated it, instead of inspect")
        .with(&[("wlrm_truncated_body", "inspect")])
        .cut(),
    Row::new("wlrm_truncated_body", "block", "CloudFront truncated it").cut(),
    Row::new("wlrm_truncated_body", "pass", "CloudFront truncated it, and the node would block")
        .cut()
        .node(Node::Blocks),
    Row::new("wlrm_block_status", "451", "").node(Node::Blocks),
    Row::new("wlrm_block_page", "<p>{{request_id}}</p>", "").node(Node::Blocks),
    Row::new("wlrm_block_redirect", "https://www.example.com/no", "").node(Node::Blocks),
    Row::new("wlrm_support_contact", "help@example.com", "").node(Node::Blocks).headers(JSON),
    Row::new("wlrm_block_json", "False", "the client accepts JSON").node(Node::Blocks).headers(JSON),
    Row::new("wlrm_block_me", SECRET, "an attack in monitoring").node(Node::Monitors).headers(WITH_SECRET),
    Row::new("wlrm_block_me", "another0123456789", "an attack with a wrong secret")
        .node(Node::Monitors)
        .headers(WITH_SECRET),
    Row::new("wlrm_block_me", SECRET, "no attack").headers(WITH_SECRET),
    Row::new("wlrm_response_reports", "False", ""),
    Row::new("wlrm_log_level", "error", "the node refuses").node(Node::Refuses),
    Row::new("wlrm_log_level", "info", "the node blocks").node(Node::Blocks),
    Row::new("wlrm_log_level", "debug", "the node allows"),
    Row::new("wlrm_function", "response", ""),
    Row::new("wlrm_function", "request", ""),
];

/// Invalid values. Any text is a valid page and a valid half of a key.
pub(super) const INVALID: &[(&str, &[&str])] = &[
    (
        "wlrm_node_addr",
        &[
            "",
            "node.example.com:5050",
            "ftp://node.example.com",
            "https://node.example.com/inspect",
            "https://user@node.example.com",
            "https://a.example.com,",
            "http://node.example.com",
        ],
    ),
    ("wlrm_inline", &["yes"]),
    ("wlrm_fail_mode", &["ajar"]),
    ("wlrm_deadline_ms", &["0", "5000", "-1", "soon", "1e3"]),
    ("wlrm_origin_deadline_ms", &["0", "25001"]),
    ("wlrm_connect_timeout_ms", &["0", "5000"]),
    ("wlrm_retries", &["11"]),
    ("wlrm_keep_alive_ms", &["600001", "True"]),
    ("wlrm_breaker_failures", &["-1"]),
    ("wlrm_breaker_pause_ms", &["soon"]),
    ("wlrm_node_ca", &["not a certificate"]),
    ("wlrm_node_pin", &["ab", "zz:zz"]),
    ("wlrm_allow_plain_http", &["maybe"]),
    ("wlrm_signing_key_id", &[]),
    ("wlrm_signing_key", &[]),
    ("wlrm_application", &["0", "-1", "shop", "2147483648"]),
    ("wlrm_host_header", &["x host"]),
    ("wlrm_real_ip_header", &["x ip"]),
    ("wlrm_real_ip_from", &["10.0.0.0/33", "anyone"]),
    (
        "wlrm_mark_keys",
        &["too short", "0123456789abcdef0123456789abcdef,", "0123456789abcdef 0123456789abcdef"],
    ),
    ("wlrm_bypass_paths", &["/", "static", "/a/../b", "/a%2fb", "/a;b", "/a,,/b"]),
    ("wlrm_bypass_methods", &["get", "GET POST"]),
    ("wlrm_bypass_extensions", &[".css", "css,", "*"]),
    ("wlrm_inspect_body", &["no"]),
    ("wlrm_body_limit", &["0", "1048577"]),
    ("wlrm_truncated_body", &["drop"]),
    ("wlrm_block_status", &["200", "600"]),
    ("wlrm_block_page", &[]),
    ("wlrm_block_redirect", &["/blocked", "javascript:alert(1)"]),
    ("wlrm_support_contact", &["<b>"]),
    ("wlrm_block_json", &["often"]),
    ("wlrm_block_me", &["too short"]),
    ("wlrm_response_reports", &["off"]),
    ("wlrm_log_level", &["loud"]),
    ("wlrm_function", &["both", ""]),
];
