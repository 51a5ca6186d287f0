//! A node's own key, on the node's side.

use handfast::jwt::{Algorithm, Proof, SigningKey, TargetUrl, proof};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyString};

use crate::{
    convert,
    error::{Raise, invalid},
    secret::Secret,
    system,
};

/// A node's private key: it proves who the node is, and never leaves it. It shows only its thumbprint.
///
/// The file that `to_pem` fills belongs to the node alone (mode 0600).
#[pyclass(frozen, module = "handfast")]
pub(crate) struct NodeKey(SigningKey);

impl NodeKey {
    pub(crate) fn key(&self) -> &SigningKey {
        &self.0
    }
}

#[pymethods]
impl NodeKey {
    /// A new key, from the system's entropy: `ES256` or `EdDSA`.
    #[staticmethod]
    #[pyo3(signature = (algorithm="ES256"))]
    fn generate(algorithm: &str) -> PyResult<Self> {
        let key = match algorithm.parse() {
            Ok(algorithm @ (Algorithm::Es256 | Algorithm::EdDsa)) => {
                SigningKey::generate(algorithm, &mut system::entropy()?)
            }
            Ok(Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512) | Err(_) => {
                return Err(invalid("algorithm", "expected ES256 or EdDSA"));
            }
        };
        key.map(Self).map_err(Raise::raise)
    }

    /// Read an unencrypted key in PKCS#8 PEM, from a text or a `Secret`.
    #[staticmethod]
    #[pyo3(signature = (pem, /))]
    fn from_pem(pem: &Bound<'_, PyAny>) -> PyResult<Self> {
        SigningKey::from_pkcs8_pem(text(pem, "pem")?).map(Self).map_err(Raise::raise)
    }

    /// The key in PKCS#8 PEM, as `openssl genpkey` writes it.
    fn to_pem(&self) -> PyResult<Secret> {
        self.0.to_pkcs8_pem().map(Secret::from).map_err(Raise::raise)
    }

    /// `ES256` or `EdDSA`.
    #[getter]
    fn algorithm(&self) -> &'static str {
        self.0.algorithm().as_str()
    }

    /// The name of the key that follows from the key alone (RFC 7638). Public.
    #[getter]
    fn thumbprint(&self) -> String {
        self.0.public().thumbprint().to_string()
    }

    /// The public half as a JSON Web Key (RFC 7517).
    fn public_jwk<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_python(py, &self.0.public().to_jwk(), &[])
    }

    /// Prove possession of the key for one request (RFC 9449). `token` is what goes with it: the enrollment token, or
    /// the node's credential. `nonce` is what the host gave last; with one, the node's clock does not matter.
    #[pyo3(signature = (*, method, url, token=None, nonce=None, now=None))]
    fn make_proof(
        &self,
        method: &str,
        url: &str,
        token: Option<&Bound<'_, PyAny>>,
        nonce: Option<&str>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let url = TargetUrl::of_request(url).map_err(|error| invalid("url", &error.to_string()))?;
        let request = proof::Make {
            method,
            url: &url,
            token: token.map(|token| text(token, "token")).transpose()?,
            nonce,
            issued_at: system::instant("now", now)?,
        };
        Proof::make(&self.0, &request, &mut system::entropy()?).map_err(Raise::raise)
    }

    fn __repr__(&self) -> String {
        format!("NodeKey({}, {}, [redacted])", self.algorithm(), self.thumbprint())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a NodeKey cannot be pickled"))
    }
}

/// A text, or that of a `Secret`.
fn text<'a>(value: &'a Bound<'_, PyAny>, argument: &str) -> PyResult<&'a str> {
    match value.cast::<Secret>() {
        Ok(secret) => Ok(secret.get().expose_text()),
        Err(_) => {
            let text = value.cast::<PyString>();
            text.map_err(|_| invalid(argument, "expected a text or a Secret"))?.to_str()
        }
    }
}
