//! Word lists of the detectors: the data in `words/*.toml`, read once when the engine is built.
//!
//! Each file belongs to the detector it is named after and describes each list. Words are in
//! lower case.

mod set;

use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::LazyLock};

pub(crate) use set::WordSet;

/// All lists.
pub(crate) static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    confidence: read(include_str!("../words/confidence.toml")),
    crlf: read(include_str!("../words/crlf.toml")),
    field: read(include_str!("../words/field.toml")),
    header: read(include_str!("../words/header.toml")),
    mass_assignment: read(include_str!("../words/mass_assignment.toml")),
    ptrav: read(include_str!("../words/ptrav.toml")),
    rce: read(include_str!("../words/rce.toml")),
    redir: read(include_str!("../words/redir.toml")),
    scanner: read(include_str!("../words/scanner.toml")),
    session: read(include_str!("../words/session.toml")),
    sqli: read(include_str!("../words/sqli.toml")),
    ssrf: read(include_str!("../words/ssrf.toml")),
    ssti: read(include_str!("../words/ssti.toml")),
    upload: read(include_str!("../words/upload.toml")),
    xss: read(include_str!("../words/xss.toml")),
    xml: read(include_str!("../words/xml.toml")),
    xxe: read(include_str!("../words/xxe.toml")),
});

/// One field for each file.
pub(crate) struct Words {
    pub confidence: ConfidenceLists,
    pub crlf: Crlf,
    pub field: FieldNames,
    pub header: Header,
    pub mass_assignment: MassAssignment,
    pub ptrav: Ptrav,
    pub rce: Rce,
    pub redir: Redir,
    pub scanner: Scanner,
    pub session: Session,
    pub sqli: Sqli,
    pub ssrf: Ssrf,
    pub ssti: Ssti,
    pub upload: Upload,
    pub xss: Xss,
    pub xml: Xml,
    pub xxe: Xxe,
}

fn read<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("the built-in word lists are valid: every test reads them")
}

/// Directories, each a path of lower-case names.
#[derive(Debug, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct Trees(pub Vec<Vec<String>>);

impl From<Vec<String>> for Trees {
    fn from(paths: Vec<String>) -> Self {
        Self(paths.iter().map(|path| path.split('/').map(str::to_owned).collect()).collect())
    }
}

/// Commands identified by the same kinds of arguments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commands {
    pub takes: Vec<Argument>,
    pub names: Vec<String>,
}

/// A kind of argument.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Argument {
    Alone,
    Flag,
    Host,
    Number,
    Path,
    Quoted,
    Variable,
    Word,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crlf {
    pub headers: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfidenceLists {
    pub low: WordSet,
    pub high: WordSet,
    pub markup: WordSet,
    pub mentioned: WordSet,
    pub fragments: WordSet,
    pub chance: WordSet,
    pub queries: WordSet,
    pub statements: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldNames {
    pub documents: WordSet,
    pub messages: WordSet,
    pub texts: WordSet,
    pub code: WordSet,
    pub reports: WordSet,
    pub inventories: WordSet,
    pub conditions: WordSet,
    pub pages: WordSet,
    pub scripts: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub shaped: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MassAssignment {
    pub privileges: WordSet,
    pub account_paths: WordSet,
    pub lookups: WordSet,
    pub roles: WordSet,
    pub role_parameters: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ptrav {
    pub system_trees: Trees,
    pub program_trees: Trees,
    pub drive_trees: Trees,
    pub devices: WordSet,
    pub device_starts: Vec<String>,
    pub server_directories: Vec<String>,
    pub endings: WordSet,
    pub scripts: WordSet,
    pub web_roots: WordSet,
    pub page_roots: WordSet,
    pub names: WordSet,
    pub name_starts: Vec<String>,
    pub public_directories: WordSet,
    pub tool_directories: WordSet,
    pub setting_endings: WordSet,
    pub address_parameters: Vec<String>,
    pub file_parameters: Vec<String>,
    pub letter_parameters: WordSet,
    pub included_endings: WordSet,
    pub page_endings: WordSet,
    pub asset_endings: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rce {
    pub prefixes: WordSet,
    pub runners: WordSet,
    pub wrappers: WordSet,
    pub interpreters: WordSet,
    pub families: Vec<String>,
    pub program_directories: Vec<String>,
    pub glob_targets: Vec<String>,
    pub keywords: WordSet,
    pub cmdlet_verbs: WordSet,
    pub cmdlet_nouns: WordSet,
    pub fetchers: WordSet,
    pub clients: WordSet,
    pub developer_tools: WordSet,
    pub developer_substitutions: WordSet,
    pub sensitive_directories: Vec<String>,
    pub redirection_directories: Vec<String>,
    pub source_endings: Vec<String>,
    pub command_parameters: WordSet,
    pub ambiguous_parameters: WordSet,
    pub pairs: BTreeMap<String, WordSet>,
    pub plain: Vec<Commands>,
    pub distinctive: Vec<Commands>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redir {
    pub return_parameters: WordSet,
    pub application_return_parts: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scanner {
    pub agents: Vec<String>,
    pub canaries: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    pub parameters: WordSet,
    pub container_parameters: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sqli {
    pub literals: Vec<String>,
    pub header_literals: Vec<String>,
    pub triggers: WordSet,
    pub statements: WordSet,
    pub stacked_statements: WordSet,
    pub objects: WordSet,
    pub tables: WordSet,
    pub distinctive: WordSet,
    pub expression_starters: WordSet,
    pub condition_starters: WordSet,
    pub constants: WordSet,
    pub clause_words: WordSet,
    pub prose_triggers: WordSet,
    pub prose_comparisons: WordSet,
    pub prose_constants: WordSet,
    pub delay_functions: WordSet,
    pub functions: WordSet,
    pub open_functions: WordSet,
    pub math_functions: WordSet,
    pub system_functions: WordSet,
    pub english_functions: WordSet,
    pub server_variables: WordSet,
    pub definition_words: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ssrf {
    pub address_parameters: WordSet,
    pub odd_schemes: WordSet,
    pub schemes: WordSet,
    pub metadata_hosts: WordSet,
    pub loopback_hosts: WordSet,
    pub loopback_domains: Vec<String>,
    pub private_suffixes: Vec<String>,
    pub echoing_suffixes: Vec<String>,
    pub catcher_suffixes: Vec<String>,
    pub catcher_labels: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ssti {
    pub dunders: WordSet,
    pub distinctive: WordSet,
    pub called: WordSet,
    pub members: WordSet,
    pub filters: WordSet,
    pub strings: WordSet,
    pub paths: BTreeMap<String, WordSet>,
    pub objects: WordSet,
    pub directive_starts: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upload {
    pub scripts: WordSet,
    pub inner_scripts: WordSet,
    pub settings: WordSet,
    pub programs: WordSet,
    pub documents: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Xss {
    pub running_attributes: WordSet,
    pub url_attributes: WordSet,
    pub directives: Vec<String>,
    pub idle_words: WordSet,
    pub words_like_handlers: WordSet,
    pub browser_functions: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Xml {
    pub active: WordSet,
    pub html_elements: WordSet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Xxe {
    pub publishers: WordSet,
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, path::Path};
    use toml::Value;

    fn files() -> impl Iterator<Item = (String, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("words");
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
    }

    /// The lists in a value, at any depth.
    fn lists(value: &Value) -> Vec<Vec<&str>> {
        match value {
            Value::Table(table) => table.values().flat_map(lists).collect(),
            Value::Array(items) if items.iter().all(Value::is_str) => {
                vec![items.iter().filter_map(Value::as_str).collect()]
            }
            Value::Array(items) => items.iter().flat_map(lists).collect(),
            other => panic!("{other} is no list"),
        }
    }

    #[test]
    fn lists_are_sorted_lower_case_and_without_duplicates() {
        for (file, text) in files() {
            let table: Value = Value::Table(toml::from_str(&text).unwrap());
            for list in lists(&table) {
                assert!(!list.is_empty(), "{file}: a list is empty");
                assert!(list.is_sorted_by(|one, other| one < other), "{file}: not in order: {list:?}");
                let is_lower = |word: &&str| !word.is_empty() && word.to_lowercase() == **word;
                assert!(list.iter().all(is_lower), "{file}: not in lower case: {list:?}");
            }
        }
    }

    #[test]
    fn each_list_has_a_comment() {
        for (file, text) in files() {
            let lines: Vec<_> = text.lines().collect();
            let bare = lines.windows(2).find(|pair| pair[1].contains(" = [") && pair[0].is_empty());
            assert_eq!(bare, None, "{file}: a list has no comment");
        }
    }

    #[test]
    fn each_file_is_read() {
        let source = include_str!("words.rs");
        for (file, _) in files() {
            let name = Path::new(&file).file_name().unwrap().to_str().unwrap();
            assert!(source.contains(&format!("words/{name}\"")), "{name} is not read");
        }
    }

    #[test]
    fn each_command_is_listed_once() {
        let commands = [&super::WORDS.rce.plain, &super::WORDS.rce.distinctive];
        let mut seen = HashSet::new();
        for name in commands.into_iter().flatten().flat_map(|it| &it.names) {
            assert!(seen.insert(name), "{name} is listed twice");
        }
    }
}
