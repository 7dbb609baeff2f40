//! Environment variables that override keys of the file: `connector.address` is
//! `WALLARM_NODE__CONNECTOR__ADDRESS`.

use std::{cell::RefCell, collections::BTreeMap, env};

const PREFIX: &str = "WALLARM_NODE__";

/// The variables of the process that name keys, and those that were read.
#[derive(Debug, Default)]
pub struct Environment {
    values: BTreeMap<String, String>,
    used: RefCell<Vec<String>>,
}

impl Environment {
    pub fn of_process() -> Self {
        // Values that are not UTF-8 are ignored.
        env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The variable that overrides a key, and its value.
    pub(super) fn value(&self, key: &str) -> Option<(String, &str)> {
        let variable = variable(key);
        let value = self.values.get(&variable)?;
        self.used.borrow_mut().push(variable.clone());
        Some((variable, value))
    }

    /// Whether a key inside this section is overridden.
    pub(super) fn reaches_into(&self, section: &str) -> bool {
        let prefix = format!("{}__", variable(section));
        self.values.range(prefix.clone()..).next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    /// Variables that name no known key, with the key they name.
    pub(super) fn unused(&self) -> Vec<(String, String)> {
        let used = self.used.borrow();
        let key = |name: &String| name[PREFIX.len()..].replace("__", ".").to_lowercase();
        self.values.keys().filter(|name| !used.contains(name)).map(|name| (name.clone(), key(name))).collect()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let values = variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        Self { values, used: RefCell::default() }
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}
