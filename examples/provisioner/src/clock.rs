//! The host's clock: the one place that reads it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::Utc;
use handfast::time::{Now, Timestamp};

/// A clock. handfast itself reads none.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The system's.
    System,
    /// One that was set once and goes on from there. Where several hosts share a database, it is set by that database's
    /// clock, and again now and then ([`Clock::set`]): they agree to within the way to the database, whatever the
    /// clocks of their own machines say.
    Set(Arc<Mutex<(Timestamp, Instant)>>),
}

impl Clock {
    /// A clock that shows `at` now and goes on from there.
    pub(crate) fn starting_at(at: Timestamp) -> Self {
        Self::Set(Arc::new(Mutex::new((at, Instant::now()))))
    }

    /// Sets it: it was `at` at some moment since `asked`, most likely in the middle.
    pub(crate) fn set(&self, at: Timestamp, asked: Instant) {
        match self {
            Self::System => {}
            Self::Set(base) => {
                let half_the_way = asked.elapsed() / 2;
                *base.lock().unwrap_or_else(PoisonError::into_inner) = (at, asked + half_the_way);
            }
        }
    }

    /// The present. It is vouched for: run a time daemon, here or where the database is.
    pub(crate) fn now(&self) -> Now {
        Now::trusted(match self {
            Self::System => Timestamp::new(Utc::now()),
            Self::Set(base) => {
                let (at, since) = *base.lock().unwrap_or_else(PoisonError::into_inner);
                later(at, since.elapsed())
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_goes_on_and_can_be_set_again() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let clock = Clock::starting_at(at("2026-01-01T00:00:00Z"));
        assert!(clock.until(at("2026-01-01T00:01:00Z")) > Duration::from_secs(30));
        clock.clone().set(at("2026-01-01T01:00:00Z"), Instant::now());
        assert_eq!(clock.until(at("2026-01-01T00:01:00Z")), Duration::ZERO);
        assert!(clock.now().at >= at("2026-01-01T01:00:00Z"));
    }
}
