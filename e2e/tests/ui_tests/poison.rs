//! Escaping: payloads in every field are shown as text on every page.

use anyhow::ensure;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use e2e::visit::{Visit, pages};
use serde_json::{Value, json};

/// Each would set the canary, load a resource, or break out of its context.
const PAYLOADS: &[&str] = &[
    "<script>window.canary=1</script>",
    "</title></head><body><script>window.canary=1</script>",
    "<img src=x onerror=window.canary=1>",
    "\"><svg onload=window.canary=1>",
    "' onfocus=window.canary=1 autofocus tabindex=1 x='",
    "\" onmouseover=\"window.canary=1",
    "</textarea></select></option><script>window.canary=1</script>",
    "</pre></dd></td></table><img src=x onerror=window.canary=1>",
    "javascript:window.canary=1",
    "data:text/html,<script>parent.canary=1</script>",
    "<iframe srcdoc='<script>parent.canary=1</script>'></iframe>",
    "<a href=javascript:window.canary=1>x</a>",
    "<base href=//example.com/><form action=//example.com><button>x",
    "<meta http-equiv=refresh content='0;url=data:text/html,x'>",
    "<link rel=stylesheet href=//example.com/x.css><style>*{display:none}</style>",
    "<template><script>window.canary=1</script></template><noscript><p title=\"</noscript><img src=x onerror=window.canary=1>\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror=window.canary=1&gt;\">",
    "&lt;script&gt;window.canary=1&lt;/script&gt;",
    "\\u003cscript\\u003ewindow.canary=1\\u003c/script\\u003e",
    "{{constructor.constructor('window.canary=1')()}}${window.canary=1}#{window.canary=1}<%= window.canary=1 %>",
    "<!--><img src=x onerror=window.canary=1>-->]]>",
    "\u{202e}<script>window.canary=1</script>\u{0}\u{2028}window.canary=1//",
];

/// Elements that pages only have if markup was injected.
const INJECTED: &str = "document.querySelectorAll('img, iframe, base, object, embed, style, meta[http-equiv], template, math, \
     script:not([src^=\"/static/\"]), link:not([href^=\"/static/\"]), [onerror], [onload], [onfocus], [onmouseover], \
     a[href^=\"javascript\"], a[href^=\"data\"]').length";

pub(crate) async fn everywhere(visit: &Visit) -> anyhow::Result<()> {
    visit.stack.get("/etc/passwd").await?;
    let now = visit.stack.attack("ptrav", "uri").await?["last_seen"].clone();
    visit.sign_in().await?;
    visit.sees("#results").await?;
    // While the list is open, so that live updates are covered.
    let records: Vec<_> =
        PAYLOADS.iter().enumerate().map(|(n, payload)| record(n, &now, &payload.replace('\0', ""))).collect();
    let batch = json!({"node": {"id": uuid(900), "version": PAYLOADS[0]}, "records": records});
    visit.stack.console_api().deliver(&visit.stack.node_token, &batch).await?;
    visit.reads(".new", "new").await?;
    visit.click(".new").await?;
    visit
        .until(&format!("document.querySelectorAll('#results [data-row]').length > {}", PAYLOADS.len()))
        .await?;
    is_clean(visit).await?;

    create_resources(visit).await?;
    open_pages(visit).await?;
    use_scripts(visit).await
}

/// Every page that shows a payload.
async fn open_pages(visit: &Visit) -> anyhow::Result<()> {
    for n in 0..PAYLOADS.len() {
        visit.page(&format!("/hits/{}", uuid(n))).await?;
        is_clean(visit).await?;
        visit
            .page(&format!("/hits/{}/exclusion?width=signature&location=here&requests=host", uuid(n)))
            .await?;
        visit.sees("td.raw").await?;
        is_clean(visit).await?;
        visit.page(&format!("/hits/{}/content?content=code&requests=host", uuid(n))).await?;
        visit.sees("pre").await?;
        is_clean(visit).await?;
    }
    for list in ["attacks", "replays", "rules", "webhooks"] {
        for item in visit.stack.console_api().items(&format!("/api/v1/{list}")).await? {
            visit.page(&format!("/{list}/{}", item["id"].as_str().unwrap_or_default())).await?;
            is_clean(visit).await?;
        }
    }
    for page in pages::LISTS {
        visit.page(page).await?;
        is_clean(visit).await?;
        loop {
            let next = visit.value("document.querySelector('a[rel=next]')?.getAttribute('href')").await?;
            let Some(next) = next.as_str() else { break };
            visit.page(next).await?;
            is_clean(visit).await?;
        }
    }
    for group in ["host", "path", "parameter", "type,ip"] {
        visit.page(&format!("/attacks?group_by={group}")).await?;
        is_clean(visit).await?;
    }
    Ok(())
}

/// Elements built by scripts: value completions, the menu of a cell, the drawer.
async fn use_scripts(visit: &Visit) -> anyhow::Result<()> {
    visit.page("/attacks").await?;
    visit.sees(".charts .series").await?;
    visit.press("/").await?;
    visit.write("host:").await?;
    visit.sees("#choices li").await?;
    visit.press("Escape").await?;
    visit.click_where("a.cell", "canary").await?;
    visit.sees(".menu").await?;
    visit.press("Escape").await?;
    visit.click(".name a").await?;
    visit.sees(".drawer h1").await?;
    is_clean(visit).await
}

/// Creates resources of all kinds, with payloads as their names.
async fn create_resources(visit: &Visit) -> anyhow::Result<()> {
    let console = visit.stack.console_api();
    for (n, payload) in PAYLOADS.iter().enumerate() {
        let text = payload.replace('\0', "");
        let rule = json!({"comment": text, "scope": {"host": "none.example.com"}, "effect": {"kind": "mode", "mode": "monitoring"}});
        console.make("/api/v1/rules", &rule).await?;
        let entry = json!({"list": "gray", "source": {"network": "192.0.2.1"}, "reason": text});
        console.make("/api/v1/ip-lists", &entry).await?;
        // Names are short, without control characters.
        let name: String = text.chars().filter(|it| !it.is_control()).take(100).collect();
        console
            .make("/api/v1/views", &json!({"name": name, "query": "host:*canary*", "shared": true}))
            .await?;
        console.make("/api/v1/tokens", &json!({"name": name, "role": "read_only"})).await?;
        let webhook = json!({"name": name, "url": "https://hooks.example.com/", "query": "host:*canary*", "enabled": false});
        console.make("/api/v1/webhooks", &webhook).await?;
        let user = json!({"name": name, "role": "analyst", "password": format!("correct horse battery {n}")});
        console.make("/api/v1/users", &user).await?;
    }
    let names: Vec<_> = PAYLOADS.iter().map(|payload| payload.replace('\0', "")).collect();
    let added: Vec<_> = names
        .iter()
        .map(|name| json!({"comment": name, "effect": {"kind": "ignore", "findings": {"signature": name}}}))
        .collect();
    console
        .make("/api/v1/replays", &json!({"recorded": {"query": "canary"}, "candidate": {"add": added}}))
        .await?;
    for (attack, note) in console.items("/api/v1/attacks").await?.iter().zip(names.iter().cycle()) {
        let path = format!("/api/v1/attacks/{}/mark", attack["id"].as_str().unwrap_or_default());
        console.change(&path, 0, &json!({"mark": "true_positive", "note": note})).await?;
    }
    Ok(())
}

async fn is_clean(visit: &Visit) -> anyhow::Result<()> {
    let address = visit.value("location.href").await?;
    ensure!(visit.value("window.canary === undefined").await? == true, "the canary has fired at {address}");
    let found = visit.value(INJECTED).await?;
    ensure!(found == 0, "{found} injected elements at {address}");
    visit.is_quiet()
}

fn uuid(n: usize) -> String {
    format!("00000000-0000-7000-8000-{n:012}")
}

/// A hit with the payload in every field that is shown.
fn record(n: usize, at: &Value, payload: &str) -> Value {
    let point = json!([["get", payload], ["json_doc"], ["hash", payload]]);
    let finding = json!({
        "type": "xss", "point": point, "signature": payload, "severity": "high", "payload": payload,
        "span": [0, payload.len()], "decoded": [payload],
        "class": {"subtype": payload, "cwe": [79], "owasp": [payload], "capec": [63], "confidence": "high"},
    });
    json!({"attack": {
        "request": {
            "request_id": format!("{n:032x}"), "at": at, "client_ip": "203.0.113.7", "method": payload,
            "connector": {"kind": payload, "version": payload, "event": payload, "edge_request_id": format!("{payload}{n}")},
            "host": payload, "path": payload, "query": format!("{payload}={payload}"), "http_version": payload, "scheme": payload,
            "headers": [[payload, payload], ["cookie", payload]], "body": STANDARD.encode(payload),
        },
        "decision": {
            "outcome": "blocked", "reason": payload, "mode": "block", "mode_source": payload, "delivery": "inline", "enforced": "yes",
        },
        "hits": [{"id": uuid(n), "type": "xss", "point": point, "findings": [finding]}],
    }})
}
