//! The host's clock: the one place that reads it.

use std::time::{Duration, Instant};

use chrono::Utc;
use handfast::time::{Now, Timestamp};

/// A clock. handfast itself reads none.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Option<(Timestamp, Instant)>);

impl Clock {
    /// The system's clock.
    pub(crate) fn system() -> Self {
        Self(None)
    }

    /// A clock that shows `at` now and goes on from there, for messages recorded in the past.
    pub(crate) fn starting_at(at: Timestamp) -> Self {
        Self(Some((at, Instant::now())))
    }

    /// The present. The system's clock is vouched for: run a time daemon.
    pub(crate) fn now(&self) -> Now {
        Now::trusted(match &self.0 {
            None => Timestamp::new(Utc::now()),
            Some((at, since)) => later(*at, since.elapsed()),
        })
    }

    /// How long it is from now until `at`; nothing when that is past.
    pub(crate) fn until(&self, at: Timestamp) -> Duration {
        let millis = at.unix_millis().saturating_sub(self.now().at.unix_millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

fn later(at: Timestamp, elapsed: Duration) -> Timestamp {
    let millis = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_millis(at.unix_millis().saturating_add(millis)).unwrap_or(at)
}
