//! The clock, passed in so that tests can set the time.

use jiff::Timestamp;

#[derive(Debug, Clone, Copy)]
pub enum Clock {
    System,
    /// A fixed time.
    At(Timestamp),
}

impl Clock {
    /// The time in milliseconds, which the databases store: the response to a creation shows the
    /// stored time.
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => {
                let now = Timestamp::now();
                Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
            }
            Self::At(time) => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_time_has_milliseconds() {
        assert_eq!(Clock::System.now().as_nanosecond() % 1_000_000, 0);
    }
}
