//! Named symmetric keys, one of them current: what makes rotation possible without downtime.

use std::collections::BTreeMap;

use crate::{id::KeyId, limits, secret::SecretKey, vocabulary::Error};

/// At most [`limits::KEYS`] keys by id. New secrets are made under the current one; old ones still open under theirs.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: KeyId,
    keys: BTreeMap<KeyId, SecretKey>,
}

impl KeyRing {
    /// Takes the keys and the id of the current one.
    ///
    /// # Errors
    /// [`Error::Input`] when the current key is not among them, or there are too many.
    pub fn new(current: KeyId, keys: BTreeMap<KeyId, SecretKey>) -> Result<Self, Error> {
        if !keys.contains_key(&current) {
            return Err(Error::input("current", "names no key of the ring"));
        }
        if keys.len() > limits::KEYS {
            return Err(Error::input("keys", &format!("at most {}", limits::KEYS)));
        }
        Ok(Self { current, keys })
    }

    /// A ring of a single key.
    #[must_use]
    pub fn single(id: KeyId, key: SecretKey) -> Self {
        Self { current: id.clone(), keys: BTreeMap::from([(id, key)]) }
    }

    /// The key that new secrets are made under.
    ///
    /// # Errors
    /// Never, once the ring is built.
    pub fn current(&self) -> Result<(&KeyId, &SecretKey), Error> {
        Ok((&self.current, self.get(&self.current)?))
    }

    /// A key by its id.
    ///
    /// # Errors
    /// [`Error::MissingKey`]: an operator removed a key that is still in use.
    pub fn get(&self, id: &KeyId) -> Result<&SecretKey, Error> {
        self.keys.get(id).ok_or_else(|| Error::MissingKey(id.clone()))
    }
}
