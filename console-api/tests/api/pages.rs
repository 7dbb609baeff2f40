//! Pages: sign-in, lists, forms and errors.

mod access;
mod actions;
mod audit;
mod invisible;
mod rules;
mod rulesets;
mod suspicious;
mod views;
mod webhooks;

use crate::harness::{Answer, Console, attack, hit, not_inspected, request_id, send, token_of, uuid, with};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::json;
use std::collections::BTreeSet;

async fn browse(router: &Router, path: &str, cookie: &str) -> Answer {
    send(router, Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
}

async fn sign_in(console: &Console, token: &str) -> Answer {
    let request = Request::post("/sign-in").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header("sec-fetch-site", "same-origin");
    send(&console.router, request.body(Body::from(format!("token={token}"))).unwrap()).await
}

/// The cookie of a new session.
async fn cookie(console: &Console) -> String {
    let answer = sign_in(console, &token_of(Role::Analyst)).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/attacks"));
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn redirects_unauthenticated_visitors_to_sign_in() {
    let console = Console::start().await;
    for path in [
        "/attacks",
        "/attacks?type=sqli",
        "/attacks/charts",
        "/attacks/x",
        "/hits/x",
        "/not-inspected",
        "/coverage",
        "/rules",
        "/ip-lists",
        "/nodes",
        "/connectors",
        "/audit",
        "/views",
        "/rulesets",
        "/rulesets/compare",
        "/rulesets/1",
        "/replays",
        "/replays/x",
        "/settings",
        "/users",
        "/tokens",
        "/sessions",
        "/webhooks",
        "/webhooks/x",
        "/elsewhere",
    ] {
        let answer = browse(&console.router, path, "wallarm_session=made-up").await;
        let to: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let sign_in = if path == "/attacks" { "/sign-in".to_owned() } else { format!("/sign-in?to={to}") };
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, sign_in.as_str()), "{path}");
    }
}

#[tokio::test]
async fn a_sign_in_returns_to_the_page_asked_for() {
    let console = Console::start().await;
    let asked = browse(&console.router, "/rules?cursor=x&deleted=y", "").await;
    let form = browse(&console.router, asked.header("location"), "").await.text;
    assert_eq!(form.matches(r#"name="to" value="/rules?cursor=x&#38;deleted=y""#).count(), 2, "{form}");
    let token = token_of(Role::Analyst);
    let sign_in = async |to: &str, token: &str| {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("token", token), ("to", to)])
            .finish();
        let request =
            Request::post("/sign-in").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin");
        send(&console.router, request.body(Body::from(body)).unwrap()).await
    };
    let page = "/rules?cursor=x&deleted=y";
    let refused = sign_in(page, "wlc_unknown_token_of_the_tests").await;
    assert!(refused.text.contains("cursor=x&#38;deleted=y"), "{}", refused.text);
    assert_eq!(sign_in(page, &token).await.header("location"), page);
    for other in ["//evil.example", "https://evil.example/", "/\\evil.example", ""] {
        assert_eq!(sign_in(other, &token).await.header("location"), "/attacks", "{other}");
    }
}

#[tokio::test]
async fn a_copied_link_has_fixed_times() {
    let console = Console::start().await;
    let cookie = cookie(&console).await;
    let page = browse(&console.router, "/attacks?q=type:sqli&from=-24h", &cookie).await.text;
    let link = "data-copy-address=\"/attacks?q=type%3Asqli&#38;from=2025-12-31T12%3A00%3A00Z&#38;to=2026-01-01T12%3A00%3A00Z\"";
    assert!(page.contains(link), "{page}");
}

#[tokio::test]
async fn an_empty_list_says_how_many_attacks_are_hidden_and_shows_them() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let cookie = cookie(&console).await;
    let path = format!("/attacks/{}/mark", console.only_attack().await);
    let mark = [("mark", "false_positive"), ("note", ""), ("revision", "0")];
    assert_eq!(submit(&console, Role::Analyst, &path, &mark).await.status, 303);
    let page = browse(&console.router, "/attacks?q=type:ptrav", &cookie).await.text;
    assert!(page.contains("1 attack marked as false positive is hidden."), "{page}");
    let link = "/attacks?q=type%3Aptrav+mark%3Afalse_positive";
    assert!(page.contains(&format!("<a href=\"{link}\">Show false positives</a>")), "{page}");
    assert!(browse(&console.router, link, &cookie).await.text.contains("Path traversal"));
    let other = browse(&console.router, "/attacks?q=type:xss", &cookie).await.text;
    assert!(!other.contains("is hidden"), "{other}");
    let asked = browse(&console.router, "/attacks?q=type:ptrav+mark:none", &cookie).await.text;
    assert!(!asked.contains("is hidden"), "{asked}");
}

#[tokio::test]
async fn a_chart_spans_the_requested_range_and_has_a_scale_and_a_legend() {
    let console = Console::start().await;
    console.ingest(&(1..=3).map(|n| attack(n, 0)).collect::<Vec<_>>()).await;
    let cookie = cookie(&console).await;
    let times = |page: &str| -> Vec<String> {
        let axis = page.split("<p class=\"axis\">").nth(1).unwrap().split("</p>").next().unwrap();
        axis.split("datetime=\"").skip(1).map(|part| part.split('"').next().unwrap().to_owned()).collect()
    };
    let page = browse(&console.router, "/attacks/charts?from=-24h", &cookie).await.text;
    let axis = times(&page);
    assert!(axis[0].starts_with("2025-12-31T12:00"), "{axis:?}");
    assert!(axis.last().unwrap().as_str() >= "2026-01-01T12:00:00Z", "until now, not the last hit: {axis:?}");
    assert!(page.contains("<span>4</span><span>2</span><span>0</span>"), "a scale for three hits: {page}");
    for part in
        ["Blocked</span>", "Passed</span>", "Hits per 30 minutes, UTC", "data-tip=\"2026-01-01 10:00:00 to"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let hour =
        browse(&console.router, "/attacks/charts?from=2026-01-01T10:00:00Z&to=2026-01-01T11:00:00Z", &cookie)
            .await;
    assert!(hour.text.contains("Hits per 5 minutes"), "{}", hour.text);
    let attack =
        browse(&console.router, &format!("/attacks/{}", console.only_attack().await), &cookie).await.text;
    assert!(attack.contains("Hits per second, UTC") && attack.contains("Passed</span>"), "{attack}");
    assert!(
        page.contains("<b>1</b> attack · <b>3</b> hits ·") && page.contains("<b>1</b> source ·"),
        "{page}"
    );
}

#[tokio::test]
async fn a_session_lasts_12_hours_or_until_sign_out() {
    let console = Console::start().await;
    let set = sign_in(&console, &token_of(Role::Analyst)).await;
    assert!(set.header("set-cookie").ends_with("Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
    let cookie = cookie(&console).await;
    assert_eq!(browse(&console.router, "/attacks", &cookie).await.status, 200);
    assert_eq!(browse(&console.at("2026-01-01T23:59:59Z"), "/attacks", &cookie).await.status, 200);
    assert_eq!(browse(&console.at("2026-01-02T00:00:00Z"), "/attacks", &cookie).await.status, 303);
    let sign_out = |site| {
        let request =
            Request::post("/sign-out").header(header::COOKIE, &cookie).header("sec-fetch-site", site);
        send(&console.router, request.body(Body::empty()).unwrap())
    };
    assert_eq!(sign_out("cross-site").await.status, 303);
    assert_eq!(browse(&console.router, "/attacks", &cookie).await.status, 200);
    assert_eq!(sign_out("same-origin").await.status, 303);
    assert_eq!(browse(&console.router, "/attacks", &cookie).await.status, 303);
}

#[tokio::test]
async fn rejects_sign_in_with_node_tokens() {
    let console = Console::start().await;
    for token in ["", "wlc_unknown_token_of_the_tests", &token_of(Role::Node)] {
        let answer = sign_in(&console, token).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""), "{token}");
    }
}

#[tokio::test]
async fn the_list_leads_to_the_attack_and_its_hit() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), not_inspected(50, 9, "node_timeout")]).await;
    let cookie = cookie(&console).await;
    let list = browse(&console.router, "/attacks", &cookie).await;
    let id = console.only_attack().await;
    assert!(list.text.contains(&format!(
        r#"<a href="/attacks/{id}" data-drawer>Path traversal<span class="hidden"> from 1 source in uri</span></a>"#
    )));
    assert!(list.text.contains(r#"<a href="/not-inspected">At least 1 request was not inspected.</a>"#));
    let detail = browse(&console.router, &format!("/attacks/{id}"), &cookie).await;
    assert!(detail.text.contains(&format!(r#"<a href="/hits/{}">"#, uuid(1))));
    let hit = browse(&console.router, &format!("/hits/{}", uuid(1)), &cookie).await;
    assert!(
        hit.text.contains("GET /shop<mark>/etc/passwd</mark>?q=1 HTTP/1.1\nuser-agent: curl/8.0\n"),
        "{}",
        hit.text
    );
    assert!(browse(&console.router, "/not-inspected", &cookie).await.text.contains("node_timeout"));
}

#[tokio::test]
async fn pages_of_attacks_and_hits_lead_back_to_the_search() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let id = console.only_attack().await;
    let search = "q=type%3Aptrav&from=-24h&sort=-hits";
    let shown = search.replace('&', "&#38;");
    let page = async |path: &str| console.get_as(Role::Analyst, path).await.text;
    let list = page(&format!("/attacks?{search}")).await;
    assert!(list.contains(&format!(r#"<a href="/attacks/{id}?{shown}" data-drawer>"#)), "{list}");
    let attack = page(&format!("/attacks/{id}?{search}")).await;
    let links = ["/attacks".to_owned(), format!("/hits/{}", uuid(1)), format!("/attacks/{id}/mark")];
    for link in links {
        assert!(attack.contains(&format!("\"{link}?{shown}\"")), "{link}: {attack}");
    }
    let mark = [("mark", "true_positive"), ("note", ""), ("revision", "0")];
    let marked = submit(&console, Role::Analyst, &format!("/attacks/{id}/mark?{search}"), &mark).await;
    let to = marked.header("location");
    for part in ["q=type%3Aptrav", "from=-24h", "sort=-hits"] {
        assert!(to.starts_with(&format!("/attacks/{id}?")) && to.contains(part), "{to}");
    }
    let path = format!("/hits/{}", uuid(1));
    let order = "q=type%3Aptrav&#38;from=-24h&#38;sort=-hits";
    let hit = page(&format!("{path}?{search}")).await;
    assert!(hit.contains(&format!(r#"<a href="/attacks/{id}?{order}">← Attack</a>"#)), "{hit}");
    let blocked =
        submit(&console, Role::Analyst, &format!("{path}/block-source?{search}"), &[("for", "24")]).await;
    let hit = page(blocked.header("location")).await;
    assert!(hit.contains("Source added") && hit.contains(&format!("/attacks/{id}?{order}")), "{hit}");
    let form = "width=type&location=here&requests=alike";
    let preview = page(&format!("{path}/exclusion?{search}&{form}")).await;
    assert!(preview.contains(&format!(r#"action="{path}/exclusion?{order}""#)), "{preview}");
}

#[tokio::test]
async fn escapes_payloads_on_every_page() {
    const SCRIPT: &str = "<script>alert('1')</script>";
    let console = Console::start().await;
    let mut record = with(
        attack(1, 0),
        &[
            ("/attack/hits", json!([hit(1, "xss", &json!([["get", SCRIPT]]), SCRIPT)])),
            ("/attack/hits/0/findings/0/signature", json!(SCRIPT)),
            ("/attack/request/host", json!(SCRIPT)),
            ("/attack/request/path", json!(SCRIPT)),
            ("/attack/request/query", json!(SCRIPT)),
            ("/attack/request/method", json!(SCRIPT)),
            ("/attack/request/headers", json!([[SCRIPT, SCRIPT]])),
            ("/attack/request/connector/edge_request_id", json!(SCRIPT)),
            ("/attack/decision/reason", json!(SCRIPT)),
            ("/attack/decision/mode_source", json!(SCRIPT)),
        ],
    );
    record["attack"]["request"]["body"] = json!("PHNjcmlwdD4=");
    record["attack"]["hits"][0]["findings"][0]["score"] = json!([{"points": 7, "reason": SCRIPT}]);
    console.ingest(&[record]).await;
    let id = console.only_attack().await;
    let search = "/attacks?host=%22%3E%3Cscript%3E".to_owned();
    for path in ["/attacks".to_owned(), format!("/attacks/{id}"), format!("/hits/{}", uuid(1)), search] {
        let page = console.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        let text = page.text.split_once("<body>").unwrap().1;
        assert!(!text.contains("<script"), "{path}: {text}");
        assert!(text.contains("script"), "{path}");
    }
}

#[tokio::test]
async fn pages_have_security_headers() {
    let console = Console::start().await;
    for path in ["/attacks", "/sign-in", "/hits/x", "/nowhere"] {
        let page = console.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(
            policy
                .starts_with("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert!(!page.text.contains(" style="), "{path}");
    }
}

/// The addresses of all static files of a page.
fn files(page: &str) -> Vec<&str> {
    page.split('"').filter(|text| text.starts_with("/static/")).collect()
}

#[tokio::test]
async fn static_files_are_cached_by_content_hash() {
    let console = Console::start().await;
    let page = console.get("/attacks").await.text;
    for file in files(&page) {
        let answer = console.get(file).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, ""), "{file}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        let tag = answer.header("etag");
        let again = |name, value: &str| Request::get(file).header(name, value).body(Body::empty()).unwrap();
        assert_eq!(send(&console.router, again(header::IF_NONE_MATCH, tag)).await.status, 304);
        let packed = send(&console.router, again(header::ACCEPT_ENCODING, "gzip, br")).await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert!(packed.bytes.len() < answer.bytes.len(), "{file}");
    }
    assert_eq!(console.get("/static/0123456789abcdef/style.css").await.status, 404);
}

#[tokio::test]
async fn a_full_page_of_attacks_weighs_at_most_200_kb_with_all_its_files_and_charts() {
    let console = Console::start().await;
    let of_host = |n| with(attack(n, n / 2), &[("/attack/request/host", json!(format!("{n}.example.com")))]);
    let records: Vec<_> = (0..200).map(of_host).collect();
    console.ingest(&records).await;
    let page = console.get("/attacks").await;
    let charts = console.get("/attacks/charts").await;
    let folder = files(&page.text)[0].rsplit_once('/').unwrap().0;
    let mut weight = page.bytes.len() + charts.bytes.len();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/web")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.rsplit_once('.').unwrap().1 != "html" {
            weight += console.get(&format!("{folder}/{name}")).await.bytes.len();
        }
    }
    assert_eq!(page.text.matches("<tr data-row>").count(), 50);
    assert!((50_000..=200_000).contains(&weight), "{weight} bytes");
}

#[tokio::test]
async fn shows_the_position_of_a_search_error() {
    let console = Console::start().await;
    let page = console.get("/attacks?q=type:sqli+hosst:x").await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("<span>type:sqli </span><mark>hosst:x</mark>"), "{}", page.text);
    assert!(page.text.contains("did you mean `host`?"), "{}", page.text);
}

#[tokio::test]
async fn a_request_id_redirects_to_its_hit() {
    let console = Console::start().await;
    let cloudfront = "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==";
    let record = with(attack(1, 0), &[("/attack/request/connector/edge_request_id", json!(cloudfront))]);
    console.ingest(&[record]).await;
    for id in [request_id(1), cloudfront.to_owned(), format!("%20{}", request_id(1))] {
        let answer = console.get(&format!("/attacks?q={id}")).await;
        let location = format!("/hits/{}", uuid(1));
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, location.as_str()), "{id}");
    }
    assert!(
        console
            .get(&format!("/attacks?q={}", request_id(2)))
            .await
            .text
            .contains("No attacks match this search.")
    );
}

#[tokio::test]
async fn shows_groups_of_attacks() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), attack(2, 150)]).await;
    let page = console.get("/attacks?group_by=type,host&sort=hits").await;
    assert!(
        page.text.contains("sort=hits&#38;q=host%3Ashop.example.com+type%3Aptrav\">ptrav</a>"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn charts_link_to_their_attacks() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), attack(2, 150)]).await;
    let page = console.get("/attacks/charts?q=status:blocked").await.text;
    assert!(page.contains("q=status%3Ablocked+type%3Aptrav"), "{page}");
    assert!(page.contains("from=2026-01-01T10:00:00Z&#38;to=2026-01-01T10:05:00Z"), "{page}");
    assert!(page.contains("2026-01-01 10:00:00 to 2026-01-01 10:05:00 UTC: 1 hit, 1 blocked"), "{page}");
}

#[tokio::test]
async fn an_empty_console_explains_a_test_attack() {
    let console = Console::start().await;
    assert!(console.get("/attacks").await.text.contains("/etc/passwd"));
    assert!(console.get("/attacks?host=x").await.text.contains("No attacks match this search."));
}

#[tokio::test]
async fn the_next_page_keeps_the_filter() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), attack(2, 150)]).await;
    let page = console.get("/attacks?host=shop.example.com&limit=1").await.text;
    let link = page.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let link = link.replace("&#38;", "&").replace("&amp;", "&");
    assert!(link.starts_with("/attacks?host=shop.example.com&limit=1&cursor="), "{link}");
    assert!(!console.get(&link).await.text.contains("rel=\"next\""));
}

#[tokio::test]
async fn shows_errors_as_pages() {
    let console = Console::start().await;
    let page = console.get("/attacks?colour=red").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (400, "text/html; charset=utf-8"));
    assert!(page.text.contains("colour"));
    assert_eq!(console.get(&format!("/hits/{}", uuid(1))).await.status, 404);
}

#[tokio::test]
async fn redirects_the_root_to_attacks() {
    let console = Console::start().await;
    let answer = console.get("/").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/attacks"));
}

/// Submits a form from a page of the console, as a caller with this role.
async fn submit(console: &Console, role: Role, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(role)))
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(&console.router, request.body(Body::from(body)).unwrap()).await
}

/// Every form of the pages, with the lowest role that may submit it.
const FORMS: &[(Role, &[&str])] = &[
    (
        Role::Analyst,
        &[
            "/attacks/{id}/mark",
            "/hits/{id}/content",
            "/hits/{id}/exclusion",
            "/hits/{id}/block-source",
            "/hits/{id}/virtual-patch",
            "/actions",
            "/selection/mark",
            "/selection/group",
            "/selection/sources",
            "/selection/undo",
            "/views",
            "/views/{id}",
            "/views/{id}/delete",
            "/rules",
            "/rules/test",
            "/rules/{id}",
            "/rules/{id}/delete",
            "/rulesets/{version}/activate",
            "/replays",
            "/ip-lists",
            "/ip-lists/{id}/delete",
            "/audit/{id}/undo",
        ],
    ),
    (
        Role::Admin,
        &[
            "/connectors/bundle",
            "/connectors/keys",
            "/connectors/keys/{id}/delete",
            "/users",
            "/users/{id}",
            "/users/{id}/delete",
            "/tokens",
            "/tokens/{id}/delete",
            "/nodes/{id}/release",
            "/nodes/{id}/remove",
            "/sessions/{id}/end",
            "/webhooks",
            "/webhooks/{id}",
            "/webhooks/{id}/delete",
            "/webhooks/{id}/secret",
            "/webhooks/{id}/test",
            "/webhooks/{id}/again",
        ],
    ),
];
/// Forms of anyone: they change only the caller's own sessions and password.
const OWN_FORMS: &[&str] =
    &["/sign-in", "/sign-out", "/sign-out/others", "/account/password", "/account/sessions/{id}/end"];

/// The routes with a `post` handler in a table of routes.
fn posted(table: &str) -> BTreeSet<&str> {
    let routes = table.split(".route(").skip(1).filter(|route| route.contains("post("));
    routes.filter_map(|route| route.split('"').nth(1)).collect()
}

#[test]
fn every_form_is_in_the_table() {
    let wrapped = "    .route(\n        \"/a\",\n        get(a).post(b),\n    )\n    .route(\"/b\", get(b))";
    assert_eq!(posted(wrapped), BTreeSet::from(["/a"]));
    let known: BTreeSet<_> = FORMS.iter().flat_map(|(_, paths)| *paths).chain(OWN_FORMS).copied().collect();
    assert_eq!(posted(include_str!("../../src/pages.rs")), known);
}

#[tokio::test]
async fn rejects_forms_without_the_required_role() {
    let console = Console::start().await;
    for (lowest, paths) in FORMS {
        let is_too_low = |role: &Role| *role != Role::Admin && *role != *lowest;
        for path in *paths {
            let path = path.replace("{id}", &uuid(1)).replace("{version}", "1");
            for role in Role::ALL.into_iter().filter(is_too_low) {
                let answer = submit(&console, role, &path, &[]).await;
                assert_eq!(answer.status, 403, "{path} as {role:?}");
            }
        }
    }
}

#[tokio::test]
async fn rejects_an_effect_that_is_not_an_object() {
    let console = Console::start().await;
    let form =
        [("effect", r#"["mode", "block"]"#), ("host", ""), ("path", ""), ("method", ""), ("comment", "")];
    let answer = submit(&console, Role::Analyst, "/rules", &form).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains("must be an effect as JSON"), "{}", answer.text);
}

#[tokio::test]
async fn a_known_exploit_links_to_its_cve() {
    let console = Console::start().await;
    let mut hit = hit(1, "ptrav", &json!([["uri"]]), "/cgi-bin/.%2e/");
    hit["findings"][0]["signature"] = json!("exploit-cve-2021-41773");
    console.ingest(&[with(attack(1, 0), &[("/attack/hits", json!([hit]))])]).await;
    let page = console.get(&format!("/hits/{}", uuid(1))).await.text;
    let link =
        r#"<a href="https://www.cve.org/CVERecord?id=CVE-2021-41773" rel="noreferrer">CVE-2021-41773</a>"#;
    assert!(page.contains(link), "{page}");
}

#[tokio::test]
async fn a_hit_shows_decoding_steps_and_marked_payloads() {
    let console = Console::start().await;
    let union = "1 union select password from users";
    let mut hit = hit(1, "sqli", &json!([["get", "id"]]), union);
    hit["findings"][0]["signature"] = json!("sqli-union-select");
    hit["findings"][0]["decoded"] = json!(["percent", "percent"]);
    let record = with(
        attack(1, 0),
        &[
            ("/attack/hits", json!([hit])),
            ("/attack/request/query", json!("id=1%2520union%2520select%2520password%2520from%2520users&x=1")),
        ],
    );
    console.ingest(&[record]).await;
    let page = console.get(&format!("/hits/{}", uuid(1))).await.text;
    let marked = "id=<mark>1%2520union%2520select%2520password%2520from%2520users</mark>&#38;x=1 HTTP/1.1";
    assert!(page.contains(marked), "{page}");
    assert!(page.contains("CWE-89</a> SQL injection"), "{page}");
    assert!(page.contains("OWASP A03:2021</a> Injection"), "{page}");
    assert!(page.contains("CAPEC-66</a> SQL injection"), "{page}");
    assert!(page.contains("curl -i --path-as-is"), "{page}");
    assert!(page.contains("<dt>Response</dt><dd>Blocked</dd>"), "{page}");
    assert!(!page.contains("Block IP"), "readers see no actions");
}

#[tokio::test]
async fn blocks_and_unblocks_a_source_from_its_hit() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let hit = format!("/hits/{}", uuid(1));
    let blocked = submit(&console, Role::Analyst, &format!("{hit}/block-source"), &[("for", "24")]).await;
    assert_eq!(blocked.status, 303, "{}", blocked.text);
    let entries = console.get("/api/v1/ip-lists").await.json();
    assert_eq!(entries["items"][0]["source"], json!({"network": "203.0.113.7"}));
    assert_eq!(entries["items"][0]["expires_at"], "2026-01-02T12:00:00Z");
    let page = console.get_as(Role::Analyst, blocked.header("location")).await.text;
    assert!(page.contains("Source added to the denylist."), "{page}");
    let id = entries["items"][0]["id"].as_str().unwrap();
    let undo = [("back", hit.as_str()), ("revision", "1")];
    let undone = submit(&console, Role::Analyst, &format!("/ip-lists/{id}/delete"), &undo).await;
    assert_eq!((undone.status.as_u16(), undone.header("location")), (303, hit.as_str()));
    assert_eq!(console.get("/api/v1/ip-lists").await.json()["items"], json!([]));
}

#[tokio::test]
async fn creates_a_virtual_patch_from_a_hit() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let path = format!("/hits/{}/virtual-patch", uuid(1));
    let form = [("what", "type"), ("requests", "path")];
    assert_eq!(submit(&console, Role::ReadOnly, &path, &form).await.status, 403);
    let created = submit(&console, Role::Analyst, &path, &form).await;
    assert_eq!(created.status, 303, "{}", created.text);
    let rules = console.get("/api/v1/rules").await.json();
    let effect = json!({"kind": "virtual_patch", "attack_types": ["ptrav"], "points": [[["uri"]]]});
    assert_eq!(rules["items"][0]["effect"], effect);
    assert_eq!(rules["items"][0]["scope"], json!({"host": "shop.example.com", "path": "/shop/etc/passwd"}));
    let page = console.get_as(Role::Analyst, created.header("location")).await.text;
    assert!(page.contains("Virtual patch created: matching requests are now blocked."), "{page}");
}

#[tokio::test]
async fn marks_an_attack_and_clears_the_mark() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let path = format!("/attacks/{}", console.only_attack().await);
    let form = [("mark", "false_positive"), ("note", "our <b>tests</b>"), ("revision", "0")];
    let marked = submit(&console, Role::Analyst, &format!("{path}/mark"), &form).await;
    assert_eq!((marked.status.as_u16(), marked.header("location")), (303, path.as_str()), "{}", marked.text);
    let page = console.get_as(Role::Analyst, &path).await.text;
    assert!(
        page.contains("Marked as a false positive by test: <span class=\"raw\">our &#60;b&#62;tests"),
        "{page}"
    );
    let cleared =
        submit(&console, Role::Analyst, &format!("{path}/mark"), &[("mark", ""), ("revision", "1")]).await;
    assert_eq!(cleared.status, 303, "{}", cleared.text);
    assert!(!console.get(&path).await.text.contains("false positive by"));

    // Undoing the clearing restores the mark; undoing the marking clears it.
    for (undone, is_marked) in [(0, true), (2, false)] {
        let log = console.get_as(Role::Admin, "/api/v1/audit?object=attack").await.json();
        let undo = format!("/audit/{}/undo", log["items"][undone]["id"].as_str().unwrap());
        assert!(console.get_as(Role::Admin, "/audit").await.text.contains(&undo));
        assert_eq!(submit(&console, Role::Analyst, &undo, &[]).await.status, 303);
        assert_eq!(console.get(&path).await.text.contains("our &#60;b&#62;tests"), is_marked);
    }
}

#[tokio::test]
async fn rejects_the_undo_of_a_change_that_cannot_be_undone() {
    let console = Console::start().await;
    let form = [("name", "ci"), ("role", "analyst"), ("for", "30")];
    assert_eq!(submit(&console, Role::Admin, "/tokens", &form).await.status, 303);
    let log = console.get_as(Role::Admin, "/api/v1/audit?object=token").await.json();
    let undo = format!("/audit/{}/undo", log["items"][0]["id"].as_str().unwrap());
    let rejected = submit(&console, Role::Analyst, &undo, &[]).await;
    assert_eq!(rejected.status, 409, "{}", rejected.text);
    let reason = "changes of token cannot be undone; supported: rule, ip_list_entry, attack, ruleset, view, user, webhook";
    assert!(rejected.text.contains(reason), "{}", rejected.text);
}

#[tokio::test]
async fn edits_rules_and_undoes_changes_in_the_audit_log() {
    let console = Console::start().await;
    let rule = [
        ("host", ""),
        ("path", "/report"),
        ("method", ""),
        ("effect", r#"{"kind": "mode", "mode": "off"}"#),
        ("comment", "<i>"),
        ("revision", "1"),
    ];
    assert_eq!(submit(&console, Role::Analyst, "/rules", &rule).await.status, 303);
    let id = console.get("/api/v1/rules").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let changed = rule.map(|field| if field.0 == "path" { ("path", "/other") } else { field });
    assert_eq!(submit(&console, Role::Analyst, &format!("/rules/{id}"), &changed).await.status, 303);
    let stale = submit(&console, Role::Analyst, &format!("/rules/{id}"), &changed).await;
    assert!(
        stale.status == 412 && stale.text.contains("revision conflict: the current revision is 2"),
        "{}",
        stale.text
    );
    let broken = rule.map(|field| if field.0 == "effect" { ("effect", "{") } else { field });
    assert_eq!(submit(&console, Role::Analyst, "/rules", &broken).await.status, 400);
    let page = console.get_as(Role::Analyst, "/rules").await.text;
    assert!(page.contains("/other") && page.contains("&#60;i&#62;"), "{page}");

    let log = console.get_as(Role::Admin, "/api/v1/audit").await.json();
    let change = log["items"][0]["id"].as_str().unwrap();
    assert_eq!(submit(&console, Role::Analyst, &format!("/audit/{change}/undo"), &[]).await.status, 303);
    assert_eq!(console.get("/api/v1/rules").await.json()["items"][0]["scope"], json!({"path": "/report"}));
    let creation = log["items"][1]["id"].as_str().unwrap();
    assert_eq!(submit(&console, Role::Analyst, &format!("/audit/{creation}/undo"), &[]).await.status, 303);
    assert_eq!(console.get("/api/v1/rules").await.json()["items"], json!([]));
    let deletion = console.get_as(Role::Admin, "/api/v1/audit").await.json()["items"][0]["id"].clone();
    let undone =
        submit(&console, Role::Analyst, &format!("/audit/{}/undo", deletion.as_str().unwrap()), &[]).await;
    assert_eq!(undone.status, 303, "{}", undone.text);
    assert_eq!(console.get("/api/v1/rules").await.json()["items"][0]["scope"], json!({"path": "/report"}));
    assert_eq!(console.get("/audit").await.status, 403);
    assert!(console.get_as(Role::Admin, "/audit").await.text.contains("mode"));
}

#[tokio::test]
async fn rejects_forms_of_other_sites() {
    let console = Console::start().await;
    let cookie = cookie(&console).await;
    let entry = "list=deny&source=203.0.113.9&for=0&reason=";
    let post = |name: &str, value: &str| {
        Request::post("/ip-lists")
            .header(header::COOKIE, &cookie)
            .header(header::HOST, "console.example.com")
            .header(name, value)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(entry))
            .unwrap()
    };
    for (name, value) in [
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example.com"),
        ("origin", "https://console.example.com"),
        ("origin", "null"),
    ] {
        assert_eq!(send(&console.router, post(name, value)).await.status, 403, "{name}: {value}");
    }
    assert_eq!(console.get("/api/v1/ip-lists").await.json()["items"], json!([]));
    assert_eq!(send(&console.router, post("origin", "http://console.example.com")).await.status, 303);
    assert!(console.get("/ip-lists").await.text.contains("203.0.113.9"));
}

#[tokio::test]
async fn every_list_has_a_page() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), not_inspected(50, 9, "node_timeout")]).await;
    for (path, shows) in [
        ("/nodes", "No status reported."),
        ("/connectors", "only administrators can download them"),
        ("/rules", "No rules"),
        ("/ip-lists", "No IP list entries yet."),
        ("/not-inspected", "node_timeout"),
    ] {
        let page = console.get(path).await;
        assert!(page.status == 200 && page.text.contains(shows), "{path}: {}", page.text);
    }
    let order =
        [("function", "request"), ("wlrm_node_addr", "https://node.example.com"), ("wlrm_inline", "true")];
    let none = submit(&console, Role::Admin, "/connectors/bundle", &order).await;
    assert!(none.status == 409 && none.text.contains("--bundle-dir"), "{}", none.text);
}
