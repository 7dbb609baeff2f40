//! Classification of attacks: subtypes with their CWE, OWASP and CAPEC entries, in one table.
//!
//! Attacks without a type code (`XPath`, deserialization, prototype pollution, smuggling, uploads,
//! file inclusion) are subtypes of the nearest type. The signature's id determines the subtype.

pub mod names;

use crate::AttackType::{self as Type};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// How an attack is classified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Class {
    pub subtype: String,
    /// Weaknesses (CWE), the most specific first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cwe: Vec<u16>,
    /// OWASP Top 10 categories, `A03:2021`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owasp: Vec<String>,
    /// Attack patterns (CAPEC), the most specific first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capec: Vec<u16>,
    pub confidence: Confidence,
}

/// Confidence of a finding; independent of its severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Legitimate applications may use such values.
    Low,
    /// Rare in benign requests.
    Medium,
    /// Practically always an attack.
    High,
}

/// Severity of a finding: the possible damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// A row of `subtypes.txt`.
struct Row {
    code: Type,
    subtype: &'static str,
    prefixes: Vec<&'static str>,
    cwe: Vec<u16>,
    owasp: &'static [&'static str],
    capec: Vec<u16>,
    confidence: Confidence,
}

impl Class {
    /// The class of a finding by its type and signature id.
    pub fn of(code: &Type, signature: &str) -> Option<Self> {
        let length = |row: &Row| {
            let matching = row.prefixes.iter().filter(|prefix| signature.starts_with(**prefix));
            matching.map(|prefix| prefix.len()).max()
        };
        let rows = || TABLE.iter().filter(|row| row.code == *code);
        let named = rows().filter_map(|row| Some((length(row)?, row))).max_by_key(|(length, _)| *length);
        named.map(|(_, row)| row).or_else(|| rows().next()).map(Row::class)
    }
}

impl Type {
    /// The most specific CWE number.
    pub fn cwe(&self) -> Option<u16> {
        Class::of(self, "")?.cwe.first().copied()
    }
}

impl Row {
    fn parse(row: &'static str) -> Option<Self> {
        let columns: Vec<_> = row.split('|').map(str::trim).collect();
        let [code, subtype, prefixes, cwe, owasp, capec, confidence] = columns[..] else { return None };
        Some(Self {
            code: Type::from(code),
            subtype,
            prefixes: prefixes.split_whitespace().collect(),
            cwe: numbers(cwe)?,
            owasp: owasp_group(owasp)?,
            capec: numbers(capec)?,
            confidence: match confidence {
                "low" => Confidence::Low,
                "medium" => Confidence::Medium,
                "high" => Confidence::High,
                _ => return None,
            },
        })
    }

    fn class(&self) -> Class {
        Class {
            subtype: self.subtype.to_owned(),
            cwe: self.cwe.clone(),
            owasp: self.owasp.iter().copied().map(str::to_owned).collect(),
            capec: self.capec.clone(),
            confidence: self.confidence,
        }
    }
}

/// The categories of a group in the OWASP Top 10 of 2021 and 2025.
fn owasp_group(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "" => &[],
        "access" => &["A01:2021", "A01:2025"],
        "injection" => &["A03:2021", "A05:2025"],
        "design" => &["A04:2021", "A06:2025"],
        "configuration" => &["A05:2021", "A02:2025"],
        "authentication" => &["A07:2021", "A07:2025"],
        "integrity" => &["A08:2021", "A08:2025"],
        "components" => &["A06:2021", "A03:2025"],
        "ssrf" => &["A10:2021", "A01:2025"],
        _ => return None,
    })
}

/// A list of numbers separated by spaces.
fn numbers(text: &str) -> Option<Vec<u16>> {
    text.split_whitespace().map(|number| number.parse().ok()).collect()
}

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = include_str!("classification/subtypes.txt").lines();
    let rows = rows.filter(|row| !row.is_empty() && !row.starts_with('#'));
    rows.map(|row| Row::parse(row).expect("a test parses every row")).collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn subtype(code: &Type, signature: &str) -> String {
        Class::of(code, signature).unwrap().subtype
    }

    #[test]
    fn every_type_has_a_class_and_prefixes_of_its_own() {
        for code in Type::ALL {
            assert!(Class::of(code, "").is_some(), "{} has no row", code.as_str());
        }
        for row in &*TABLE {
            let own = format!("{}-", row.code.as_str());
            assert!(Type::ALL.contains(&row.code), "unknown type {}", row.code);
            // A known exploit is named after its CVE; its type is that of its effect.
            let is_valid = |prefix: &&str| prefix.starts_with(&own) || *prefix == "exploit-";
            assert!(row.prefixes.iter().all(is_valid), "{}", row.subtype);
        }
        assert_eq!(Class::of(&Type::from("newer"), "newer-thing"), None);
    }

    #[test]
    fn subtypes_and_prefixes_are_unique() {
        let (mut subtypes, mut prefixes) = (HashSet::new(), HashSet::new());
        for row in &*TABLE {
            assert!(subtypes.insert((&row.code, row.subtype)), "duplicate {}", row.subtype);
            assert!(
                row.prefixes.iter().all(|prefix| prefixes.insert((&row.code, *prefix))),
                "{}",
                row.subtype
            );
        }
    }

    #[test]
    fn every_number_has_a_name() {
        for row in &*TABLE {
            assert!(row.cwe.iter().all(|number| !names::cwe(*number).is_empty()), "{}", row.subtype);
            assert!(row.owasp.iter().all(|category| !names::owasp(category).is_empty()), "{}", row.subtype);
            assert!(row.capec.iter().all(|number| !names::capec(*number).is_empty()), "{}", row.subtype);
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        assert_eq!(subtype(&Type::Rce, "rce-php-tag"), "code-php");
        assert_eq!(subtype(&Type::Rce, "rce-php-object"), "deserialization");
        assert_eq!(subtype(&Type::Rce, "rce-unknown"), "command");
        assert_eq!(subtype(&Type::Rce, "exploit-cve-2017-9841"), "known-exploit");
    }
}
