//! The system's clock and entropy, for callers who bring none. Nowhere else are they read.

use std::time::SystemTime;

use handfast::time::{Now, Timestamp};
use pyo3::{exceptions::PyOSError, prelude::*, types::PyString};
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};
use serde_json::Value;

use crate::{convert, error::invalid};

/// An instant as handfast writes it: RFC 3339 in UTC with three decimals and `Z`, so that it sorts as text.
///
/// Takes an aware `datetime`, RFC 3339 text, or nothing for the system's clock.
#[pyfunction]
#[pyo3(signature = (at=None))]
pub(crate) fn timestamp(at: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
    instant("at", at).map(|at| at.to_string())
}

/// The argument `now`: an instant, or the system's clock.
pub(crate) fn now(at: Option<&Bound<'_, PyAny>>, trusted: bool) -> PyResult<Now> {
    Ok(Now { at: instant("now", at)?, trusted })
}

/// An instant that was given, or the system's clock.
pub(crate) fn instant(argument: &str, at: Option<&Bound<'_, PyAny>>) -> PyResult<Timestamp> {
    let Some(at) = at.filter(|at| !at.is_none()) else { return clock() };
    let expected = || invalid(argument, "expected an aware datetime or RFC 3339 text");
    match at.cast::<PyString>() {
        Ok(text) => text.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(expected),
        Err(_) => match convert::to_value(at)? {
            Value::String(text) => text.parse().map_err(|_| expected()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(expected())
            }
        },
    }
}

/// A generator seeded from the system for one call.
pub(crate) fn entropy() -> PyResult<StdRng> {
    StdRng::try_from_rng(&mut SysRng)
        .map_err(|error| PyOSError::new_err(format!("the system gives no entropy: {error}")))
}

#[expect(clippy::disallowed_methods, reason = "a binding may read the clock where the caller gives no time")]
fn clock() -> PyResult<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since.ok().and_then(|since| i64::try_from(since.as_millis()).ok());
    millis
        .and_then(Timestamp::from_unix_millis)
        .ok_or_else(|| PyOSError::new_err("the system's clock is outside the calendar"))
}
