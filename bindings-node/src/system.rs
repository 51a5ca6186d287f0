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
pub fn timestamp(at: String) -> Result<String> {
    instant(&at, "at").map(|at| at.to_string())
}

/// The argument `now`.
pub(crate) fn now(at: &str, trusted: bool) -> Result<Now> {
    Ok(Now { at: instant(at, "now")?, trusted })
}

/// An instant in RFC 3339.
pub(crate) fn instant(at: &str, argument: &str) -> Result<Timestamp> {
    at.parse().map_err(|_| invalid(argument, "expected an RFC 3339 time"))
}

/// A generator seeded from the system for one call.
pub(crate) fn entropy() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(|error| no_entropy(&error))
}
