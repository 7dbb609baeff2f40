//! Names of secrets: headers, parameters and keys whose values are masked by default.

/// Names, or their last words, in lower case without punctuation.
const WHOLE: &[&str] = &[
    "auth",
    "authorization",
    "bearer",
    "ccnumber",
    "cvc",
    "cvv",
    "jwt",
    "otp",
    "pass",
    "pin",
    "pwd",
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
    "functionskey",
    "iban",
    "passphrase",
    "passwd",
    "password",
    "passwordconfirmation",
    "privatekey",
    "secret",
    "secretkey",
    "securitycode",
    "sessid",
    "sessionid",
    "sessionkey",
    "sharedkey",
    "socialsecuritynumber",
    "token",
];

/// Whether the value of a header, a parameter, a key or a form field is a secret, by its name.
pub(super) fn is_secret(name: &str) -> bool {
    // `user[pin]` and `user.pin` hold a `pin`, `password[0]` and `password1` a password.
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = name.split(['[', ']', '.', '/']).filter(|part| !is_number(part));
    let last = parts.next_back().unwrap_or_default().trim_end_matches(|it: char| it.is_ascii_digit());
    let letters = |text: &str| -> String {
        let plain = text.chars().filter(char::is_ascii_alphanumeric);
        plain.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let (all, word) = (letters(last), letters(last_word(last)));
    WHOLE.contains(&word.as_str())
        || WHOLE.contains(&all.as_str())
        || ENDS.iter().any(|end| all.ends_with(end))
        || all.starts_with("password")
}

/// `pass` of `user_pass` and `userPass`.
fn last_word(name: &str) -> &str {
    let mut before = ' ';
    let mut start = 0;
    for (at, letter) in name.char_indices() {
        if !letter.is_alphanumeric() {
            start = at + letter.len_utf8();
        } else if letter.is_uppercase() && before.is_lowercase() {
            start = at;
        }
        before = letter;
    }
    &name[start..]
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
            "password1",
            "user_pass",
            "userPass",
            "card_cvv",
            "cvv2",
            "pass1",
            "password[0]",
            "password_confirm",
            "PHPSESSID",
            "private-token",
            "x-shopify-access-token",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "q",
            "pinterest",
            "authority",
            "author",
            "passenger",
            "company",
            "design",
            "tokens_used",
            "span",
            "bypass",
            "compass",
        ] {
            assert!(!is_secret(name), "{name}");
        }
        for name in
            ["X-Auth-Token", "x-functions-key", "x-session-id", "x-authorization", "x-amz-security-token"]
        {
            assert!(is_secret(name), "{name}");
        }
    }
}
