//! The store in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use handfast::{
    crypto::default_backend,
    ledger,
    record::{Key, Versioned},
    vocabulary::{Commit, Event, EventRow, NoticeRow, WriteRow},
};
use pyo3::{prelude::*, types::PyList};
use serde::Serialize;

use crate::{command, convert, error::Raise, registrar::Registrar, rows, system};

/// A store in memory: fast, with snapshots, lost with the process. Give it to `handfast.run` like any other store.
///
/// `recording=True` also keeps every event. Safe to share between threads.
#[pyclass(frozen, module = "handfast")]
pub(crate) struct Ledger(Mutex<ledger::Ledger>);

#[pymethods]
impl Ledger {
    #[new]
    #[pyo3(signature = (*, recording=false))]
    fn new(recording: bool) -> Self {
        Self::from(if recording { ledger::Ledger::recording() } else { ledger::Ledger::new() })
    }

    /// Decide a command on this ledger, commit it, and give the answer.
    #[pyo3(signature = (registrar, command, *, now=None, trusted_clock=true))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        registrar: &Registrar,
        command: &Bound<'py, PyAny>,
        now: Option<&Bound<'py, PyAny>>,
        trusted_clock: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let command = command::read(command)?;
        let now = system::now(now, trusted_clock)?;
        let mut entropy = system::entropy()?;
        let answer = self.lock().run(registrar.registrar(), &command, now, &mut entropy);
        let (answer, secrets) = answer.map_err(Raise::raise)?.into_parts();
        convert::to_python(py, &answer, &secrets)
    }

    /// The rows that exist of these keys.
    fn read<'py>(&self, py: Python<'py>, keys: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let keys = rows::keys(keys)?;
        let found = self.lock().read(&keys);
        rows::write(py, &found)
    }

    /// The keys of records about which something is due by `now`, the most urgent first.
    #[pyo3(signature = (now=None, limit=100))]
    fn due(&self, now: Option<&Bound<'_, PyAny>>, limit: usize) -> PyResult<Vec<String>> {
        let now = system::instant("now", now)?;
        Ok(self.lock().due(now, limit).iter().map(ToString::to_string).collect())
    }

    /// When something is due next, or `None`: a host may sleep until then.
    fn next_wake(&self) -> Option<String> {
        self.lock().next_wake().map(|at| at.to_string())
    }

    /// All records, or those of one type (`package`, `name`, `subject`, `node`, `instance`), in the order of their keys.
    #[pyo3(signature = (record=None))]
    fn records<'py>(&self, py: Python<'py>, record: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let row = |(key, versioned): (&Key, Versioned)| WriteRow {
            key: key.to_string(),
            version: versioned.version,
            body: versioned.body(),
            index: versioned.record.index(),
        };
        let wanted = |row: &WriteRow| record.is_none_or(|record| row.index.record == record);
        let records: Vec<_> = self.lock().iter().map(row).filter(wanted).collect();
        to_python(py, &records)
    }

    /// The history, oldest first; empty unless the ledger is recording.
    fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let ledger = self.lock();
        let row = |event: &Event| EventRow {
            key: event.key.to_string(),
            version: event.version,
            at: event.at,
            fact: event.fact.name(),
            scope: ledger.get(&event.key).and_then(|record| record.index().scope),
            body: event.body(),
        };
        let events: Vec<_> = ledger.events().iter().map(row).collect();
        drop(ledger);
        to_python(py, &events)
    }

    /// The refusals, counted: `{"count": n, "notice": {"coalesce": .., "at": .., "body": ..}}` each.
    fn notices<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let row = |counted: &ledger::CountedNotice| CountedRow {
            count: counted.count,
            notice: NoticeRow {
                coalesce: counted.first.coalesce(),
                at: counted.first.at,
                body: counted.first.body(),
            },
        };
        let notices: Vec<_> = self.lock().notices().map(row).collect();
        to_python(py, &notices)
    }

    /// All records and sealed secrets as text. The history and the notices are logs, and not in it.
    fn snapshot(&self) -> String {
        self.lock().snapshot()
    }

    /// A ledger as `snapshot` wrote it.
    #[staticmethod]
    fn restore(snapshot: &str) -> PyResult<Self> {
        ledger::Ledger::restore(snapshot).map(Self::from).map_err(Raise::raise)
    }

    /// A ledger folded from a history, oldest first: rows of events, or their bodies. The records come out bit for bit;
    /// the vault stays empty, because a history holds no secrets.
    #[staticmethod]
    fn replay(events: &Bound<'_, PyAny>) -> PyResult<Self> {
        let bodies = events.try_iter()?.map(|event| rows::body(&event?)).collect::<PyResult<Vec<_>>>()?;
        ledger::Ledger::replay(bodies, &*default_backend()).map(Self::from).map_err(Raise::raise)
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.Ledger>"
    }
}

impl From<ledger::Ledger> for Ledger {
    fn from(ledger: ledger::Ledger) -> Self {
        Self(Mutex::new(ledger))
    }
}

impl Ledger {
    /// Commits, for the conformance suite.
    pub(crate) fn commit(&self, commit: &Commit) -> bool {
        self.lock().commit(commit)
    }

    fn lock(&self) -> MutexGuard<'_, ledger::Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
struct CountedRow {
    count: u64,
    notice: NoticeRow,
}

fn to_python<'py>(py: Python<'py>, rows: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    convert::to_python(py, &serde_json::to_value(rows).unwrap_or_default(), &[])
}
