//! The onboarding key, as ServiceRadar's configuration has it.

use std::sync::Arc;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use zeroize::Zeroizing;

use super::ServiceRadarError;
use crate::{
    crypto::{Backend, Ed25519Key, VerifyingKey},
    secret::SecretKey,
};

/// Reads `SERVICERADAR_ONBOARDING_TOKEN_PRIVATE_KEY`: base64 of the 32-byte seed, or of the seed and its public key.
///
/// # Errors
/// `unusable_key`; for hexadecimal digits too, which ServiceRadar's programs do not take either.
pub fn private_key(text: &str) -> Result<Ed25519Key, ServiceRadarError> {
    let bytes = decode(text).ok_or(ServiceRadarError::UnusableKey)?;
    let (seed, public) = bytes.split_first_chunk::<32>().ok_or(ServiceRadarError::UnusableKey)?;
    let key = Ed25519Key::from_seed(&SecretKey::new(*seed));
    if public.is_empty() || *public == key.public() { Ok(key) } else { Err(ServiceRadarError::UnusableKey) }
}

/// Reads `SERVICERADAR_ONBOARDING_TOKEN_PUBLIC_KEY`: base64 of 32 bytes.
///
/// # Errors
/// `unusable_key`.
pub fn public_key(backend: &dyn Backend, text: &str) -> Result<Arc<dyn VerifyingKey>, ServiceRadarError> {
    let point = decode(text).and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    let point = point.ok_or(ServiceRadarError::UnusableKey)?;
    backend.ed25519_public_key(&point).map_err(|_| ServiceRadarError::UnusableKey)
}

/// Either alphabet, padded or not, as ServiceRadar's programs take it.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let spellings = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD];
    spellings.iter().find_map(|spelling| spelling.decode(text.as_bytes()).ok()).map(Zeroizing::new)
}
