//! Templates that need secrets, and the machine that waits for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use handfast::{
    secret,
    template::{self, Need, Reference, Schedule, Step, Supply},
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyList, PyString},
};

use crate::{
    error::{Raise, invalid},
    secret::Secret,
    system,
};

/// A template file, read and checked: where its file goes, what it needs, what runs afterwards. Its text stays inside.
#[pyclass(frozen, module = "handfast.template")]
pub(crate) struct Template(Arc<template::Template>);

#[pymethods]
impl Template {
    /// Read a template file. Raises `TemplateError`.
    #[new]
    #[pyo3(signature = (file, /))]
    fn new(file: &str) -> PyResult<Self> {
        template::Template::parse(file).map(|template| Self(Arc::new(template))).map_err(Raise::raise)
    }

    /// The permission bits of the file.
    #[getter]
    fn mode(&self) -> u32 {
        self.0.mode().bits()
    }

    /// The path of the file.
    #[getter]
    fn dest(&self) -> &str {
        self.0.dest()
    }

    /// The words of the command; none where nothing is to run.
    #[getter]
    fn command(&self) -> Vec<String> {
        self.0.command().to_vec()
    }

    /// The secrets that it needs, each once.
    #[getter]
    fn needs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        write_needs(py, self.0.needs())
    }

    /// Render with one value for each need, in their order: texts or `Secret`s.
    #[pyo3(signature = (values, /))]
    fn render(&self, values: &Bound<'_, PyAny>) -> PyResult<Secret> {
        let values = values.try_iter()?.map(|value| read_secret(&value?, "values"));
        let values = values.collect::<PyResult<Vec<_>>>()?;
        let rendered = self.0.render(&values.iter().collect::<Vec<_>>());
        rendered.map(Secret::from).map_err(Raise::raise)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.template.Template of {}>", self.0.dest())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a Template cannot be pickled"))
    }
}

/// One template on its way: it says which secrets to ask for and when, and what to write and run once all are there.
///
/// Delays are in seconds and drawn with jitter from the system's entropy. Safe to share between threads.
#[pyclass(frozen, module = "handfast.template")]
pub(crate) struct Emissary(Mutex<template::Emissary>);

#[pymethods]
impl Emissary {
    #[new]
    #[pyo3(signature = (template, /, *, first_seconds=None, max_seconds=None, refresh_seconds=None, now=None))]
    fn new(
        template: &Template,
        first_seconds: Option<u32>,
        max_seconds: Option<u32>,
        refresh_seconds: Option<u32>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let default = Schedule::default();
        let schedule = Schedule {
            first_seconds: first_seconds.unwrap_or(default.first_seconds),
            max_seconds: max_seconds.unwrap_or(default.max_seconds),
            refresh_seconds: refresh_seconds.unwrap_or(default.refresh_seconds),
        };
        let now = system::instant("now", now)?;
        Ok(Self(Mutex::new(template::Emissary::new(Arc::clone(&template.0), schedule, now))))
    }

    /// What to do now: a dict of `handfast.template.Step`, whose `type` is `poll`, `write_file`, `run_command`, `wait` or
    /// `failed`.
    #[pyo3(signature = (*, now=None))]
    fn step<'py>(&self, py: Python<'py>, now: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyDict>> {
        let now = system::instant("now", now)?;
        write_step(py, self.lock().step(now))
    }

    /// Give a secret that a provider has answered with.
    #[pyo3(signature = (provider, id, value, *, now=None))]
    fn supply(
        &self,
        provider: &str,
        id: &str,
        value: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.take(provider, id, Supply::Value(read_secret(value, "value")?), now)
    }

    /// Say why there is no secret: `"missing"` (not there, or not yet), `"unavailable"` (the provider could not be asked)
    /// or `"refused"` (it will never be given).
    #[pyo3(signature = (provider, id, failure, *, now=None))]
    fn supply_failed(
        &self,
        provider: &str,
        id: &str,
        failure: &str,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let supply = match failure {
            "missing" => Supply::Missing,
            "unavailable" => Supply::Unavailable,
            "refused" => Supply::Refused,
            _ => return Err(invalid("failure", "expected missing, unavailable or refused")),
        };
        self.take(provider, id, supply, now)
    }

    /// Say whether the file was written, or whether the command ended well. What failed is asked for again, later.
    #[pyo3(signature = (done, *, now=None))]
    fn report(&self, done: bool, now: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let now = system::instant("now", now)?;
        self.lock().report(done, now, &mut system::entropy()?).map_err(Raise::raise)
    }

    /// When the next secret is to be asked for.
    #[getter]
    fn next_poll(&self) -> Option<String> {
        self.lock().next_poll().map(|at| at.to_string())
    }

    /// Whether the file is in place and its command has run, with the latest values.
    #[getter]
    fn settled(&self) -> bool {
        self.lock().is_settled()
    }

    /// The secrets that have no value yet.
    #[getter]
    fn waits_for<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        write_needs(py, self.lock().waits_for())
    }

    fn __repr__(&self) -> String {
        format!("<handfast.template.Emissary of {}>", self.lock().template().dest())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("an Emissary cannot be pickled"))
    }
}

impl Emissary {
    fn lock(&self) -> MutexGuard<'_, template::Emissary> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, provider: &str, id: &str, supply: Supply, now: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let reference = Reference::new(provider, id).map_err(Raise::raise)?;
        let now = system::instant("now", now)?;
        self.lock().supply(&reference, supply, now, &mut system::entropy()?).map_err(Raise::raise)
    }
}

fn write_step<'py>(py: Python<'py>, step: Step<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    match step {
        Step::Poll(due) => {
            dict.set_item("type", "poll")?;
            let due = due.iter().map(|reference| write_reference(py, reference));
            dict.set_item("secrets", due.collect::<PyResult<Vec<_>>>()?)?;
        }
        Step::WriteFile(write) => {
            dict.set_item("type", "write_file")?;
            dict.set_item("path", write.path)?;
            dict.set_item("mode", write.mode.bits())?;
            dict.set_item("content", Bound::new(py, Secret::from(write.content.clone()))?)?;
        }
        Step::RunCommand(run) => {
            dict.set_item("type", "run_command")?;
            dict.set_item("argv", run.argv)?;
            dict.set_item("timeout_seconds", run.timeout_seconds)?;
        }
        Step::Wait(until) => {
            dict.set_item("type", "wait")?;
            dict.set_item("until", until.map(|at| at.to_string()))?;
        }
        Step::Failed(error) => {
            dict.set_item("type", "failed")?;
            dict.set_item("code", error.code().as_str())?;
            dict.set_item("message", error.to_string())?;
        }
    }
    Ok(dict)
}

fn write_needs<'py, 'n>(
    py: Python<'py>,
    needs: impl IntoIterator<Item = &'n Need>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for need in needs {
        let dict = write_reference(py, &need.reference)?;
        dict.set_item("missing", need.missing.as_str())?;
        dict.set_item("deadline_seconds", need.missing.deadline_seconds())?;
        list.append(dict)?;
    }
    Ok(list)
}

fn write_reference<'py>(py: Python<'py>, reference: &Reference) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("provider", reference.provider())?;
    dict.set_item("id", reference.id())?;
    Ok(dict)
}

fn read_secret(value: &Bound<'_, PyAny>, argument: &str) -> PyResult<secret::Secret> {
    let text = match value.cast::<Secret>() {
        Ok(secret) => secret.get().expose_text().to_owned(),
        Err(_) => {
            let text = value.cast::<PyString>();
            text.map_err(|_| invalid(argument, "expected a text or a Secret"))?.to_str()?.to_owned()
        }
    };
    Ok(secret::Secret::new(text))
}

/// Split a command line into words, strictly and without expanding anything. Raises `TemplateError`.
#[pyfunction]
#[pyo3(signature = (line, /))]
pub(crate) fn split_command(line: &str) -> PyResult<Vec<String>> {
    template::split_command(line).map_err(Raise::raise)
}
