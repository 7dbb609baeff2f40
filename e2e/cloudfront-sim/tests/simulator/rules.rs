//! Checks of `README.md`: each rule names a test that exists.

use std::fs;
use std::path::Path;

/// The links of the table's last column: text and target.
fn evidence(readme: &str) -> Vec<(String, String)> {
    let rows = readme.lines().filter(|line| line.starts_with("| ") && line.contains("docs.aws.amazon.com"));
    let mut links = Vec::new();
    for row in rows {
        let last = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
        let found = last.split("](").collect::<Vec<_>>();
        assert!(found.len() > 1, "no test is named: {row}");
        for pair in found.windows(2) {
            let text = pair[0].rsplit("[`").next().unwrap().trim_end_matches('`');
            links.push((text.to_owned(), pair[1].split(')').next().unwrap().to_owned()));
        }
    }
    links
}

#[test]
fn every_test_in_the_table_of_rules_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let evidence = evidence(&fs::read_to_string(root.join("README.md")).unwrap());
    assert!(evidence.len() > 50, "the table is incomplete: found {}", evidence.len());
    for (name, file) in evidence {
        let text = fs::read_to_string(root.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let is_test = text.contains(&format!("test]\n    fn {name}()"))
            || text.contains(&format!("test]\nfn {name}()"))
            || text.contains(&format!("test]\nasync fn {name}()"));
        let is_scenario = file.ends_with("scenarios/main.rs") && text.contains(&format!("\n    {name} =>"));
        assert!(is_test || is_scenario, "no test {name} in {file}");
    }
}

#[test]
fn does_not_depend_on_the_connector() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let dependencies =
        manifest.lines().filter(|line| line.starts_with("connector") || line.starts_with("shared"));
    assert_eq!(dependencies.collect::<Vec<_>>(), [""; 0]);
}
