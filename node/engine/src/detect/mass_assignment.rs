//! Mass assignment: parameters that no form offers, such as privileges of the visitor's own account
//! and columns of related records.

use super::{Match, ValueContext};
use crate::{field::FieldKind, words::WORDS};
use shared::{AttackType, Severity::Medium, point::Tag};

pub(super) fn detect(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Match<'static>> {
    if kind == FieldKind::Value {
        return is_own_role(value, context).then(|| matched("mass_assignment-role", value));
    }
    if kind != FieldKind::Name || value.len() > 200 {
        return None;
    }
    let signature = if is_relation_lookup(value) {
        "mass_assignment-relation-lookup"
    } else if context.is_name_in(&Tag::Post) && is_about_oneself(context.path) && is_privilege(value) {
        "mass_assignment-privilege"
    } else {
        return None;
    };
    Some(matched(signature, value))
}

fn matched(signature: &'static str, value: &[u8]) -> Match<'static> {
    Match { attack_type: AttackType::MassAssignment, signature, severity: Medium, span: 0..value.len() }
}

/// `role=admin` where visitors sign up. Administrators assign roles on other pages.
fn is_own_role(value: &[u8], context: &ValueContext<'_>) -> bool {
    value.len() <= 13
        && WORDS.mass_assignment.roles.contains(value)
        && context.is_in_body()
        && context.is_one_of(&WORDS.mass_assignment.role_parameters)
        && is_about_oneself(context.path)
        && !context.path.to_ascii_lowercase().contains("account")
}

/// `author__profile__email__startswith`: a column two relations away, compared so that responses
/// leak it.
fn is_relation_lookup(name: &[u8]) -> bool {
    if !name.windows(2).any(|pair| pair == b"__") {
        return false;
    }
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let steps: Vec<&str> = name.split("__").collect();
    let is_step =
        |step: &&str| !step.is_empty() && step.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    steps.len() >= 4
        && steps.iter().all(is_step)
        && steps.last().is_some_and(|last| WORDS.mass_assignment.lookups.contains_exact(last))
}

/// `is_admin`, `user[isAdmin]`, `user.admin`.
fn is_privilege(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let last = name.trim_end_matches(']').rsplit(['[', '.', ':']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|it| !matches!(it, '_' | '-')).collect();
    WORDS.mass_assignment.privileges.contains(plain)
}

fn is_about_oneself(path: &str) -> bool {
    path.split('/').any(|segment| WORDS.mass_assignment.account_paths.contains(segment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Point;

    fn finds(path: &str, name: &str) -> bool {
        let point = Point::new(Tag::Post).then(Tag::JsonDoc).then(Tag::Name);
        detect(name.as_bytes(), FieldKind::Name, &ValueContext::at(&point, path, &[])).is_some()
    }

    #[test]
    fn finds_privileges_in_a_registration() {
        for name in ["isAdmin", "is_admin", "user[admin]", "user.is_superuser"] {
            assert!(finds("/api/register", name), "{name}");
        }
    }

    #[test]
    fn finds_an_administrator_role_in_a_registration() {
        let point = Point::new(Tag::Post).then(Tag::JsonDoc).named(Tag::Hash, "role");
        let finds = |path, value: &[u8]| {
            detect(value, FieldKind::Value, &ValueContext::at(&point, path, &[])).is_some()
        };
        assert!(finds("/api/register", b"admin"));
        assert!(!finds("/api/register", b"reader") && !finds("/account/members", b"admin"));
    }

    #[test]
    fn passes_privileges_on_other_pages() {
        assert!(!finds("/api/team/7/roles", "is_admin"));
        assert!(!finds("/api/register", "address"));
    }

    #[test]
    fn finds_lookups_through_relations() {
        assert!(finds("/api/posts", "writer__account__secret__startswith"));
        for name in
            ["created__gte", "author__name__icontains", "a__b__c__d", "__proto__", "____x__startswith"]
        {
            assert!(!finds("/api/posts", name), "{name}");
        }
    }
}
