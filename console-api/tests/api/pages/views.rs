//! Views: links above the list of attacks, and their page.

use super::submit;
use crate::harness::{Answer, Console, attack};
use console_api::actor::Role;
use serde_json::json;

/// Whether a form was rejected with an error beside this field, and shows these values.
#[track_caller]
pub(super) fn rejected(page: &Answer, field: &str, shown: &[&str]) {
    assert_eq!(page.status, 400, "{}", page.text);
    for part in [&format!(r#"id="error-{field}""#), r#"aria-invalid="true""#] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    for part in shown {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
}

const SEARCH: [(&str, &str); 6] = [
    ("name", " <i>Injections</i> "),
    ("query", "type:sqli"),
    ("group_by", ""),
    ("sort", "-hits"),
    ("from", "-24h"),
    ("to", ""),
];

#[tokio::test]
async fn a_saved_view_links_back_to_its_search() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let created = submit(&console, Role::Analyst, "/views", &SEARCH).await;
    let location = "/attacks?q=type%3Asqli&from=-24h&sort=-hits";
    assert_eq!((created.status.as_u16(), created.header("location")), (303, location), "{}", created.text);
    let page = console.get_as(Role::Analyst, location).await.text;
    let link = r#"<a href="/attacks?q=type%3Asqli&#38;from=-24h&#38;sort=-hits" aria-current="true">&#60;i&#62;Injections"#;
    assert!(page.contains(link), "{page}");
    // A parameter of a field becomes a condition of the saved query.
    let page = console.get_as(Role::Analyst, "/attacks?type=ptrav&q=shop").await.text;
    assert!(page.contains(r#"name="query" value="shop type:ptrav""#), "{page}");
    assert!(!page.contains("aria-current=\"true\""), "{page}");
}

#[tokio::test]
async fn a_view_of_requests_keeps_its_columns_and_is_listed_there_only() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let search = "/requests?type=ptrav&columns=source,host";
    let page = console.get_as(Role::Analyst, search).await.text;
    for part in [r#"name="list" value="requests""#, r#"name="columns" value="source,host""#] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let mut form = SEARCH.map(|field| if field.0 == "sort" { ("sort", "") } else { field }).to_vec();
    form.extend([("list", "requests"), ("columns", "source,host")]);
    let created = submit(&console, Role::Analyst, "/views", &form).await;
    let location = "/requests?q=type%3Asqli&from=-24h&columns=source%2Chost";
    assert_eq!((created.status.as_u16(), created.header("location")), (303, location), "{}", created.text);
    let link = format!("<a href=\"{}\"", location.replace('&', "&#38;"));
    for (path, is_listed) in [("/requests", true), ("/attacks", false), ("/views", true)] {
        let page = console.get_as(Role::Analyst, path).await.text;
        assert_eq!(page.contains(&link), is_listed, "{path}: {page}");
    }
    form[3] = ("sort", "-hits");
    rejected(&submit(&console, Role::Analyst, "/views", &form).await, "sort", &["source,host"]);
}

#[tokio::test]
async fn offers_to_save_only_valid_searches_of_editors() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    for (role, path, offers) in [
        (Role::Analyst, "/attacks?type=ptrav", true),
        (Role::ReadOnly, "/attacks?type=ptrav", false),
        (Role::Analyst, "/attacks", false),
        (Role::Analyst, "/attacks?q=hosst:x", false),
    ] {
        let page = console.get_as(role, path).await.text;
        assert_eq!(page.contains("Save view"), offers, "{path} as {role:?}");
    }
    assert_eq!(submit(&console, Role::ReadOnly, "/views", &SEARCH).await.status, 403);
}

#[tokio::test]
async fn views_are_renamed_and_deleted() {
    let console = Console::start().await;
    submit(&console, Role::Analyst, "/views", &SEARCH).await;
    let view = console.get_as(Role::Analyst, "/api/v1/views").await.json()["items"][0].clone();
    let path = format!("/views/{}", view["id"].as_str().unwrap());
    let renamed = [("name", "Others"), ("shared", "true"), ("revision", "1")];
    assert_eq!(submit(&console, Role::Analyst, &path, &renamed).await.status, 303);
    let page = console.get("/views").await.text;
    assert!(page.contains("Others") && page.contains("type:sqli · sorted by -hits · since -24h"), "{page}");
    assert_eq!(submit(&console, Role::Analyst, &path, &renamed).await.status, 412);
    let deleted = submit(&console, Role::Analyst, &format!("{path}/delete"), &[("revision", "2")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.text);
    assert_eq!(console.get("/api/v1/views").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_rejected_form_of_a_view_keeps_its_fields() {
    let console = Console::start().await;
    let with = |name: &'static str, value: &'static str| {
        SEARCH.map(|field| if field.0 == name { (name, value) } else { field })
    };
    let page = submit(&console, Role::Analyst, "/views", &with("name", " ")).await;
    rejected(&page, "name", &[r#"name="query" value="type:sqli""#, r#"name="sort" value="-hits""#]);
    let page = submit(&console, Role::Analyst, "/views", &with("from", "once")).await;
    rejected(
        &page,
        "from",
        &[r#"name="from" value="once""#, r#"value=" &#60;i&#62;Injections&#60;/i&#62; ""#],
    );

    submit(&console, Role::Analyst, "/views", &SEARCH).await;
    let view = console.get_as(Role::Analyst, "/api/v1/views").await.json()["items"][0].clone();
    let path = format!("/views/{}", view["id"].as_str().unwrap());
    let renamed = [("name", ""), ("shared", "true"), ("revision", "1")];
    let page = submit(&console, Role::Analyst, &path, &renamed).await;
    rejected(&page, "name", &["<details open><summary>Rename", r#"name="shared" value="true" checked"#]);
}

#[tokio::test]
async fn views_of_one_list_do_not_hide_those_of_the_other() {
    let console = Console::start().await;
    submit(&console, Role::Analyst, "/views", &SEARCH).await;
    for n in 0..101 {
        let name = format!("Requests {n} \"list\":\"attacks\"");
        let mut view = SEARCH.to_vec();
        view.retain(|(field, _)| !["name", "sort"].contains(field));
        view.extend([("name", name.as_str()), ("sort", ""), ("list", "requests")]);
        assert_eq!(submit(&console, Role::Analyst, "/views", &view).await.status, 303);
    }
    let names = async |path: &str| {
        let page = console.get_as(Role::Analyst, path).await.text;
        let views = page.split("aria-label=\"Saved views\"").nth(1).unwrap().split("</nav>").next().unwrap();
        (views.matches("<li>").count() - 1, views.contains("Injections"), views.contains("Requests 100"))
    };
    assert_eq!(names("/attacks").await, (1, true, false));
    assert_eq!(names("/requests").await, (8, false, true));
}
