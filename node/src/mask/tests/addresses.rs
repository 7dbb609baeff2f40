//! Secrets in headers, addresses and paths, and the attacks in them.

use super::*;

fn default_header(name: &str, value: &str, payload: &str) -> String {
    let request = recorded(&serde_json::json!({"headers": [[name, value]]}));
    masked_by_default(request, payload).headers[0].1.clone()
}

fn default_path(path: &str, payload: &str) -> String {
    masked_by_default(recorded(&serde_json::json!({"path": path})), payload).path
}

#[test]
fn headers_with_credentials_are_masked() {
    for name in ["Ocp-Apim-Subscription-Key", "X-Session-Data", "x-auth-user", "apikey", "X-CSRF", "Passcode"]
    {
        assert_eq!(default_header(name, "s3cret", "none"), "***", "{name}");
    }
    for name in ["X-Author", "Session-Duration-Ms", "Accept", "Access-Control-Allow-Credentials"] {
        let masked = default_header(name, "x", "none");
        assert_eq!(masked == "x", name != "Session-Duration-Ms", "{name}");
    }
}

#[test]
fn secrets_in_other_headers_are_masked() {
    for (value, masked) in [
        ("https://user:s3cret@h/a;jsessionid=x/b?q=1", "https://user:***@h/a;jsessionid=***/b?q=1"),
        ("https://h/#access_token=x&state=1", "https://h/#access_token=***&state=1"),
        ("https://h/a?next=https%3A%2F%2Fu%3As3cret%40h%2F", "https://h/a?next=https://u:***@h/"),
        (r#"{"password":"x","a":"b?c"}"#, r#"{"password":"***","a":"b?c"}"#),
        ("a, Bearer 0123456789abcdef", "a, Bearer ***"),
        ("text/html, */*;q=0.8", "text/html, */*;q=0.8"),
        ("Mozilla/5.0 (X11; rv:1) https://h:8080/a@b", "Mozilla/5.0 (X11; rv:1) https://h:8080/a@b"),
    ] {
        assert_eq!(default_header("X-Any", value, "none"), masked);
    }
}

#[test]
fn secrets_in_queries_are_masked() {
    for (query, masked) in [
        ("u=https://a:s3cret@h/&x=1", "u=https://a:***@h/&x=1"),
        ("u=https://a:s3c/r@t@h/&x=1", "u=https://a:***@h/&x=1"),
        ("data=%7B%22pin%22%3A1%2C%22a%22%3A2%7D", "data={\"pin\":\"***\",\"a\":2}"),
        ("a=1;password=x", "a=1;password=***"),
        ("c=card4111111111111111", "c=card4000000000001111"),
        (
            "session_duration=5&pinterest=1&author=a&tokenizer=b",
            "session_duration=5&pinterest=1&author=a&tokenizer=b",
        ),
        ("x=a%20b&y=c%26d", "x=a%20b&y=c%26d"),
    ] {
        assert_eq!(masked_by_default(recorded(&serde_json::json!({"query": query})), "none").query, masked);
    }
}

#[test]
fn secrets_in_paths_are_masked() {
    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.";
    for (path, masked) in [
        ("/cart;jsessionid=0A1B;x=2/b", "/cart;jsessionid=***;x=2/b"),
        ("/cart;JSESSIONID=a%2Fb", "/cart;JSESSIONID=***"),
        ("/cars;colour=red/password=x", "/cars;colour=red/password=***"),
        ("/reset-password/0123456789abcdef01/x", "/reset-password/***/x"),
        ("/verify/token/550e8400-e29b-41d4-a716-446655440000", "/verify/token/***"),
        ("/auth/login/2", "/auth/login/2"),
        ("/sessions-of-today/0123456789abcdef01", "/sessions-of-today/0123456789abcdef01"),
        ("/u/https://a:b@h/", "/u/https://a:***@h/"),
    ] {
        assert_eq!(default_path(path, "none"), masked);
        assert_eq!(mask_path(path), masked);
    }
    assert_eq!(
        default_path(&format!("/login/{TOKEN}c2lnbmF0dXJlLW9mLXRva2Vu/x"), "none"),
        format!("/login/{TOKEN}***/x")
    );
}

const LINKS: [&str; 16] = [
    "/password/reset",
    "/reset-password",
    "/passwordReset",
    "/users/password/edit",
    "/verify-email",
    "/verifyemail",
    "/email/verify/7",
    "/confirm",
    "/account/confirmation",
    "/magic-link",
    "/invite",
    "/invitations/accept",
    "/activate",
    "/activation",
    "/unsubscribe",
    "/recovery",
];

#[test]
fn tokens_of_links_are_masked() {
    for link in LINKS {
        for token in [
            "0f3c5bb6d1e94e0c8e0f2b6c4d1a7e55",
            "550e8400-e29b-41d4-a716-446655440000",
            "kJhGfDsAqWeRtYuIoPzX",
            "x7Kp2mQ9",
            "5xk-9b2f8c1d2e3f4a5b6c7d",
            "aGVsbG8td29ybGQtMTIzNDU2%3D%3D",
        ] {
            assert_eq!(default_path(&format!("{link}/{token}"), "none"), format!("{link}/***"));
            assert_eq!(default_path(&format!("{link}/{token}/done"), "none"), format!("{link}/***/done"));
            assert_eq!(mask_path(&format!("{link}/{token}")), format!("{link}/***"));
            let referer = format!("https://h{link}/{token}?a=1");
            assert_eq!(default_header("Referer", &referer, "none"), format!("https://h{link}/***?a=1"));
            let text = |token: &str| format!("see <https://h{link}/{token}>, or (https://h{link}/{token}).");
            assert_eq!(default_body("text/plain", &text(token), "none"), text(MASK));
        }
    }
}

#[test]
fn pages_after_words_of_links_stay() {
    for link in LINKS {
        for page in [
            "help",
            "step-2-of-3",
            "how-to-reset-your-password-2024",
            "resetYourPasswordHelp",
            "index-v2.0.1.html",
            "12345",
            "2026-01-15",
            "terms_of_service",
            "app.3f9c2b1a8d7e.js",
            "%D0%BF%D0%BE%D0%BC%D0%BE%D1%89%D1%8C",
        ] {
            let path = format!("{link}/{page}");
            assert_eq!(default_path(&path, "none"), path);
            assert_eq!(
                default_body("text/plain", &format!("https://h{path} visible"), "none"),
                format!("https://h{path} visible")
            );
        }
    }
    for path in [
        "/products/550e8400-e29b-41d4-a716-446655440000",
        "/assets/0f3c5bb6d1e94e0c/a.js",
        "/v1/orders/9f8e7d6c5b4a",
    ] {
        assert_eq!(default_path(path, "none"), path);
    }
}

#[test]
fn tokens_before_hosts_are_masked() {
    for (text, masked) in [
        ("https://ghp_16C7e42F292c6912E7@h/a.git", "https://***@h/a.git"),
        ("https://s3cr3tT0k3n@h", "https://***@h"),
        ("https://0f3c5bb6d1e94e0c:x-oauth-basic@h", "https://***:***@h"),
        ("https://0f3c5bb6d1e94e0c:@h/a", "https://***:@h/a"),
        ("https://ann:s3cret@h", "https://ann:***@h"),
    ] {
        assert_eq!(default_header("X-Any", text, "none"), masked);
        assert_eq!(
            default_body("application/json", &format!("{{\"a\":\"{text}\"}}"), "none"),
            format!("{{\"a\":\"{masked}\"}}")
        );
    }
    for text in [
        "ssh://git@h/a.git",
        "https://ann.smith@h/",
        "https://user2@h",
        "https://h/@scope/x1y2z3w4",
        "https://h:8080/a@b",
        "// 12a34b56c a@b",
    ] {
        assert_eq!(default_header("X-Any", text, "none"), text);
    }
}

#[test]
fn tokens_among_subprotocols_are_masked() {
    for (value, masked) in [
        ("bearer, s3cret", "bearer, ***"),
        ("access_token,abcdef", "access_token,***"),
        (
            "base64url.bearer.authorization.k8s.io.czNjcmV0, base64.binary.k8s.io",
            "base64url.bearer.***, base64.binary.k8s.io",
        ),
        ("graphql-ws, 0f3c5bb6d1e94e0c8e0f2b6c", "graphql-ws, ***"),
        ("v4.channel.k8s.io, bearer.abc.def", "v4.channel.k8s.io, bearer.***"),
    ] {
        assert_eq!(default_header("Sec-WebSocket-Protocol", value, "none"), masked);
    }
    for value in [
        "graphql-transport-ws, graphql-ws",
        "v12.stomp",
        "actioncable-v1-json, actioncable-unsupported",
        "wamp.2.msgpack.batched",
        "ocpp2.0.1",
    ] {
        assert_eq!(default_header("sec-websocket-protocol", value, "none"), value);
    }
    assert_eq!(
        default_header("Sec-WebSocket-Protocol", "bearer, a' or 1=1", "' or 1=1"),
        "bearer, ***' or 1=1"
    );
}

#[test]
fn attacks_inside_and_across_secrets_stay_visible() {
    let path = default_path("/a;token=../../../etc/passwd", "../../../etc/passwd");
    assert_eq!(path, "/a;token=../../../etc/passwd");
    let address = "http://trusted.example:80x@169.254.169.254/latest";
    let query = recorded(&serde_json::json!({"query": format!("u={address}")}));
    assert_eq!(masked_by_default(query, address).query, format!("u={address}"));
    for (body, payload, masked) in [
        (
            r#"<a password="abc" onfocus=alert(1) b="">"#,
            r#"" onfocus=alert(1)"#,
            r#"<a password="***" onfocus=alert(1) b="">"#,
        ),
        (
            r#"<a password="abc" onfocus=alert(1)">"#,
            r#"c" onfocus=alert(1)"#,
            r#"<a password="***c" onfocus=alert(1)">"#,
        ),
        ("a\n' or password='x' -- \nb", "' or password='x' --", "a\n' or password='x' -- \nb"),
        ("x\npassword: abc' or 1=1 --", "' or 1=1 --", "x\npassword: ***' or 1=1 --"),
        (
            "<password>a<script>x</script></password>",
            "<script>x</script>",
            "<password>***<script>x</script></password>",
        ),
        (r#"{"name":"pin","value":"1' or 1=1"}"#, "' or 1=1", r#"{"name":"pin","value":"***' or 1=1"}"#),
        (r#"{"a":"{\"pin\":\"1' or 1=1\"}"}"#, "' or 1=1", r#"{"a":"{\"pin\":\"***' or 1=1\"}"}"#),
    ] {
        assert_eq!(default_body("text/plain", body, payload), masked);
    }
    let part = "--b\r\nContent-Disposition: form-data; Name=password\r\n\r\nabc' or 1=1\r\n--b--\r\n";
    let masked = default_body("multipart/form-data; boundary=b", part, "' or 1=1");
    assert_eq!(masked, part.replace("abc", "***"));
}
