//! Tests of `deploy/node/node.yaml`: valid with and without the marked lines, contains every key.

use super::*;

const SAMPLE: &str = include_str!("../../../deploy/node/node.yaml");

fn read(text: &str) -> Result<Config, String> {
    let secret = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let keys = ["console-token", "signing-key", "admin-token", "firehose-key"];
    let text = keys
        .iter()
        .fold(text.to_owned(), |text, key| text.replace(&format!("/etc/wallarm-node/{key}"), secret));
    let redis = tempfile::NamedTempFile::new().unwrap();
    fs::write(&redis, "redis://127.0.0.1:6379/0").unwrap();
    let text = text.replace("/etc/wallarm-node/redis-url", redis.path().to_str().unwrap());
    Config::parse(Path::new("node.yaml"), &text, &Environment::default()).map_err(|error| error.to_string())
}

/// The sample with the marked lines.
fn whole() -> String {
    SAMPLE.lines().map(|line| line.replacen("#: ", "", 1) + "\n").collect()
}

#[test]
fn the_sample_is_valid_with_and_without_the_marked_lines() {
    for text in [SAMPLE, &whole()] {
        let config = read(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.warnings, []);
    }
}

#[test]
fn the_sample_contains_every_key() {
    let text = whole();
    let is_documented = |key: &KnownKey| {
        let name = key.path.rsplit('.').next().unwrap_or_default();
        let starts = [format!("{name}:"), format!("- {name}:"), format!("{{ {name}:"), format!(", {name}:")];
        text.lines().any(|line| {
            let line = line.trim_start();
            !line.starts_with('#')
                && (line.starts_with(&starts[0]) || starts[1..].iter().any(|start| line.contains(start)))
        })
    };
    let left_out: Vec<_> = Config::keys()
        .into_iter()
        .filter(|key| key.default != Presence::Ignored && !is_documented(key))
        .collect();
    assert_eq!(left_out, []);
}
