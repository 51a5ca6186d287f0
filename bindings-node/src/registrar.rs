//! The registrar: policy, keys, and what is asked of them.

use std::{collections::BTreeMap, sync::Arc};

use handfast::{
    crypto,
    keyring::KeyRing,
    record::{Loaded, Record},
    registrar::{self, Policy, Revealed},
    secret::SecretKey,
    vocabulary::{Effect, Error, VaultWrite},
};
use napi::{
    Env,
    bindgen_prelude::{Either, Uint8Array},
};
use napi_derive::napi;

use crate::{
    carry::{self, Secrets, parse},
    command,
    error::{Carried, Result, Throw, invalid},
    kubernetes::BootstrapSecret,
    rows::{self, Row},
    rule::{self, Callback, Judge},
    secret::Secret,
    session::{BatchSession, Session},
    signing::{self, SigningKeys},
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
    /// Takes a policy as JSON, the key rings, and what asks the host's rule.
    #[napi(constructor)]
    pub fn new(
        policy: String,
        secrets: Secrets<'_>,
        peppers: Ring,
        sealing: Ring,
        signing: Option<SigningKeys<'_>>,
        judge: Option<Judge>,
    ) -> Result<Self> {
        let policy: Policy = carry::read_as(&policy, &secrets, "")?;
        let (peppers, sealing) = (key_ring(peppers, "peppers")?, key_ring(sealing, "sealing")?);
        let signing = signing.map(|keys| signing::ring(&keys, "signing")).transpose()?;
        let registrar = registrar::Registrar::new(policy, peppers, sealing, crypto::default_backend());
        let mut registrar = registrar.map_err(Throw::throw)?;
        if let Some(ring) = signing {
            registrar = registrar.with_signing(ring);
        }
        if let Some(judge) = judge {
            registrar = registrar.with_rule(Arc::new(Callback::from(judge)));
        }
        Ok(Self(Arc::new(registrar)))
    }

    /// The JWK set that node credentials verify under, as JSON.
    #[napi]
    pub fn public_jwks(&self) -> Option<String> {
        self.0.public_keys().map(|keys| keys.to_jwks().to_string())
    }

    /// A nonce for a node's next proof.
    #[napi]
    pub fn nonce(&self, now: i64) -> Result<String> {
        self.0.nonce(system::now(now, true)?).map_err(Throw::throw)
    }

    /// Starts a session over a command.
    #[napi]
    pub fn session(&self, command: command::Carried<'_>) -> Result<Session> {
        Ok(Session::from(self.0.session(command::read(&command)?)))
    }

    /// Starts a session over several commands.
    #[napi]
    pub fn session_all(&self, commands: Vec<command::Carried<'_>>) -> Result<BatchSession> {
        let (commands, unreadable) = command::read_all(&commands);
        let session = self.0.session_all(commands).map_err(Throw::throw)?;
        Ok(BatchSession::new(session, unreadable))
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

    /// The new body of a row of the vault under the current key; nothing when it is under it already.
    #[napi]
    pub fn reseal(&self, row: Row) -> Result<Option<String>> {
        let rows = rows::read(vec![row])?;
        let row = rows.first().ok_or_else(|| invalid("row", "is required"))?;
        match self.0.reseal(row, &mut system::entropy()?).map_err(Throw::throw)? {
            Some(VaultWrite::Put { sealed, .. }) => Ok(Some(sealed)),
            Some(VaultWrite::Shred { .. }) | None => Ok(None),
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
        env: Env,
        command: command::Carried<'_>,
        keys: Vec<String>,
        rows: Vec<Row>,
        now: i64,
        trusted: bool,
    ) -> Result<String> {
        let mut loaded = Loaded::default();
        loaded.add(&rows::keys(&keys)?, rows::read(rows)?).map_err(Throw::throw)?;
        let (command, now) = (command::read(&command)?, system::now(now, trusted)?);
        rule::deciding(env, || self.0.explain(&command, &loaded, now))
            .map(|explanation| carry::write(&explanation))
            .map_err(Throw::throw)
    }
}

/// What is promised in a scope and what of it is in use, as JSON: of the scope's body, and how many of its packages are
/// activated.
#[napi]
pub fn scope_view(body: String, active: i64) -> Result<String> {
    let active = u64::try_from(active).map_err(|_| invalid("active", "expected a number from 0"))?;
    match Record::from_body(&body).map_err(Throw::throw)? {
        Record::Scope(scope) => Ok(carry::write(&scope.view(active))),
        Record::Pool(_)
        | Record::Package(_)
        | Record::Name(_)
        | Record::Subject(_)
        | Record::Node(_)
        | Record::Instance(_)
        | Record::Forgotten(_) => Err(invalid("body", "expected that of a scope")),
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
    KeyRing::new(current, keys).map_err(|error| within(argument, error))
}

/// An error about a part of an argument.
pub(crate) fn within(argument: &str, error: Error) -> napi::Error<Carried> {
    if let Error::Input { path, message } = &error {
        return invalid(&format!("{argument}.{path}"), message);
    }
    error.throw()
}
