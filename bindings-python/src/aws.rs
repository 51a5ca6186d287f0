//! AWS events, read from verified notifications.

use handfast::aws::{self, Received, Trust};
use handfast::vocabulary::from_value;
use pyo3::{prelude::*, types::PyDict};

use crate::{convert, error::Raise, sns::Notification};

/// One authentic event about one EC2 instance. Evidence: only `handfast.aws.read` makes one.
///
/// It proves that whoever may publish to the topic said so, not that EC2 did: restrict the topic's policy, and let
/// the registrar confirm it with `DescribeInstances`. Give it to a registrar with `handfast.observe_instance`.
#[pyclass(frozen, module = "handfast.aws")]
pub(crate) struct InstanceEvent(aws::InstanceEvent);

impl InstanceEvent {
    pub(crate) fn event(&self) -> &aws::InstanceEvent {
        &self.0
    }
}

#[pymethods]
impl InstanceEvent {
    /// Which instance.
    #[getter]
    fn instance(&self) -> &str {
        self.0.instance().as_str()
    }

    /// The account that owns the instance.
    #[getter]
    fn account(&self) -> &str {
        self.0.account().as_str()
    }

    /// The region that the instance is in.
    #[getter]
    fn region(&self) -> &str {
        self.0.region().as_str()
    }

    /// What happened: a dict of `handfast.types.Change`.
    #[getter]
    fn change<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_python(py, &serde_json::to_value(self.0.change()).unwrap_or_default(), &[])
    }

    /// The state that the event implies for the instance, if any.
    #[getter]
    fn implied_state(&self) -> Option<&'static str> {
        self.0.implied_state().map(aws::InstanceState::as_str)
    }

    /// When it happened, by the sender's clock.
    #[getter]
    fn occurred_at(&self) -> String {
        self.0.occurred_at().to_string()
    }

    /// When SNS accepted the message, signed by SNS.
    #[getter]
    fn published_at(&self) -> String {
        self.0.published_at().to_string()
    }

    /// Names the event across repeated deliveries.
    #[getter]
    fn event_id(&self) -> &str {
        self.0.event_id()
    }

    /// The SNS message id.
    #[getter]
    fn message_id(&self) -> &str {
        self.0.message_id()
    }

    /// The topic that the message came through.
    #[getter]
    fn topic(&self) -> String {
        self.0.topic().to_string()
    }

    /// All of it, for logs and tests. A dict is no evidence: no command takes it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_python(py, &serde_json::to_value(&self.0).unwrap_or_default(), &[])
    }

    fn __repr__(&self) -> String {
        let state = self.0.implied_state().map_or("no state", aws::InstanceState::as_str);
        format!("<handfast.aws.InstanceEvent {} {state} at {}>", self.0.instance(), self.0.occurred_at())
    }
}

/// Read what a verified notification says, as far as its topic is trusted.
///
/// `trust` is a list of `handfast.types.Trust`. Gives `{"type": "instance", "event": <InstanceEvent>}`, or
/// `{"type": "not_for_us", "reason": ".."}` for a message that merely concerns no instance. Raises `AwsError` for a topic,
/// account or region that is not trusted, a forged source, and a malformed event.
#[pyfunction]
#[pyo3(name = "read_instance_event", signature = (notification, trust))]
pub(crate) fn read_instance_event<'py>(
    py: Python<'py>,
    notification: &Notification,
    trust: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let trust: Vec<Trust> = from_value(convert::to_value(trust)?, "trust").map_err(Raise::raise)?;
    let received = aws::read(notification.verified(), &trust).map_err(Raise::raise)?;
    let dict = PyDict::new(py);
    match received {
        Received::Instance(event) => {
            dict.set_item("type", "instance")?;
            dict.set_item("event", Bound::new(py, InstanceEvent(*event))?)?;
        }
        Received::NotForUs(reason) => {
            dict.set_item("type", "not_for_us")?;
            dict.set_item("reason", reason.as_str())?;
        }
    }
    Ok(dict)
}
