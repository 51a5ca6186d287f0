//! One message, one certificate, one verdict: what the `verify-sns` programs print.

use handfast::{
    crypto,
    sns::{self, Options, SnsError, TopicArn, Verdict as CoreVerdict},
};
use pyo3::prelude::*;

use crate::{convert, error::invalid, system};

/// The verdict on one message. `to_dict()["verdict"]` is `verified` or `rejected`.
#[pyclass(frozen, module = "handfast.sns")]
pub(crate) struct Verdict(CoreVerdict);

#[pymethods]
impl Verdict {
    /// Exit status of a program: 0 when verified, 1 when rejected.
    #[getter]
    fn exit_status(&self) -> u8 {
        self.0.exit_status()
    }

    /// One line of JSON without its newline, the same bytes in every language.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The verdict as a dict.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_python(py, &serde_json::to_value(&self.0).unwrap_or_default(), &[])
    }

    /// A verdict has to be looked at: it is neither true nor false by itself.
    fn __bool__(&self) -> PyResult<bool> {
        Err(pyo3::exceptions::PyTypeError::new_err("look at the verdict: its exit_status or to_dict()"))
    }

    fn __repr__(&self) -> String {
        format!("<handfast.sns.Verdict {}>", self.0.to_json())
    }
}

/// Verify one message with one PEM certificate, held to all that a fetched one is held to, or one PEM public key.
///
/// A tool to see why a message does not verify; endpoints use `SnsReceiver`.
#[pyfunction]
#[pyo3(signature = (
    message, certificate, *, topic, now=None, max_age_seconds=None, legacy_rsa_1024=false, development=false
))]
pub(crate) fn verify_once(
    message: &[u8],
    certificate: &[u8],
    topic: &str,
    now: Option<&Bound<'_, PyAny>>,
    max_age_seconds: Option<u32>,
    legacy_rsa_1024: bool,
    development: bool,
) -> PyResult<Verdict> {
    let topic = read_topic(topic)?;
    let options = Options { topic, max_age_seconds, legacy_rsa_1024, development };
    let now = system::instant("now", now)?;
    let backend = crypto::default_backend();
    Ok(Verdict(sns::verify_once(message, certificate, &options, now, backend)))
}

/// Read a duration in seconds: whole seconds, or whole numbers of `s`, `m`, `h` or `d`; for example `90s`, `15m`, `7d`.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn parse_duration(text: &str) -> PyResult<u32> {
    sns::parse_duration(text)
        .ok_or_else(|| invalid("", "expected whole seconds, or whole numbers of s, m, h or d"))
}

/// Read the ARN of a topic, and give it back: a check for configurations and command lines.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn parse_topic_arn(text: &str) -> PyResult<String> {
    read_topic(text).map(|topic| topic.to_string())
}

fn read_topic(text: &str) -> PyResult<TopicArn> {
    text.parse().map_err(|error: SnsError| invalid("topic", &error.to_string()))
}
