use super::*;
use jiff::ToSpan as _;

const MINUTE: Duration = Duration::from_mins(1);

const EMPTY: BehaviourConfig =
    BehaviourConfig { max_sources: 100, payloads: None, controls: Vec::new(), shared_url: None };

fn control(code: &str, counted: Counted, threshold: usize, reaction: Reaction) -> Control {
    Control {
        attack_type: code.into(),
        host: None,
        path: None,
        counted,
        threshold,
        within: MINUTE,
        reaction,
        duration: Duration::from_hours(1),
    }
}

fn behaviour(control: Control) -> Behaviour {
    Behaviour::new(&BehaviourConfig { max_sources: 1_000, controls: vec![control], ..EMPTY })
}

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + second.seconds()
}

fn request(source: &str, path: &str, query: &str) -> InspectRequest {
    serde_json::from_value(serde_json::json!({
        "client_ip": source, "method": "GET", "host": "Shop.example.com:443", "path": path, "query": query,
    }))
    .unwrap()
}

fn id(n: usize) -> RequestId {
    RequestId::derive("E1", &n.to_string())
}

fn payload(text: &str) -> Finding {
    Finding { attack_type: AttackType::Sqli, payload: text.to_owned(), ..finding(&AttackType::Sqli) }
}

/// The requests, a second apart, that put their source on a list or exceed a rate.
fn caught(behaviour: &Behaviour, requests: &[InspectRequest]) -> Vec<usize> {
    let seen = requests.iter().enumerate().filter(|(n, request)| {
        let observed = behaviour.request(request, id(*n), &[], at(i64::try_from(*n).unwrap()));
        !observed.listings.is_empty() || observed.retry_after.is_some()
    });
    seen.map(|(n, _)| n).collect()
}

#[test]
fn lists_only_the_source_above_the_threshold() {
    let login = Control {
        path: Some("/login".into()),
        host: Some(crate::routes::glob::Glob::new("*.example.com").unwrap()),
        ..control("brute", Counted::Requests, 3, Reaction::Deny)
    };
    let behaviour = behaviour(login);
    let guess = request("203.0.113.1", "/login", "");
    let other = request("203.0.113.2", "/login", "");
    let elsewhere = request("203.0.113.1", "/", "");
    let requests = [&guess, &elsewhere, &guess, &other, &guess, &elsewhere, &guess, &other].map(Clone::clone);
    assert_eq!(caught(&behaviour, &requests), [6]);
    let observed = behaviour.request(&guess, id(99), &[], at(10));
    assert_eq!(
        observed.listings,
        [Listing {
            list: List::Deny,
            source: "203.0.113.1".parse().unwrap(),
            until: at(10 + 3600),
            cause: AttackType::Brute,
        }]
    );
    assert!(observed.denies());
    assert_eq!(observed.findings[0].attack_type, AttackType::Brute);
    // The window has passed.
    assert_eq!(behaviour.request(&guess, id(100), &[], at(100)), Observed::default());
}

#[test]
fn counts_a_repeated_request_once() {
    let behaviour = behaviour(control("brute", Counted::Requests, 1, Reaction::Gray));
    let guess = request("203.0.113.1", "/login", "");
    for second in 0..5 {
        assert_eq!(behaviour.request(&guess, id(1), &[], at(second)), Observed::default());
    }
    assert_eq!(behaviour.request(&guess, id(2), &[], at(5)).listings[0].list, List::Gray);
}

#[test]
fn requests_with_attacks_count_for_rates_only() {
    for (code, caught) in [("brute", false), ("dirbust", false), ("bola", false), ("rate_limit", true)] {
        let behaviour = behaviour(control(code, Counted::Requests, 1, Reaction::Deny));
        let guess = request("203.0.113.1", "/login", "");
        let attack = [payload("' or 1=1")];
        let last = (0..4).map(|n| behaviour.request(&guess, id(n), &attack, at(1))).last().unwrap();
        assert_eq!(!last.listings.is_empty(), caught, "{code}");
    }
}

#[test]
fn enumeration_counts_distinct_values() {
    let by_segment =
        Control { path: Some("/orders/*".into()), ..control("bola", Counted::Segment(2), 2, Reaction::Deny) };
    let walk = ["/orders/1", "/orders/1", "/orders/2", "/orders/2", "/orders/3"];
    let walk = walk.map(|path| request("2001:db8::1", path, ""));
    assert_eq!(caught(&behaviour(by_segment), &walk), [4]);

    let by_parameter = control("bola", Counted::Parameter("id".into()), 2, Reaction::Deny);
    let walk =
        ["id=1", "a=1&id=2", "id=2", "other=3", "id=3"].map(|query| request("2001:db8::1", "/o", query));
    assert_eq!(caught(&behaviour(by_parameter), &walk), [4]);
}

#[test]
fn forced_browsing_counts_paths_or_404_responses() {
    let by_path = control("dirbust", Counted::Paths, 2, Reaction::Deny);
    let walk = ["/a", "/b", "/a", "/c"].map(|path| request("203.0.113.1", path, ""));
    assert_eq!(caught(&behaviour(by_path), &walk), [3]);

    let behaviour = behaviour(control("dirbust", Counted::Responses(404), 2, Reaction::Deny));
    for n in 0..4 {
        behaviour.request(&request("203.0.113.1", "/x", ""), id(n), &[], at(0));
    }
    let listed = |n, status| !behaviour.response(id(n), status, at(1)).is_empty();
    assert_eq!(
        [listed(0, 404), listed(1, 200), listed(1, 404), listed(1, 404), listed(2, 404), listed(77, 404)],
        [false, false, false, false, true, false]
    );
}

#[test]
fn a_rate_limit_returns_the_time_to_retry() {
    let behaviour = behaviour(control("rate_limit", Counted::Requests, 2, Reaction::Limit));
    let get = request("203.0.113.1", "/", "");
    let wait = |n, second| behaviour.request(&get, id(n), &[], at(second)).retry_after;
    assert_eq!([wait(0, 0), wait(1, 10)], [None, None]);
    assert_eq!(wait(2, 20), Some(Duration::from_secs(40)));
    assert_eq!(wait(1, 21), None, "a repeat of an admitted request");
    assert_eq!([wait(3, 59), wait(4, 60)], [Some(Duration::from_secs(1)), None]);
}

#[test]
fn grays_a_source_with_many_different_payloads() {
    let payloads = Payloads { threshold: 3, within: MINUTE, duration: MINUTE };
    let config = BehaviourConfig { payloads: Some(payloads), ..EMPTY };
    let behaviour = Behaviour::new(&config);
    let attack = request("203.0.113.1", "/", "");
    let listed = |texts: &[&str], second| {
        let findings: Vec<_> = texts.iter().map(|text| payload(text)).collect();
        let observed = behaviour.request(&attack, id(1), &findings, at(second));
        assert!(observed.findings.is_empty());
        observed.listings.into_iter().map(|listing| (listing.list, listing.until)).collect::<Vec<_>>()
    };
    assert_eq!(listed(&["a", "b"], 0), []);
    assert_eq!(listed(&["a"], 1), []);
    assert_eq!(listed(&["b", "c"], 2), []);
    assert_eq!(listed(&["d"], 3), [(List::Gray, at(63))]);
    assert_eq!(listed(&["d"], 200), []);
}

#[test]
fn remembers_a_bounded_number_of_sources() {
    let behaviour = behaviour(control("brute", Counted::Requests, 5, Reaction::Deny));
    for n in 0..20_000u32 {
        let source = std::net::Ipv4Addr::from_bits(n).to_string();
        behaviour.request(&request(&source, "/login", ""), id(n as usize), &[], at(0));
    }
    assert_eq!(behaviour.stats(), BehaviourStats { sources: 1_000, forgotten: 19_000, unshared: 0 });
}

#[test]
fn a_counted_value_prints_as_it_parses() {
    for text in ["requests", "paths", "get:id", "path:2", "status:404"] {
        assert_eq!(Counted::parse(text).unwrap().to_string(), text);
    }
    for text in ["", "request", "get:", "path:0", "path:x", "status:99", "status:600", "post:id"] {
        assert_eq!(Counted::parse(text), None, "{text}");
    }
}
