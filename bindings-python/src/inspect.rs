//! What a pasted text is.

use handfast::inspect as core;
use pyo3::prelude::*;

use crate::{convert, secret::exposed};

/// Say what a text is that somebody has pasted, without its secret. Nothing is verified: this is for diagnosis, and never for a
/// decision.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn inspect<'py>(py: Python<'py>, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let inspected = core::inspect(exposed(text, "text")?);
    convert::to_python(py, &serde_json::to_value(inspected).unwrap_or_default(), &[])
}
