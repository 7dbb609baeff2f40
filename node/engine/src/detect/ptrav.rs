//! Path traversal: relative paths that climb above their start. Sensitive files and wrappers are in
//! `signatures/ptrav.toml`.

mod file;
mod remote;

use super::{Match, ValueContext};
use crate::{
    field::FieldKind,
    token::path::{Climb, climbing, opens_with_odd_step, repeats_step},
    words::WORDS,
};
use file::Certainty;
use shared::{AttackType, Severity};

/// Prefilter literals: every climbing path contains one of them.
pub(super) const LITERALS: &[&str] = &["..", "0x2e"];
/// Levels climbed inside a longer text that make an attack; two are a relative import in code.
const HIGH_IN_TEXT: usize = 3;
const HIGH_IN_DOCUMENT: usize = 6;

pub(super) fn detect(value: &[u8], kind: FieldKind, is_document: bool) -> Option<Match<'static>> {
    let Some(climb) = climbing(value).into_iter().find(|climb| is_attack(climb, value, kind, is_document))
    else {
        let is_odd = matches!(kind, FieldKind::Path | FieldKind::Value)
            && (repeats_step(value) || opens_with_odd_step(value));
        return is_odd.then_some(Match {
            attack_type: AttackType::PathTraversal,
            signature: "ptrav-spelled-steps",
            severity: Severity::Medium,
            span: 0..value.len(),
        });
    };
    let leads_somewhere = value[climb.span.clone()].iter().any(u8::is_ascii_alphanumeric);
    Some(Match {
        attack_type: AttackType::PathTraversal,
        signature: if climb.above < 2 && !leads_somewhere { "ptrav-bare-step" } else { "ptrav-climb" },
        severity: if climb.above > 1 { Severity::High } else { Severity::Medium },
        span: climb.span,
    })
}

fn is_attack(climb: &Climb, value: &[u8], kind: FieldKind, is_document: bool) -> bool {
    match kind {
        FieldKind::Path => climb.above > 0,
        _ if stands_alone(climb, value) => climb.above > 0 || climb.climbs > 1,
        // Documents quote paths of source files, which climb no higher than a project is deep.
        _ => climb.above >= if is_document { HIGH_IN_DOCUMENT } else { HIGH_IN_TEXT },
    }
}

/// Whether the value is the path with punctuation around it (`../x?`, `&../x`) or the name of a
/// parameter before it (`file=../x`).
fn stands_alone(climb: &Climb, value: &[u8]) -> bool {
    const MARKS: usize = 8;
    let before = value[..climb.span.start].trim_ascii();
    let after = value[climb.span.end..].trim_ascii();
    let are_marks = |text: &[u8]| text.len() <= MARKS && !text.iter().any(u8::is_ascii_alphanumeric);
    let name = before.strip_suffix(b"=").unwrap_or_default();
    let name = name.strip_prefix(b"?").or(name.strip_prefix(b"&")).unwrap_or(name);
    let is_name = (1..=2 * MARKS).contains(&name.len())
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    are_marks(after) && (are_marks(before) || is_name)
}

/// Matches that depend on the context of the value.
pub(super) fn detect_at(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Match<'static>> {
    let (signature, severity) = match kind {
        FieldKind::Path if is_hidden(value) => ("ptrav-hidden-directory", Severity::Medium),
        FieldKind::Path if is_aliased(value) => ("ptrav-alias", Severity::Medium),
        FieldKind::Value if remote::is_included(value, context) => ("ptrav-remote-url", Severity::Medium),
        FieldKind::Value if remote::is_bare(value, context) => ("ptrav-bare-url", Severity::Low),
        FieldKind::Value if is_share(value) && !context.is_in_report() => {
            ("ptrav-windows-share", Severity::Medium)
        }
        FieldKind::Path | FieldKind::Value => match file::is_requested(value)? {
            Certainty::Certain => ("ptrav-system-file", Severity::High),
            Certainty::Likely if kind == FieldKind::Value && !context.is_in_report() => {
                ("ptrav-server-file", Severity::Medium)
            }
            Certainty::Likely => return None,
        },
        _ => return None,
    };
    Some(Match { attack_type: AttackType::PathTraversal, signature, severity, span: 0..value.len() })
}

/// `/static../x`: a rule for `/static` without its slash appends `../x` to the folder's name.
fn is_aliased(path: &[u8]) -> bool {
    let mut folders = path.split(|&byte| byte == b'/').rev().skip(1);
    folders.any(|it| {
        it.strip_suffix(b"..").is_some_and(|name| name.last().is_some_and(u8::is_ascii_alphanumeric))
    })
}

/// `\\host.example\share\x`: opening it sends credentials to the host.
fn is_share(value: &[u8]) -> bool {
    let Some(rest) = value.strip_prefix(br"\\") else { return false };
    let mut segments = rest.split(|&byte| byte == b'\\');
    let host = segments.next().unwrap_or_default();
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || b".-@:[]".contains(byte);
    let is_somewhere = host.contains(&b'.') || host.eq_ignore_ascii_case(b"localhost");
    is_somewhere
        && host.iter().any(u8::is_ascii_alphanumeric)
        && host.iter().all(is_host)
        && segments.any(|it| !it.is_empty())
}

/// `/.tool/settings.json`: settings of a tool in the folder of a site.
fn is_hidden(path: &[u8]) -> bool {
    let Some(rest) =
        path.strip_prefix(b"/.").filter(|rest| rest.first().is_some_and(u8::is_ascii_alphanumeric))
    else {
        return false;
    };
    let Some(slash) = memchr::memchr(b'/', rest) else { return false };
    let directory = &path[1..slash + 2];
    let name = rest.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let ending = memchr::memrchr(b'.', name).map_or(&b""[..], |at| &name[at + 1..]);
    let is_setting = WORDS.ptrav.setting_endings.contains(ending);
    let is_file = rest[slash + 1..].iter().any(u8::is_ascii_alphanumeric);
    is_file
        && !WORDS.ptrav.public_directories.contains(directory)
        && (is_setting || WORDS.ptrav.tool_directories.contains(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(value: &str, kind: FieldKind) -> bool {
        detect(value.as_bytes(), kind, false).is_some()
    }

    #[test]
    fn finds_climbing_parameters() {
        for attack in [
            "../../x",
            "../config",
            r"..\..\x",
            "/var/www/../../etc",
            "....//....//x",
            "..;/admin",
            "c:/../x",
            "?file=../x",
            "../x&=<",
        ] {
            assert!(finds(attack, FieldKind::Value), "{attack}");
        }
    }

    #[test]
    fn finds_paths_that_leave_their_root() {
        assert!(finds("/../secret", FieldKind::Path));
        assert!(!finds("/css/../img/logo.png", FieldKind::Path));
    }

    #[test]
    fn finds_directories_of_tools() {
        assert!(is_hidden(b"/.aider/settings.json"));
        assert!(is_hidden(b"/.svn/x"));
        for path in ["/.well-known/security.txt", "/repo/.github/workflows/ci.yml", "/.", "/.htm", "/.x/"] {
            assert!(!is_hidden(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn passes_relative_paths_in_a_text() {
        for text in [
            "see ../README.md",
            "import x from '../../lib/x'",
            "and so on... / etc",
            "/a/../b",
            "src=../img and more",
        ] {
            assert!(!finds(text, FieldKind::Value), "{text}");
        }
    }
}
