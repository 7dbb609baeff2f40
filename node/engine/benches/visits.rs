//! Requests as on a real server: all of them different.

use crate::requests::{browser, json};
use shared::InspectRequest;

/// Requests of many visitors of a shop, all of them different.
pub(crate) fn visits() -> Vec<InspectRequest> {
    const PRODUCTS: [&str; 7] = ["spade", "rake", "watering can", "hose", "seeds", "bench", "lantern"];
    const SYSTEMS: [&str; 4] = [
        "Windows NT 10.0; Win64; x64",
        "Macintosh; Intel Mac OS X 10_15_7",
        "X11; Linux x86_64",
        "iPhone; CPU iPhone OS 18_1 like Mac OS X",
    ];
    (0..2_000_usize)
        .map(|number| {
            let product = PRODUCTS[number % PRODUCTS.len()];
            let id = number.wrapping_mul(0x9E37_79B9) & 0xFFFF_FFFF;
            let mut request = match number % 5 {
                0 => json(1_000),
                1 => browser("GET", &format!("/garden/{}/{id}", product.replace(' ', "-")), ""),
                2 => {
                    browser("GET", "/search", &format!("q={}&page={}", product.replace(' ', "+"), number % 9))
                }
                _ => browser("GET", &format!("/assets/{id:08x}/style.css"), &format!("v={number}")),
            };
            let system = SYSTEMS[number % SYSTEMS.len()];
            let agent = format!(
                "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0",
                100 + number % 43
            );
            let cookie = format!("session={id:016x}; cart={number}; seen={id}.{number}; lang=en");
            request.headers.retain(|(name, _)| !matches!(name.as_str(), "user-agent" | "cookie"));
            request.headers.extend([("user-agent".to_owned(), agent), ("cookie".to_owned(), cookie)]);
            request
        })
        .collect()
}
