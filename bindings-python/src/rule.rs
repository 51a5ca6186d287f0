//! A callable of the host's as the operator's own rule.

use std::{cell::Cell, fmt};

use handfast::{
    rules::{Question, Rule, RuleError, Verdict},
    vocabulary::Error,
};
use pyo3::{
    prelude::*,
    types::{PyBool, PyString},
};

use crate::{convert, error::Raise};

/// The callable. It is asked within a decision, so what it does is not to touch handfast: see [`check_not_within`].
pub(crate) struct Callable(Py<PyAny>);

impl Callable {
    pub(crate) fn new(callable: &Bound<'_, PyAny>) -> Self {
        Self(callable.clone().unbind())
    }
}

impl Rule for Callable {
    /// `True` allows, a text denies and says why. Whatever else comes of the call is no yes.
    fn judge(&self, question: &Question<'_>) -> Result<Verdict, RuleError> {
        Python::attach(|py| {
            let said = convert::to_python(py, &question.to_value(), &[])
                .and_then(|question| Within::enter(|| self.0.bind(py).call1((question,))));
            verdict(&said.map_err(|error| failed(py, &error))?)
        })
    }
}

impl fmt::Debug for Callable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Callable")
    }
}

fn verdict(said: &Bound<'_, PyAny>) -> Result<Verdict, RuleError> {
    if said.cast::<PyBool>().is_ok_and(|said| said.is_true()) {
        return Ok(Verdict::Allow);
    }
    match said.cast::<PyString>().map(|reason| reason.to_string_lossy()) {
        Ok(reason) => Ok(Verdict::Deny { reason: reason.as_ref().into() }),
        Err(_) => {
            let name = said.get_type().name().map(|name| name.to_string()).unwrap_or_default();
            let message =
                format!("expected True, or a text that says why not; it gave a value of type {name}");
            Err(RuleError::new(&message))
        }
    }
}

fn failed(py: Python<'_>, error: &PyErr) -> RuleError {
    let name = error.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
    RuleError::new(&format!("{name}: {}", error.value(py)))
}

thread_local! {
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// While a rule is being asked on this thread.
struct Within;

impl Within {
    fn enter<T>(call: impl FnOnce() -> T) -> T {
        let _within = Self;
        WITHIN.set(true);
        call()
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        WITHIN.set(false);
    }
}

/// What is being decided is locked until the rule has answered: a rule that came back for it would wait for itself.
pub(crate) fn check_not_within() -> PyResult<()> {
    if WITHIN.get() {
        return Err(Error::Misuse("a rule may look at its question only").raise());
    }
    Ok(())
}
