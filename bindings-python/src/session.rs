//! The loop around a decision, for drivers of any kind of store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use handfast::registrar::{self, Step};
use pyo3::{
    prelude::*,
    types::{PyDict, PyList},
};

use crate::{convert, error::Raise, rows, system};

/// One command on its way through a store. `handfast.run` and `handfast.run_async` drive it; write a driver of your own
/// for a store that neither fits:
///
/// ```text
/// while True:
///     step = session.next()
///     if step["type"] == "load":
///         session.loaded(store.read(step["keys"]))
///     elif step["type"] == "commit":
///         session.committed(store.commit(step["batch"]))
///     else:
///         return step["answer"]
/// ```
#[pyclass(frozen, module = "handfast")]
pub(crate) struct Session(Mutex<registrar::Session>);

impl Session {
    pub(crate) fn new(session: registrar::Session) -> Self {
        Self(Mutex::new(session))
    }

    fn lock(&self) -> MutexGuard<'_, registrar::Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Session {
    /// Go on until something has to be done outside, and say what.
    ///
    /// `{"type": "load", "keys": [..]}`: read these rows, then call `loaded`. `{"type": "commit", "batch": {..}}`: commit
    /// this in one transaction, then call `committed`. `{"type": "answer", "answer": {..}}`: it is over.
    ///
    /// `now` is an aware datetime or RFC 3339 text; the system's clock when left out.
    #[pyo3(signature = (now=None, trusted_clock=true))]
    fn next<'py>(
        &self,
        py: Python<'py>,
        now: Option<&Bound<'py, PyAny>>,
        trusted_clock: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let now = system::now(now, trusted_clock)?;
        let step = self.lock().next(now, &mut system::entropy()?).map_err(Raise::raise)?;
        let dict = PyDict::new(py);
        match step {
            Step::Load(keys) => {
                dict.set_item("type", "load")?;
                dict.set_item("keys", PyList::new(py, keys.iter().map(ToString::to_string))?)?;
            }
            Step::Commit(commit) => {
                let batch = serde_json::to_value(commit.batch()).unwrap_or_default();
                dict.set_item("type", "commit")?;
                dict.set_item("batch", convert::to_python(py, &batch, &[])?)?;
            }
            Step::Answer(answer) => {
                let (answer, secrets) = answer.into_parts();
                dict.set_item("type", "answer")?;
                dict.set_item("answer", convert::to_python(py, &answer, &secrets)?)?;
            }
        }
        Ok(dict)
    }

    /// Give the rows that were asked for; a key without a row is absent.
    fn loaded(&self, rows: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lock().loaded(rows::read(rows)?).map_err(Raise::raise)
    }

    /// Say whether the commit is durable (`True`), or a guard did not hold and nothing was changed (`False`).
    fn committed(&self, held: bool) -> PyResult<()> {
        self.lock().committed(held).map_err(Raise::raise)
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.Session>"
    }
}
