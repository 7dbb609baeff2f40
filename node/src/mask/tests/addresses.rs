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
