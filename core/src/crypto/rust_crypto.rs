//! The pure-Rust backend, for wasm and for builds without a C compiler.
//!
//! The `rsa` crate's known timing leak (RUSTSEC-2023-0071) concerns private keys; only public ones are used here.

use std::{fmt, sync::Arc};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use ed25519_dalek::Verifier;
use hmac::{Hmac, Mac};
use rsa::{BoxedUint, pkcs1v15::Pkcs1v15Sign};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Backend, CryptoError, RsaDigest, RsaPublicKey, VerifyingKey, point, rsa_key};
use crate::secret::SecretKey;

/// Primitives by the RustCrypto crates.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

impl Backend for RustCrypto {
    fn name(&self) -> &'static str {
        "rust-crypto"
    }

    fn sha256(&self, message: &[u8]) -> [u8; 32] {
        Sha256::digest(message).into()
    }

    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = hmac(key);
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn rsa_public_key(&self, spki: &[u8]) -> Result<Arc<dyn RsaPublicKey>, CryptoError> {
        let components = rsa_key::Components::from_spki(spki)?;
        let modulus = BoxedUint::from_be_slice_vartime(components.modulus);
        let exponent = BoxedUint::from_be_slice_vartime(components.exponent_bytes);
        let key = rsa::RsaPublicKey::new(modulus, exponent).map_err(|_| CryptoError::UnusableKey)?;
        Ok(Arc::new(Key { bits: components.bits, exponent: components.exponent, key }))
    }

    fn es256_public_key(&self, point: &[u8; 65]) -> Result<Arc<dyn VerifyingKey>, CryptoError> {
        Ok(Arc::new(point::p256(point)?))
    }

    fn ed25519_public_key(&self, point: &[u8; 32]) -> Result<Arc<dyn VerifyingKey>, CryptoError> {
        Ok(Arc::new(point::ed25519(point)?))
    }

    fn seal(
        &self,
        key: &SecretKey,
        nonce: &[u8; 12],
        associated: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        Aes256Gcm::new(key.expose().into())
            .encrypt(nonce.into(), Payload { msg: plaintext, aad: associated })
            .map_err(|_| CryptoError::SealBroken)
    }

    fn open(
        &self,
        key: &SecretKey,
        nonce: &[u8; 12],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        Aes256Gcm::new(key.expose().into())
            .decrypt(nonce.into(), Payload { msg: sealed, aad: associated })
            .map_err(|_| CryptoError::SealBroken)
    }
}

struct Key {
    bits: usize,
    exponent: u64,
    key: rsa::RsaPublicKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Key").field("bits", &self.bits).finish_non_exhaustive()
    }
}

impl RsaPublicKey for Key {
    fn bits(&self) -> usize {
        self.bits
    }

    fn exponent(&self) -> u64 {
        self.exponent
    }

    fn verify(&self, digest: RsaDigest, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        if !rsa_key::digest_allowed(self.bits, digest) {
            return Err(CryptoError::BadSignature);
        }
        let verified = match digest {
            RsaDigest::Sha1 => {
                self.key.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message), signature)
            }
            RsaDigest::Sha256 => {
                self.key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature)
            }
            RsaDigest::Sha384 => {
                self.key.verify(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message), signature)
            }
            RsaDigest::Sha512 => {
                self.key.verify(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message), signature)
            }
        };
        verified.map_err(|_| CryptoError::BadSignature)
    }
}

impl VerifyingKey for p256::ecdsa::VerifyingKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        p256::ecdsa::Signature::from_slice(signature)
            .and_then(|signature| Verifier::verify(self, message, &signature))
            .map_err(|_| CryptoError::BadSignature)
    }
}

impl VerifyingKey for ed25519_dalek::VerifyingKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        ed25519_dalek::Signature::from_slice(signature)
            .and_then(|signature| Verifier::verify(self, message, &signature))
            .map_err(|_| CryptoError::BadSignature)
    }
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "RFC 2104 defines HMAC for keys of every length")]
    Hmac::new_from_slice(key).expect("a key of any length")
}
