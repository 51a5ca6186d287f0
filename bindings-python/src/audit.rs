//! The audit: chains of facts, CloudEvents, counts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use handfast::{
    audit::{self, CloudEvent, Head, Root},
    crypto::default_backend,
    vocabulary::{Error, from_value},
};
use pyo3::{prelude::*, types::PyDict};
use serde::Serialize;

use crate::{
    convert,
    error::{Raise, invalid},
    rows,
};

/// Checks that a log is what was written: feed it the events in the order of the log, rows or bodies as they are stored.
///
/// `checkpoints` are heads from which the log goes on after older facts were forgotten; `expect` are heads, published
/// earlier, that it must lead through. Safe to share between threads.
#[pyclass(frozen, module = "handfast.audit")]
pub(crate) struct Chain(Mutex<audit::Chain>);

#[pymethods]
impl Chain {
    #[new]
    #[pyo3(signature = (*, checkpoints=None, expect=None))]
    fn new(checkpoints: Option<&Bound<'_, PyAny>>, expect: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut chain = audit::Chain::resume(default_backend(), heads(checkpoints, "checkpoints")?);
        chain.expect(heads(expect, "expect")?);
        Ok(Self(Mutex::new(chain)))
    }

    /// Take the next event. Raises `AuditError` where the log is not whole, and can go on from there.
    #[pyo3(signature = (row_or_body, /))]
    fn feed(&self, row_or_body: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lock().feed(&rows::body(row_or_body)?).map_err(Raise::raise)
    }

    /// Which of the expected heads the log has contradicted or never reached; empty when it led through all of them.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let breaks = self.lock().finish();
        to_python(py, &breaks)
    }

    /// Where the chains end now: the checkpoints for what comes later, and what `root` is computed over.
    fn heads<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let heads: Vec<_> = self.lock().heads().collect();
        to_python(py, &heads)
    }

    /// How many events were fed.
    #[getter]
    fn fed(&self) -> u64 {
        self.lock().fed()
    }

    /// How many of them stand unlinked behind another, as those of schema 1 do: they can be altered without a trace.
    #[getter]
    fn unlinked(&self) -> u64 {
        self.lock().unlinked()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.audit.Chain after {} events>", self.lock().fed())
    }
}

impl Chain {
    fn lock(&self) -> MutexGuard<'_, audit::Chain> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head that a record has with this event, a row or its body, as its last one.
#[pyfunction]
#[pyo3(signature = (row_or_body, /))]
pub(crate) fn head<'py>(py: Python<'py>, row_or_body: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let head = Head::of(&rows::body(row_or_body)?, &*default_backend()).map_err(Raise::raise)?;
    to_python(py, &head)
}

/// One line about any number of heads, to be published where whoever keeps the log cannot write:
/// `handfast-audit-1 <records> <facts> <digest>`.
#[pyfunction]
#[pyo3(signature = (heads, /))]
pub(crate) fn root(heads: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(Root::over(self::heads(Some(heads), "heads")?, &*default_backend()).to_string())
}

/// An event, a row or its body, as a CloudEvent 1.0 in the JSON format, from `source`, a URI reference.
#[pyfunction]
#[pyo3(signature = (row_or_body, /, *, source))]
pub(crate) fn cloud_event<'py>(
    py: Python<'py>,
    row_or_body: &Bound<'py, PyAny>,
    source: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let event = CloudEvent::of_event(&rows::body(row_or_body)?, parse_source(source)?);
    to_python(py, &event.map_err(Raise::raise)?)
}

/// A refusal, the row of a notice, as a CloudEvent 1.0 in the JSON format, from `source`, a URI reference.
#[pyfunction]
#[pyo3(signature = (notice, /, *, source))]
pub(crate) fn cloud_event_of_notice<'py>(
    py: Python<'py>,
    notice: &Bound<'py, PyDict>,
    source: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let coalesce = notice.get_item("coalesce")?.and_then(|key| key.extract::<String>().ok());
    let coalesce = coalesce.ok_or_else(|| invalid("coalesce", "expected the row of a notice"))?;
    let event = CloudEvent::of_notice(&coalesce, &rows::body(notice)?, parse_source(source)?);
    to_python(py, &event.map_err(Raise::raise)?)
}

/// Packages by scope and month, and how long they took to be in use.
///
/// Give it each event once, in any order; tallies of different parts of a log merge into that of the log. Safe to share
/// between threads.
#[pyclass(frozen, module = "handfast.audit")]
pub(crate) struct Tally(Mutex<audit::Tally>);

#[pymethods]
impl Tally {
    #[new]
    fn new() -> Self {
        Self(Mutex::default())
    }

    /// What `to_json` wrote.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn from_json(text: &str) -> PyResult<Self> {
        let tally = serde_json::from_str(text).map_err(|error| Error::CorruptRecord(error.to_string()));
        Ok(Self(Mutex::new(tally.map_err(Raise::raise)?)))
    }

    /// All that it holds, to be stored.
    fn to_json(&self) -> String {
        serde_json::to_string(&*self.lock()).unwrap_or_default()
    }

    /// Take in an event, a row or its body, of whatever record.
    #[pyo3(signature = (row_or_body, /))]
    fn add(&self, row_or_body: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lock().add(&rows::body(row_or_body)?).map_err(Raise::raise)
    }

    /// Take in what another tally has of another part of the log.
    #[pyo3(signature = (other, /))]
    fn merge(&self, other: &Self) {
        let other = other.lock().clone();
        self.lock().merge(other);
    }

    /// The counts, in the order of scope and month.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = self.lock().rows();
        to_python(py, &rows)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.audit.Tally with {} packages open>", self.lock().open())
    }
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, audit::Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn heads(heads: Option<&Bound<'_, PyAny>>, argument: &str) -> PyResult<Vec<Head>> {
    match heads.filter(|heads| !heads.is_none()) {
        Some(heads) => from_value(convert::to_value(heads)?, argument).map_err(Raise::raise),
        None => Ok(Vec::new()),
    }
}

fn parse_source(source: &str) -> PyResult<audit::Source> {
    source.parse().map_err(|error: audit::InvalidSource| invalid("source", &error.to_string()))
}

fn to_python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    convert::to_python(py, &serde_json::to_value(value).unwrap_or_default(), &[])
}
