//! Clean values cost no memory: what a request takes for its points and fields grows in steps, whatever the values hold.

use allocation_counter::{AllocationInfo, measure};
use engine::Engine;
use shared::{Body, Delivery, InspectRequest};
use std::net::Ipv4Addr;

/// What benign fields hold, none of it encoded.
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

/// So many more of a value.
const MORE: usize = 500;
/// The lists of points and fields double as often as this when they grow by so many.
const STEPS: u64 = 40;

/// A document that holds a value so often.
fn request(value: &str, times: usize) -> InspectRequest {
    let items = vec![format!(r#"{{"field":"{value}"}}"#); times];
    InspectRequest {
        request_id: None,
        connector: None,
        delivery: Delivery::Inline,
        client_ip: Ipv4Addr::new(203, 0, 113, 7).into(),
        method: "POST".to_owned(),
        scheme: None,
        http_version: None,
        host: "shop.example.com".to_owned(),
        path: "/api/orders".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: Some(Body(format!("[{}]", items.join(",")).into_bytes())),
        body_truncated: false,
        not_inspected: Vec::new(),
    }
}

fn allocations(engine: &Engine, request: &InspectRequest) -> u64 {
    // What is compiled at first use is there already.
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
    let costs = CLEAN.iter().map(|value| (*value, count(value, 1), count(value, MORE)));
    let costly: Vec<_> = costs.filter(|(_, one, many)| *many > one + STEPS).collect();
    assert!(costly.is_empty(), "allocations for one and for {MORE}: {costly:?}");
}
