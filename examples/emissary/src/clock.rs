//! A clock that starts at the present and only goes forward.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use handfast::Timestamp;

/// Deadlines and delays are measured on it, so that setting the machine's clock neither hastens nor delays them.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: DateTime<Utc>,
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { wall: Utc::now(), start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::new(self.wall + self.start.elapsed())
    }
}

/// The machine's clock, for the log.
pub(crate) fn wall() -> Timestamp {
    Timestamp::new(Utc::now())
}

/// From one to the other; nothing where the other is not later.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    let millis = to.unix_millis().saturating_sub(from.unix_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
