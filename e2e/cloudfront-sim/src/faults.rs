//! Fault injection: slow origins, crashing functions, failing starts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// All faults, from a file or the admin API.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultPlan {
    pub origin: OriginFault,
    /// By function name; `*` applies to all others.
    pub functions: BTreeMap<String, FunctionFault>,
    pub logs: LogFault,
}

/// What happens to records of access logs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogFault {
    /// Every record arrives this much later.
    pub delay_ms: u64,
    /// Share of records that arrive twice.
    pub duplicate: f64,
    /// Share of records that never arrive.
    pub lose: f64,
}

/// The delivery of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogDelivery {
    pub copies: usize,
    pub delay: Duration,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OriginFault {
    /// Share of requests with the fault.
    pub share: f64,
    /// Additional latency of the origin.
    pub delay_ms: u64,
    /// The origin is unreachable.
    pub unreachable: bool,
    /// This status is returned without calling the origin.
    pub status: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionFault {
    /// Share of invocations with the fault.
    pub share: f64,
    /// Additional duration of a cold start.
    pub init_delay_ms: u64,
    /// Additional duration of the invocation; counts towards the timeout.
    pub delay_ms: u64,
    pub fail: Option<Failure>,
}

/// The failure of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The cold start fails.
    Init,
    /// The process is killed during the invocation.
    Crash,
    /// The function responds with an error.
    Error,
    Throttle,
}

/// An invalid value in a fault plan.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum FaultError {
    #[error("{key} is {share}, not a share between 0 and 1")]
    Share { key: String, share: f64 },
    #[error("origin.status is {0}, not a status between 200 and 599")]
    Status(u16),
}

/// The current plan and its random numbers. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    plan: RwLock<FaultPlan>,
    /// Whether the plan has any fault; skips the lock in the usual case that it has none.
    any: AtomicBool,
    random: Random,
}

impl Default for OriginFault {
    fn default() -> Self {
        Self { share: 1.0, delay_ms: 0, unreachable: false, status: None }
    }
}

impl Default for FunctionFault {
    fn default() -> Self {
        Self { share: 1.0, init_delay_ms: 0, delay_ms: 0, fail: None }
    }
}

impl OriginFault {
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }
}

impl FunctionFault {
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    pub fn init_delay(&self) -> Duration {
        Duration::from_millis(self.init_delay_ms)
    }
}

impl FaultPlan {
    fn check(&self) -> Result<(), FaultError> {
        let functions =
            self.functions.iter().map(|(name, fault)| (format!("functions.{name}.share"), fault.share));
        let others = [
            ("origin.share".to_owned(), self.origin.share),
            ("logs.duplicate".to_owned(), self.logs.duplicate),
            ("logs.lose".to_owned(), self.logs.lose),
        ];
        for (key, share) in functions.chain(others) {
            if !(0.0..=1.0).contains(&share) {
                return Err(FaultError::Share { key, share });
            }
        }
        match self.origin.status {
            Some(status) if !(200..600).contains(&status) => Err(FaultError::Status(status)),
            _ => Ok(()),
        }
    }
}

impl Faults {
    /// The same seed and order of requests select the same requests.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Inner { random: Random::seeded(seed), ..Inner::default() }))
    }

    /// Replaces the plan.
    pub fn set(&self, plan: FaultPlan) -> Result<(), FaultError> {
        plan.check()?;
        let any = plan != FaultPlan::default();
        *self.0.plan.write().unwrap_or_else(PoisonError::into_inner) = plan;
        self.0.any.store(any, Ordering::Release);
        Ok(())
    }

    pub fn plan(&self) -> FaultPlan {
        self.0.plan.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Draws the fault of the next origin request.
    pub fn at_origin(&self) -> Option<OriginFault> {
        let fault = self.planned(|plan| Some(plan.origin.clone()))?;
        self.0.random.happens(fault.share).then_some(fault)
    }

    /// Draws the fault of the next invocation of this function.
    pub fn in_function(&self, name: &str) -> Option<FunctionFault> {
        let fault =
            self.planned(|plan| plan.functions.get(name).or_else(|| plan.functions.get("*")).cloned())?;
        self.0.random.happens(fault.share).then_some(fault)
    }

    /// Draws the delivery of the next record of an access log.
    pub fn in_logs(&self) -> LogDelivery {
        let Some(fault) = self.planned(|plan| Some(plan.logs.clone())) else {
            return LogDelivery { copies: 1, delay: Duration::ZERO };
        };
        let copies = if self.0.random.happens(fault.lose) {
            0
        } else {
            1 + usize::from(self.0.random.happens(fault.duplicate))
        };
        LogDelivery { copies, delay: Duration::from_millis(fault.delay_ms) }
    }

    fn planned<T>(&self, find: impl FnOnce(&FaultPlan) -> Option<T>) -> Option<T> {
        if !self.0.any.load(Ordering::Acquire) {
            return None;
        }
        find(&self.0.plan.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(json: &str) -> Result<FaultPlan, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn wildcard_fault_applies_to_unnamed_functions() {
        let faults = Faults::default();
        let named =
            plan(r#"{"functions": {"waf": {"fail": "crash"}, "*": {"delay_ms": 5, "share": 1}}}"#).unwrap();
        faults.set(named).unwrap();
        assert_eq!(faults.in_function("waf").unwrap().fail, Some(Failure::Crash));
        assert_eq!(faults.in_function("other").unwrap().delay(), Duration::from_millis(5));
        faults.set(FaultPlan::default()).unwrap();
        assert_eq!((faults.in_function("waf"), faults.at_origin()), (None, None));
    }

    #[test]
    fn seed_determines_which_requests_fail() {
        let drawn_faults = |seed| {
            let faults = Faults::seeded(seed);
            faults.set(plan(r#"{"origin": {"share": 0.5, "status": 500}}"#).unwrap()).unwrap();
            (0..64).map(|_| faults.at_origin().is_some()).collect::<Vec<_>>()
        };
        assert_eq!(drawn_faults(3), drawn_faults(3));
        assert_ne!(drawn_faults(3), drawn_faults(4));
        assert!(drawn_faults(3).contains(&true) && drawn_faults(3).contains(&false));
    }

    #[test]
    fn errors_name_the_invalid_field() {
        let unknown = plan(r#"{"origin": {"delay": 5}}"#).unwrap_err().to_string();
        assert!(unknown.contains("unknown field `delay`"), "{unknown}");
        let set = |json| Faults::default().set(plan(json).unwrap()).unwrap_err().to_string();
        let share = set(r#"{"functions": {"waf": {"share": 2}}}"#);
        assert_eq!(share, "functions.waf.share is 2, not a share between 0 and 1");
        let status = set(r#"{"origin": {"status": 600}}"#);
        assert_eq!(status, "origin.status is 600, not a status between 200 and 599");
    }

    #[test]
    fn records_of_logs_are_delayed_repeated_and_lost() {
        let faults = Faults::default();
        assert_eq!(faults.in_logs(), LogDelivery { copies: 1, delay: Duration::ZERO });
        faults.set(plan(r#"{"logs": {"duplicate": 1, "delay_ms": 5}}"#).unwrap()).unwrap();
        assert_eq!(faults.in_logs(), LogDelivery { copies: 2, delay: Duration::from_millis(5) });
        faults.set(plan(r#"{"logs": {"lose": 1}}"#).unwrap()).unwrap();
        assert_eq!(faults.in_logs().copies, 0);
        let error = faults.set(plan(r#"{"logs": {"lose": 2}}"#).unwrap()).unwrap_err();
        assert_eq!(error, FaultError::Share { key: "logs.lose".to_owned(), share: 2.0 });
    }
}
