//! What kind of its type an attack is, and what the catalogues call it: one table for all of it.
//!
//! Codes of attack types are few. What has none (`XPath`, deserialization, prototype pollution, smuggling, uploads, file
//! inclusion) is a subtype of the nearest. A finding's subtype follows from its signature's id.

pub mod names;

use crate::AttackType::{self as Type};
use serde::{Deserialize, Serialize};

/// How an attack is classified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Class {
    pub subtype: String,
    /// Weaknesses it aims at (Common Weakness Enumeration), the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cwe: Vec<u16>,
    /// Categories of the OWASP Top 10, `A03:2021`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owasp: Vec<String>,
    /// Attack patterns (Common Attack Pattern Enumeration and Classification), the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capec: Vec<u16>,
    pub confidence: Confidence,
}

/// How sure a finding is. Says nothing of the damage, which is its severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A hint: an application may ask for such values.
    Low,
    /// Rare in honest requests.
    Medium,
    /// Reads as an attack and as nothing else.
    High,
}

use Confidence::{High, Low, Medium};

/// A row of the table.
struct Row {
    code: Type,
    subtype: &'static str,
    /// How the ids of its signatures open; the longest that fits counts. The first row of a code takes the rest.
    signatures: &'static [&'static str],
    cwe: &'static [u16],
    owasp: &'static [&'static str],
    capec: &'static [u16],
    confidence: Confidence,
}

impl Class {
    /// The class of what this signature finds.
    pub fn of(code: &Type, signature: &str) -> Option<Self> {
        let length = |row: &Row| {
            row.signatures
                .iter()
                .filter(|start| signature.starts_with(**start))
                .map(|start| start.len())
                .max()
        };
        let rows = || TABLE.iter().filter(|row| row.code == *code);
        let named = rows().filter_map(|row| Some((length(row)?, row))).max_by_key(|(length, _)| *length);
        named.map(|(_, row)| row).or_else(|| rows().next()).map(Row::class)
    }
}

impl Type {
    /// The weakness it aims at, as a number of the Common Weakness Enumeration.
    pub fn cwe(&self) -> Option<u16> {
        Class::of(self, "")?.cwe.first().copied()
    }
}

impl Row {
    fn class(&self) -> Class {
        Class {
            subtype: self.subtype.to_owned(),
            cwe: self.cwe.to_vec(),
            owasp: self.owasp.iter().copied().map(str::to_owned).collect(),
            capec: self.capec.to_vec(),
            confidence: self.confidence,
        }
    }
}

const ACCESS: &[&str] = &["A01:2021", "A01:2025"];
const INJECTION: &[&str] = &["A03:2021", "A05:2025"];
const DESIGN: &[&str] = &["A04:2021", "A06:2025"];
const CONFIGURATION: &[&str] = &["A05:2021", "A02:2025"];
const AUTHENTICATION: &[&str] = &["A07:2021", "A07:2025"];
const INTEGRITY: &[&str] = &["A08:2021", "A08:2025"];
const SSRF: &[&str] = &["A10:2021", "A01:2025"];

macro_rules! table {
    ($($code:ident $subtype:literal $signatures:tt: cwe $cwe:tt, $owasp:expr, capec $capec:tt, $confidence:ident;)+) => {
        static TABLE: &[Row] = &[$(Row {
            code: Type::$code,
            subtype: $subtype,
            signatures: &$signatures,
            cwe: &$cwe,
            owasp: $owasp,
            capec: &$capec,
            confidence: $confidence,
        }),+];
    };
}

table! {
    Sqli "sql-expression" []: cwe [89], INJECTION, capec [66], Medium;
    Sqli "sql-boolean" [
        "sqli-tautology", "sqli-condition", "sqli-number-condition", "sqli-comparison", "sqli-blind",
    ]: cwe [89], INJECTION, capec [7, 66], High;
    Sqli "sql-breakout" ["sqli-string", "sqli-comment"]: cwe [89], INJECTION, capec [66], High;
    Sqli "sql-union" ["sqli-union", "sqli-select", "sqli-subselect"]: cwe [89], INJECTION, capec [66], High;
    Sqli "sql-stacked" ["sqli-statement", "sqli-procedure"]: cwe [89], INJECTION, capec [66, 108], High;
    Sqli "sql-time" ["sqli-delay"]: cwe [89], INJECTION, capec [7, 66], High;
    Sqli "sql-error" ["sqli-error"]: cwe [89, 209], INJECTION, capec [54, 66], High;
    Sqli "sql-catalog" ["sqli-catalog", "sqli-server-variable"]: cwe [89], INJECTION, capec [54, 66], High;
    Sqli "sql-fragment" [
        "sqli-fragment", "sqli-quote-probe", "sqli-number-trap",
    ]: cwe [89], INJECTION, capec [66], Low;
    Sqli "sql-file" ["sqli-file"]: cwe [89, 73], INJECTION, capec [66], High;

    Xss "markup" []: cwe [79], INJECTION, capec [63], Medium;
    Xss "script-element" ["xss-script-tag", "xss-active-tag"]: cwe [79, 80], INJECTION, capec [63, 591], High;
    Xss "event-handler" ["xss-event", "xss-attribute", "xss-directive"]: cwe [79, 83], INJECTION, capec [63, 243], High;
    Xss "script-url" ["xss-script-url", "xss-link", "xss-url"]: cwe [79, 84], INJECTION, capec [63, 244], High;
    Xss "script-breakout" [
        "xss-script-breakout", "xss-script-statement", "xss-dom", "xss-indirect", "xss-document", "xss-constructor",
        "xss-encoder", "xss-tagged", "xss-bracket", "xss-entity",
    ]: cwe [79], INJECTION, capec [63, 588], Medium;
    Xss "style" ["xss-style"]: cwe [79], INJECTION, capec [63], Medium;

    Rce "command" []: cwe [78, 77], INJECTION, capec [88], Medium;
    Rce "command-shell" [
        "rce-command", "rce-disguised", "rce-reverse", "rce-pipe", "rce-program", "rce-glob", "rce-ifs", "rce-fork",
        "rce-shell", "rce-variable", "rce-file-redirection", "rce-cmd", "rce-powershell", "rce-windows",
    ]: cwe [78, 77], INJECTION, capec [88], High;
    Rce "argument-injection" ["rce-argument"]: cwe [88, 77], INJECTION, capec [6], High;
    Rce "shellshock" ["rce-shellshock"]: cwe [78], INJECTION, capec [88], High;
    Rce "code-php" ["rce-php"]: cwe [94, 95], INJECTION, capec [242], High;
    Rce "code-java" ["rce-java", "rce-jsp", "rce-class-loader", "rce-spring", "rce-jdbc"]: cwe [94], INJECTION, capec [242], High;
    Rce "code-dotnet" ["rce-dotnet"]: cwe [94], INJECTION, capec [242], High;
    Rce "code-javascript" ["rce-node"]: cwe [94, 95], INJECTION, capec [242], High;
    Rce "code-python" ["rce-python"]: cwe [94, 95], INJECTION, capec [242], High;
    Rce "code-ruby-perl" ["rce-ruby", "rce-perl"]: cwe [94, 95], INJECTION, capec [242], High;
    Rce "code-probe" ["rce-eval", "rce-script", "rce-template"]: cwe [95, 94], INJECTION, capec [242], Medium;
    Rce "formula" ["rce-formula"]: cwe [1236], INJECTION, capec [242], Medium;
    Rce "expression-language" ["rce-expression"]: cwe [917], INJECTION, capec [242], High;
    Rce "lookup" ["rce-jndi", "rce-lookup", "rce-entity", "rce-text"]: cwe [917, 502, 20], INJECTION, capec [242, 586], High;
    Rce "deserialization" [
        "rce-php-object", "rce-java-object", "rce-java-gadget", "rce-dotnet-object", "rce-node-object", "rce-pickle",
        "rce-ruby-object", "rce-yaml-object", "rce-serialized", "rce-flight",
    ]: cwe [502], INTEGRITY, capec [586], High;
    Rce "upload" ["rce-upload"]: cwe [434], DESIGN, capec [650, 17], Medium;
    Rce "prototype-pollution" ["rce-prototype"]: cwe [1321, 915], INTEGRITY, capec [77, 180], High;

    PathTraversal "path-traversal" []: cwe [22, 23], ACCESS, capec [126], Medium;
    PathTraversal "path-climb" [
        "ptrav-climb", "ptrav-dot", "ptrav-leading",
    ]: cwe [22, 23], ACCESS, capec [126, 139], High;
    PathTraversal "path-disguised" [
        "ptrav-alias", "ptrav-mixed", "ptrav-spelled", "ptrav-split", "ptrav-path-parameter", "ptrav-lost",
        "ptrav-placeholder",
    ]: cwe [22, 172], ACCESS, capec [126, 64, 80], High;
    PathTraversal "path-null-byte" ["ptrav-null"]: cwe [158, 22], ACCESS, capec [52], High;
    PathTraversal "sensitive-file" [
        "ptrav-absolute", "ptrav-system", "ptrav-unix", "ptrav-web", "ptrav-windows", "ptrav-hidden",
        "ptrav-backup", "ptrav-server",
    ]: cwe [36, 552, 22], ACCESS, capec [597, 126], Medium;
    PathTraversal "file-inclusion" [
        "ptrav-wrapper", "ptrav-local-include", "ptrav-windows-share",
    ]: cwe [98, 829], INJECTION, capec [252], High;
    PathTraversal "remote-file-inclusion" ["ptrav-remote"]: cwe [98, 829], INJECTION, capec [193, 253], Medium;
    PathTraversal "remote-address" ["ptrav-remote-url"]: cwe [98, 829], INJECTION, capec [193, 253], Low;

    Xxe "external-entity" []: cwe [611], CONFIGURATION, capec [221, 201], High;
    Xxe "external-dtd" ["xxe-external-dtd"]: cwe [611, 827], CONFIGURATION, capec [201, 221], High;
    Xxe "xinclude" ["xxe-xinclude", "xxe-remote-schema"]: cwe [611, 829], CONFIGURATION, capec [201, 221], High;
    Xxe "stylesheet" ["xxe-stylesheet"]: cwe [91, 611], INJECTION, capec [250], Medium;

    Nosqli "nosql-operator" []: cwe [943], INJECTION, capec [676], Medium;
    Nosqli "nosql-script" [
        "nosqli-script", "nosqli-busy", "nosqli-shell",
    ]: cwe [943, 95], INJECTION, capec [676], High;

    Ldapi "ldap-filter" []: cwe [90], INJECTION, capec [136], High;
    Ldapi "xpath" ["ldapi-xpath"]: cwe [643], INJECTION, capec [83], Medium;

    Ssrf "internal-address" []: cwe [918], SSRF, capec [664], Medium;
    Ssrf "cloud-metadata" ["ssrf-cloud"]: cwe [918], SSRF, capec [664], High;
    Ssrf "disguised-address" ["ssrf-disguised"]: cwe [918], SSRF, capec [664], High;
    Ssrf "odd-scheme" ["ssrf-scheme"]: cwe [918, 610], SSRF, capec [664], High;
    Ssrf "out-of-band" ["ssrf-catcher"]: cwe [918], SSRF, capec [664], High;

    Ssti "template" []: cwe [1336, 94], INJECTION, capec [242], High;
    Ssti "template-probe" ["ssti-computation"]: cwe [1336, 94], INJECTION, capec [242], Medium;

    Ssi "server-side-include" []: cwe [97, 96], INJECTION, capec [101], High;
    Ssi "edge-side-include" ["ssi-edge"]: cwe [97, 96], INJECTION, capec [101], Medium;

    MailInjection "mail-header" []: cwe [150, 93, 88], INJECTION, capec [41, 134], High;
    MailInjection "mail-command" [
        "mail_injection-smtp", "mail_injection-imap", "mail_injection-pop",
    ]: cwe [150, 77], INJECTION, capec [183], High;

    Crlf "header-injection" []: cwe [113, 93], INJECTION, capec [34, 86], High;
    Crlf "response-splitting" ["crlf-response"]: cwe [113, 93], INJECTION, capec [34], High;
    Crlf "smuggling" [
        "crlf-request", "crlf-smuggl", "crlf-transfer", "crlf-ambiguous",
    ]: cwe [444], DESIGN, capec [33, 105], High;
    Crlf "line-break" ["crlf-encoded", "crlf-path"]: cwe [93, 113], INJECTION, capec [34], Medium;

    OpenRedirect "open-redirect" []: cwe [601], ACCESS, capec [178], Medium;

    MassAssignment "mass-assignment" []: cwe [915], INTEGRITY, capec [], Low;
    MassAssignment "relation-lookup" ["mass_assignment-relation"]: cwe [915, 943], INTEGRITY, capec [], Medium;
    MassAssignment "prototype-pollution" [
        "mass_assignment-prototype",
    ]: cwe [1321, 915], INTEGRITY, capec [77, 180], High;

    Scanner "scanner" []: cwe [], &[], capec [169], Medium;
    Scanner "scanner-agent" ["scanner-agent"]: cwe [], &[], capec [310, 169], High;

    DataBomb "compressed-bomb" []: cwe [409], &[], capec [130], High;
    DataBomb "entity-bomb" ["data_bomb-xml"]: cwe [776, 409], CONFIGURATION, capec [197], High;

    InvalidXml "invalid-xml" []: cwe [], &[], capec [], Low;
    Overlimit "overlimit" []: cwe [], &[], capec [], Low;
    VirtualPatch "virtual-patch" []: cwe [], &[], capec [], High;
    BlockedSource "blocked-source" []: cwe [], &[], capec [], High;
    Brute "brute-force" []: cwe [307, 521, 799], AUTHENTICATION, capec [49, 112], Medium;
    ForcedBrowsing "forced-browsing" []: cwe [425], ACCESS, capec [87], Medium;
    Bola "object-enumeration" []: cwe [639], ACCESS, capec [], Medium;
    SessionFixation "session-fixation" []: cwe [384], AUTHENTICATION, capec [61], Medium;
    GraphqlDocumentSize "graphql-size" []: cwe [770], DESIGN, capec [130], Medium;
    GraphqlValueSize "graphql-value" []: cwe [770], DESIGN, capec [130], Medium;
    GraphqlDepth "graphql-depth" []: cwe [770, 674], DESIGN, capec [130], Medium;
    GraphqlAliases "graphql-aliases" []: cwe [770, 799], DESIGN, capec [130], Medium;
    GraphqlBatch "graphql-batch" []: cwe [770, 799], DESIGN, capec [130], Medium;
    GraphqlIntrospection "graphql-introspection" []: cwe [200], CONFIGURATION, capec [118], Medium;
    GraphqlDebug "graphql-debug" []: cwe [489], CONFIGURATION, capec [121], Low;
    RateLimit "rate-limit" []: cwe [770, 799], &[], capec [125], Medium;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn subtype(code: &Type, signature: &str) -> String {
        Class::of(code, signature).unwrap().subtype
    }

    #[test]
    fn every_type_has_a_class_and_what_it_opens_with_is_its_own() {
        for code in Type::ALL {
            assert!(Class::of(code, "").is_some(), "{} has no row", code.as_str());
        }
        for row in TABLE {
            let own = format!("{}-", row.code.as_str());
            assert!(row.signatures.iter().all(|start| start.starts_with(&own)), "{}", row.subtype);
        }
        assert_eq!(Class::of(&Type::from("newer"), "newer-thing"), None);
    }

    #[test]
    fn a_subtype_is_one_row_of_a_code_and_no_opening_is_there_twice() {
        let (mut subtypes, mut starts) = (HashSet::new(), HashSet::new());
        for row in TABLE {
            assert!(subtypes.insert((&row.code, row.subtype)), "{} is there twice", row.subtype);
            assert!(row.signatures.iter().all(|start| starts.insert(*start)), "{}", row.subtype);
        }
    }

    #[test]
    fn every_number_has_a_name() {
        for row in TABLE {
            assert!(row.cwe.iter().all(|number| !names::cwe(*number).is_empty()), "{}", row.subtype);
            assert!(row.owasp.iter().all(|category| !names::owasp(category).is_empty()), "{}", row.subtype);
            assert!(row.capec.iter().all(|number| !names::capec(*number).is_empty()), "{}", row.subtype);
        }
    }

    #[test]
    fn the_longest_opening_of_a_signature_decides() {
        assert_eq!(subtype(&Type::Rce, "rce-php-tag"), "code-php");
        assert_eq!(subtype(&Type::Rce, "rce-php-object"), "deserialization");
        assert_eq!(subtype(&Type::Rce, "rce-of-tomorrow"), "command");
    }
}
