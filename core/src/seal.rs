//! Secrets at rest: AES-256-GCM under a named key.
//!
//! The secret's id, and with it its package, is associated data: an attacker who can write to the database cannot
//! move a ciphertext to another row and have it delivered there. Nonces are random 96-bit values; NIST SP 800-38D
//! section 8.3 allows 2^32 of them for a key, so a key is rotated long before four billion secrets.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::{
    crypto::{Backend, CryptoError},
    id::{KeyId, SecretId},
    keyring::KeyRing,
    limits,
    secret::Secret,
    vocabulary::Error,
};

const VERSION: &str = "1";

/// More bytes than stand beside the secret: version, key id, nonce and tag.
const ROOM: usize = 64 + limits::KIND_BYTES;

/// Seals and opens secrets under the keys of a ring.
#[derive(Clone, Debug)]
pub struct Sealer {
    keys: KeyRing,
    backend: Arc<dyn Backend>,
}

impl Sealer {
    /// Takes the key ring and the primitives.
    #[must_use]
    pub fn new(keys: KeyRing, backend: Arc<dyn Backend>) -> Self {
        Self { keys, backend }
    }

    /// Seals a secret under the current key, as `1.<kid>.<nonce, ciphertext and tag in base64url>`.
    ///
    /// # Errors
    /// [`Error::Input`] when it would be longer than [`limits::SEALED_BYTES`] and so not be opened again.
    pub fn seal(&self, id: SecretId, secret: &Secret, rng: &mut dyn CryptoRng) -> Result<String, Error> {
        let (kid, key) = self.keys.current()?;
        if BASE64URL_NOPAD.encode_len(secret.expose().len()) > limits::SEALED_BYTES - ROOM {
            return Err(Error::input("secret", "is too long to be sealed"));
        }
        let mut nonce = [0; 12];
        rng.fill_bytes(&mut nonce);
        let mut sealed = nonce.to_vec();
        sealed.extend(self.backend.seal(
            key,
            &nonce,
            associated(id, kid).as_bytes(),
            secret.expose().as_bytes(),
        )?);
        Ok(format!("{VERSION}.{kid}.{}", BASE64URL_NOPAD.encode(&sealed)))
    }

    /// Whether a ciphertext was made under the current key.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        let kid = sealed.split('.').nth(1);
        self.keys.current().is_ok_and(|(current, _)| kid == Some(current.as_str()))
    }

    /// Opens what [`Sealer::seal`] made for the same secret id.
    ///
    /// # Errors
    /// [`Error::MissingKey`] when the key is not in the ring; [`CryptoError::SealBroken`] for everything else.
    pub fn open(&self, id: SecretId, sealed: &str) -> Result<Secret, Error> {
        if sealed.len() > limits::SEALED_BYTES {
            return Err(CryptoError::SealBroken.into());
        }
        let mut parts = sealed.splitn(3, '.');
        let (Some(VERSION), Some(kid), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(CryptoError::SealBroken.into());
        };
        let kid: KeyId = kid.parse().map_err(|_| CryptoError::SealBroken)?;
        let key = self.keys.get(&kid)?;
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| CryptoError::SealBroken)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<12>().ok_or(CryptoError::SealBroken)?;
        let plain = self.backend.open(key, nonce, associated(id, &kid).as_bytes(), ciphertext)?;
        String::from_utf8(plain).map(Secret::new).map_err(|error| {
            error.into_bytes().zeroize();
            CryptoError::SealBroken.into()
        })
    }
}

fn associated(id: SecretId, kid: &KeyId) -> String {
    format!("handfast seal {VERSION}\n{kid}\n{id}")
}

#[cfg(test)]
#[cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
mod tests {
    use std::collections::BTreeMap;

    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{code::Code, crypto::default_backend, id::PackageId, secret::SecretKey};

    fn id(number: u32) -> SecretId {
        SecretId { package: PackageId::new("2026-01-02T03:04:05Z".parse().unwrap(), &[7; 10]), number }
    }

    fn ring(current: &str, keys: &[(&str, u8)]) -> KeyRing {
        let keys = keys.iter().map(|(id, byte)| (id.parse().unwrap(), SecretKey::new([*byte; 32])));
        KeyRing::new(current.parse().unwrap(), keys.collect::<BTreeMap<_, _>>()).unwrap()
    }

    #[test]
    fn a_ciphertext_opens_only_in_its_own_row() {
        let sealer = Sealer::new(ring("k1", &[("k1", 1)]), default_backend());
        let sealed =
            sealer.seal(id(1), &Secret::new("hunter2".into()), &mut StdRng::seed_from_u64(1)).unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_eq!(sealer.open(id(1), &sealed).unwrap().expose(), "hunter2");
        assert_eq!(sealer.open(id(2), &sealed).unwrap_err().code(), Code::SealBroken);
        for broken in
            [format!("{sealed}A"), sealed.replace("1.k1.", "2.k1."), "1.k1.AAAA".into(), String::new()]
        {
            assert_eq!(sealer.open(id(1), &broken).unwrap_err().code(), Code::SealBroken, "{broken}");
        }
    }

    #[test]
    fn keys_rotate_and_a_missing_key_is_the_operators_mistake() {
        let old = Sealer::new(ring("k1", &[("k1", 1)]), default_backend());
        let sealed = old.seal(id(1), &Secret::new("hunter2".into()), &mut StdRng::seed_from_u64(1)).unwrap();
        let both = Sealer::new(ring("k2", &[("k1", 1), ("k2", 2)]), default_backend());
        assert_eq!(both.open(id(1), &sealed).unwrap().expose(), "hunter2");
        let new = Sealer::new(ring("k2", &[("k2", 2)]), default_backend());
        assert_eq!(new.open(id(1), &sealed).unwrap_err().code(), Code::MissingKey);
        let renamed = Sealer::new(ring("k2", &[("k2", 1)]), default_backend());
        assert_eq!(
            renamed.open(id(1), &sealed.replace(".k1.", ".k2.")).unwrap_err().code(),
            Code::SealBroken
        );
    }
}
