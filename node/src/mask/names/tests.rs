use super::*;

const SECRETS: &[&str] = &[
    "password",
    "newPassword",
    "user[password]",
    "users[0][password]",
    "user.pin",
    "client_secret",
    "X-Amz-Signature",
    "api-key",
    "ACCESS_TOKEN",
    "cc_number",
    "jwt",
    "password_confirmation",
    "passwordConfirm",
    "newPasswordConfirm",
    "password1",
    "password_1",
    "password[]",
    "password[new]",
    "user_pass",
    "userPass",
    "card_cvv",
    "cvv2",
    "pass1",
    "pass_1",
    "pin_confirm",
    "pinConfirm",
    "user_pin_confirm",
    "tokenValue",
    "password[0]",
    "password_confirm",
    "PHPSESSID",
    "JSESSIONID",
    "asp.net_SessionId",
    "connect.sid",
    "laravel_session",
    "private-token",
    "x-shopify-access-token",
    "otp",
    "smsOtp",
    "one_time_code",
    "verification-code",
    "passcode",
    "code_verifier",
    "client_assertion",
    "assertion",
    "SAMLResponse",
    "id_token",
    "id_token_hint",
    "refreshToken",
    "ConnectionString",
    "private_key",
    "card_cvc",
    "user_ssn",
    "csrf",
    "_csrf",
    "csrfmiddlewaretoken",
    "__RequestVerificationToken",
    "subscription-key",
    "x-hub-signature-256",
    "session",
    "userPIN",
];

#[test]
fn recognizes_secrets_in_any_spelling() {
    for name in SECRETS {
        assert!(is_secret(name), "{name}");
    }
}

#[test]
fn other_names_are_no_secrets() {
    for name in [
        "q",
        "pinterest",
        "pinned",
        "authority",
        "author",
        "authors",
        "passenger",
        "passage",
        "passport",
        "company",
        "design",
        "tokens_used",
        "token_type",
        "tokenizer",
        "client_assertion_type",
        "session_duration",
        "sessionCount",
        "session.duration",
        "span",
        "spin",
        "bypass",
        "compass",
        "inside",
        "laptop",
        "context",
        "secretary",
        "keyboard",
        "monkey",
        "description",
        "signature_version",
        "code",
        "",
        "[]",
        "0",
        "ñ",
    ] {
        assert!(!is_secret(name), "{name}");
    }
}

#[test]
fn headers_of_sessions_and_credentials_are_secrets() {
    for name in [
        "X-Auth-Token",
        "x-auth-user",
        "x-functions-key",
        "x-session-id",
        "X-Session",
        "x-session-data",
        "x-authorization",
        "x-amz-security-token",
        "X-CSRF-Protection",
        "X-XSRF-TOKEN",
        "apikey",
        "Ocp-Apim-Subscription-Key",
        "X-Goog-Iap-Jwt-Assertion",
        "X-Otp",
    ] {
        assert!(is_secret_header(name), "{name}");
    }
    for name in [
        "x-author",
        "x-authenticated-at",
        "www-authenticate",
        "accept",
        "x-sessions-left",
        "Access-Control-Allow-Credentials",
        "x-amz-content-sha256",
        "sec-websocket-key",
    ] {
        assert!(!is_secret_header(name), "{name}");
    }
}
