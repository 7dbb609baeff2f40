use super::*;
use shared::Mode;

fn read(text: &str) -> Result<Config, String> {
    read_with(text, &[])
}

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse(Path::new("node.yaml"), text, &environment).map_err(|error| error.to_string())
}

const SMALLEST: &str = "version: 4\nmode: connector-server\nconnector:\n  address: \":5050\"\n";

#[test]
fn accepts_the_smallest_file() {
    let config = read(SMALLEST).unwrap();
    assert_eq!(config.connector.address, "0.0.0.0:5050".parse().unwrap());
    assert_eq!(config.route_config.default.mode.mode, Mode::Monitoring);
    assert_eq!(config.metrics.address, Some("127.0.0.1:9000".parse().unwrap()));
}

#[test]
fn accepts_every_mode() {
    for (text, mode) in [
        ("off", Mode::Off),
        ("\"off\"", Mode::Off),
        ("monitoring", Mode::Monitoring),
        ("safe_blocking", Mode::SafeBlocking),
        ("block", Mode::Block),
    ] {
        let config = read(&format!("{SMALLEST}route_config:\n  wallarm_mode: {text}\n")).unwrap();
        assert_eq!(config.route_config.default.mode.mode, mode, "{text}");
    }
}

#[test]
fn reports_errors_with_their_positions() {
    let mistakes = [
        "",
        "version: 4\nmode: connector-server\nconnector: {}\n",
        "version: 4\nmode: connector-server\nconnector:\n  adress: \":5050\"\n",
        "vesion: 4\nmode: connector-server\nconnector:\n  adress: \":5050\"\nroute_config:\n  wallarm_mode: blocking\n",
        "version: 3\nmode: connector-server\nconnector:\n  address: \":5050\"\n",
        "version: 4\nmode: tcp-capture-v2\nconnector:\n  address: \":5050\"\n",
        "version: 4\nmode: connector-server\nconnector:\n  address: localhost\n",
        "version: 4\nmode: connector-server\nconnector:\n  address: [\":5050\"]\n",
        "version: 4\nmode: connector-server\nconnector:\naddress: \":5050\"\n",
        "version: 4\n  mode: connector-server\n",
        &format!("{SMALLEST}route_config:\n  wallarm_mode: blocking\n  mode: block\n"),
        &format!("{SMALLEST}spool:\n  max_bytes: 1\n  sync_ms:\nmax_bytes: 2\n"),
        &format!("{SMALLEST}signing_keys:\n  - id: one\n  - id: two\n    secret_file: /nowhere/key\n"),
        &format!("{SMALLEST}signing_keys: {{id: one}}\nfrobnicate: 1\n"),
        &format!("{SMALLEST}console:\n  url: http://127.0.0.1:3000\n"),
    ];
    let errors = mistakes.map(|text| format!("{text}=> {}", read(text).unwrap_err()));
    insta::assert_snapshot!(errors.join("\n\n"));
}

#[test]
fn the_environment_takes_precedence_over_the_file() {
    let variables = [
        ("WALLARM_NODE__CONNECTOR__ADDRESS", "127.0.0.1:1"),
        ("WALLARM_NODE__METRICS__LEGACY_STATUS__ENABLED", "false"),
        ("WALLARM_NODE_CONFIG", "of the command line"),
    ];
    let config = read_with(SMALLEST, &variables).unwrap();
    assert_eq!(config.connector.address, "127.0.0.1:1".parse().unwrap());
    assert_eq!(config.metrics.status_address, None);
}

#[test]
fn reports_errors_in_the_environment_with_the_variable() {
    let mistakes = [
        ("WALLARM_NODE__CONNECTOR__ADDRESS", "here"),
        ("WALLARM_NODE__CONECTOR__ADDRESS", "127.0.0.1:1"),
        ("WALLARM_NODE__CONSOLE__URL", "http://127.0.0.1:3000"),
        ("WALLARM_NODE__SIGNING_KEYS", "one"),
        ("WALLARM_NODE__SPOOL__MAX_BYTES", "1"),
    ];
    let errors = mistakes.map(|mistake| read_with(SMALLEST, &[mistake]).unwrap_err());
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn redacts_secrets() {
    assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
}

/// The first two columns of the table: keys, and what holds without them.
fn documented() -> Vec<(String, String)> {
    let text = include_str!("../../../docs/node.md");
    let cells = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    cells.map(|(key, rest)| (key.to_owned(), rest.split(" | ").next().unwrap().to_owned())).collect()
}

#[test]
fn the_documentation_lists_every_key_with_its_default() {
    let known = Config::keys().into_iter().map(|key| {
        let default = match key.default {
            Presence::Default(default) => format!("`{default}`"),
            Presence::Optional => "none".to_owned(),
            Presence::Required => "required".to_owned(),
            Presence::Ignored => "no effect".to_owned(),
        };
        (key.path, default)
    });
    let (mut known, mut documented): (Vec<_>, _) = (known.collect(), documented());
    known.sort();
    documented.sort();
    assert_eq!(documented, known);
}

#[test]
fn reports_errors_in_sections_of_the_original() {
    let mistakes = [
        "input_filters: {inspect: [{}], bypass: [{path: a, url: b}, {path: '(', headers: {x: '['}}]}",
        "input_filters:\n  inspect:\n    - path: ^/\n      headers:\n      authorization: ^Bearer",
        "proxy_headers: [{trusted_networks: [10.0.0.0/33, x], real_ip: X-Real-IP, orginal_host: [h]}]",
        "http_inspector: {workers: 0}",
        "metrics: {legacy_status: off}",
    ];
    let errors =
        mistakes.map(|more| format!("{more}\n=> {}", read(&format!("{SMALLEST}{more}\n")).unwrap_err()));
    insta::assert_snapshot!(errors.join("\n\n"));
}

#[test]
fn accepts_keys_without_effect_with_a_warning() {
    let more = "postanalytics_exporter: {address: 127.0.0.1:3313}\nhttp_inspector: {wallarm_process_time_limit: 1s}\n\
        route_config: {wallarm_partner_client_uuid: 11111111-1111-1111-1111-111111111111}\nproxy_headers: [{real_ip: [x]}]\n";
    let warnings = read(&format!("{SMALLEST}  mesh: {{discovery: dns}}\n{more}")).unwrap().warnings;
    let texts: Vec<_> = warnings.iter().map(Problem::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"));
}
