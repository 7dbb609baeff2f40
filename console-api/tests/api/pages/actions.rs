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
    let undo = fields(&done, &["marked", "from"], ("", ""));
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
        let undo = fields(&done, &["made_entry", "list"], ("", ""));
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
    let undo = fields(&done, &["made_entry"], ("", ""));
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

    let undo = fields(&done, &["marked", "made_rule", "hit"], ("", ""));
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
