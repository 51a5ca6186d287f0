//! Choria's tokens and its provisioner's helper.

use handfast::{
    choria::{self, AnyClaims, HexKey, Purpose, Terms, Token},
    crypto::default_backend,
    secret,
    verified::Verified,
    vocabulary,
};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyString};
use serde::de::DeserializeOwned;

use crate::{
    convert,
    error::{Raise, invalid},
    secret::Secret,
    system,
};

/// Whom tokens are believed: an organisation's key, parsed once.
#[pyclass(frozen, module = "handfast.choria")]
pub(crate) struct IssuerKey(choria::IssuerKey);

#[pymethods]
impl IssuerKey {
    /// Read a key file: 64 hexadecimal digits of an Ed25519 key, or an Ed25519 or RSA key or certificate in PEM.
    #[new]
    #[pyo3(signature = (text, /))]
    fn new(text: &str) -> PyResult<Self> {
        choria::IssuerKey::read(text, default_backend()).map(Self).map_err(Raise::raise)
    }

    /// The 64 digits, where it is an Ed25519 key.
    #[getter]
    fn hex(&self) -> Option<String> {
        self.0.hex().map(ToString::to_string)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.choria.IssuerKey {}>", self.hex().as_deref().unwrap_or("RSA"))
    }
}

/// Verify a token of one kind, `provisioning`, `server` or `client`: signature, chain of trust, times, and that its
/// claims can be used. Raises `ChoriaError`.
#[pyfunction]
#[pyo3(signature = (key, token, /, *, kind, now=None))]
pub(crate) fn verify_choria(
    key: &IssuerKey,
    token: &Bound<'_, PyAny>,
    kind: &str,
    now: Option<&Bound<'_, PyAny>>,
) -> PyResult<VerifiedToken> {
    let kind =
        kind.parse::<Purpose>().map_err(|_| invalid("kind", "expected provisioning, server or client"))?;
    let verified = choria::verify_as(kind, &key.0, text(token, "token")?, system::instant("now", now)?);
    verified.map(VerifiedToken).map_err(Raise::raise)
}

/// Read a token and prove nothing: for showing it to a person. Raises `ChoriaError` where it is none in form.
#[pyfunction]
#[pyo3(signature = (token, /))]
pub(crate) fn inspect_choria(token: &Bound<'_, PyAny>) -> PyResult<UnverifiedToken> {
    choria::inspect(text(token, "token")?).map(UnverifiedToken).map_err(Raise::raise)
}

/// What a token says, in nobody's name: anybody can write this.
#[pyclass(frozen, module = "handfast.choria")]
pub(crate) struct UnverifiedToken(choria::UnverifiedToken);

#[pymethods]
impl UnverifiedToken {
    /// `provisioning`, `server` or `client`.
    #[getter]
    fn kind(&self) -> String {
        self.0.claims().purpose().to_string()
    }

    /// The provisioning secret, in a provisioning token.
    #[getter]
    fn token(&self) -> Option<Secret> {
        token_of(self.0.claims())
    }

    /// The password at the broker, in a provisioning token.
    #[getter]
    fn password(&self) -> Option<Secret> {
        password_of(self.0.claims())
    }

    /// All that it says but its secrets, as a dict.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        described(py, &self.0)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.choria.UnverifiedToken {}>", self.kind())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("an UnverifiedToken may hold secrets and cannot be pickled"))
    }
}

/// A token that is genuine. Evidence: only `verify` makes one.
#[pyclass(frozen, module = "handfast.choria")]
pub(crate) struct VerifiedToken(Verified<Token<AnyClaims>>);

#[pymethods]
impl VerifiedToken {
    /// `provisioning`, `server` or `client`.
    #[getter]
    fn kind(&self) -> String {
        self.0.claims.purpose().to_string()
    }

    /// The provisioning secret, in a provisioning token.
    #[getter]
    fn token(&self) -> Option<Secret> {
        token_of(&self.0.claims)
    }

    /// The password at the broker, in a provisioning token.
    #[getter]
    fn password(&self) -> Option<Secret> {
        password_of(&self.0.claims)
    }

    /// All that it says but its secrets, as a dict.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        described(py, self.0.get())
    }

    /// All that it says under Choria's names, as JSON text with its secrets.
    fn to_json(&self) -> Secret {
        self.0.to_json().into()
    }

    fn __repr__(&self) -> String {
        format!("<handfast.choria.VerifiedToken {}>", self.kind())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a VerifiedToken is evidence and cannot be pickled"))
    }
}

/// An Ed25519 key that signs tokens. It shows only its public half.
#[pyclass(frozen, module = "handfast.choria")]
pub(crate) struct Issuer(choria::Issuer);

#[pymethods]
impl Issuer {
    /// Read a seed file, 64 hexadecimal digits, from a text or a `Secret`. `name` becomes `iss`.
    #[new]
    #[pyo3(signature = (seed, /, *, name=None))]
    fn new(seed: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<Self> {
        let seed = secret::Secret::new(text(seed, "seed")?.to_owned());
        let issuer = choria::Issuer::from_seed(&seed);
        let named = issuer.and_then(|issuer| match name {
            Some(name) => issuer.named(name),
            None => Ok(issuer),
        });
        named.map(Self).map_err(Raise::raise)
    }

    /// A new key, from the system's entropy.
    #[staticmethod]
    fn generate() -> PyResult<Self> {
        Ok(Self(choria::Issuer::generate(&mut system::entropy()?)))
    }

    /// The seed, for a file of the holder's own (mode 0600).
    fn seed(&self) -> Secret {
        self.0.seed().into()
    }

    /// What others verify with: 64 hexadecimal digits.
    #[getter]
    fn public_key(&self) -> String {
        self.0.public_key().to_string()
    }

    /// Sign a token; `claims` has a `type`: `provisioning`, `server` or `client`.
    #[pyo3(signature = (claims, /, *, expires_at, public_key=None, now=None))]
    fn issue(
        &self,
        claims: &Bound<'_, PyAny>,
        expires_at: &Bound<'_, PyAny>,
        public_key: Option<&str>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Secret> {
        let (claims, terms) = (any_claims(claims)?, terms(expires_at, public_key, now)?);
        let issued = self.0.issue_any(&claims, &terms, &mut system::entropy()?);
        issued.map(Secret::from).map_err(Raise::raise)
    }

    /// Sign a client's token that makes it a chain issuer. It cannot be recalled.
    #[pyo3(signature = (client, /, *, expires_at, public_key, now=None))]
    fn appoint(
        &self,
        client: &Bound<'_, PyAny>,
        expires_at: &Bound<'_, PyAny>,
        public_key: &str,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Secret> {
        let (client, terms) = (read(client, "client")?, terms(expires_at, Some(public_key), now)?);
        let issued = self.0.appoint(&client, &terms, &mut system::entropy()?);
        issued.map(Secret::from).map_err(Raise::raise)
    }

    /// Take up an appointment: this key is the one that an organisation appointed.
    fn appointed(&self, appointment: &VerifiedToken) -> PyResult<ChainIssuer> {
        self.0.clone().appointed(&appointment.0).map(ChainIssuer).map_err(Raise::raise)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.choria.Issuer {}>", self.public_key())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("an Issuer cannot be pickled"))
    }
}

/// An issuer that an organisation appointed.
#[pyclass(frozen, module = "handfast.choria")]
pub(crate) struct ChainIssuer(choria::ChainIssuer);

#[pymethods]
impl ChainIssuer {
    /// Sign the token of a server or a client. It expires with the appointment at the latest.
    #[pyo3(signature = (claims, /, *, expires_at, public_key, now=None))]
    fn issue(
        &self,
        claims: &Bound<'_, PyAny>,
        expires_at: &Bound<'_, PyAny>,
        public_key: &str,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Secret> {
        let (claims, terms) = (any_claims(claims)?, terms(expires_at, Some(public_key), now)?);
        let issued = self.0.issue_any(&claims, &terms, &mut system::entropy()?);
        issued.map(Secret::from).map_err(Raise::raise)
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.choria.ChainIssuer>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a ChainIssuer cannot be pickled"))
    }
}

/// Who asks to be provisioned: what Choria's provisioner gives its helper.
#[pyclass(frozen, module = "handfast.choria")]
pub(crate) struct HelperRequest(choria::HelperRequest);

#[pymethods]
impl HelperRequest {
    /// Put a request together, as a provisioner does.
    #[new]
    #[pyo3(signature = (*, identity, inventory, csr=None, ed25519_pubkey=None, jwt=None))]
    fn new(
        identity: String,
        inventory: String,
        csr: Option<&Bound<'_, PyAny>>,
        ed25519_pubkey: Option<&Bound<'_, PyAny>>,
        jwt: Option<&VerifiedToken>,
    ) -> PyResult<Self> {
        let csr = csr.map(|csr| read(csr, "csr")).transpose()?;
        let ed25519_pubkey = ed25519_pubkey.map(|key| read(key, "ed25519_pubkey")).transpose()?;
        let jwt = jwt.map(|jwt| jwt.0.provisioning().map_err(Raise::raise)).transpose()?;
        Ok(Self(choria::HelperRequest { identity, csr, ed25519_pubkey, inventory, jwt }))
    }

    /// Read what a provisioner wrote.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn from_json(text: &str) -> PyResult<Self> {
        choria::HelperRequest::from_json(text).map(Self).map_err(Raise::raise)
    }

    /// What a helper reads, with the token's secrets in it.
    fn to_json(&self) -> PyResult<Secret> {
        self.0.to_json().map(Secret::from).map_err(Raise::raise)
    }

    /// The node's name.
    #[getter]
    fn identity(&self) -> &str {
        &self.0.identity
    }

    /// What the node says of itself, read.
    fn inventory<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_python(py, &self.0.inventory().map_err(Raise::raise)?, &[])
    }

    /// The provisioning secret of the node's token.
    #[getter]
    fn token(&self) -> Option<Secret> {
        self.0.jwt.as_ref().map(|jwt| jwt.claims.token.clone().into())
    }

    /// All of it but secrets, as a dict.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        described(py, &self.0)
    }

    fn __repr__(&self) -> String {
        format!("<handfast.choria.HelperRequest {}>", self.0.identity)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a HelperRequest cannot be pickled"))
    }
}

/// What is to become of a node: what a helper answers.
#[pyclass(frozen, module = "handfast.choria")]
pub(crate) struct HelperReply(choria::HelperReply);

#[pymethods]
impl HelperReply {
    /// Put a reply together, from a dict of its members.
    #[new]
    #[pyo3(signature = (members, /))]
    fn new(members: &Bound<'_, PyAny>) -> PyResult<Self> {
        read(members, "").map(Self)
    }

    /// Read what a helper wrote.
    #[staticmethod]
    #[pyo3(signature = (text, /))]
    fn from_json(text: &str) -> PyResult<Self> {
        choria::HelperReply::from_json(text).map(Self).map_err(Raise::raise)
    }

    /// What a provisioner reads, with the private key in it.
    #[pyo3(signature = (*, now=None))]
    fn to_json(&self, now: Option<&Bound<'_, PyAny>>) -> PyResult<Secret> {
        self.0.to_json(system::instant("now", now)?).map(Secret::from).map_err(Raise::raise)
    }

    /// The claims of the node's server token, for `issue`.
    fn server<'py>(&self, py: Python<'py>, identity: &str) -> PyResult<Bound<'py, PyAny>> {
        described(py, &AnyClaims::Server(self.0.server(identity)))
    }

    /// When the node's server token is to expire, where the helper says so.
    #[pyo3(signature = (*, now=None))]
    fn expires_at(&self, now: Option<&Bound<'_, PyAny>>) -> PyResult<Option<String>> {
        let at = self.0.expires_at(system::instant("now", now)?);
        at.map(|at| at.map(|at| at.to_string())).map_err(Raise::raise)
    }

    /// The private key, where the helper made one.
    #[getter]
    fn key(&self) -> Option<Secret> {
        self.0.key.clone().map(Secret::from)
    }

    /// All of it but the private key, as a dict.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        described(py, &self.0)
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.choria.HelperReply>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a HelperReply cannot be pickled"))
    }
}

fn token_of(claims: &AnyClaims) -> Option<Secret> {
    claims.provisioning().map(|claims| claims.token.clone().into())
}

fn password_of(claims: &AnyClaims) -> Option<Secret> {
    claims.provisioning()?.password.clone().map(Secret::from)
}

fn terms(
    expires_at: &Bound<'_, PyAny>,
    public_key: Option<&str>,
    now: Option<&Bound<'_, PyAny>>,
) -> PyResult<Terms> {
    let public_key = public_key.map(|key| key.parse::<HexKey>().map_err(Raise::raise)).transpose()?;
    let expires_at = system::instant("expires_at", Some(expires_at))?;
    Ok(Terms { at: system::instant("now", now)?, expires_at, public_key })
}

fn any_claims(claims: &Bound<'_, PyAny>) -> PyResult<AnyClaims> {
    AnyClaims::from_value(convert::to_value(claims)?).map_err(Raise::raise)
}

fn read<T: DeserializeOwned>(value: &Bound<'_, PyAny>, at: &str) -> PyResult<T> {
    vocabulary::from_value(convert::to_value(value)?, at).map_err(Raise::raise)
}

fn described<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    convert::to_python(py, &serde_json::to_value(value).unwrap_or_default(), &[])
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
