//! The keys that node credentials are signed with.

use std::collections::BTreeMap;

use handfast::{
    crypto,
    jwt::{SigningKey, SigningRing},
};
use pyo3::{
    prelude::*,
    types::{PyByteArray, PyBytes, PyString},
};

use crate::{
    error::{Raise, invalid},
    node_key::NodeKey,
    registrar::{named_keys, within},
    secret::Secret,
};

/// Reads `{"current": id, "keys": {id: key}}`; each key in PKCS#8 PEM.
pub(crate) fn ring(ring: &Bound<'_, PyAny>, argument: &str) -> PyResult<SigningRing> {
    let expected =
        r#"expected {"current": "<id>", "keys": {"<id>": <a NodeKey, or a private key in PKCS#8 PEM>}}"#;
    let (current, given) = named_keys(ring, argument, expected)?;
    let mut keys = BTreeMap::new();
    for (id, key) in given {
        let at = format!("{argument}.keys.{id}");
        let key = read(&key).ok_or_else(|| invalid(&at, "expected a P-256 or Ed25519 key in PKCS#8 PEM"))?;
        keys.insert(id.parse().map_err(Raise::raise)?, key);
    }
    SigningRing::new(current, keys, crypto::default_backend().as_ref())
        .map_err(|error| within(argument, error))
}

/// Takes a `NodeKey`, or reads a text, bytes or a `Secret` in PEM.
fn read(key: &Bound<'_, PyAny>) -> Option<SigningKey> {
    if let Ok(key) = key.cast::<NodeKey>() {
        return Some(key.get().key().clone());
    }
    if let Ok(secret) = key.cast::<Secret>() {
        return SigningKey::from_pkcs8_pem(secret.get().expose_text()).ok();
    }
    if let Ok(text) = key.cast::<PyString>() {
        return SigningKey::from_pkcs8_pem(text.to_str().ok()?).ok();
    }
    if let Ok(bytes) = key.cast::<PyBytes>() {
        return SigningKey::from_pkcs8_pem(std::str::from_utf8(bytes.as_bytes()).ok()?).ok();
    }
    let bytes = key.cast::<PyByteArray>().ok()?.to_vec();
    SigningKey::from_pkcs8_pem(std::str::from_utf8(&bytes).ok()?).ok()
}
