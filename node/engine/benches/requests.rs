//! The measured requests.

use engine::mutate::empty_request;
use shared::{Body, InspectRequest};

const BROWSER: &[(&str, &str)] = &[
    ("host", "shop.example.com"),
    (
        "user-agent",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.7"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://shop.example.com/garden/tools?page=2&sort=price_asc"),
    ("sec-ch-ua", "\"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Windows\""),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("upgrade-insecure-requests", "1"),
    (
        "cookie",
        "session=8f3a2c6be1d94075a2f7c1e06b9d3f58; cart=3%3A1%2C17%3A2; lang=en; consent=necessary%2Canalytics; \
         seen=1763812345.1763812001",
    ),
];

/// A request without headers and body, the base of the others.
pub(crate) fn bare(method: &str, path: &str, query: &str) -> InspectRequest {
    InspectRequest {
        host: "shop.example.com".into(),
        path: path.to_owned(),
        query: query.to_owned(),
        ..empty_request(method)
    }
}

/// A request with the headers of a browser.
pub(crate) fn browser(method: &str, path: &str, query: &str) -> InspectRequest {
    let headers = BROWSER.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    InspectRequest { headers: headers.collect(), ..bare(method, path, query) }
}

/// A page view by a browser.
pub(crate) fn page() -> InspectRequest {
    browser("GET", "/garden/tools/spade-1042", "page=2&sort=price_asc&q=garden+spade")
}

/// The same browser, with SQL injection in a numeric parameter.
pub(crate) fn attack() -> InspectRequest {
    browser(
        "GET",
        "/garden/tools",
        "page=2&id=1042%27%20UNION%20SELECT%20login%2Cpassword%20FROM%20users--%20-",
    )
}

/// A JSON order of about this many bytes, in long texts: ModSecurity rejects more than 1,000
/// values.
pub(crate) fn json(bytes: usize) -> InspectRequest {
    let mut request = browser("POST", "/api/orders", "");
    request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    InspectRequest { body: Some(Body(order(bytes))), ..request }
}

fn order(bytes: usize) -> Vec<u8> {
    let mut text = String::from(
        r#"{"customer":{"id":48213,"name":"Maria Olsen","email":"maria.olsen@example.com","address":{"street":"12 Mill Lane","city":"York","zip":"YO1 7EP"}},"note":"Please ring twice, the bell is weak.","items":["#,
    );
    let mut number = 0;
    while text.len() + 330 < bytes {
        let comma = if number == 0 { "" } else { "," };
        let item = format!(
            r#"{comma}{{"sku":"GT-{number:05}","title":"Garden spade, ash handle & steel blade","quantity":{},"price":"{}.95","text":"Forged in one piece, with treads for boots & a shaft of ash. For heavy soil; keep it dry, oil it twice a year, and it will outlive us both. Ships in 2-3 days.","tags":["garden","tools"]}}"#,
            number % 4 + 1,
            number % 90 + 9
        );
        text += &item;
        number += 1;
    }
    text += "]}";
    text.into_bytes()
}
