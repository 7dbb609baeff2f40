//! The requests, each determined by its number.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const ATTACKS: u32 = 10;

/// The number of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbered(pub(super) u32);

impl Numbered {
    pub(super) fn id(self) -> String {
        format!("{:032x}", self.0)
    }

    pub(super) fn is_attack(self) -> bool {
        self.0.is_multiple_of(ATTACKS)
    }

    /// A quarter of the attacks are out-of-band copies: monitored, not blocked.
    pub(super) fn is_copy(self) -> bool {
        self.is_attack() && (self.0 / ATTACKS) % 4 == 3
    }

    pub(super) fn message(self) -> Value {
        let n = self.0;
        let (method, path, query, body) = match (self.is_attack(), n / ATTACKS % 3, n % 2) {
            (true, 0, _) => ("GET", "/etc/passwd".to_owned(), format!("n={n}"), None),
            (true, 1, _) => ("GET", "/search".to_owned(), format!("n={n}&q='+OR+1=1--+"), None),
            (true, _, _) => (
                "POST",
                "/comments".to_owned(),
                format!("q='+OR+1=1--+&n={n}"),
                Some("text=<script>alert(1)</script>"),
            ),
            (false, _, 0) => ("GET", format!("/products/{n}"), "page=2&sort=price".to_owned(), None),
            (false, ..) => ("POST", "/cart".to_owned(), String::new(), Some("product=blue+shoes&count=2")),
        };
        json!({
            "request_id": self.id(),
            "delivery": if self.is_copy() { "out_of_band" } else { "inline" },
            "client_ip": format!("198.51.{}.{}", n / 250 % 250, n % 250),
            "method": method,
            "host": "shop.example.com",
            "path": path,
            "query": query,
            "headers": [
                ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"],
                ["accept", "text/html,application/xhtml+xml"],
                ["content-type", "application/x-www-form-urlencoded"],
            ],
            "body": body.map(|text| STANDARD.encode(text)),
        })
    }
}
