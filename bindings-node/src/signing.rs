//! The keys that node credentials are signed with.

use std::collections::BTreeMap;

use handfast::{
    crypto,
    jwt::{SigningKey, SigningRing},
};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::{
    carry::parse,
    error::{Result, invalid},
    registrar::within,
    secret::Secret,
};

/// Private keys on their way from JavaScript.
#[napi(object, object_to_js = false)]
pub struct SigningKeys<'a> {
    /// The id of the key that new credentials are signed under.
    pub current: String,
    /// The ids.
    pub ids: Vec<String>,
    /// The key of each id, in PKCS#8 PEM.
    pub keys: Vec<ClassInstance<'a, Secret>>,
}

/// Reads the keys.
pub(crate) fn ring(keys: &SigningKeys<'_>, argument: &str) -> Result<SigningRing> {
    let mut read = BTreeMap::new();
    for (id, pem) in keys.ids.iter().zip(&keys.keys) {
        let at = format!("{argument}.keys.{id}");
        let key = SigningKey::from_pkcs8_pem(pem.get().expose())
            .map_err(|_| invalid(&at, "expected a P-256 or Ed25519 key in PKCS#8 PEM"))?;
        read.insert(parse(id, &at)?, key);
    }
    let current = parse(&keys.current, &format!("{argument}.current"))?;
    SigningRing::new(current, read, crypto::default_backend().as_ref())
        .map_err(|error| within(argument, error))
}
