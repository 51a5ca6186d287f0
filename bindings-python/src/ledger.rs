//! The store in memory.

use std::sync::{Mutex, MutexGuard};

use handfast::{
    crypto::default_backend,
    ledger,
    ledger::Filter,
    record::{Key, Versioned},
    vocabulary::{Commit, Event, EventRow, NoticeRow, WriteRow},
};
use pyo3::{prelude::*, types::PyList};
use serde::Serialize;

use crate::{command, convert, error::Raise, lists, registrar::Registrar, rows, session, system};

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
        let answer = self.lock(py)?.run(registrar.registrar(), &command, now, &mut entropy);
        session::to_python(py, answer.map_err(Raise::raise)?)
    }

    /// Decide several commands on this ledger and commit them together; see `handfast.run_all`.
    #[pyo3(signature = (registrar, commands, *, now=None, trusted_clock=true))]
    fn run_all<'py>(
        &self,
        py: Python<'py>,
        registrar: &Registrar,
        commands: &Bound<'py, PyAny>,
        now: Option<&Bound<'py, PyAny>>,
        trusted_clock: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let (commands, unreadable) = command::read_all(commands)?;
        let now = system::now(now, trusted_clock)?;
        let mut entropy = system::entropy()?;
        let answers = self.lock(py)?.run_all(registrar.registrar(), &commands, now, &mut entropy);
        session::each_to_python(py, answers.map_err(Raise::raise)?, &unreadable)
    }

    /// Seal anew what is not sealed under the current key; see `handfast.reseal`.
    fn reseal(&self, py: Python<'_>, registrar: &Registrar) -> PyResult<usize> {
        let mut entropy = system::entropy()?;
        self.lock(py)?.reseal_all(registrar.registrar(), &mut entropy).map_err(Raise::raise)
    }

    /// The rows that exist of these keys.
    fn read<'py>(&self, py: Python<'py>, keys: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let keys = rows::keys(keys)?;
        let found = self.lock(py)?.read(&keys);
        rows::write(py, &found)
    }

    /// The keys of records about which something is due by `now`, the most urgent first.
    #[pyo3(signature = (now=None, limit=100))]
    fn due(&self, py: Python<'_>, now: Option<&Bound<'_, PyAny>>, limit: usize) -> PyResult<Vec<String>> {
        let now = system::instant("now", now)?;
        Ok(self.lock(py)?.due(now, limit).iter().map(ToString::to_string).collect())
    }

    /// When something is due next, or `None`: a host may sleep until then.
    fn next_wake(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.lock(py)?.next_wake().map(|at| at.to_string()))
    }

    /// All records, or those of one type (`scope`, `pool`, `package`, `name`, `subject`, `node`, `instance`, `forgotten`), in
    /// the order of their keys.
    #[pyo3(signature = (record=None))]
    fn records<'py>(&self, py: Python<'py>, record: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let row = |(key, versioned): (&Key, Versioned)| lists::row(key, &versioned);
        let wanted = |row: &WriteRow| record.is_none_or(|record| row.index.record == record);
        let records: Vec<_> = self.lock(py)?.iter().map(row).filter(wanted).collect();
        to_python(py, &records)
    }

    /// A page of packages, the latest first; with a `name_prefix`, in the order of names. All that is given must hold; a
    /// `label` is a key, or `key=value`. `after` the `next` of one page gives the next page; it may be shorter than
    /// `limit` and not be the last: that is where `next` is `None`.
    #[pyo3(signature = (
        *, scope=None, status=None, kind=None, label=None, parent=None, name_prefix=None, after=None, limit=100
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn packages<'py>(
        &self,
        py: Python<'py>,
        scope: Option<&str>,
        status: Option<&str>,
        kind: Option<&str>,
        label: Option<&str>,
        parent: Option<&str>,
        name_prefix: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let filter = Filter {
            scope: lists::parsed(scope, "scope")?,
            status: lists::status(status)?,
            kind: lists::parsed(kind, "kind")?,
            label: lists::parsed(label, "label")?,
            parent: lists::parsed(parent, "parent")?,
            name_prefix: lists::parsed(name_prefix, "name_prefix")?,
        };
        let page = self.lock(py)?.packages(&filter, lists::parsed(after, "after")?.as_ref(), limit);
        to_python(py, &lists::page(&page.map_err(Raise::raise)?))
    }

    /// A page of a package's nodes, in the order of their ids: also of a package that does not list them.
    #[pyo3(signature = (package, *, after=None, limit=100))]
    fn nodes<'py>(
        &self,
        py: Python<'py>,
        package: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let package = lists::one(package, "package")?;
        let page = self.lock(py)?.nodes(package, lists::parsed(after, "after")?.as_ref(), limit);
        to_python(py, &lists::page(&page.map_err(Raise::raise)?))
    }

    /// How the subjects of a scope stand that have changed since `after`, the `next` of an earlier call; from the start,
    /// those that are active. So a host keeps an allow-list in step. `restart` says to forget what is on it first.
    #[pyo3(signature = (scope, *, after=None, limit=100))]
    fn subjects<'py>(
        &self,
        py: Python<'py>,
        scope: &str,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let after = lists::parsed(after, "after")?.unwrap_or_default();
        let changes = self.lock(py)?.subjects(&lists::one(scope, "scope")?, after, limit);
        to_python(py, &changes)
    }

    /// The history, oldest first; empty unless the ledger is recording.
    fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let ledger = self.lock(py)?;
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
        let notices: Vec<_> = self.lock(py)?.notices().map(row).collect();
        to_python(py, &notices)
    }

    /// All records and sealed secrets as text. The history and the notices are logs, and not in it.
    fn snapshot(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.lock(py)?.snapshot())
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
    pub(crate) fn commit(&self, py: Python<'_>, commit: &Commit) -> PyResult<bool> {
        Ok(self.lock(py)?.commit(commit))
    }

    fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, ledger::Ledger>> {
        session::lock(&self.0, py)
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
