//! The layer test: no import cycle between the top modules of a crate, nor between the files of the
//! connector.

mod imports;

use imports::{Granularity, Imports};
use std::path::Path;

/// The source trees that are checked, below the workspace's root.
const TREES: [(&str, Granularity); 11] = [
    ("shared/src", Granularity::TopModules),
    ("shared/listener/src", Granularity::TopModules),
    ("connector/src", Granularity::Files),
    ("node/engine/src", Granularity::TopModules),
    ("node/decision/src", Granularity::TopModules),
    ("node/logs/src", Granularity::TopModules),
    ("node/src", Granularity::TopModules),
    ("console-api/src", Granularity::TopModules),
    ("e2e/cloudfront-sim/src", Granularity::TopModules),
    ("e2e/src", Granularity::TopModules),
    ("e2e/cloudfront-sim/src/bin/cloudfront-sim", Granularity::TopModules),
];

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn no_crate_has_an_import_cycle() {
    let mut cycles = Vec::new();
    for (tree, granularity) in TREES {
        let imports = Imports::read(&workspace().join(tree), granularity).expect(tree);
        assert!(imports.modules() > 1, "{tree} has no modules; update the list of source trees");
        cycles.extend(imports.cycles().into_iter().map(|cycle| format!("{tree}: {cycle}")));
    }
    assert!(cycles.is_empty(), "import cycles (module -> module: where):\n{}", cycles.join("\n"));
}

#[test]
fn finds_and_names_a_planted_cycle() {
    let tree = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(tree.path().join(name), text).unwrap();
    write("lib.rs", "mod hits;\nmod store;\npub use hits::Hit;\n");
    write(
        "hits.rs",
        "// use crate::store;\npub struct Hit;\n#[cfg(test)]\nmod tests { use crate::store::Store; }\n",
    );
    write("store.rs", "use crate::{Hit, config::{self, File}};\npub struct Store;\n");
    write("config.rs", "pub struct File;\n");
    let imports = Imports::read(tree.path(), Granularity::TopModules).unwrap();
    assert_eq!(imports.cycles(), Vec::<String>::new());
    write("config.rs", "pub struct File(\n    super::hits::Hit,\n);\n");
    write("hits.rs", "pub struct Hit(crate::store::Store);\n");
    let cycles = Imports::read(tree.path(), Granularity::TopModules).unwrap().cycles();
    assert_eq!(cycles.len(), 1, "{cycles:?}");
    for edge in ["config -> hits: config.rs:2", "hits -> store: hits.rs:1", "store -> config: store.rs:1"] {
        assert!(cycles[0].contains(edge), "{cycles:?} lacks {edge}");
    }
}

#[test]
fn finds_a_planted_cycle_between_a_file_and_its_submodule() {
    let tree = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(tree.path().join(name), text).unwrap();
    let cycles = || Imports::read(tree.path(), Granularity::Files).unwrap().cycles();
    std::fs::create_dir(tree.path().join("rule")).unwrap();
    write("rule/scope.rs", "use super::Rule;\npub struct Scope;\n");
    write("rule.rs", "mod scope;\npub use scope::Scope;\npub struct Rule;\n");
    assert_eq!(cycles(), Vec::<String>::new(), "a re-export");
    write("rule.rs", "mod scope;\nuse scope::Scope;\npub struct Rule(Scope);\n");
    assert_eq!(cycles(), ["rule -> rule::scope: rule.rs:2; rule::scope -> rule: rule/scope.rs:1"]);
}
