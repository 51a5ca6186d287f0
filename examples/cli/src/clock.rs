//! The one place where this program asks for the time.

use handfast::Timestamp;

pub(crate) fn now() -> Timestamp {
    Timestamp::new(chrono::Utc::now())
}

/// The second that a time is in, as a token has it.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    at.unix_millis().div_euclid(1000)
}

/// The beginning of that second.
pub(crate) fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_millis(seconds(at).saturating_mul(1000)).unwrap_or(at)
}
