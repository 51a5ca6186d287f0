//! The one strict reader of elliptic-curve public keys, shared by the backends, so that they accept exactly the same.

use super::CryptoError;

/// Reads an uncompressed P-256 point (SEC 1 section 2.3.4): 4, then x and y in 32 bytes each. An attacker sends points
/// off the curve, coordinates beyond the field, or the identity; none of them is a key.
pub(crate) fn p256(point: &[u8; 65]) -> Result<p256::ecdsa::VerifyingKey, CryptoError> {
    match point {
        [4, ..] => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| CryptoError::UnusableKey),
        [_, ..] => Err(CryptoError::UnusableKey),
    }
}

/// Reads an Ed25519 point (RFC 8032 section 5.1.3) and refuses what would let one signature count for many messages or
/// one key have two spellings: the eight points of small order, and a y-coordinate that is not reduced.
pub(crate) fn ed25519(point: &[u8; 32]) -> Result<ed25519_dalek::VerifyingKey, CryptoError> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(point).map_err(|_| CryptoError::UnusableKey)?;
    if key.is_weak() || !is_reduced(point) { Err(CryptoError::UnusableKey) } else { Ok(key) }
}

/// Whether y < 2^255 - 19; the highest bit is the sign of x. Only 19 values from there on are not, and all of them have
/// every middle byte set.
fn is_reduced([first, middle @ .., last]: &[u8; 32]) -> bool {
    *first < 0xed || middle.iter().any(|byte| *byte != 0xff) || last | 0x80 != 0xff
}
