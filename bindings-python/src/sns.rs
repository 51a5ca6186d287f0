//! Amazon SNS: verified messages.

use std::sync::{Mutex, MutexGuard, PoisonError};

use handfast::{
    crypto,
    sns::{self, FetchFailure, Headers, Received, SignatureVersion},
    verified::Verified,
    vocabulary::from_value,
};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyMapping},
};

use crate::{
    convert,
    error::{Raise, invalid},
    system,
};

/// The getters of every verified message.
macro_rules! message {
    ($(#[doc = $doc:literal])+ $name:ident { $($more:item)* }) => {
        $(#[doc = $doc])+
        #[pyclass(frozen, module = "handfast.sns")]
        pub(crate) struct $name(Verified<sns::$name>);

        #[pymethods]
        impl $name {
            /// The id that SNS gave. With the topic, the key under which a host remembers what it has handled.
            #[getter]
            fn message_id(&self) -> &str {
                self.0.message_id()
            }

            /// When SNS took the message.
            #[getter]
            fn timestamp(&self) -> String {
                self.0.timestamp().to_string()
            }

            /// The topic, which is on the receiver's list.
            #[getter]
            fn topic_arn(&self) -> &str {
                self.0.topic_arn().as_str()
            }

            /// How the message was signed: `1` or `2`.
            #[getter]
            fn signature_version(&self) -> &'static str {
                SignatureVersion::as_str(self.0.signature_version())
            }

            fn __repr__(&self) -> String {
                format!("<handfast.sns.{} {} of {}>", stringify!($name), self.0.message_id(), self.0.topic_arn())
            }

            $($more)*
        }
    };
}

message! {
    /// A message that was published to a topic. Evidence: only `SnsReceiver.receive` makes one.
    ///
    /// It proves that SNS delivered it from this topic, and nothing about who published it.
    Notification {
        /// The published text.
        #[getter]
        fn message(&self) -> &str {
            self.0.message()
        }

        /// The published subject, or `None`; an empty one is not none.
        #[getter]
        fn subject(&self) -> Option<&str> {
            self.0.subject()
        }
    }
}

message! {
    /// SNS asks whether this endpoint wants the topic. Evidence: only `SnsReceiver.receive` makes one.
    Confirmation {
        /// What to GET, once, to confirm: rebuilt from topic and token, never the URL that was sent. It contains the
        /// token, so it belongs in no log.
        #[getter]
        fn url(&self) -> &str {
            self.0.url()
        }
    }
}

message! {
    /// The endpoint was unsubscribed. Evidence: only `SnsReceiver.receive` makes one.
    Unsubscription {}
}

impl Notification {
    pub(crate) fn verified(&self) -> &Verified<sns::Notification> {
        &self.0
    }
}

/// Verifies deliveries of Amazon SNS. It never opens a connection: it says which certificate it needs.
///
/// `policy` is a dict of `handfast.types.SnsPolicy`; only its topics are required. Safe to share between threads.
#[pyclass(frozen, module = "handfast.sns")]
pub(crate) struct SnsReceiver(Mutex<sns::Receiver>);

#[pymethods]
impl SnsReceiver {
    #[new]
    fn new(policy: &Bound<'_, PyAny>) -> PyResult<Self> {
        let policy: sns::Policy = from_value(convert::to_value(policy)?, "").map_err(Raise::raise)?;
        let receiver = sns::Receiver::new(policy, crypto::default_backend()).map_err(Raise::raise)?;
        Ok(Self(Mutex::new(receiver)))
    }

    /// Judge a delivery: the body exactly as received, and the request's headers (a mapping, or pairs).
    ///
    /// Gives a dict whose `type` says what came of it: `need` with a `fetch` (get that certificate, call `certificate`
    /// or `certificate_failed`, receive the same body again), `wait` (answer 503, SNS delivers again), `confirm` with a
    /// `confirmation`, `notification` with a `notification`, `unsubscribed` with an `unsubscription`. Raises `SnsError`;
    /// answer 503 when its `temporary` is true, else 403.
    #[pyo3(signature = (body, headers=None, *, now=None, trusted_clock=true))]
    fn receive<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
        headers: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
        trusted_clock: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let pairs = headers.map(read_headers).transpose()?.unwrap_or_default();
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers = Headers::from_pairs(pairs).map_err(Raise::raise)?;
        let now = system::now(now, trusted_clock)?;
        let received = self.lock().receive(body, &headers, now).map_err(Raise::raise)?;
        write_received(py, received)
    }

    /// Give the certificate that a `need` asked for: the body of a response with status 200.
    #[pyo3(signature = (url, body, *, now=None, trusted_clock=true))]
    fn certificate(
        &self,
        url: &str,
        body: &[u8],
        now: Option<&Bound<'_, PyAny>>,
        trusted_clock: bool,
    ) -> PyResult<()> {
        let now = system::now(now, trusted_clock)?;
        self.lock().certificate(url, Ok(body), now).map_err(Raise::raise)
    }

    /// Say why there is no certificate: `"unreachable"`, `"timeout"`, `"redirect"`, `"too_large"`, or the HTTP status.
    ///
    /// Always raises the `SnsError` that the message is now to be answered with.
    #[pyo3(signature = (url, failure, *, now=None, trusted_clock=true))]
    fn certificate_failed(
        &self,
        url: &str,
        failure: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
        trusted_clock: bool,
    ) -> PyResult<()> {
        let now = system::now(now, trusted_clock)?;
        self.lock().certificate(url, Err(read_failure(failure)?), now).map_err(Raise::raise)
    }

    /// Forget all fetched certificates, so that they are fetched again.
    fn forget_certificates(&self) {
        self.lock().forget_certificates();
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.sns.SnsReceiver>"
    }
}

impl SnsReceiver {
    fn lock(&self) -> MutexGuard<'_, sns::Receiver> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_received(py: Python<'_>, received: Received) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    let tag = intern!(py, "type");
    match received {
        Received::Need(fetch) => {
            let wanted = PyDict::new(py);
            wanted.set_item("url", fetch.url)?;
            wanted.set_item("max_bytes", fetch.max_bytes)?;
            wanted.set_item("timeout_seconds", fetch.timeout_seconds)?;
            wanted.set_item("no_redirects", fetch.no_redirects)?;
            dict.set_item(tag, intern!(py, "need"))?;
            dict.set_item("fetch", wanted)?;
        }
        Received::Wait => dict.set_item(tag, intern!(py, "wait"))?,
        Received::Confirm(message) => {
            dict.set_item(tag, intern!(py, "confirm"))?;
            dict.set_item(intern!(py, "confirmation"), Bound::new(py, Confirmation(message))?)?;
        }
        Received::Notification(message) => {
            dict.set_item(tag, intern!(py, "notification"))?;
            dict.set_item(intern!(py, "notification"), Bound::new(py, Notification(message))?)?;
        }
        Received::Unsubscribed(message) => {
            dict.set_item(tag, intern!(py, "unsubscribed"))?;
            dict.set_item(intern!(py, "unsubscription"), Bound::new(py, Unsubscription(message))?)?;
        }
    }
    Ok(dict)
}

/// A mapping of headers, or pairs of them.
fn read_headers(headers: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let pairs = match headers.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) => headers.clone(),
    };
    let pair = |pair: PyResult<Bound<'_, PyAny>>| pair?.extract::<(String, String)>();
    let pairs = pairs.try_iter().and_then(|pairs| pairs.map(pair).collect::<PyResult<Vec<_>>>());
    pairs.map_err(|_| invalid("headers", "expected a mapping of texts, or pairs of texts"))
}

fn read_failure(failure: &Bound<'_, PyAny>) -> PyResult<FetchFailure> {
    if let Ok(status) = failure.extract::<u16>() {
        return Ok(FetchFailure::Status(status));
    }
    match failure.extract::<String>().as_deref() {
        Ok("unreachable") => Ok(FetchFailure::Unreachable),
        Ok("timeout") => Ok(FetchFailure::Timeout),
        Ok("redirect") => Ok(FetchFailure::Redirect),
        Ok("too_large") => Ok(FetchFailure::TooLarge),
        _ => Err(invalid("failure", "expected unreachable, timeout, redirect, too_large or an HTTP status")),
    }
}
