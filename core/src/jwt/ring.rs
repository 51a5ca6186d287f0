//! Named keys: what makes rotation possible without downtime.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{JwtError, PublicKey, SigningKey, Verifier};
use crate::{
    crypto::{Backend, CryptoError},
    id::KeyId,
    json, limits,
    vocabulary::Error,
};

/// At most [`limits::KEYS`] private keys by id. New tokens are signed under the current one; those of the others still
/// verify.
#[derive(Clone, Debug)]
pub struct SigningRing {
    current: KeyId,
    keys: BTreeMap<KeyId, SigningKey>,
    public: PublicKeys,
}

impl SigningRing {
    /// Takes the keys and the id of the current one, and parses their public halves once.
    ///
    /// # Errors
    /// [`Error::Input`] when the current key is not among them, or there are too many.
    pub fn new(
        current: KeyId,
        keys: BTreeMap<KeyId, SigningKey>,
        backend: &dyn Backend,
    ) -> Result<Self, Error> {
        if !keys.contains_key(&current) {
            return Err(Error::input("current", "names no key of the ring"));
        }
        let public = PublicKeys::new(
            keys.iter().map(|(id, key)| (id.as_str().to_owned(), key.public())).collect(),
            backend,
        )?;
        Ok(Self { current, keys, public })
    }

    /// A ring of a single key.
    ///
    /// # Errors
    /// Never: a key that could be built can be parsed.
    pub fn single(id: KeyId, key: SigningKey, backend: &dyn Backend) -> Result<Self, Error> {
        Self::new(id.clone(), BTreeMap::from([(id, key)]), backend)
    }

    /// The key that new tokens are signed under.
    ///
    /// # Errors
    /// Never, once the ring is built.
    pub fn current(&self) -> Result<(&KeyId, &SigningKey), Error> {
        Ok((&self.current, self.get(&self.current)?))
    }

    /// A key by its id.
    ///
    /// # Errors
    /// [`Error::MissingKey`]: an operator removed a key that is still in use.
    pub fn get(&self, id: &KeyId) -> Result<&SigningKey, Error> {
        self.keys.get(id).ok_or_else(|| Error::MissingKey(id.clone()))
    }

    /// The public halves.
    #[must_use]
    pub fn public(&self) -> &PublicKeys {
        &self.public
    }
}

/// At most [`limits::KEYS`] public keys by `kid`, each parsed once.
#[derive(Clone, Debug)]
pub struct PublicKeys(BTreeMap<String, (PublicKey, Verifier)>);

impl PublicKeys {
    /// Takes the keys by their `kid`.
    ///
    /// # Errors
    /// [`Error::Input`] when there are too many, or a `kid` is longer than [`limits::KID_BYTES`].
    pub fn new(keys: BTreeMap<String, PublicKey>, backend: &dyn Backend) -> Result<Self, Error> {
        if keys.len() > limits::KEYS {
            return Err(Error::input("keys", &format!("at most {}", limits::KEYS)));
        }
        if keys.keys().any(|kid| kid.len() > limits::KID_BYTES) {
            return Err(Error::input("keys", &format!("a kid has at most {} bytes", limits::KID_BYTES)));
        }
        let parse = |(kid, key): (String, PublicKey)| {
            let verifier = key.verifier(backend)?;
            Ok::<_, CryptoError>((kid, (key, verifier)))
        };
        Ok(Self(keys.into_iter().map(parse).collect::<Result<_, _>>()?))
    }

    /// Reads a JWK set (RFC 7517 section 5), as another service publishes it. Keys that handfast does not know what to do with are
    /// left out, as section 5 wants it; so are those without a `kid`. A `kid` twice is an error, for it names nothing.
    ///
    /// # Errors
    /// [`Error::Input`]; [`CryptoError::UnusableKey`] when a private key is among them.
    pub fn from_jwks(text: &str, backend: &dyn Backend) -> Result<Self, Error> {
        let value = json::parse(text.as_bytes(), limits::JWKS_BYTES)
            .map_err(|error| Error::input("", &error.to_string()))?;
        let members = value.get("keys").and_then(Value::as_array);
        let mut keys = BTreeMap::new();
        for member in members.ok_or_else(|| Error::input("keys", "expected a list"))? {
            let Some(kid) = member.get("kid").and_then(Value::as_str) else { continue };
            let previous = match super::jwk::read(member) {
                Ok(key) => keys.insert(kid.to_owned(), key),
                Err(JwtError::PrivateKey) => {
                    return Err(Error::input("keys", "a private key where a public one belongs"));
                }
                Err(_) => None,
            };
            if previous.is_some() {
                return Err(Error::input("keys", "a kid is given twice"));
            }
        }
        Self::new(keys, backend)
    }

    /// The set as others read it: a JWK set in which each key has `kid`, `alg` and `use`.
    #[must_use]
    pub fn to_jwks(&self) -> Value {
        let keys = self.0.iter().map(|(kid, (key, _))| {
            let mut members = super::jwk::write(key);
            for (name, value) in [("kid", kid.as_str()), ("alg", key.algorithm().as_str()), ("use", "sig")] {
                members.insert(name.to_owned(), value.into());
            }
            Value::Object(members)
        });
        Value::Object(Map::from_iter([("keys".to_owned(), Value::Array(keys.collect()))]))
    }

    /// The key of this name, for verifying.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Verifier> {
        self.0.get(kid).map(|(_, verifier)| verifier)
    }
}
