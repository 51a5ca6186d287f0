//! Nonces that need no memory.
//!
//! A proof with such a nonce was made within the last minute, whatever the clock of its maker says: a board that boots in 1970 can
//! prove its key. The host keeps nothing: a nonce is a time and a tag over it, `<kid>.<time and tag in base64url>`. It can be used
//! more than once in its minute; that is what `jti` is for.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq as _;

use crate::{
    crypto::Backend, id::KeyId, keyring::KeyRing, limits, secret::SecretKey, time::Timestamp,
    vocabulary::Error,
};

const LABEL: &[u8] = b"handfast nonce 1\n";

/// Gives out nonces and knows them again.
#[derive(Clone, Debug)]
pub struct Nonces {
    keys: KeyRing,
    backend: Arc<dyn Backend>,
}

impl Nonces {
    /// Takes the key ring, which may be one that is used for other things too: the tags have a label of their own.
    #[must_use]
    pub fn new(keys: KeyRing, backend: Arc<dyn Backend>) -> Self {
        Self { keys, backend }
    }

    /// A nonce for the next [`limits::NONCE_SECONDS`]. All nonces of one millisecond are the same one.
    ///
    /// # Errors
    /// Never, once the key ring is built.
    pub fn issue(&self, now: Timestamp) -> Result<String, Error> {
        let (kid, key) = self.keys.current()?;
        let time = now.unix_millis().to_be_bytes();
        let tag = self.tag(kid, key, &time);
        Ok(format!("{kid}.{}", BASE64URL_NOPAD.encode(&[&time[..], &tag[..]].concat())))
    }

    /// Whether the nonce is one of this host's, or of another host with the same keys, and of the last
    /// [`limits::NONCE_SECONDS`]. An attacker who sends anything else learns only that.
    #[must_use]
    pub fn check(&self, nonce: &str, now: Timestamp) -> bool {
        self.issued_at(nonce).is_some_and(|at| {
            at <= now.plus_seconds(limits::NONCE_AHEAD_SECONDS)
                && now < at.plus_seconds(limits::NONCE_SECONDS)
        })
    }

    fn issued_at(&self, nonce: &str) -> Option<Timestamp> {
        if nonce.len() > limits::NONCE_BYTES {
            return None;
        }
        let (kid, rest) = nonce.split_once('.')?;
        let kid: KeyId = kid.parse().ok()?;
        let key = self.keys.get(&kid).ok()?;
        let bytes = BASE64URL_NOPAD.decode(rest.as_bytes()).ok()?;
        let (time, tag) = bytes.split_first_chunk::<8>()?;
        let genuine: bool = self.tag(&kid, key, time).as_slice().ct_eq(tag).into();
        if genuine { Timestamp::from_unix_millis(i64::from_be_bytes(*time)) } else { None }
    }

    fn tag(&self, kid: &KeyId, key: &SecretKey, time: &[u8; 8]) -> [u8; 32] {
        self.backend.hmac_sha256(key.expose(), &[LABEL, kid.as_str().as_bytes(), b"\n", time])
    }
}
