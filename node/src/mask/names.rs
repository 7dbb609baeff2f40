//! Names of secrets: headers, parameters and keys whose values are masked by default.

/// Headers with credentials, in lower case.
const HEADERS: &[&str] = &[
    "x-access-token",
    "x-amz-security-token",
    "x-auth-token",
    "x-authorization",
    "x-csrf-token",
    "x-functions-key",
    "x-goog-api-key",
    "x-session-id",
    "x-session-token",
    "x-vault-token",
    "x-xsrf-token",
];

/// Whole names, in lower case without punctuation.
const WHOLE: &[&str] = &[
    "auth",
    "authorization",
    "bearer",
    "ccnumber",
    "cvc",
    "cvv",
    "jwt",
    "otp",
    "pan",
    "pass",
    "pin",
    "pwd",
    "sessid",
    "sid",
    "sig",
    "signature",
    "ssn",
];

/// Ends of names: `user[new_password]`, `clientSecret`.
const ENDS: &[&str] = &[
    "accesskey",
    "accesskeyid",
    "apikey",
    "authkey",
    "cardnumber",
    "cookie",
    "credential",
    "credentials",
    "creditcard",
    "iban",
    "passphrase",
    "passwd",
    "password",
    "passwordconfirmation",
    "privatekey",
    "secret",
    "secretkey",
    "securitycode",
    "sessionid",
    "sessionkey",
    "sharedkey",
    "socialsecuritynumber",
    "token",
    "xamzsignature",
    "xgoogsignature",
];

pub(super) fn is_secret_header(name: &str) -> bool {
    HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header))
}

/// Whether the value of a parameter, a key or a form field is a secret, by its name.
pub(super) fn is_secret(name: &str) -> bool {
    let letters = |text: &str| -> String {
        let plain = text.chars().filter(char::is_ascii_alphanumeric);
        plain.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    // `user[pin]` and `user.pin` hold a `pin`.
    let mut parts = name.split(['[', ']', '.', '/']).filter(|part| !part.is_empty());
    let (all, last) = (letters(name), letters(parts.next_back().unwrap_or_default()));
    WHOLE.contains(&last.as_str()) || ENDS.iter().any(|end| all.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_secrets_in_any_spelling() {
        for name in [
            "password",
            "newPassword",
            "user[password]",
            "user.pin",
            "client_secret",
            "X-Amz-Signature",
            "api-key",
            "ACCESS_TOKEN",
            "cc_number",
            "jwt",
            "password_confirmation",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in
            ["q", "pinterest", "authority", "author", "passenger", "company", "design", "tokens_used", "span"]
        {
            assert!(!is_secret(name), "{name}");
        }
        assert!(is_secret_header("X-Auth-Token") && !is_secret_header("accept"));
    }
}
