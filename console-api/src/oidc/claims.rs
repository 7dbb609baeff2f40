//! Claims of a user at the provider: name, groups, and the role that the groups give.

use super::error::OidcError;
use crate::{access::ExternalIdentity, actor::Role, validation};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Claims by their names.
pub(super) type Claims = Map<String, Value>;

/// A user whom the provider has authenticated.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub external: ExternalIdentity,
    pub name: String,
    pub role: Role,
}

/// The roles of groups.
#[derive(Debug, Clone)]
pub struct RoleMap(BTreeMap<String, Role>);

impl RoleMap {
    pub fn new(roles: BTreeMap<String, Role>) -> Self {
        Self(roles)
    }

    /// The highest role of some groups.
    pub fn highest(&self, groups: &[String]) -> Option<Role> {
        let granted: Vec<Role> = groups.iter().filter_map(|group| self.0.get(group).copied()).collect();
        Role::ALL.into_iter().find(|role| granted.contains(role))
    }
}

/// The user of verified claims.
pub(super) fn identity(
    external: ExternalIdentity,
    claims: &Claims,
    groups_claim: &str,
    roles: &RoleMap,
) -> Result<Identity, OidcError> {
    let text = |claim: &str| claims.get(claim)?.as_str().filter(|text| !text.is_empty());
    let name = text("preferred_username").or_else(|| text("email")).ok_or(OidcError::NoName)?;
    validation::name(name).map_err(|_| OidcError::NoName)?;
    let (name, groups) = (name.to_owned(), groups(claims.get(groups_claim)));
    match roles.highest(&groups) {
        Some(role) => Ok(Identity { external, name, role }),
        None => Err(OidcError::NoRole { name, groups }),
    }
}

/// The groups of a claim: a list, or one name.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(group)) => vec![group.clone()],
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(claims: Value) -> Result<Identity, OidcError> {
        let roles = [("waf-admins", Role::Admin), ("soc", Role::Analyst), ("staff", Role::ReadOnly)];
        let roles = RoleMap::new(roles.map(|(group, role)| (group.to_owned(), role)).into());
        let external =
            ExternalIdentity { issuer: "https://id.example.com".to_owned(), subject: "1".to_owned() };
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        identity(external, &claims, "groups", &roles)
    }

    #[test]
    fn the_role_is_the_highest_of_the_groups() {
        for (groups, role) in [
            (json!(["staff"]), Role::ReadOnly),
            (json!(["staff", "soc", "others"]), Role::Analyst),
            (json!(["soc", "waf-admins", "staff"]), Role::Admin),
            (json!("soc"), Role::Analyst),
        ] {
            let found = of(json!({"preferred_username": "ann", "groups": groups})).unwrap();
            assert_eq!(found.role, role, "{groups}");
        }
    }

    #[test]
    fn a_user_without_a_mapped_group_has_no_role() {
        for groups in
            [json!([]), json!(null), json!(["SOC", "soc ", "soc/x"]), json!([1]), json!({"soc": true})]
        {
            let refused = of(json!({"preferred_username": "ann", "groups": groups})).unwrap_err();
            assert!(matches!(refused, OidcError::NoRole { name, .. } if name == "ann"), "{groups}");
        }
        assert!(matches!(of(json!({"email": "ann@example.com"})), Err(OidcError::NoRole { .. })));
    }

    #[test]
    fn the_name_is_the_user_name_or_the_email_address() {
        let name = |mut claims: Value| {
            claims["groups"] = json!("soc");
            of(claims).map(|identity| identity.name).ok()
        };
        assert_eq!(name(json!({"preferred_username": "ann", "email": "a@b.c"})).as_deref(), Some("ann"));
        assert_eq!(name(json!({"preferred_username": "", "email": "a@b.c"})).as_deref(), Some("a@b.c"));
        for wrong in
            [json!({}), json!({"email": 1}), json!({"email": "a\nb"}), json!({"email": "a".repeat(101)})]
        {
            assert_eq!(name(wrong.clone()), None, "{wrong}");
        }
    }
}
