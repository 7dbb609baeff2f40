//! Kinds of records, their priority when the spool is full, and counts by kind.

use serde::{Deserialize, Serialize};
use shared::{Outcome, Record};
use std::ops::{AddAssign, SubAssign};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordKind {
    Blocked,
    Monitored,
    Response,
    NotInspected,
    Coverage,
}

/// The priority of a record. A full spool drops records of low priority first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    Low,
    High,
}

/// Numbers of records by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Requests with attacks that were blocked.
    pub blocked: u64,
    /// Requests with attacks that were allowed.
    pub monitored: u64,
    pub responses: u64,
    pub not_inspected: u64,
    pub coverage: u64,
}

impl RecordKind {
    const ALL: [Self; 5] =
        [Self::Blocked, Self::Monitored, Self::Response, Self::NotInspected, Self::Coverage];

    pub(super) fn of(record: &Record) -> Self {
        match record {
            Record::Attack(attack) => match attack.decision.outcome {
                Outcome::Blocked => Self::Blocked,
                // Dropped first when the spool is full.
                Outcome::Monitored | Outcome::Suspicious => Self::Monitored,
            },
            Record::Response(_) => Self::Response,
            Record::NotInspected(_) => Self::NotInspected,
            Record::Coverage(_) => Self::Coverage,
        }
    }

    /// The code in a frame.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Blocked => b'B',
            Self::Monitored => b'M',
            Self::Response => b'R',
            Self::NotInspected => b'N',
            Self::Coverage => b'C',
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Connectors forget reports of requests not inspected once the node has them, and coverage is a
    /// sum that a lost part makes wrong for ever, so these have the priority of blocks.
    pub(super) fn priority(self) -> Priority {
        match self {
            Self::Blocked | Self::NotInspected | Self::Coverage => Priority::High,
            Self::Monitored | Self::Response => Priority::Low,
        }
    }
}

impl Priority {
    /// In the order in which records are dropped.
    pub(super) const ALL: [Self; 2] = [Self::Low, Self::High];

    pub(super) fn index(self) -> usize {
        match self {
            Self::Low => 0,
            Self::High => 1,
        }
    }

    /// The prefix of its file names.
    pub(super) fn file_prefix(self) -> &'static str {
        match self {
            Self::Low => "monitored",
            Self::High => "blocked",
        }
    }
}

impl Counts {
    pub(super) fn add(&mut self, kind: RecordKind) {
        *match kind {
            RecordKind::Blocked => &mut self.blocked,
            RecordKind::Monitored => &mut self.monitored,
            RecordKind::Response => &mut self.responses,
            RecordKind::NotInspected => &mut self.not_inspected,
            RecordKind::Coverage => &mut self.coverage,
        } += 1;
    }

    pub fn total(&self) -> u64 {
        self.by_kind().iter().map(|(_, count)| count).sum()
    }

    pub fn by_kind(&self) -> [(&'static str, u64); 5] {
        [
            ("blocked", self.blocked),
            ("monitored", self.monitored),
            ("responses", self.responses),
            ("not_inspected", self.not_inspected),
            ("coverage", self.coverage),
        ]
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.blocked += other.blocked;
        self.monitored += other.monitored;
        self.responses += other.responses;
        self.not_inspected += other.not_inspected;
        self.coverage += other.coverage;
    }
}

impl SubAssign for Counts {
    /// Saturates at 0: a file that changed on disk may hold other records than were counted.
    fn sub_assign(&mut self, other: Self) {
        self.blocked = self.blocked.saturating_sub(other.blocked);
        self.monitored = self.monitored.saturating_sub(other.monitored);
        self.responses = self.responses.saturating_sub(other.responses);
        self.not_inspected = self.not_inspected.saturating_sub(other.not_inspected);
        self.coverage = self.coverage.saturating_sub(other.coverage);
    }
}
