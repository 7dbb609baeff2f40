//! Names of secrets: headers, parameters and keys whose values are masked by default.

use super::pairs::decoded;

/// Names, or their last words, in lower case without punctuation.
const WHOLE: &[&str] = &[
    "2fa",
    "assertion",
    "auth",
    "authentication",
    "authorization",
    "bearer",
    "creds",
    "csc",
    "csrf",
    "cvn",
    "dsn",
    "hmac",
    "jwe",
    "jws",
    "mfa",
    "mnemonic",
    "pass",
    "pin",
    "psw",
    "pw",
    "session",
    "sid",
    "sig",
    "tfa",
    "totp",
    "xsrf",
];

/// Ends of names: `user[new_password]`, `clientSecret`.
const ENDS: &[&str] = &[
    "accesscode",
    "accesskey",
    "accesskeyid",
    "apikey",
    "appkey",
    "authcode",
    "authenticationcode",
    "authkey",
    "backupcode",
    "backupcodes",
    "basicauth",
    "cardcode",
    "cardno",
    "cardnumber",
    "ccnumber",
    "clientassertion",
    "codeverifier",
    "confirmationcode",
    "connectionstring",
    "connectionstrings",
    "connstr",
    "connstring",
    "consumerkey",
    "contrasea",
    "contrasena",
    "cookie",
    "credential",
    "credentials",
    "creditcard",
    "csrfmiddlewaretoken",
    "cvc",
    "cvv",
    "dbpass",
    "encryptionkey",
    "functionskey",
    "hmackey",
    "iban",
    "idtokenhint",
    "jwt",
    "kennwort",
    "licensekey",
    "logincode",
    "masterkey",
    "mfacode",
    "motdepasse",
    "nationalid",
    "onetimecode",
    "otp",
    "otpcode",
    "passcode",
    "passphrase",
    "passportnumber",
    "passwd",
    "password",
    "passwort",
    "pincode",
    "privatekey",
    "privkey",
    "pswd",
    "pwd",
    "recoverycode",
    "recoverycodes",
    "recoveryphrase",
    "resetcode",
    "samlart",
    "samlresponse",
    "secret",
    "secretkey",
    "securitycode",
    "seedphrase",
    "senha",
    "sessid",
    "sessionid",
    "sessionidsso",
    "sessionkey",
    "sharedkey",
    "signature",
    "signingkey",
    "smscode",
    "socialsecuritynumber",
    "ssn",
    "sshkey",
    "subscriptionkey",
    "taxid",
    "token",
    "twofactorcode",
    "userpass",
    "verificationcode",
];

/// Words after a name that change nothing: `pin_confirm`, `tokenValue`.
const QUALIFIERS: &[&str] = &[
    "again",
    "base64",
    "check",
    "confirm",
    "confirmation",
    "confirmed",
    "current",
    "encoded",
    "encrypted",
    "field",
    "hash",
    "input",
    "new",
    "old",
    "plain",
    "raw",
    "repeat",
    "repeated",
    "retype",
    "text",
    "value",
    "verify",
];
const MAX_QUALIFIERS: usize = 4;

/// Words that make a header a credential: `X-Auth-User`, `X-Session-Data`.
const OF_HEADERS: &[&str] = &["auth", "authentication", "authorization", "csrf", "session", "xsrf"];

/// Words of paths before the token of a link: `/reset-password/x`, `/magic-link/x`.
const OF_LINKS: &[&str] = &[
    "accept",
    "activate",
    "activation",
    "confirm",
    "hook",
    "hooks",
    "invitation",
    "invite",
    "join",
    "login",
    "magic",
    "onboarding",
    "optout",
    "password",
    "recover",
    "redeem",
    "register",
    "registration",
    "reset",
    "share",
    "shared",
    "signin",
    "signup",
    "unsubscribe",
    "validate",
    "validation",
    "verification",
    "verify",
    "webhook",
];
/// Longer ones count as parts of words: `verifyemail`.
const MAX_WHOLE: usize = 5;

/// Keys whose value is a name: `{"name": "password", "value": "x"}`.
const NAMES: &[&str] = &[
    "attr",
    "attribute",
    "field",
    "fieldname",
    "header",
    "id",
    "k",
    "key",
    "label",
    "name",
    "param",
    "parameter",
    "paramname",
    "path",
    "property",
];

/// Keys of the value that such a name names.
const VALUES: &[&str] =
    &["content", "contents", "data", "newvalue", "stringvalue", "text", "v", "val", "value", "values"];

/// Whether the value of a parameter, a key or a form field is a secret, by its name.
pub(super) fn is_secret(name: &str) -> bool {
    // `user[pin]` holds a `pin`, `password[0]` and `password[new]` a password.
    name.split(['[', ']']).any(|part| {
        let words = words(last_part(part));
        let all = words.concat();
        all.starts_with("password") || is_end(&all) || words.last().is_some_and(|word| is_known(word, &all))
    })
}

/// Whether the value of a header is a secret.
pub(super) fn is_secret_header(name: &str) -> bool {
    let is_word = |word: &str| OF_HEADERS.iter().any(|it| it.eq_ignore_ascii_case(word));
    let is_of_browsers = name.get(..15).is_some_and(|it| it.eq_ignore_ascii_case("access-control-"));
    !is_of_browsers && (name.split(['-', '_']).any(is_word) || is_secret(name))
}

/// Whether some words of a text name a secret: `API key`.
pub(super) fn is_secret_phrase(words: &str) -> bool {
    is_end(&letters(words))
}

/// Whether the value of this key is a name.
pub(super) fn is_of_name(key: &str) -> bool {
    name_key(key).is_some()
}

/// Whether the value of this key belongs to a name beside it.
pub(super) fn is_of_value(key: &str) -> bool {
    value_key(key).is_some()
}

/// The key of a name, in one spelling.
pub(super) fn name_key(key: &str) -> Option<&'static str> {
    known(NAMES, key)
}

/// The key of a value, in one spelling.
pub(super) fn value_key(key: &str) -> Option<&'static str> {
    known(VALUES, key)
}

fn known(keys: &[&'static str], key: &str) -> Option<&'static str> {
    let mut parts = key.rsplit(['[', ']', '.', ':']).filter(|part| !part.is_empty());
    let last = letters(parts.next().filter(|last| last.len() <= 32)?);
    keys.iter().find(|known| **known == last).copied()
}

/// Whether a segment of a path says that a token follows.
pub(super) fn is_of_link(segment: &str) -> bool {
    let is_in =
        |word: &str, link: &str| link.len() > MAX_WHOLE && (word.starts_with(link) || word.ends_with(link));
    split(segment).iter().any(|word| OF_LINKS.iter().any(|link| word == link || is_in(word, link)))
}

fn is_known(word: &str, all: &str) -> bool {
    let mut word = word;
    for _ in 0..=MAX_QUALIFIERS {
        if WHOLE.contains(&word) || is_end(word) {
            return true;
        }
        let shorter = QUALIFIERS.iter().find_map(|qualifier| word.strip_suffix(qualifier));
        match shorter.filter(|it| !it.is_empty()) {
            Some(shorter) => word = shorter,
            None => break,
        }
    }
    WHOLE.contains(&all)
}

fn is_end(letters: &str) -> bool {
    ENDS.iter().any(|end| letters.ends_with(end))
}

/// `pin` of `user.pin` and `user.pin.0`.
fn last_part(name: &str) -> &str {
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = name.split(['.', '/']).filter(|part| !is_number(part));
    parts.next_back().unwrap_or_default()
}

/// `user`, `pass` of `user_pass`, `userPass` and `userPass_2`, without qualifiers at the end.
fn words(name: &str) -> Vec<String> {
    let mut words = split(name);
    for _ in 0..MAX_QUALIFIERS {
        let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
        let is_more = |word: &String| is_number(word) || QUALIFIERS.contains(&word.as_str());
        if words.len() < 2 || words.pop_if(|word| is_more(word)).is_none() {
            break;
        }
    }
    if let Some(last) = words.last_mut() {
        let kept = last.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
        last.truncate(kept);
    }
    words
}

/// The words of a name, by punctuation and capitals.
fn split(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut start, mut before) = (0, ' ');
    for (at, letter) in name.char_indices() {
        if !letter.is_alphanumeric() || letter.is_uppercase() && before.is_lowercase() {
            words.push(letters(name.get(start..at).unwrap_or_default()));
            start = at;
        }
        before = letter;
    }
    words.push(letters(name.get(start..).unwrap_or_default()));
    words.retain(|word| !word.is_empty());
    words
}

fn letters(text: &str) -> String {
    let plain = text.chars().filter(char::is_ascii_alphanumeric);
    plain.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a name that may be percent-encoded names a secret.
pub(super) fn is_secret_encoded(name: &str) -> bool {
    if name.contains(['%', '+']) { is_secret(&decoded(name)) } else { is_secret(name) }
}

#[cfg(test)]
mod tests;
