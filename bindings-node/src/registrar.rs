//! The registrar: policy, keys, and what is asked of them.

use std::{collections::BTreeMap, sync::Arc};

use handfast::{
    crypto,
    keyring::KeyRing,
    record::{Loaded, Record},
    registrar::{self, Policy, Revealed},
    secret::SecretKey,
    vocabulary::{Effect, Error},
};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;

use crate::{
    carry::{self, Secrets, parse},
    command,
    error::{Result, Throw, invalid},
    kubernetes::BootstrapSecret,
    rows::{self, Row},
    secret::Secret,
    session::Session,
    system,
};

/// The configured state machine.
#[napi]
pub struct Registrar(Arc<registrar::Registrar>);

impl Registrar {
    pub(crate) fn get(&self) -> &registrar::Registrar {
        &self.0
    }
}

/// A key ring on its way from JavaScript: keys are bytes and never pass through JSON.
#[napi(object, object_to_js = false)]
pub struct Ring {
    /// The id of the key that new secrets are made under.
    pub current: String,
    /// The ids.
    pub ids: Vec<String>,
    /// The key of each id.
    pub keys: Vec<Uint8Array>,
}

#[napi]
impl Registrar {
    /// Takes a policy as JSON and the key rings.
    #[napi(constructor)]
    pub fn new(policy: String, secrets: Secrets<'_>, peppers: Ring, sealing: Ring) -> Result<Self> {
        let policy: Policy = carry::read_as(&policy, &secrets, "")?;
        let (peppers, sealing) = (key_ring(peppers, "peppers")?, key_ring(sealing, "sealing")?);
        registrar::Registrar::new(policy, peppers, sealing, crypto::default_backend())
            .map(|registrar| Self(Arc::new(registrar)))
            .map_err(Throw::throw)
    }

    /// Starts a session over a command.
    #[napi]
    pub fn session(&self, command: command::Carried<'_>) -> Result<Session> {
        Ok(Session::from(self.0.session(command::read(&command)?)))
    }

    /// The effects that are outstanding for a record, as JSON.
    #[napi]
    pub fn outstanding(&self, body: String) -> Result<String> {
        let record = Record::from_body(&body).map_err(Throw::throw)?;
        Ok(carry::write(&self.0.outstanding(&record)))
    }

    /// The keys of the vault's rows that `reveal` needs for an effect.
    #[napi]
    pub fn vault_keys(&self, effect: String) -> Result<Vec<String>> {
        let secrets = read_effect(&effect)?.work.secrets();
        Ok(secrets.into_iter().map(|id| handfast::record::Key::Secret(id).to_string()).collect())
    }

    /// Opens what an executor needs for an effect.
    #[napi]
    pub fn reveal(&self, effect: String, rows: Vec<Row>) -> Result<Option<Either<BootstrapSecret, Secret>>> {
        let revealed = self.0.reveal(&read_effect(&effect)?, &rows::read(rows)?).map_err(Throw::throw)?;
        match revealed {
            Revealed::Nothing => Ok(None),
            Revealed::BootstrapToken(manifest) => Ok(Some(Either::A((*manifest).into()))),
            Revealed::Value(value) => Ok(Some(Either::B(value.into()))),
        }
    }

    /// A stored body for people and APIs, as JSON.
    #[napi]
    pub fn view(&self, body: String) -> Result<String> {
        self.0.view(&body).map(|view| carry::write(&view)).map_err(Throw::throw)
    }

    /// What would come of a command, as JSON: `keys` were looked at, `rows` exist of them.
    #[napi]
    pub fn explain(
        &self,
        command: command::Carried<'_>,
        keys: Vec<String>,
        rows: Vec<Row>,
        now: i64,
        trusted: bool,
    ) -> Result<String> {
        let mut loaded = Loaded::default();
        loaded.add(&rows::keys(&keys)?, rows::read(rows)?).map_err(Throw::throw)?;
        let (command, now) = (command::read(&command)?, system::now(now, trusted)?);
        self.0
            .explain(&command, &loaded, now)
            .map(|explanation| carry::write(&explanation))
            .map_err(Throw::throw)
    }
}

fn read_effect(effect: &str) -> Result<Effect> {
    carry::read_as(effect, &Vec::new(), "effect")
}

pub(crate) fn key_ring(ring: Ring, argument: &str) -> Result<KeyRing> {
    let mut keys = BTreeMap::new();
    for (id, key) in ring.ids.iter().zip(&ring.keys) {
        let at = format!("{argument}.keys.{id}");
        let bytes: [u8; 32] = key.as_ref().try_into().map_err(|_| invalid(&at, "expected 32 bytes"))?;
        keys.insert(parse(id, &at)?, SecretKey::new(bytes));
    }
    let current = parse(&ring.current, &format!("{argument}.current"))?;
    KeyRing::new(current, keys).map_err(|error| {
        if let Error::Input { path, message } = &error {
            return invalid(&format!("{argument}.{path}"), message);
        }
        error.throw()
    })
}
