//! The one place where this program asks for the time.

use handfast::Timestamp;

pub(crate) fn now() -> Timestamp {
    Timestamp::new(chrono::Utc::now())
}
