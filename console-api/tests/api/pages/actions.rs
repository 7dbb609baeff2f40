//! Actions from lists and charts, without scripts: on a value, on selected rows, on a false positive.

use super::submit;
use crate::{
    harness::{Answer, Console, attack, hit, request_id, send, uuid, with},
    rules::call,
};
use console_api::actor::Role;
use serde_json::{Value, json};

async fn page(console: &Console, path: &str) -> String {
    let answer = console.get_as(Role::Analyst, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

/// The values of hidden fields and check boxes of a page, and one more field.
fn fields<'p>(page: &'p str, names: &[&str], more: (&'p str, &'p str)) -> Vec<(&'p str, &'p str)> {
    let inputs = page.split("<input ").skip(1).map(|input| input.split('>').next().unwrap());
    let attribute = |input: &'p str, name: &str| {
        input.split(&format!("{name}=\"")).nth(1).map(|rest| rest.split('"').next().unwrap())
    };
    let pairs = inputs.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
    pairs.filter(|(name, _)| names.contains(name)).chain([more]).collect()
}

/// The part of a page with its rows and the form of the selected ones.
fn rows(page: &str) -> &str {
    page.split("id=\"results\"").nth(1).unwrap()
}

async fn posted(console: &Console, path: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = submit(console, Role::Analyst, path, fields).await;
    assert_eq!(answer.status, 303, "{path}: {}", answer.text);
    answer
}

async fn entries(console: &Console) -> Vec<Value> {
    let list = console.get("/api/v1/ip-lists").await.json();
    list["items"].as_array().unwrap().iter().map(|entry| entry["source"].clone()).collect()
}

/// Two attacks of a type and signature at one parameter of two paths.
async fn two_attacks() -> Console {
    let console = Console::start().await;
    let other = [
        ("/attack/request/path", json!("/other/etc/passwd")),
        ("/attack/request/client_ip", json!("203.0.113.8")),
    ];
    console.ingest(&[attack(1, 0), with(attack(2, 1), &other)]).await;
    console
}

#[tokio::test]
async fn a_value_of_a_chart_is_blocked_and_the_block_is_undone() {
    let console = two_attacks().await;
    let actions = "/actions?on=ip%3A203.0.113.7";
    assert!(
        page(&console, "/attacks/charts").await.contains(&format!("<a class=\"more\" href=\"{actions}\""))
    );
    let menu = page(&console, actions).await;
    for part in [
        "<a href=\"/attacks?q=ip%3A203.0.113.7\">Search for it",
        "<a href=\"/attacks?q=-ip%3A203.0.113.7\">Search without it",
        "<a href=\"/requests?q=ip%3A203.0.113.7&#38;from=-24h\">Requests of the last 24 hours",
        "<button name=\"for\" value=\"24\" class=\"danger\">24 hours",
    ] {
        assert!(menu.contains(part), "{part}: {menu}");
    }
    let blocked = posted(&console, actions, &[("for", "24")]).await;
    let done = page(&console, blocked.header("location")).await;
    assert!(done.contains("Blocked: 203.0.113.7, until <time datetime=\"2026-01-02T12:00:00Z\">"), "{done}");
    assert_eq!(entries(&console).await, [json!({"network": "203.0.113.7"})]);
    let form = done.split("action=\"/ip-lists/").nth(1).unwrap();
    let undo = format!("/ip-lists/{}", form.split('"').next().unwrap());
    let undone = posted(&console, &undo, &[("back", actions), ("revision", "1")]).await;
    assert_eq!((undone.header("location"), entries(&console).await.len()), (actions, 0));
}

#[tokio::test]
async fn a_broad_block_needs_a_confirmation() {
    let console = Console::start().await;
    let actions = "/actions?on=ip%3A0.0.0.0%2F0";
    assert!(page(&console, actions).await.contains("blocks every request of every IPv4 client."));
    let refused = submit(&console, Role::Analyst, actions, &[("for", "1")]).await;
    assert_eq!((refused.status.as_u16(), entries(&console).await.len()), (400, 0));
    posted(&console, actions, &[("for", "1"), ("confirmed", "true")]).await;
    assert_eq!(entries(&console).await, [json!({"network": "0.0.0.0/0"})]);
}

#[tokio::test]
async fn actions_fit_the_value_and_the_role() {
    let console = Console::start().await;
    let path = page(&console, "/actions?on=path%3A%2Fshop&list=requests&group_by=path").await;
    for part in [
        "<a href=\"/requests?q=path%3A%2Fshop\">Search for it",
        "<a href=\"/rules/new?kind=ignore&#38;path=%2Fshop\">Add exclusion",
        "<a href=\"/rules/new?kind=virtual_patch&#38;path=%2Fshop\">Add virtual patch",
    ] {
        assert!(path.contains(part), "{part}: {path}");
    }
    assert!(!path.contains("Block for"), "{path}");
    let rule = page(&console, "/rules/new?kind=ignore&path=%2Fshop&findings=xss&points=get%3Aq").await;
    for part in ["name=\"path\" value=\"/shop\"", "<option value=\"xss\" selected>", ">get:q</textarea>"] {
        assert!(rule.contains(part), "{part}: {rule}");
    }
    let reader = console.get("/actions?on=ip%3A203.0.113.7").await.text;
    assert!(reader.contains("Search for it") && !reader.contains("Block for"), "{reader}");
    for wrong in ["/actions", "/actions?on=a+OR+b", "/actions?on=hosst%3Ax"] {
        assert_eq!(console.get(wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn selected_attacks_are_marked_and_the_marks_are_undone() {
    let console = two_attacks().await;
    let list = page(&console, "/attacks?from=-24h").await;
    let marked =
        posted(&console, "/selection/mark", &fields(rows(&list), &["id", "from"], ("set", "false_positive")))
            .await;
    let done = page(&console, marked.header("location")).await;
    assert!(done.contains("2 attacks: marked as false positive."), "{done}");
    assert!(done.contains("<a href=\"/attacks?from=-24h\">← Attacks"), "{done}");
    assert_eq!(
        console.get("/api/v1/attacks?mark=false_positive").await.json()["items"].as_array().unwrap().len(),
        2
    );
    let again =
        posted(&console, "/selection/mark", &fields(rows(&list), &["id"], ("set", "false_positive"))).await;
    assert!(page(&console, again.header("location")).await.contains("Nothing has changed"));
    let undo = fields(&done, &["batch", "from"], ("", ""));
    assert_eq!(posted(&console, "/selection/undo", &undo).await.header("location"), "/attacks?from=-24h");
    assert_eq!(console.get("/api/v1/attacks").await.json()["items"].as_array().unwrap().len(), 2);
    assert_eq!(submit(&console, Role::Analyst, "/selection/undo", &undo).await.status, 412);
    assert_eq!(submit(&console, Role::Analyst, "/selection/mark", &[("set", "none")]).await.status, 400);
}

#[tokio::test]
async fn sources_of_selected_rows_are_chosen_and_blocked() {
    let console = two_attacks().await;
    for (list, selected) in [
        ("/attacks", page(&console, "/attacks").await),
        ("/requests?list=requests", page(&console, "/requests").await),
    ] {
        let ids = fields(rows(&selected), &["id", "list"], ("from", "-24h"));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&ids).finish();
        let sources = page(&console, &format!("/selection/sources?{query}")).await;
        let chosen = fields(&sources, &["address", "list"], ("for", "0"));
        let addresses = chosen.iter().filter(|(name, _)| *name == "address").count();
        assert_eq!(addresses, 2, "{list}: {sources}");
        let done = posted(&console, "/selection/sources", &chosen).await;
        let done = page(&console, done.header("location")).await;
        assert!(done.contains("2 sources blocked."), "{list}: {done}");
        let undo = fields(&done, &["batch", "list"], ("", ""));
        let back = posted(&console, "/selection/undo", &undo).await;
        assert_eq!(back.header("location"), list.split('?').next().unwrap());
        assert_eq!(entries(&console).await.len(), 0);
    }
}

#[tokio::test]
async fn undo_deletes_no_entry_that_was_changed_since() {
    let console = two_attacks().await;
    let added = console.get("/api/v1/ip-lists").await.json();
    assert_eq!(added["items"], json!([]));
    let done = posted(&console, "/selection/sources", &[("address", "203.0.113.7"), ("for", "0")]).await;
    let done = page(&console, done.header("location")).await;
    let entry = console.get("/api/v1/ip-lists").await.json()["items"][0].clone();
    let path = format!("/api/v1/ip-lists/{}", entry["id"].as_str().unwrap());
    let changed = json!({"list": "gray", "source": entry["source"], "reason": "under review"});
    let replace = call(Role::Analyst, "PUT", &path, Some("\"1\""), &changed);
    assert_eq!(send(&console.router, replace).await.status, 200);
    let undo = fields(&done, &["batch"], ("", ""));
    assert_eq!(submit(&console, Role::Analyst, "/selection/undo", &undo).await.status, 412);
    assert_eq!(entries(&console).await.len(), 1);
}

#[tokio::test]
async fn selected_rows_are_a_search() {
    let console = two_attacks().await;
    let request = request_id(2);
    let requests = console.get(&format!("/selection/search?list=requests&id={request}")).await;
    let search = format!("/requests?q=request_id%3A{request}");
    assert_eq!((requests.status.as_u16(), requests.header("location")), (303, search.as_str()));
    assert_eq!(page(&console, &search).await.matches("<tr data-row>").count(), 1);

    let attacks = console.get("/api/v1/attacks").await.json();
    let id = attacks["items"][0]["id"].as_str().unwrap();
    let search = console.get(&format!("/selection/search?id={id}&q=type%3Aptrav")).await;
    assert_eq!(search.header("location"), format!("/attacks?q=attack%3A{id}"));
    assert_eq!(page(&console, search.header("location")).await.matches("<tr data-row>").count(), 1);
    let without = page(&console, &format!("/attacks?q=-attack%3A{id}")).await;
    assert_eq!(without.matches("<tr data-row>").count(), 1);
    assert_eq!(console.get("/selection/search").await.status, 400);
    assert_eq!(console.get("/selection/search?id=x").await.status, 400);
}

#[tokio::test]
async fn a_false_positive_is_excluded_marked_and_leads_to_similar_attacks() {
    let console = Console::start().await;
    let sqli = |n: u32, path: &str| {
        let hits = json!([hit(n, "sqli", &json!([["get", "q"]]), "1' or 1=1")]);
        with(attack(n, n), &[("/attack/hits", hits), ("/attack/request/path", json!(path))])
    };
    console.ingest(&[sqli(1, "/a"), sqli(2, "/b"), attack(3, 3)]).await;
    let exclusion = format!("/hits/{}/exclusion", uuid(1));
    let hit_page = page(&console, &format!("/hits/{}", uuid(1))).await;
    assert!(
        hit_page.contains("Exclude false positive …</button>")
            && hit_page.contains("name=\"width\" value=\"signature\"")
    );
    let preview = page(&console, &format!("{exclusion}?width=signature&location=here&requests=alike")).await;
    assert!(preview.contains("name=\"also_mark\" value=\"true\" checked"), "{preview}");
    let form = [("width", "signature"), ("location", "here"), ("requests", "alike"), ("also_mark", "true")];
    let saved = posted(&console, &exclusion, &form).await;
    let done = page(&console, saved.header("location")).await;
    assert!(
        done.contains("Exclusion saved") && done.contains("1 attack: marked as false positive."),
        "{done}"
    );
    assert!(done.contains("shop.example.com/b get &#62; q"), "the other one at this parameter: {done}");
    assert!(!done.contains("/shop/etc"), "of another type: {done}");
    let similar =
        posted(&console, "/selection/mark", &fields(&done, &["id"], ("set", "false_positive"))).await;
    assert!(page(&console, similar.header("location")).await.contains("1 attack: marked as false positive."));

    let undo = fields(&done, &["batch", "hit"], ("", ""));
    let undone = posted(&console, "/selection/undo", &undo).await;
    assert_eq!(undone.header("location"), format!("/hits/{}", uuid(1)));
    assert_eq!(console.get("/api/v1/rules").await.json()["items"], json!([]));
    let marked = console.get("/api/v1/attacks?mark=false_positive").await.json();
    assert_eq!(marked["items"].as_array().unwrap().len(), 1, "{marked}");
}

#[tokio::test]
async fn a_hit_of_the_list_of_requests_leads_back_to_it() {
    let console = two_attacks().await;
    let list = page(&console, "/requests?q=type%3Aptrav&columns=source,host").await;
    let link =
        list.split("<a href=\"/hits/").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let hit = page(&console, &format!("/hits/{link}")).await;
    let back = "<a href=\"/requests?q=type%3Aptrav&#38;columns=source%2Chost\">← Requests</a>";
    assert!(hit.contains(back), "{hit}");
    let attack = hit.split("<a href=\"/attacks/").nth(1).unwrap().split('"').next().unwrap();
    let attack = page(&console, &format!("/attacks/{}", attack.replace("&#38;", "&"))).await;
    assert!(attack.contains(back), "{attack}");
    let of_attacks = page(&console, &format!("/hits/{}?q=type%3Aptrav", uuid(1))).await;
    assert!(!of_attacks.contains("← Requests"), "{of_attacks}");
    assert!(list.contains("data-list=\"/requests?q=type%3Aptrav&#38;columns=source%2Chost\""), "{list}");
}

async fn version(console: &Console) -> Value {
    let versions = console.get("/api/v1/rulesets").await.json();
    versions["items"].as_array().unwrap().first().map_or(json!(0), |latest| latest["version"].clone())
}

#[tokio::test]
async fn selected_sources_are_blocked_and_unblocked_by_one_version_each() {
    let console = Console::start().await;
    let addresses: Vec<String> = (1..=40).map(|n| format!("198.51.100.{n}")).collect();
    let mut form: Vec<_> = addresses.iter().map(|address| ("address", address.as_str())).collect();
    form.extend([("address", "198.51.100.1"), ("for", "24")]);
    let done = posted(&console, "/selection/sources", &form).await;
    assert_eq!(version(&console).await, 1);
    assert_eq!(entries(&console).await.len(), 40, "an address that is given twice is one entry");
    let done = page(&console, done.header("location")).await;
    assert!(done.contains("40 sources blocked."), "{done}");
    posted(&console, "/selection/undo", &fields(&done, &["batch"], ("", ""))).await;
    assert_eq!((version(&console).await, entries(&console).await.len()), (json!(2), 0));
    // Undone again: nothing is left to undo, and no empty version is made.
    posted(&console, "/selection/undo", &fields(&done, &["batch"], ("", ""))).await;
    assert_eq!(version(&console).await, 2);
}

#[tokio::test]
async fn sources_to_block_are_at_least_one_at_most_fifty_and_all_or_none() {
    let console = Console::start().await;
    let addresses: Vec<String> = (1..=51).map(|n| format!("198.51.100.{n}")).collect();
    let many: Vec<_> = addresses.iter().map(|address| ("address", address.as_str())).collect();
    for chosen in [&[][..], &many, &[("address", "198.51.100.1"), ("address", "198.51.100.256")]] {
        let form: Vec<_> = chosen.iter().copied().chain([("for", "24")]).collect();
        let refused = submit(&console, Role::Analyst, "/selection/sources", &form).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        let is_of_bound = refused.text.contains("select at least one source, and at most 50");
        assert_eq!(is_of_bound, chosen.len() != 2, "{}", refused.text);
        assert_eq!((version(&console).await, entries(&console).await.len()), (json!(0), 0));
    }
}

#[tokio::test]
async fn marks_of_selected_attacks_are_undone_all_or_none() {
    let console = two_attacks().await;
    let list = page(&console, "/attacks").await;
    let form = fields(rows(&list), &["id"], ("set", "false_positive"));
    let done = posted(&console, "/selection/mark", &form).await;
    let done = page(&console, done.header("location")).await;
    let marked = console.get("/api/v1/attacks?mark=false_positive").await.json();
    let attack = &marked["items"][0];
    let path = format!("/api/v1/attacks/{}/mark", attack["id"].as_str().unwrap());
    let mark = call(Role::Analyst, "POST", &path, Some("\"1\""), &json!({"mark": "true_positive"}));
    assert_eq!(send(&console.router, mark).await.status, 200);
    let undo = submit(&console, Role::Analyst, "/selection/undo", &fields(&done, &["batch"], ("", ""))).await;
    assert_eq!(undo.status, 412);
    assert!(undo.text.contains("nothing was undone"), "{}", undo.text);
    let marked = console.get("/api/v1/attacks?mark=false_positive").await.json();
    assert_eq!(marked["items"].as_array().unwrap().len(), 1, "the other attack keeps its mark");
    let unknown = [("batch", "00000000-0000-7000-8000-000000000001")];
    assert_eq!(submit(&console, Role::Analyst, "/selection/undo", &unknown).await.status, 404);
    assert_eq!(submit(&console, Role::Analyst, "/selection/undo", &[]).await.status, 400);
}

async fn marked(console: &Console, mark: &str) -> usize {
    let list = console.get(&format!("/api/v1/attacks?mark={mark}")).await.json();
    list["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn all_attacks_of_a_group_are_marked_after_a_confirmation_and_undone_together() {
    let console = two_attacks().await;
    let host = |host: &str| [("/attack/request/host", json!(host))];
    console.ingest(&[with(attack(3, 2), &host("a.example.com"))]).await;
    let groups = page(&console, "/attacks?group_by=type,ip&from=2026-01-01").await;
    let link = groups.split("<a class=\"quiet\" href=\"/selection/group?").nth(1).unwrap();
    let link = format!("/selection/group?{}", link.split('"').next().unwrap().replace("&#38;", "&"));
    let confirmation = page(&console, &link).await;
    assert!(confirmation.contains("ip:203.0.113.7 type:ptrav"), "the largest group: {confirmation}");
    assert!(confirmation.contains("Mark 2 as false positive</button>"), "{confirmation}");

    // An attack that begins after the confirmation is not marked.
    console.ingest(&[with(attack(4, 3), &host("b.example.com"))]).await;
    let names = ["on", "attacks", "from", "group_by"];
    let form = fields(&confirmation, &names, ("set", "false_positive"));
    let done = posted(&console, "/selection/group", &form).await;
    let done = page(&console, done.header("location")).await;
    assert!(done.contains("2 attacks: marked as false positive."), "{done}");
    assert!(done.contains("group_by=type%2Cip"), "it leads back to the groups: {done}");
    assert_eq!((marked(&console, "false_positive").await, marked(&console, "none").await), (2, 2));
    posted(&console, "/selection/undo", &fields(&done, &["batch"], ("", ""))).await;
    assert_eq!(marked(&console, "none").await, 4);
    let reader = console.get("/attacks?group_by=type").await.text;
    assert!(!reader.contains("/selection/group"), "{reader}");
}

#[tokio::test]
async fn the_marks_of_a_group_are_bounded() {
    let console = two_attacks().await;
    for (attacks, on) in [("0", "type:ptrav"), ("1001", "type:ptrav"), ("x", "type:ptrav"), ("2", "")] {
        let form = [("on", on), ("attacks", attacks), ("set", "false_positive")];
        let refused = submit(&console, Role::Analyst, "/selection/group", &form).await;
        assert_eq!(refused.status, 400, "{attacks} {on}");
    }
    let unbounded = [("on", "type:ptrav"), ("set", "false_positive")];
    assert_eq!(submit(&console, Role::Analyst, "/selection/group", &unbounded).await.status, 400);
    assert_eq!(marked(&console, "false_positive").await, 0);
}

#[tokio::test]
async fn a_group_of_more_attacks_than_the_bound_is_not_offered() {
    let console = Console::start().await;
    let on_host = |n: u32| with(attack(n, 0), &[("/attack/request/host", json!(format!("{n}.example.com")))]);
    console.ingest(&(1..=1001).map(on_host).collect::<Vec<_>>()).await;
    let confirmation = page(&console, "/selection/group?on=type%3Aptrav").await;
    assert!(confirmation.contains("1,001 attacks</a>"), "{confirmation}");
    assert!(confirmation.contains("At most 1,000 attacks can be marked at a time."), "{confirmation}");
    assert!(!confirmation.contains("name=\"set\""), "{confirmation}");
    let narrower = page(&console, "/selection/group?on=host%3A7.example.com").await;
    assert!(narrower.contains("Mark 1 as false positive</button>"), "{narrower}");
}
