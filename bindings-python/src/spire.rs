//! SPIFFE and SPIRE.

use handfast::{
    record::SpireEntry,
    spire::{self, BundleReply, Found, Outcome, StatusCode},
    vocabulary::from_value,
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBytes, PyDict},
};
use serde_json::json;

use crate::{
    convert,
    error::Raise,
    lists::{one, parsed},
    secret::{Secret, owned},
    system,
};

/// The authorities of one trust domain.
#[pyclass(frozen, module = "handfast.spire")]
pub(crate) struct SpireBundle(spire::Bundle);

#[pymethods]
impl SpireBundle {
    /// Read certificates in PEM. Raises `SpireError`.
    #[staticmethod]
    #[pyo3(signature = (text, /, *, trust_domain))]
    fn from_pem(text: &str, trust_domain: &str) -> PyResult<Self> {
        let domain = one(trust_domain, "trust_domain")?;
        spire::Bundle::from_pem(domain, text).map(Self).map_err(Raise::raise)
    }

    /// Read the JSON of the standard. Raises `SpireError`.
    #[staticmethod]
    #[pyo3(signature = (text, /, *, trust_domain))]
    fn from_json(text: &str, trust_domain: &str) -> PyResult<Self> {
        let domain = one(trust_domain, "trust_domain")?;
        spire::Bundle::from_json(domain, text).map(Self).map_err(Raise::raise)
    }

    /// Read what `GetBundle` answers, without authorities that are tainted or over. Raises `SpireError`.
    #[staticmethod]
    #[pyo3(signature = (reply, /, *, trust_domain, now=None))]
    fn from_reply(
        reply: &Bound<'_, PyAny>,
        trust_domain: &str,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (domain, now) = (one(trust_domain, "trust_domain")?, system::instant("now", now)?);
        let reply: BundleReply = from_value(convert::to_value(reply)?, "reply").map_err(Raise::raise)?;
        reply.into_bundle(domain, now).map(Self).map_err(Raise::raise)
    }

    /// Whose bundle it is.
    #[getter]
    fn trust_domain(&self) -> &str {
        self.0.trust_domain().as_str()
    }

    /// The authorities for X.509-SVIDs, certificates in DER.
    #[getter]
    fn x509_authorities<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.0.x509_authorities().iter().map(|authority| PyBytes::new(py, authority.der())).collect()
    }

    /// The authorities for JWT-SVIDs, DER SubjectPublicKeyInfos by their key id.
    #[getter]
    fn jwt_authorities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let authorities = PyDict::new(py);
        for authority in self.0.jwt_authorities() {
            authorities.set_item(authority.key_id(), PyBytes::new(py, authority.public_key()))?;
        }
        Ok(authorities)
    }

    /// Rises with each change.
    #[getter]
    fn sequence(&self) -> Option<u64> {
        self.0.sequence()
    }

    /// How often readers should look for a newer one.
    #[getter]
    fn refresh_hint_seconds(&self) -> Option<u32> {
        self.0.refresh_hint_seconds()
    }

    /// The certificates in PEM, for an agent's `trust_bundle_path`.
    fn to_pem(&self) -> String {
        self.0.to_pem()
    }

    /// The JSON of the standard.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.spire.Bundle of {}>", self.0.trust_domain())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a Bundle cannot be pickled"))
    }
}

/// What `CreateJoinToken` takes.
#[pyclass(frozen, module = "handfast.spire")]
pub(crate) struct JoinTokenRequest(spire::JoinTokenRequest);

#[pymethods]
impl JoinTokenRequest {
    /// A token of our own value. Raises `SpireError`.
    #[new]
    #[pyo3(signature = (token, /, *, expires_at, now=None, agent_id=None))]
    fn new(
        token: &Bound<'_, PyAny>,
        expires_at: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
        agent_id: Option<&str>,
    ) -> PyResult<Self> {
        let token = owned(token, "token")?;
        let (expires_at, now) =
            (system::instant("expires_at", Some(expires_at))?, system::instant("now", now)?);
        let agent_id = parsed(agent_id, "agent_id")?;
        spire::JoinTokenRequest::new(token, expires_at, now, agent_id).map(Self).map_err(Raise::raise)
    }

    /// The value.
    #[getter]
    fn token(&self) -> Secret {
        self.0.token().clone().into()
    }

    /// Seconds to live.
    #[getter]
    fn ttl(&self) -> u32 {
        self.0.ttl()
    }

    /// The id that the agent gets besides its own.
    #[getter]
    fn agent_id(&self) -> Option<&str> {
        self.0.agent_id().map(spire::SpiffeId::as_str)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.spire.JoinTokenRequest for {} s>", self.0.ttl())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a JoinTokenRequest cannot be pickled"))
    }
}

/// The entry that gives the agent attested by a join token an id besides SPIRE's own.
#[pyclass(frozen, module = "handfast.spire")]
pub(crate) struct AliasEntry(spire::AliasEntry);

#[pymethods]
impl AliasEntry {
    /// The entry for the agent that shows this token. Raises `SpireError`.
    #[new]
    #[pyo3(signature = (token, /, *, id, spiffe_id))]
    fn new(token: &Bound<'_, PyAny>, id: &str, spiffe_id: &str) -> PyResult<Self> {
        let token = owned(token, "token")?;
        let (id, spiffe_id) = (one(id, "id")?, one(spiffe_id, "spiffe_id")?);
        spire::AliasEntry::new(id, spiffe_id, &token).map(Self).map_err(Raise::raise)
    }

    /// The entry as `BatchCreateEntry` takes it. It holds the token.
    fn expose<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        write(py, self.0.expose())
    }

    fn __repr__(&self) -> String {
        format!("<handfast.spire.AliasEntry for {}>", self.0.expose().spiffe_id)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("an AliasEntry cannot be pickled"))
    }
}

/// The entry of an effect `ensure_spire_entry` as `BatchCreateEntry` takes it. Raises `SpireError` for one that a server would
/// refuse.
#[pyfunction]
#[pyo3(signature = (entry, /))]
pub(crate) fn spire_entry<'py>(py: Python<'py>, entry: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let entry: SpireEntry = from_value(convert::to_value(entry)?, "entry").map_err(Raise::raise)?;
    let entry = entry.to_entry();
    entry.check().map_err(Raise::raise)?;
    write(py, &entry)
}

/// What a result of `BatchCreateEntry` says: `done`, `collision`, `altered`, `refused` or `unknown`.
#[pyfunction]
#[pyo3(signature = (status, /, *, wanted, found=None))]
pub(crate) fn created_entry_outcome(
    status: i32,
    wanted: &Bound<'_, PyAny>,
    found: Option<&Bound<'_, PyAny>>,
) -> PyResult<&'static str> {
    let wanted = spire::Entry::from_value(convert::to_value(wanted)?, "wanted").map_err(Raise::raise)?;
    let found = match found.filter(|found| !found.is_none()) {
        Some(found) => Found::from_value(convert::to_value(found)?, "found").map_err(Raise::raise)?,
        None => Found::Nothing,
    };
    Ok(Outcome::of_created_entry(StatusCode::from_number(status), &wanted, &found).as_str())
}

/// What a result of `BatchDeleteEntry` says.
#[pyfunction]
#[pyo3(signature = (status, /))]
pub(crate) fn deleted_entry_outcome(status: i32) -> &'static str {
    Outcome::of_deleted_entry(StatusCode::from_number(status)).as_str()
}

/// What the answer to `CreateJoinToken` says.
#[pyfunction]
#[pyo3(signature = (status, message="", /))]
pub(crate) fn join_token_outcome(status: i32, message: &str) -> &'static str {
    Outcome::of_join_token(StatusCode::from_number(status), message).as_str()
}

/// The parts of a SPIFFE id as SPIRE's API has them.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn spiffe_id<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let id: spire::SpiffeId = one(text, "text")?;
    convert::to_python(py, &json!({"trust_domain": id.trust_domain(), "path": id.path()}), &[])
}

/// The parts of a selector as SPIRE's API has them.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn spire_selector<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let selector: spire::Selector = one(text, "text")?;
    convert::to_python(py, &json!({"type": selector.kind(), "value": selector.value()}), &[])
}

fn write<'py>(py: Python<'py>, entry: &spire::Entry) -> PyResult<Bound<'py, PyAny>> {
    convert::to_python(py, &serde_json::to_value(entry).unwrap_or_default(), &[])
}
