//! Download links.

use handfast::{crypto::default_backend, link, verified::Verified};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyString};

use crate::{
    error::{Raise, invalid},
    registrar::key_ring,
    secret::Secret,
    system,
};

/// Verifies download links under a key ring, the registrar's `peppers`: what is forged or has expired needs no database
/// to be turned away. That a link works only once is the registrar's to say.
#[pyclass(frozen, module = "handfast.link")]
pub(crate) struct Links(link::Links);

#[pymethods]
impl Links {
    #[new]
    #[pyo3(signature = (keys, /))]
    fn new(keys: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(link::Links::new(key_ring(keys, "keys")?, default_backend())))
    }

    /// Verify a link, a text or a `Secret`. Raises `LinkError`.
    #[pyo3(signature = (link, /, *, now=None))]
    fn verify(&self, link: &Bound<'_, PyAny>, now: Option<&Bound<'_, PyAny>>) -> PyResult<VerifiedLink> {
        let now = system::instant("now", now)?;
        let verified = match link.cast::<Secret>() {
            Ok(secret) => self.0.verify(secret.get().expose_text(), now),
            Err(_) => {
                let text = link.cast::<PyString>();
                self.0
                    .verify(text.map_err(|_| invalid("link", "expected a text or a Secret"))?.to_str()?, now)
            }
        };
        verified.map(VerifiedLink).map_err(Raise::raise)
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.link.Links>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("Links hold keys and cannot be pickled"))
    }
}

/// What an authentic link that has not expired says. Evidence: only `Links.verify` makes one.
#[pyclass(frozen, module = "handfast.link")]
pub(crate) struct VerifiedLink(Verified<link::Link>);

#[pymethods]
impl VerifiedLink {
    /// The package that may be downloaded.
    #[getter]
    fn package(&self) -> String {
        self.0.package.to_string()
    }

    /// Counts the links of the package: only the latest is good.
    #[getter]
    fn number(&self) -> u32 {
        self.0.number
    }

    /// When the link ends.
    #[getter]
    fn expires_at(&self) -> String {
        self.0.expires_at.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.link.VerifiedLink {} of {}>", self.0.number, self.0.package)
    }
}
