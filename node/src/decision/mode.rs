//! Which mode holds: the configuration's, or what a rule of the console says.

use shared::{Mode, ruleset::RuleRef};

/// The mode that holds for a request, and which setting gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveMode {
    pub mode: Mode,
    pub source: String,
}

/// How far the console may set the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModeAllowOverride {
    /// Its rules win.
    #[default]
    On,
    /// Its rules win where they are stricter.
    Strict,
    /// The configuration wins.
    Off,
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
    /// The mode after the console's rule.
    #[must_use]
    pub fn overridden(self, rule: Option<(RuleRef, Mode)>, allowed: ModeAllowOverride) -> Self {
        let Some((rule, mode)) = rule else { return self };
        let wins = match allowed {
            ModeAllowOverride::On => true,
            ModeAllowOverride::Strict => mode > self.mode,
            ModeAllowOverride::Off => false,
        };
        if wins { Self { mode, source: format!("rule:{}", rule.id) } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_console_wins_as_far_as_the_configuration_allows() {
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
