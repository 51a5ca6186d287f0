//! When to ask again.

use rand_core::CryptoRng;

use crate::{limits, time::Timestamp};

/// How often providers are asked. Every delay is shortened at random by up to half, so that a fleet that has booted at
/// once does not ask at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Seconds after the first failure; it doubles with each further one.
    pub first_seconds: u32,
    /// Most seconds between two attempts.
    pub max_seconds: u32,
    /// Seconds after which a secret that is there is looked at again.
    pub refresh_seconds: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            first_seconds: limits::TEMPLATE_BACKOFF_FIRST_SECONDS,
            max_seconds: limits::TEMPLATE_BACKOFF_MAX_SECONDS,
            refresh_seconds: limits::TEMPLATE_REFRESH_SECONDS,
        }
    }
}

impl Schedule {
    /// After this many failures in a row; the first is 1.
    pub(super) fn retry<R: CryptoRng + ?Sized>(
        self,
        failures: u32,
        now: Timestamp,
        rng: &mut R,
    ) -> Timestamp {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        later(now, self.first_seconds.max(1).saturating_mul(doubled).min(self.max_seconds.max(1)), rng)
    }

    /// After a success.
    pub(super) fn refresh<R: CryptoRng + ?Sized>(self, now: Timestamp, rng: &mut R) -> Timestamp {
        later(now, self.refresh_seconds.max(1), rng)
    }
}

/// Later by half of the delay, and by a uniform part of the other half.
fn later<R: CryptoRng + ?Sized>(now: Timestamp, seconds: u32, rng: &mut R) -> Timestamp {
    let half = u64::from(seconds).saturating_mul(500);
    let part = half.saturating_mul(u64::from(rng.next_u32())) >> 32;
    let millis = i64::try_from(half.saturating_add(part)).unwrap_or(i64::MAX);
    let at = Timestamp::from_unix_millis(now.unix_millis().saturating_add(millis));
    at.unwrap_or_else(|| now.plus_seconds(seconds))
}
