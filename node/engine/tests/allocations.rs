//! Allocation test: the inspection of clean values allocates nothing but the growing lists of
//! points and fields.

use allocation_counter::{AllocationInfo, measure};
use engine::{Engine, mutate::empty_request};
use shared::{Body, InspectRequest};

/// Benign values without encodings.
const CLEAN: &[&str] = &[
    "1042",
    "garden spade",
    "price_asc",
    "2026-11-22T19:05:00Z",
    "maria.olsen@example.com",
    "550e8400-e29b-41d4-a716-446655440000",
    "8f3a2c6be1d94075a2f7c1e06b9d3f58",
    "Please ring twice, the bell is weak.",
    "For heavy soil; keep it dry, oil it twice a year, and it will outlive us both.",
    "fish & chips",
    "/garden/tools/spade-1042",
    "https://shop.example.com/garden/tools",
    "51.5072, -0.1276",
];

/// The number of copies of a value in a large request.
const COPIES: usize = 500;
/// The most reallocations of the lists of points and fields as they grow to [`COPIES`] values.
const STEPS: u64 = 40;

/// A JSON document with `times` copies of a value.
fn request(value: &str, times: usize) -> InspectRequest {
    let items = vec![format!(r#"{{"field":"{value}"}}"#); times];
    let body = format!("[{}]", items.join(","));
    InspectRequest {
        host: "shop.example.com".to_owned(),
        path: "/api/orders".to_owned(),
        body: Some(Body(body.into_bytes())),
        ..empty_request("POST")
    }
}

fn allocations(engine: &Engine, request: &InspectRequest) -> u64 {
    // The first run compiles what is compiled lazily.
    assert_eq!(engine.inspect(request).findings, []);
    let AllocationInfo { count_total, .. } = measure(|| {
        engine.inspect(request);
    });
    count_total
}

#[test]
fn a_clean_value_is_inspected_without_an_allocation() {
    let engine = Engine::new();
    let count = |value: &str, times: usize| allocations(&engine, &request(value, times));
    let costs = CLEAN.iter().map(|value| (*value, count(value, 1), count(value, COPIES)));
    let costly: Vec<_> = costs.filter(|(_, one, many)| *many > one + STEPS).collect();
    assert!(costly.is_empty(), "allocations for one and for {COPIES}: {costly:?}");
}

#[test]
fn repeated_values_take_no_memory() {
    const MOST: u64 = 16 << 20;
    let engine = Engine::new();
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    for (content_type, start, item, end) in [
        ("application/json", "[", "\"a\",", "0]"),
        ("application/json", "[", "{\"a\":[\"b\"]},", "0]"),
        ("application/json", "{", "\"a\":\"b\",", "\"c\":0}"),
        ("application/xml", "<a>", "<b c=\"d\">e</b><!--f-->", "</a>"),
        ("application/x-protobuf", "", "\u{a}\u{1}a", ""),
        ("multipart/form-data; boundary=b", "", part, "--b--"),
    ] {
        let mut request = request("1", 1);
        request.headers = vec![("content-type".to_owned(), content_type.to_owned())];
        request.body = Some(Body([start, &item.repeat(2_000_000 / item.len()), end].concat().into_bytes()));
        let info = measure(|| {
            engine.inspect(&request);
        });
        assert!(info.bytes_max < MOST, "{content_type} {item}: {} bytes", info.bytes_max);
    }
}
