//! The default backend: aws-lc-rs, in C and assembly.

use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest, hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    },
};

use super::{Backend, CryptoError, RsaDigest, RsaPublicKey, VerifyingKey, point, rsa_key};
use crate::secret::SecretKey;

/// Primitives by [aws-lc-rs](https://docs.rs/aws-lc-rs). Needs a C compiler to build.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

impl Backend for AwsLc {
    fn name(&self) -> &'static str {
        "aws-lc"
    }

    fn sha256(&self, message: &[u8]) -> [u8; 32] {
        fixed(digest::digest(&digest::SHA256, message).as_ref())
    }

    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
        for part in parts {
            context.update(part);
        }
        fixed(context.sign().as_ref())
    }

    fn rsa_public_key(&self, spki: &[u8]) -> Result<Arc<dyn RsaPublicKey>, CryptoError> {
        let components = rsa_key::Components::from_spki(spki)?;
        let parse = |algorithm: &'static RsaParameters| {
            RsaPublicKeyComponents { n: components.modulus, e: components.exponent_bytes }
                .to_parsed_public_key(algorithm)
                .map_err(|_| CryptoError::UnusableKey)
        };
        Ok(Arc::new(Key {
            bits: components.bits,
            exponent: components.exponent,
            sha1: parse(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)?,
            sha256: parse(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)?,
            sha384: parse(&RSA_PKCS1_2048_8192_SHA384)?,
            sha512: parse(&RSA_PKCS1_2048_8192_SHA512)?,
        }))
    }

    fn es256_public_key(&self, point: &[u8; 65]) -> Result<Arc<dyn VerifyingKey>, CryptoError> {
        point::p256(point)?;
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        Ok(Arc::new(CurveKey(key.map_err(|_| CryptoError::UnusableKey)?)))
    }

    fn ed25519_public_key(&self, point: &[u8; 32]) -> Result<Arc<dyn VerifyingKey>, CryptoError> {
        point::ed25519(point)?;
        let key = ParsedPublicKey::new(&ED25519, point);
        Ok(Arc::new(CurveKey(key.map_err(|_| CryptoError::UnusableKey)?)))
    }

    fn seal(
        &self,
        key: &SecretKey,
        nonce: &[u8; 12],
        associated: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let mut buffer = Vec::with_capacity(plaintext.len().saturating_add(AES_256_GCM.tag_len()));
        buffer.extend_from_slice(plaintext);
        aead(key)?
            .seal_in_place_append_tag(Nonce::from(nonce), Aad::from(associated), &mut buffer)
            .map_err(|_| CryptoError::SealBroken)?;
        Ok(buffer)
    }

    fn open(
        &self,
        key: &SecretKey,
        nonce: &[u8; 12],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let mut buffer = sealed.to_vec();
        let length = aead(key)?
            .open_in_place(Nonce::from(nonce), Aad::from(associated), &mut buffer)
            .map_err(|_| CryptoError::SealBroken)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// The key in aws-lc's own form, once for each digest.
#[derive(Debug)]
struct Key {
    bits: usize,
    exponent: u64,
    sha1: ParsedPublicKey,
    sha256: ParsedPublicKey,
    sha384: ParsedPublicKey,
    sha512: ParsedPublicKey,
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
        let key = match digest {
            RsaDigest::Sha1 => &self.sha1,
            RsaDigest::Sha256 => &self.sha256,
            RsaDigest::Sha384 => &self.sha384,
            RsaDigest::Sha512 => &self.sha512,
        };
        key.verify_sig(message, signature).map_err(|_| CryptoError::BadSignature)
    }
}

/// An elliptic-curve key in aws-lc's own form, which knows its algorithm.
#[derive(Debug)]
struct CurveKey(ParsedPublicKey);

impl VerifyingKey for CurveKey {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.0.verify_sig(message, signature).map_err(|_| CryptoError::BadSignature)
    }
}

fn aead(key: &SecretKey) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| CryptoError::SealBroken)
}

/// The 32 bytes of a SHA-256 output.
fn fixed(bytes: &[u8]) -> [u8; 32] {
    let mut output = [0; 32];
    for (target, byte) in output.iter_mut().zip(bytes) {
        *target = *byte;
    }
    output
}
