//! The effective mode: the configured one, or the one that a rule of the console sets.

use engine::UploadPolicy;
use shared::{
    Mode, Sensitivity,
    ruleset::{OverlimitAction, RuleRef},
};
use std::sync::Arc;

/// The mode in force for a request, and the setting it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveMode {
    pub mode: Mode,
    pub source: String,
}

/// `wallarm_mode_allow_override`: whether rules of the console may override the configured mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModeAllowOverride {
    /// Rules override it.
    #[default]
    On,
    /// Rules override it where they are stricter.
    Strict,
    /// Rules never override it.
    Off,
}

/// Settings of the requests of a route. Inner routes inherit what they do not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSettings {
    /// The mode, and the route that sets it.
    pub mode: EffectiveMode,
    /// Id of the protected application. Absent: the id that the connector sends.
    pub application: Option<u32>,
    pub overlimit: OverlimitAction,
    /// The score from which a request is an attack.
    pub sensitivity: Sensitivity,
    /// The files that the route accepts. Absent: all.
    pub uploads: Option<Arc<UploadPolicy>>,
}

impl RouteSettings {
    /// Defaults with the given mode.
    pub fn of_mode(mode: Mode, source: &str) -> Self {
        let mode = EffectiveMode { mode, source: source.to_owned() };
        Self {
            mode,
            application: None,
            overlimit: OverlimitAction::Auto,
            sensitivity: Sensitivity::default(),
            uploads: None,
        }
    }
}

impl ModeAllowOverride {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Strict => "strict",
            Self::Off => "off",
        }
    }
}

impl EffectiveMode {
    /// Applies the console's mode rule.
    #[must_use]
    pub fn overridden(self, rule: Option<(RuleRef, Mode)>, allowed: ModeAllowOverride) -> Self {
        let Some((rule, mode)) = rule else { return self };
        let overrides = match allowed {
            ModeAllowOverride::On => true,
            ModeAllowOverride::Strict => mode > self.mode,
            ModeAllowOverride::Off => false,
        };
        if overrides { Self { mode, source: format!("rule:{}", rule.id) } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_mode_rule_overrides_as_the_configuration_allows() {
        use {Mode::*, ModeAllowOverride as Allow};
        for (file, console, allowed, expected) in [
            (Monitoring, Block, Allow::On, Block),
            (Block, Monitoring, Allow::On, Monitoring),
            (Block, Off, Allow::On, Off),
            (Monitoring, Block, Allow::Strict, Block),
            (Off, SafeBlocking, Allow::Strict, SafeBlocking),
            (Block, Monitoring, Allow::Strict, Block),
            (Block, SafeBlocking, Allow::Strict, Block),
            (Monitoring, Block, Allow::Off, Monitoring),
            (Block, Off, Allow::Off, Block),
        ] {
            let file = EffectiveMode { mode: file, source: "config".into() };
            let rule = RuleRef { id: Uuid::nil(), revision: 1 };
            let effective = file.clone().overridden(Some((rule, console)), allowed);
            assert_eq!(effective.mode, expected, "{file:?} {console} {allowed:?}");
            let source = if effective.mode == file.mode {
                "config"
            } else {
                "rule:00000000-0000-0000-0000-000000000000"
            };
            assert_eq!(effective.source, source);
            assert_eq!(file.clone().overridden(None, allowed), file);
        }
    }
}
