//! The registrar: policy, keys, and what is asked of them.

use std::{collections::BTreeMap, sync::Arc};

use handfast::{
    crypto,
    keyring::KeyRing,
    record::{Loaded, Record},
    registrar::{self, Policy, Revealed},
    secret::SecretKey,
    vocabulary::{Effect, Error, from_value},
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
    secret::Secret,
    session::Session,
    system,
};

/// The configured state machine: a policy and two key rings. It holds no record and changes nothing; share one between
/// threads.
///
/// `policy` is a dict of `handfast.types.Policy`; every member has a safe default. `peppers` key the digests of
/// tokens, `sealing` seals secrets at rest: `{"current": "k1", "keys": {"k1": <32 bytes>}}` each. Keep them apart from the
/// records, or a stolen database is a stolen fleet.
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
    #[pyo3(signature = (policy=None, *, peppers, sealing))]
    fn new(
        policy: Option<&Bound<'_, PyAny>>,
        peppers: &Bound<'_, PyAny>,
        sealing: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let policy: Policy = match policy {
            Some(policy) => from_value(convert::to_value(policy)?, "").map_err(Raise::raise)?,
            None => Policy::default(),
        };
        let (peppers, sealing) = (key_ring(peppers, "peppers")?, key_ring(sealing, "sealing")?);
        registrar::Registrar::new(policy, peppers, sealing, crypto::default_backend())
            .map(|registrar| Self(Arc::new(registrar)))
            .map_err(Raise::raise)
    }

    /// Start a session over a command, for a driver of your own. `handfast.run` is one.
    fn session(&self, command: &Bound<'_, PyAny>) -> PyResult<Session> {
        Ok(Session::new(self.0.session(command::read(command)?)))
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

fn read_effect(effect: &Bound<'_, PyAny>) -> PyResult<Effect> {
    from_value(convert::to_value(effect)?, "effect").map_err(Raise::raise)
}

/// Reads `{"current": id, "keys": {id: 32 bytes}}`; keys are bytes and never pass through JSON.
pub(crate) fn key_ring(ring: &Bound<'_, PyAny>, argument: &str) -> PyResult<KeyRing> {
    let expected = || invalid(argument, r#"expected {"current": "<id>", "keys": {"<id>": <32 bytes>}}"#);
    let ring = ring.cast::<PyDict>().map_err(|_| expected())?;
    let (Some(current), Some(given), 2) = (ring.get_item("current")?, ring.get_item("keys")?, ring.len())
    else {
        return Err(expected());
    };
    let current = current.extract::<String>().map_err(|_| expected())?;
    let given = given.cast::<PyDict>().map_err(|_| expected())?;
    let mut keys = BTreeMap::new();
    for (id, key) in given.items().extract::<Vec<(String, Bound<'_, PyAny>)>>().map_err(|_| expected())? {
        let at = format!("{argument}.keys.{id}");
        let key = key_bytes(&key).ok_or_else(|| invalid(&at, "expected 32 bytes"))?;
        keys.insert(id.parse().map_err(Raise::raise)?, SecretKey::new(key));
    }
    KeyRing::new(current.parse().map_err(Raise::raise)?, keys).map_err(|error| match error {
        Error::Input { path, message } => invalid(&format!("{argument}.{path}"), &message),
        other @ (Error::CorruptRecord(_)
        | Error::NewerSchema(_)
        | Error::MissingKey(_)
        | Error::MissingSecret(_)
        | Error::Crypto(_)
        | Error::Busy
        | Error::Misuse(_)) => other.raise(),
    })
}

fn key_bytes(key: &Bound<'_, PyAny>) -> Option<[u8; 32]> {
    match key.cast::<PyBytes>() {
        Ok(bytes) => bytes.as_bytes().try_into().ok(),
        Err(_) => key.cast::<PyByteArray>().ok()?.to_vec().try_into().ok(),
    }
}
