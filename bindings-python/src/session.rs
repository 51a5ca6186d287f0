//! The loop around a decision, for drivers of any kind of store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use handfast::{
    registrar::{self, BatchStep, Step},
    vocabulary::{Answer, Commit, Error},
};
use pyo3::{
    prelude::*,
    sync::MutexExt,
    types::{PyDict, PyList},
};

use crate::{command::Unreadable, convert, error::Raise, rows, rule, system};

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

    fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, registrar::Session>> {
        lock(&self.0, py)
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
        let step = self.lock(py)?.next(now, &mut system::entropy()?).map_err(Raise::raise)?;
        match step {
            Step::Load(keys) => load(py, &keys),
            Step::Commit(commit) => commit_step(py, &commit),
            Step::Answer(answer) => named(py, "answer", "answer", to_python(py, answer)?),
        }
    }

    /// Give the rows that were asked for; a key without a row is absent.
    fn loaded(&self, rows: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lock(rows.py())?.loaded(rows::read(rows)?).map_err(Raise::raise)
    }

    /// Say whether the commit is durable (`True`), or a guard did not hold and nothing was changed (`False`).
    fn committed(&self, py: Python<'_>, held: bool) -> PyResult<()> {
        self.lock(py)?.committed(held).map_err(Raise::raise)
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.Session>"
    }
}

/// Several commands on their way through a store, in one commit where that works out. `handfast.run_all` and
/// `handfast.run_all_async` drive it, as they do a `Session`; its end is `{"type": "answers", "answers": [..]}`.
#[pyclass(frozen, module = "handfast")]
pub(crate) struct BatchSession(Mutex<registrar::BatchSession>, Unreadable);

impl BatchSession {
    pub(crate) fn new(session: registrar::BatchSession, unreadable: Unreadable) -> Self {
        Self(Mutex::new(session), unreadable)
    }

    fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, registrar::BatchSession>> {
        lock(&self.0, py)
    }
}

#[pymethods]
impl BatchSession {
    /// Go on until something has to be done outside, and say what; as `Session.next`.
    #[pyo3(signature = (now=None, trusted_clock=true))]
    fn next<'py>(
        &self,
        py: Python<'py>,
        now: Option<&Bound<'py, PyAny>>,
        trusted_clock: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let now = system::now(now, trusted_clock)?;
        let step = self.lock(py)?.next(now, &mut system::entropy()?).map_err(Raise::raise)?;
        match step {
            BatchStep::Load(keys) => load(py, &keys),
            BatchStep::Commit(commit) => commit_step(py, &commit),
            BatchStep::Answers(answers) => {
                named(py, "answers", "answers", each_to_python(py, answers, &self.1)?.into_any())
            }
        }
    }

    /// Give the rows that were asked for; a key without a row is absent.
    fn loaded(&self, rows: &Bound<'_, PyAny>) -> PyResult<()> {
        self.lock(rows.py())?.loaded(rows::read(rows)?).map_err(Raise::raise)
    }

    /// Say whether the commit is durable (`True`), or a guard did not hold and nothing was changed (`False`).
    fn committed(&self, py: Python<'_>, held: bool) -> PyResult<()> {
        self.lock(py)?.committed(held).map_err(Raise::raise)
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.BatchSession>"
    }
}

/// Waits for its turn without keeping other threads from theirs: who has it may be asking a rule in Python.
pub(crate) fn lock<'a, T>(mutex: &'a Mutex<T>, py: Python<'_>) -> PyResult<MutexGuard<'a, T>> {
    rule::check_not_within()?;
    Ok(mutex.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner))
}

fn load<'py>(py: Python<'py>, keys: &[handfast::record::Key]) -> PyResult<Bound<'py, PyDict>> {
    let keys = PyList::new(py, keys.iter().map(ToString::to_string))?;
    named(py, "load", "keys", keys.into_any())
}

fn commit_step<'py>(py: Python<'py>, commit: &Commit) -> PyResult<Bound<'py, PyDict>> {
    let batch = serde_json::to_value(commit.batch()).unwrap_or_default();
    named(py, "commit", "batch", convert::to_python(py, &batch, &[])?)
}

fn named<'py>(
    py: Python<'py>,
    tag: &str,
    name: &str,
    member: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("type", tag)?;
    dict.set_item(name, member)?;
    Ok(dict)
}

/// An answer, with its secrets.
pub(crate) fn to_python(py: Python<'_>, answer: Answer) -> PyResult<Bound<'_, PyAny>> {
    let (answer, secrets) = answer.into_parts();
    convert::to_python(py, &answer, &secrets)
}

/// The answers to a batch in the order of its commands; what is wrong with one stands in its place.
pub(crate) fn each_to_python<'py>(
    py: Python<'py>,
    answers: Vec<Result<Answer, Error>>,
    unreadable: &Unreadable,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for answer in answers {
        match answer {
            Ok(answer) => list.append(to_python(py, answer)?)?,
            Err(error) => list.append(error.raise().into_value(py))?,
        }
    }
    for (place, error) in unreadable {
        list.insert(*place, error.value(py))?;
    }
    Ok(list)
}
