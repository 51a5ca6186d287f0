//! Time as it is given, and the system's entropy: a binding is the only place that takes it.

use handfast::time::{Now, Timestamp};
use napi_derive::napi;
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};

use crate::error::{Result, invalid, no_entropy};

/// An instant as handfast writes it: RFC 3339 in UTC with three decimals and `Z`, so that it sorts as text.
#[napi]
pub fn timestamp(millis: i64) -> Result<String> {
    instant(millis, "at").map(|at| at.to_string())
}

/// Milliseconds since 1970 of an instant in RFC 3339.
#[napi]
pub fn millis(text: String, argument: String) -> Result<i64> {
    let at = text.parse::<Timestamp>().map_err(|_| invalid(&argument, "expected an RFC 3339 time"))?;
    Ok(at.unix_millis())
}

/// The argument `now`, in milliseconds since 1970.
pub(crate) fn now(millis: i64, trusted: bool) -> Result<Now> {
    Ok(Now { at: instant(millis, "now")?, trusted })
}

/// An instant in milliseconds since 1970.
pub(crate) fn instant(millis: i64, argument: &str) -> Result<Timestamp> {
    Timestamp::from_unix_millis(millis)
        .ok_or_else(|| invalid(argument, "expected a time within the calendar"))
}

/// A generator seeded from the system for one call.
pub(crate) fn entropy() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(|error| no_entropy(&error))
}
