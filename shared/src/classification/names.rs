//! Names of CWE, OWASP and CAPEC entries.

/// The name of a weakness of the Common Weakness Enumeration; empty if unknown.
pub fn cwe(number: u16) -> &'static str {
    name("cwe", &number.to_string())
}

/// The name of a category of the OWASP Top 10; empty if unknown.
pub fn owasp(category: &str) -> &'static str {
    name("owasp", category)
}

/// The name of an attack pattern of the Common Attack Pattern Enumeration and Classification; empty
/// if unknown.
pub fn capec(number: u16) -> &'static str {
    name("capec", &number.to_string())
}

fn name(catalogue: &str, key: &str) -> &'static str {
    let mut names = include_str!("names.txt").lines().filter_map(|line| {
        let mut columns = line.splitn(3, " | ");
        (columns.next() == Some(catalogue) && columns.next() == Some(key)).then(|| columns.next())?
    });
    names.next().unwrap_or_default()
}
