//! What goes wrong on purpose: slow origins, functions that crash, starts that fail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// All faults, as a file or the admin API gives them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultPlan {
    pub origin: OriginFault,
    /// By the function's name; `*` is for those that are not named.
    pub functions: BTreeMap<String, FunctionFault>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OriginFault {
    /// Of all requests, the share that meets the fault.
    pub share: f64,
    /// The origin answers that much later.
    pub delay_ms: u64,
    /// It cannot be reached.
    pub unreachable: bool,
    /// It answers with this status and nothing else, and sees nothing of the request.
    pub status: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionFault {
    /// Of all invocations, the share that meets the fault.
    pub share: f64,
    /// A cold start takes that much longer.
    pub init_delay_ms: u64,
    /// The function takes that much longer; its timeout counts it.
    pub delay_ms: u64,
    pub fail: Option<Failure>,
}

/// How an invocation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Its cold start does.
    Init,
    /// The process is killed while it works.
    Crash,
    /// The function answers with an error.
    Error,
    Throttle,
}

/// A value that no fault can have.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum FaultError {
    #[error("{place}.share is {share}, not a share between 0 and 1")]
    Share { place: String, share: f64 },
    #[error("origin.status is {0}, not a status between 200 and 599")]
    Status(u16),
}

/// The plan that holds now, and the dice. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    plan: RwLock<FaultPlan>,
    /// Whether there is anything in the plan: most of the time there is not, and nobody should pay for it.
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
        let functions = self.functions.iter().map(|(name, fault)| (format!("functions.{name}"), fault.share));
        for (place, share) in functions.chain([("origin".to_owned(), self.origin.share)]) {
            if !(0.0..=1.0).contains(&share) {
                return Err(FaultError::Share { place, share });
            }
        }
        match self.origin.status {
            Some(status) if !(200..600).contains(&status) => Err(FaultError::Status(status)),
            _ => Ok(()),
        }
    }
}

impl Faults {
    /// Which requests meet a fault that has a share is the same for the same seed and order of requests.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Inner { random: Random::seeded(seed), ..Inner::default() }))
    }

    /// From here on these hold, and no others.
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

    /// What the next request to the origin meets.
    pub fn at_origin(&self) -> Option<OriginFault> {
        let fault = self.planned(|plan| Some(plan.origin.clone()))?;
        self.0.random.happens(fault.share).then_some(fault)
    }

    /// What the next invocation of this function meets.
    pub fn in_function(&self, name: &str) -> Option<FunctionFault> {
        let fault =
            self.planned(|plan| plan.functions.get(name).or_else(|| plan.functions.get("*")).cloned())?;
        self.0.random.happens(fault.share).then_some(fault)
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
    fn a_function_without_a_fault_of_its_own_gets_the_one_for_all() {
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
    fn a_seed_tells_who_meets_the_fault() {
        let met = |seed| {
            let faults = Faults::seeded(seed);
            faults.set(plan(r#"{"origin": {"share": 0.5, "status": 500}}"#).unwrap()).unwrap();
            (0..64).map(|_| faults.at_origin().is_some()).collect::<Vec<_>>()
        };
        assert_eq!(met(3), met(3));
        assert_ne!(met(3), met(4));
        assert!(met(3).contains(&true) && met(3).contains(&false));
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = plan(r#"{"origin": {"delay": 5}}"#).unwrap_err().to_string();
        assert!(unknown.contains("unknown field `delay`"), "{unknown}");
        let set = |json| Faults::default().set(plan(json).unwrap()).unwrap_err().to_string();
        let share = set(r#"{"functions": {"waf": {"share": 2}}}"#);
        assert_eq!(share, "functions.waf.share is 2, not a share between 0 and 1");
        let status = set(r#"{"origin": {"status": 600}}"#);
        assert_eq!(status, "origin.status is 600, not a status between 200 and 599");
    }
}
