//! The conformance suite for stores, step by step.

use std::sync::{Mutex, MutexGuard, PoisonError};

use handfast::{
    testing::{self, Step},
    vocabulary::Error,
};
use pyo3::{
    prelude::*,
    types::{PyDict, PyList},
};

use crate::{convert, error::Raise, ledger::Ledger, rows};

/// The conformance suite as a machine that asks for one thing after the other. `handfast.testing.check_store` drives it.
#[pyclass(frozen, module = "handfast.testing")]
pub(crate) struct Conformance(Mutex<testing::Conformance>);

impl Conformance {
    fn lock(&self) -> MutexGuard<'_, testing::Conformance> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Conformance {
    /// The suite with these dice, and only the stories of these names, where names are given.
    #[new]
    #[pyo3(signature = (*, seed=1, stories=None))]
    fn new(seed: u64, stories: Option<Vec<String>>) -> Self {
        let suite = testing::Conformance::with_seed(seed);
        let names = stories.as_ref().map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
        Self(Mutex::new(match names {
            Some(names) => suite.only(&names),
            None => suite,
        }))
    }

    /// Say what is to be done next; the same again until it has been answered.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let step = self.lock().next();
        let dict = PyDict::new(py);
        dict.set_item("type", name(&step))?;
        match step {
            Step::Fresh | Step::Reopen => {}
            Step::Read(keys) => {
                dict.set_item("keys", PyList::new(py, keys.iter().map(ToString::to_string))?)?;
            }
            Step::Commit(commit) => {
                let batch = serde_json::to_value(commit.batch()).unwrap_or_default();
                dict.set_item("batch", convert::to_python(py, &batch, &[])?)?;
            }
            Step::Due { now, limit } => {
                dict.set_item("now", now.to_string())?;
                dict.set_item("limit", limit)?;
            }
            Step::Events(key) => dict.set_item("key", key.to_string())?,
            Step::Done(report) => {
                let (passed, text) = (report.passed(), report.to_string());
                let report = serde_json::to_value(&report).unwrap_or_default();
                dict.set_item("report", convert::to_python(py, &report, &[])?)?;
                dict.set_item("passed", passed)?;
                dict.set_item("text", text)?;
            }
        }
        Ok(dict)
    }

    /// Answer `fresh` and `reopen`: it is done.
    fn ready(&self) -> PyResult<()> {
        self.lock().ready().map_err(Raise::raise)
    }

    /// Answer `read`.
    fn rows(&self, rows: &Bound<'_, PyAny>) -> PyResult<()> {
        let rows = rows::read(rows)?;
        self.lock().rows(rows).map_err(Raise::raise)
    }

    /// Answer `commit`.
    fn held(&self, held: bool) -> PyResult<()> {
        self.lock().held(held).map_err(Raise::raise)
    }

    /// Carry out `commit` on a `Ledger`, which takes no batches, and answer it.
    fn commit_to(&self, py: Python<'_>, ledger: &Ledger) -> PyResult<()> {
        let mut suite = self.lock();
        let Step::Commit(commit) = suite.next() else {
            return Err(Raise::raise(Error::Misuse("the conformance suite asked for something else")));
        };
        suite.held(ledger.commit(py, &commit)?).map_err(Raise::raise)
    }

    /// Answer `due`.
    fn keys(&self, keys: &Bound<'_, PyAny>) -> PyResult<()> {
        let keys = rows::keys(keys)?;
        self.lock().keys(keys).map_err(Raise::raise)
    }

    /// Answer `events`, with the bodies.
    fn events(&self, bodies: Vec<String>) -> PyResult<()> {
        self.lock().events(bodies).map_err(Raise::raise)
    }

    /// Answer `reopen` and `events`: the store cannot do that.
    fn unable(&self) -> PyResult<()> {
        self.lock().unable().map_err(Raise::raise)
    }

    /// Answer any step: the store raised this.
    fn failed(&self, text: &str) {
        self.lock().failed(text);
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.testing.Conformance>"
    }
}

fn name(step: &Step) -> &'static str {
    match step {
        Step::Fresh => "fresh",
        Step::Read(_) => "read",
        Step::Commit(_) => "commit",
        Step::Due { .. } => "due",
        Step::Reopen => "reopen",
        Step::Events(_) => "events",
        Step::Done(_) => "done",
    }
}
