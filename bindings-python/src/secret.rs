//! A secret text on Python's side.

use handfast::secret;
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyString};

use crate::error::invalid;

/// A secret text that does not show itself: not in `repr`, `str`, a log, a traceback, JSON or a pickle.
///
/// `expose()` is the one way out, and easy to search for. Two secrets compare in constant time; a secret is never
/// equal to a plain text, and cannot be a key of a dict.
#[pyclass(frozen, module = "handfast")]
pub(crate) struct Secret(secret::Secret);

impl From<secret::Secret> for Secret {
    fn from(secret: secret::Secret) -> Self {
        Self(secret)
    }
}

impl Secret {
    pub(crate) fn expose_text(&self) -> &str {
        self.0.expose()
    }
}

/// What an argument says that is a text or a `Secret`.
pub(crate) fn exposed<'a>(value: &'a Bound<'_, PyAny>, argument: &str) -> PyResult<&'a str> {
    match value.cast::<Secret>() {
        Ok(secret) => Ok(secret.get().expose_text()),
        Err(_) => {
            value.cast::<PyString>().map_err(|_| invalid(argument, "expected a text or a Secret"))?.to_str()
        }
    }
}

/// The same, as a secret of the core.
pub(crate) fn owned(value: &Bound<'_, PyAny>, argument: &str) -> PyResult<secret::Secret> {
    exposed(value, argument).map(|text| secret::Secret::new(text.to_owned()))
}

#[pymethods]
impl Secret {
    /// Wrap a text. The caller's own copy of it remains the caller's concern.
    #[new]
    #[pyo3(signature = (text, /))]
    fn new(text: String) -> Self {
        Self(secret::Secret::new(text))
    }

    /// The text itself. Each call is a place where it may leak: hand it to its consumer and to nothing else.
    fn expose(&self) -> &str {
        self.0.expose()
    }

    fn __repr__(&self) -> &'static str {
        "Secret([redacted])"
    }

    fn __str__(&self) -> &'static str {
        "[redacted]"
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __copy__<'py>(this: &Bound<'py, Self>) -> Bound<'py, Self> {
        this.clone()
    }

    fn __deepcopy__<'py>(this: &Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        this.clone()
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a Secret cannot be pickled"))
    }
}
