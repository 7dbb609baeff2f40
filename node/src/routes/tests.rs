//! NGINX's documented rules for `location` as a table, and the matching of hosts.

use crate::config::{Config, Environment};
use std::path::Path;

/// For each request the route that sets its mode, or the errors of the routes.
fn routed(routes: &str, requests: &[&str]) -> String {
    let file = format!(
        "version: 4\nmode: connector-server\nconnector: {{address: ':1'}}\nroute_config:\n  routes:\n{routes}"
    );
    let config = match Config::parse(Path::new("node.yaml"), &file, &Environment::default()) {
        Ok(config) => config,
        Err(error) => return error.to_string(),
    };
    let lines = requests.iter().map(|request| {
        let (host, path) = request.split_at(request.find('/').unwrap());
        let mode = &config.route_config.settings(host, path).mode;
        format!("{request:<32} {:<16} {}", mode.source, mode.mode)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A route for each line, so that its name identifies the chosen one.
fn listed(routes: &[&str]) -> String {
    routes
        .iter()
        .fold(String::new(), |list, route| format!("{list}    - {{route: '{route}', wallarm_mode: block}}\n"))
}

#[test]
fn chooses_a_location_as_nginx_documents_it() {
    let documented = ["= /", "/", "/documents/", "^~ /images/", r"~* \.(gif|jpg|jpeg)$"];
    let longest = ["/", "/a", "/a/b", "/ab"];
    let in_order = [r"~ \.php$", r"~ ^/a", r"~* \.PHP$", "/a/b/c"];
    let final_prefix = ["^~ /img", "/img/raw", r"~ \.png$"];
    let exact = ["= /login", "^~ /login", "~ ^/login"];
    let table = [
        (
            &documented[..],
            &["/", "/index.html", "/documents/document.html", "/images/1.gif", "/documents/1.jpg", "/x.JPEG"]
                [..],
        ),
        (&longest, &["/", "/x", "/a", "/a/", "/a/b", "/a/bc", "/abc"]),
        (&in_order, &["/a/b/c", "/b.php", "/a.php", "/b.PhP", "/c"]),
        (&final_prefix, &["/img/1.png", "/img/raw/1.png", "/1.png", "/img"]),
        (&exact, &["/login", "/login/", "/logi"]),
    ];
    let chosen = table.map(|(routes, requests)| format!("{routes:?}\n{}", routed(&listed(routes), requests)));
    insta::assert_snapshot!(chosen.join("\n\n"));
}

#[test]
fn inner_routes_inherit_and_come_before_outer_regular_expressions() {
    let routes = r"
    - route: /shop
      wallarm_mode: block
      wallarm_application: 7
      routes:
        - {route: /shop/admin, wallarm_mode: 'off'}
        - {route: '~ \.jpg$', overlimit: block}
    - {route: '~ \.(php|jpg)$', wallarm_mode: safe_blocking}
";
    let requests = ["/shop/x", "/shop/admin/x", "/shop/admin/x.jpg", "/shop/x.php", "/x.jpg", "/"];
    insta::assert_snapshot!(routed(routes, &requests));
}

#[test]
fn the_most_specific_host_precedes_the_path() {
    let routes = r"
    - {route: /api, wallarm_mode: 'off'}
    - {host: '*.example.com', wallarm_mode: safe_blocking}
    - {host: '*.shop.example.com', route: /api, wallarm_mode: block}
    - host: Shop.Example.com
      routes:
        - {route: /api, wallarm_mode: block}
        - {route: /cart, wallarm_mode: 'off'}
";
    let requests = [
        "shop.example.com/api",
        "SHOP.example.com:8443/cart/1",
        "shop.example.com./other",
        "a.shop.example.com/api",
        "a.shop.example.com/other",
        "other.org/api",
        "other.org/",
    ];
    insta::assert_snapshot!(routed(routes, &requests));
}

#[test]
fn reports_invalid_routes_with_their_positions() {
    let routes = r"
    - {route: api}
    - {route: '~ (', host: 'a['}
    - {route: '== /x'}
    - {wallarm_mode: block}
    - {route: /x, wallarm_application: 0}
    - {route: '^~ /x'}
    - {route: = /one, routes: [{route: /one/more}]}
    - {route: /a, routes: [{route: /b}]}
    - {route: /c, mode: block, overlimit: pass}
";
    insta::assert_snapshot!(routed(routes, &[]));
}
