//! Time as it is given, and the system's entropy: a binding is the only place that takes it.

use handfast::time::{Now, Timestamp};
use napi::Either;
use napi_derive::napi;
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};

use crate::error::{Result, invalid, no_entropy};

/// Milliseconds since 1970, or RFC 3339.
pub(crate) type Instant = Either<i64, String>;

/// An instant as handfast writes it: RFC 3339 in UTC with three decimals and `Z`, so that it sorts as text.
#[napi]
pub fn timestamp(at: Instant) -> Result<String> {
    instant(&at, "at").map(|at| at.to_string())
}

/// The argument `now`.
pub(crate) fn now(at: &Instant, trusted: bool) -> Result<Now> {
    Ok(Now { at: instant(at, "now")?, trusted })
}

/// Reads an instant.
pub(crate) fn instant(at: &Instant, argument: &str) -> Result<Timestamp> {
    let read = match at {
        Either::A(millis) => Timestamp::from_unix_millis(*millis),
        Either::B(text) => text.parse().ok(),
    };
    read.ok_or_else(|| invalid(argument, "expected an RFC 3339 time"))
}

/// A generator seeded from the system for one call.
pub(crate) fn entropy() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(|error| no_entropy(&error))
}
