//! The registrar: policy, keys, and what is asked of them.

use std::{collections::BTreeMap, sync::Arc};

use handfast::{
    crypto,
    id::KeyId,
    keyring::KeyRing,
    record::{Loaded, Record},
    registrar::{self, Policy, Revealed},
    secret::SecretKey,
    vocabulary::{Effect, Error, VaultWrite, from_value},
};
use pyo3::{
    prelude::*,
    types::{PyByteArray, PyBytes, PyDict},
};

use crate::{
    command, convert,
    error::{Raise, invalid},
    kubernetes::BootstrapSecret,
    rows,
    rule::Callable,
    secret::Secret,
    session::{BatchSession, Session},
    signing, system,
};

/// The configured state machine: a policy and its keys. It holds no record and changes nothing; share one between
/// threads.
///
/// `policy` is a dict of `handfast.types.Policy`; every member has a safe default. `peppers` key the digests of
/// tokens, `sealing` seals secrets at rest: `{"current": "k1", "keys": {"k1": <32 bytes>}}` each. With `signing`, whose
/// keys are P-256 or Ed25519 in PKCS#8 PEM, every node that proves a key is given a credential. Keep all of them apart
/// from the records, or a stolen database is a stolen fleet.
///
/// `rule` is the operator's own rule, asked with a `handfast.types.Question` after everything else has allowed a command,
/// and as far as the policy's `rule_mode` says. It gives `True`, or a text that says why not, which becomes the reason of a
/// refusal `policy`. It must be quick, and a pure function of its question: a decision may be made several times. When it
/// raises, or gives anything else, nothing happens and `RuleError` says why.
#[pyclass(frozen, module = "handfast")]
pub(crate) struct Registrar(Arc<registrar::Registrar>);

impl Registrar {
    pub(crate) fn registrar(&self) -> &registrar::Registrar {
        &self.0
    }
}

#[pymethods]
impl Registrar {
    #[new]
    #[pyo3(signature = (policy=None, *, peppers, sealing, signing=None, rule=None))]
    fn new(
        policy: Option<&Bound<'_, PyAny>>,
        peppers: &Bound<'_, PyAny>,
        sealing: &Bound<'_, PyAny>,
        signing: Option<&Bound<'_, PyAny>>,
        rule: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let policy: Policy = match policy {
            Some(policy) => from_value(convert::to_value(policy)?, "").map_err(Raise::raise)?,
            None => Policy::default(),
        };
        let (peppers, sealing) = (key_ring(peppers, "peppers")?, key_ring(sealing, "sealing")?);
        let signing = signing.map(|ring| signing::ring(ring, "signing")).transpose()?;
        let registrar = registrar::Registrar::new(policy, peppers, sealing, crypto::default_backend());
        let mut registrar = registrar.map_err(Raise::raise)?;
        if let Some(ring) = signing {
            registrar = registrar.with_signing(ring);
        }
        if let Some(rule) = rule {
            if !rule.is_callable() {
                return Err(invalid("rule", "expected a callable"));
            }
            registrar = registrar.with_rule(Arc::new(Callable::new(rule)));
        }
        Ok(Self(Arc::new(registrar)))
    }

    /// The JWK set that node credentials verify under, for other services; `None` without signing keys.
    fn public_jwks<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let keys = self.0.public_keys().map(|keys| keys.to_jwks());
        keys.map(|keys| convert::to_python(py, &keys, &[])).transpose()
    }

    /// A nonce for a node's next proof, so that it may be given one before it is asked for it. Good for a minute.
    #[pyo3(signature = (*, now=None))]
    fn nonce(&self, now: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
        self.0.nonce(system::now(now, true)?).map_err(Raise::raise)
    }

    /// Start a session over a command, for a driver of your own. `handfast.run` is one.
    fn session(&self, command: &Bound<'_, PyAny>) -> PyResult<Session> {
        Ok(Session::new(self.0.session(command::read(command)?)))
    }

    /// Start a session over several commands, for a driver of your own. `handfast.run_all` is one.
    fn session_all(&self, commands: &Bound<'_, PyAny>) -> PyResult<BatchSession> {
        let (commands, unreadable) = command::read_all(commands)?;
        let session = self.0.session_all(commands).map_err(Raise::raise)?;
        Ok(BatchSession::new(session, unreadable))
    }

    /// The effects that are outstanding for a record: what the host must do, and then report.
    ///
    /// Takes a row that a store read, or its body. It is a function of the record alone, so nothing is lost in a crash.
    fn outstanding<'py>(
        &self,
        py: Python<'py>,
        row_or_body: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let record = Record::from_body(&rows::body(row_or_body)?).map_err(Raise::raise)?;
        let effects = serde_json::to_value(self.0.outstanding(&record)).unwrap_or_default();
        convert::to_python(py, &effects, &[])
    }

    /// The keys of the vault's rows that `reveal` needs for an effect; often none.
    fn vault_keys(&self, effect: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        let secrets = read_effect(effect)?.work.secrets();
        Ok(secrets.into_iter().map(|id| handfast::record::Key::Secret(id).to_string()).collect())
    }

    /// Open what an executor needs for an effect, also after a crash. `rows` are those of `vault_keys`, as the store
    /// read them. `None` when the effect needs nothing.
    fn reveal(&self, effect: &Bound<'_, PyAny>, rows: &Bound<'_, PyAny>) -> PyResult<Option<Opened>> {
        let revealed = self.0.reveal(&read_effect(effect)?, &rows::read(rows)?).map_err(Raise::raise)?;
        match revealed {
            Revealed::Nothing => Ok(None),
            Revealed::BootstrapToken(manifest) => Ok(Some(Opened::BootstrapToken((*manifest).into()))),
            Revealed::Value(value) => Ok(Some(Opened::Value(value.into()))),
        }
    }

    /// Seal a row of the vault anew under the current key, and give its new body; `None` when it is under it already.
    /// `handfast.reseal` does so with all rows of a store.
    fn reseal(&self, row: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
        let row = rows::one(row)?;
        match self.0.reseal(&row, &mut system::entropy()?).map_err(Raise::raise)? {
            Some(VaultWrite::Put { sealed, .. }) => Ok(Some(sealed)),
            Some(VaultWrite::Shred { .. }) | None => Ok(None),
        }
    }

    /// A stored body, of a record, an event or a notice, as a dict for people and APIs. There is no secret in it.
    fn view<'py>(&self, py: Python<'py>, row_or_body: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let view = self.0.view(&rows::body(row_or_body)?).map_err(Raise::raise)?;
        convert::to_python(py, &view, &[])
    }

    /// What would come of a command, without doing it. `handfast.explain` reads the rows; here they are given:
    /// `keys` that were looked at, and the `rows` that exist of them.
    #[pyo3(signature = (command, *, keys, rows, now=None, trusted_clock=true))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        command: &Bound<'py, PyAny>,
        keys: &Bound<'py, PyAny>,
        rows: &Bound<'py, PyAny>,
        now: Option<&Bound<'py, PyAny>>,
        trusted_clock: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut loaded = Loaded::default();
        loaded.add(&rows::keys(keys)?, rows::read(rows)?).map_err(Raise::raise)?;
        let now = system::now(now, trusted_clock)?;
        let explanation = self.0.explain(&command::read(command)?, &loaded, now).map_err(Raise::raise)?;
        convert::to_python(py, &serde_json::to_value(explanation).unwrap_or_default(), &[])
    }

    fn __repr__(&self) -> &'static str {
        "<handfast.Registrar>"
    }
}

/// What `reveal` gives.
#[derive(IntoPyObject)]
pub(crate) enum Opened {
    BootstrapToken(BootstrapSecret),
    Value(Secret),
}

/// What is promised in a scope and what of it is in use: the scope's record, and how many of its packages are activated.
#[pyfunction]
#[pyo3(signature = (row_or_body, *, active))]
pub(crate) fn scope_view<'py>(
    py: Python<'py>,
    row_or_body: &Bound<'py, PyAny>,
    active: u64,
) -> PyResult<Bound<'py, PyAny>> {
    match Record::from_body(&rows::body(row_or_body)?).map_err(Raise::raise)? {
        Record::Scope(scope) => {
            convert::to_python(py, &serde_json::to_value(scope.view(active)).unwrap_or_default(), &[])
        }
        Record::Pool(_)
        | Record::Package(_)
        | Record::Name(_)
        | Record::Subject(_)
        | Record::Node(_)
        | Record::Instance(_)
        | Record::Forgotten(_) => Err(invalid("body", "expected that of a scope")),
    }
}

fn read_effect(effect: &Bound<'_, PyAny>) -> PyResult<Effect> {
    from_value(convert::to_value(effect)?, "effect").map_err(Raise::raise)
}

/// Reads `{"current": id, "keys": {id: 32 bytes}}`; keys are bytes and never pass through JSON.
pub(crate) fn key_ring(ring: &Bound<'_, PyAny>, argument: &str) -> PyResult<KeyRing> {
    let expected = r#"expected {"current": "<id>", "keys": {"<id>": <32 bytes>}}"#;
    let (current, given) = named_keys(ring, argument, expected)?;
    let mut keys = BTreeMap::new();
    for (id, key) in given {
        let at = format!("{argument}.keys.{id}");
        let key = key_bytes(&key).ok_or_else(|| invalid(&at, "expected 32 bytes"))?;
        keys.insert(id.parse().map_err(Raise::raise)?, SecretKey::new(key));
    }
    KeyRing::new(current, keys).map_err(|error| within(argument, error))
}

/// The id of the current key, and all keys by their ids.
pub(crate) type NamedKeys<'py> = (KeyId, Vec<(String, Bound<'py, PyAny>)>);

/// Reads `{"current": id, "keys": {id: key}}`, whatever a key is.
pub(crate) fn named_keys<'py>(
    ring: &Bound<'py, PyAny>,
    argument: &str,
    expected: &str,
) -> PyResult<NamedKeys<'py>> {
    let expected = || invalid(argument, expected);
    let ring = ring.cast::<PyDict>().map_err(|_| expected())?;
    let (Some(current), Some(keys), 2) = (ring.get_item("current")?, ring.get_item("keys")?, ring.len())
    else {
        return Err(expected());
    };
    let current = current.extract::<String>().map_err(|_| expected())?;
    let keys = keys.cast::<PyDict>().map_err(|_| expected())?.items().extract().map_err(|_| expected())?;
    Ok((current.parse().map_err(Raise::raise)?, keys))
}

/// An error about a part of an argument.
pub(crate) fn within(argument: &str, error: Error) -> PyErr {
    if let Error::Input { path, message } = &error {
        return invalid(&format!("{argument}.{path}"), message);
    }
    error.raise()
}

fn key_bytes(key: &Bound<'_, PyAny>) -> Option<[u8; 32]> {
    match key.cast::<PyBytes>() {
        Ok(bytes) => bytes.as_bytes().try_into().ok(),
        Err(_) => key.cast::<PyByteArray>().ok()?.to_vec().try_into().ok(),
    }
}
