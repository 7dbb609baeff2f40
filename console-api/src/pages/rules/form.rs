//! The form of a rule: the fields of its kind, or its effect as JSON.

use super::{points, scope_of};
use crate::{
    error::ApiError,
    pages::{ip_lists, view},
    ruleset::{RuleDraft, StoredRule},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use shared::{
    AttackType, Point,
    ruleset::{Effect, Pattern, Suppressed},
};

/// All fields are texts: a rejected form shows them as they were submitted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RuleForm {
    /// [`Effect::kind`]. Empty: `effect` is JSON.
    pub(crate) kind: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) method: String,
    pub(crate) application: String,
    pub(crate) mode: String,
    /// Codes, separated by commas.
    pub(crate) attack_types: String,
    /// `literal` or `regex`.
    pub(crate) matching: String,
    pub(crate) pattern: String,
    pub(crate) attack_type: String,
    pub(crate) severity: String,
    /// `all`, `signature`, `subtype`, or the code of an attack type.
    pub(crate) findings: String,
    /// The id of the signature or subtype.
    pub(crate) suppressed: String,
    /// One per line.
    pub(crate) points: String,
    pub(crate) action: String,
    pub(crate) sensitivity: String,
    pub(crate) content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) effect: String,
    pub(crate) comment: String,
    /// Hours until the end; `0`: no end; empty: `expires_at`.
    #[serde(rename = "for")]
    pub(crate) lifetime: String,
    pub(crate) expires_at: String,
    pub(crate) revision: u32,
}

impl RuleForm {
    /// An empty form of a kind.
    pub(crate) fn of_kind(kind: &str) -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            kind: text(kind),
            mode: text("monitoring"),
            matching: text("literal"),
            severity: text("high"),
            findings: text("sqli"),
            attack_type: text("scanner"),
            action: text("block"),
            sensitivity: text("strict"),
            content: text("text"),
            effect: if kind.is_empty() { text(super::EXAMPLE) } else { String::new() },
            lifetime: text("0"),
            ..Self::default()
        }
    }

    /// The form of a rule; as JSON if asked for, or if the fields cannot express its points.
    pub(crate) fn of(stored: &StoredRule, as_json: bool) -> Self {
        let rule = &stored.rule;
        let scope = rule.scope.clone();
        let form = Self {
            host: scope.host.unwrap_or_default(),
            path: scope.path.unwrap_or_default(),
            method: scope.method.unwrap_or_default(),
            application: scope.application.map(|number| number.to_string()).unwrap_or_default(),
            comment: rule.comment.clone(),
            lifetime: if stored.expires_at.is_some() { String::new() } else { "0".to_owned() },
            expires_at: stored.expires_at.map(|end| end.to_string()).unwrap_or_default(),
            revision: rule.revision,
            ..Self::of_kind(rule.effect.kind())
        };
        let fields = if as_json { None } else { form.clone().with(&rule.effect) };
        fields.unwrap_or_else(|| Self {
            kind: String::new(),
            effect: serde_json::to_string_pretty(&rule.effect).unwrap_or_default(),
            ..form
        })
    }

    fn with(mut self, effect: &Effect) -> Option<Self> {
        let none = Vec::new();
        let points = match effect {
            Effect::Mode { mode } => {
                self.mode = word(mode);
                &none
            }
            Effect::VirtualPatch { attack_types, points } => {
                let codes: Vec<_> = attack_types.iter().map(AttackType::as_str).collect();
                self.attack_types = codes.join(", ");
                points
            }
            Effect::Detector { pattern, attack_type, severity, points } => {
                let (matching, text) = match pattern {
                    Pattern::Literal(text) => ("literal", text),
                    Pattern::Regex(text) => ("regex", text),
                };
                // Browsers remove these from the field.
                if text.contains(['\n', '\r', '\0']) {
                    return None;
                }
                (self.matching, self.pattern) = (matching.to_owned(), text.clone());
                (self.attack_type, self.severity) = (word(attack_type), word(severity));
                points
            }
            Effect::Ignore { findings, points } => {
                let (kind, value) = match findings {
                    Suppressed::Signature(id) => ("signature", id.as_str()),
                    Suppressed::Subtype(id) => ("subtype", id.as_str()),
                    Suppressed::Type(code) => (code.as_str(), ""),
                    Suppressed::All => ("all", ""),
                };
                (self.findings, self.suppressed) = (kind.to_owned(), value.to_owned());
                points
            }
            Effect::Mask { points } => points,
            Effect::Overlimit { action } => {
                self.action = word(action);
                &none
            }
            Effect::Sensitivity { sensitivity } => {
                self.sensitivity = word(sensitivity);
                &none
            }
            Effect::Content { content, points } => {
                self.content = word(content);
                points
            }
        };
        self.points = points::text(points)?;
        Some(self)
    }

    pub(crate) fn draft(&self, now: Timestamp) -> Result<RuleDraft, ApiError> {
        let mut scope = scope_of(&self.host, &self.path, &self.method);
        let application = self.application.trim();
        if !application.is_empty() {
            let wrong = |_| ApiError::parameter("application", "`application` must be a number");
            scope.application = Some(application.parse().map_err(wrong)?);
        }
        let effect = if self.kind.is_empty() { from_json(&self.effect)? } else { self.effect()? };
        Ok(RuleDraft { scope, effect, comment: self.comment.clone(), expires_at: self.end(now)? })
    }

    fn end(&self, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
        let wrong = |name| ApiError::parameter(name, format!("`{name}` is not one of the choices"));
        if !self.lifetime.is_empty() {
            let hours = self.lifetime.parse().map_err(|_| wrong("for"))?;
            return Ok(ip_lists::end(now, hours));
        }
        let kept = Some(&self.expires_at).filter(|end| !end.is_empty());
        kept.map(|end| end.parse().map_err(|_| wrong("expires_at"))).transpose()
    }

    fn effect(&self) -> Result<Effect, ApiError> {
        let points = || points::parse(&self.points);
        Ok(match self.kind.as_str() {
            "mode" => Effect::Mode { mode: choice("mode", &self.mode)? },
            "virtual_patch" => {
                let codes = self.attack_types.split([',', ' ']).filter(|code| !code.is_empty());
                let attack_types =
                    codes.map(|code| known_type("attack_types", code)).collect::<Result<_, _>>()?;
                Effect::VirtualPatch { attack_types, points: points()? }
            }
            "detector" => {
                let pattern = match self.matching.as_str() {
                    "regex" => Pattern::Regex(self.pattern.clone()),
                    _ => Pattern::Literal(self.pattern.clone()),
                };
                let attack_type = known_type("attack_type", &self.attack_type)?;
                let severity = choice("severity", &self.severity)?;
                Effect::Detector { pattern, attack_type, severity, points: points()? }
            }
            "ignore" => {
                let id = self.suppressed.trim().to_owned();
                let findings = match self.findings.as_str() {
                    "all" => Suppressed::All,
                    "signature" | "subtype" if id.is_empty() => {
                        let detail = format!("`suppressed` must be the ID of a {}", self.findings);
                        return Err(ApiError::parameter("suppressed", detail));
                    }
                    "signature" => Suppressed::Signature(id),
                    "subtype" => Suppressed::Subtype(id),
                    code => Suppressed::Type(known_type("findings", code)?),
                };
                Effect::Ignore { findings, points: points()? }
            }
            "mask" => Effect::Mask { points: some(points()?)? },
            "overlimit" => Effect::Overlimit { action: choice("action", &self.action)? },
            "sensitivity" => Effect::Sensitivity { sensitivity: choice("sensitivity", &self.sensitivity)? },
            "content" => {
                Effect::Content { content: choice("content", &self.content)?, points: some(points()?)? }
            }
            _ => return Err(ApiError::parameter("kind", "`kind` is not a kind of rules")),
        })
    }

    /// The end of the rule, readable: `2026-01-31 09:00:00 UTC`.
    pub(crate) fn end_in_words(&self) -> String {
        let end = self.expires_at.parse();
        end.map_or(self.expires_at.clone(), |end: Timestamp| format!("{} UTC", view::time(&end)))
    }

    /// All fields, to submit the form again.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let fields = serde_json::to_value(self).unwrap_or_default();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let fields = fields.as_object().into_iter().flatten();
        fields.map(|(name, value)| (name.clone(), text(value))).collect()
    }
}

/// At least one point.
fn some(points: Vec<Point>) -> Result<Vec<Point>, ApiError> {
    if points.is_empty() {
        return Err(ApiError::parameter("points", "`points` must name at least one point"));
    }
    Ok(points)
}

/// An effect as JSON.
pub(crate) fn from_json(effect: &str) -> Result<Effect, ApiError> {
    let fields = serde_json::from_str::<Map<String, Value>>(effect);
    fields.and_then(|fields| serde_json::from_value(Value::Object(fields))).map_err(|cause| {
        ApiError::parameter("effect", format!("`effect` must be an effect as JSON: {cause}"))
    })
}

fn choice<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ApiError> {
    let wrong = |_| ApiError::parameter(name, format!("`{name}` is not one of the choices"));
    serde_json::from_value(Value::String(text.to_owned())).map_err(wrong)
}

fn known_type(name: &str, code: &str) -> Result<AttackType, ApiError> {
    let attack_type = AttackType::from(code);
    if AttackType::ALL.contains(&attack_type) {
        return Ok(attack_type);
    }
    Err(ApiError::parameter(name, format!("`{name}`: `{code}` is not an attack type such as sqli or xss")))
}

/// The word of a choice.
fn word(choice: &impl Serialize) -> String {
    let value = serde_json::to_value(choice).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::ruleset::Rule;
    use uuid::Uuid;

    fn stored(effect: &Value) -> StoredRule {
        let rule: Rule = serde_json::from_value(
            json!({"id": Uuid::nil(), "revision": 4, "scope": {"host": "a.example", "application": 3}, "effect": effect, "comment": "why"}),
        )
        .unwrap();
        let at = Timestamp::UNIX_EPOCH;
        StoredRule { rule, created_at: at, updated_at: at, expires_at: Some(at) }
    }

    #[test]
    fn a_form_saves_the_rule_that_it_shows() {
        for effect in [
            json!({"kind": "mode", "mode": "safe_blocking"}),
            json!({"kind": "virtual_patch", "attack_types": ["sqli", "xss"], "points": [[["get", "id"]], [["uri"]]]}),
            json!({"kind": "detector", "pattern": {"regex": "a+"}, "attack_type": "vpatch", "severity": "low"}),
            json!({"kind": "ignore", "findings": "all", "points": [[["header", "COOKIE"]]]}),
            json!({"kind": "ignore", "findings": {"signature": "sqli-tautology"}}),
            json!({"kind": "ignore", "findings": {"subtype": "union"}}),
            json!({"kind": "ignore", "findings": {"type": "xss"}}),
            json!({"kind": "mask", "points": [[["get", "a > b"]]]}),
            json!({"kind": "overlimit", "action": "auto"}),
            json!({"kind": "sensitivity", "sensitivity": "low"}),
            json!({"kind": "content", "content": "sql", "points": [[["post"], ["form_urlencoded", "sql"]]]}),
        ] {
            let stored = stored(&effect);
            for as_json in [false, true] {
                let form = RuleForm::of(&stored, as_json);
                assert_eq!(form.kind.is_empty(), as_json || effect.to_string().contains("a > b"), "{effect}");
                let draft = form.draft(Timestamp::UNIX_EPOCH).unwrap();
                let rule = &stored.rule;
                assert_eq!((&draft.scope, &draft.effect), (&rule.scope, &rule.effect), "{effect}");
                assert_eq!((draft.comment.as_str(), draft.expires_at), ("why", stored.expires_at));
            }
        }
    }

    #[test]
    fn an_error_names_the_field_of_the_form() {
        let error = |form: RuleForm| match form.draft(Timestamp::UNIX_EPOCH) {
            Err(ApiError::Invalid(error)) => error.name,
            other => panic!("{other:?}"),
        };
        let form = |kind: &str| RuleForm::of_kind(kind);
        assert_eq!(
            error(RuleForm { attack_types: "sqli, foo".to_owned(), ..form("virtual_patch") }),
            "attack_types"
        );
        assert_eq!(error(RuleForm { points: "body".to_owned(), ..form("ignore") }), "points");
        assert_eq!(error(RuleForm { findings: "signature".to_owned(), ..form("ignore") }), "suppressed");
        assert_eq!(error(form("mask")), "points");
        assert_eq!(error(RuleForm { application: "x".to_owned(), ..form("mode") }), "application");
        assert_eq!(error(RuleForm { lifetime: "x".to_owned(), ..form("mode") }), "for");
    }
}
