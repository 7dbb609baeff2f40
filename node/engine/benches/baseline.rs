//! Baseline of the benchmark: `serde_json`, and one Aho-Corasick pass for the literals of the
//! signatures.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};

const SIGNATURES: &[&str] = &[
    include_str!("../signatures/ptrav.toml"),
    include_str!("../signatures/rce.toml"),
    include_str!("../signatures/sqli.toml"),
    include_str!("../signatures/xss.toml"),
];

pub(crate) struct Baseline {
    literals: AhoCorasick,
}

impl Baseline {
    pub(crate) fn new() -> Result<Self, BuildError> {
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(SIGNATURES.iter().flat_map(|file| literals(file)))?;
        Ok(Self { literals })
    }

    /// The number of literal occurrences; `None` unless the body is JSON.
    pub(crate) fn read(&self, body: &[u8]) -> Option<usize> {
        let parsed: serde_json::Value = serde_json::from_slice(body).ok()?;
        let occurrences = self.literals.find_overlapping_iter(body).count();
        std::hint::black_box(parsed);
        Some(occurrences)
    }
}

/// The required literals of a signature file.
fn literals(file: &str) -> Vec<String> {
    let table: toml::Table = file.parse().unwrap_or_default();
    let signatures = table.get("signature").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let lists = signatures.iter().filter_map(|it| it.get("required_literals")?.as_array());
    let literals: Vec<_> = lists.flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect();
    assert!(!literals.is_empty(), "a signature file without required literals makes the baseline too fast");
    literals
}
