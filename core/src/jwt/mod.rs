//! JSON Web Tokens (RFC 7515, 7517, 7519) and proofs of possession (RFC 9449), read strictly.
//!
//! Most JWT forgeries play with what the verifier lets the token decide. Here it decides nothing: a key and its
//! algorithm are one value, keys come from the caller, and `alg` may only agree. What two readers could understand
//! differently (a member twice, another spelling of the same bytes), what changes the meaning of the rest (`crit`,
//! `b64`), and what brings a key along (`jwk`, `jku`, `x5c`, `x5u`) is an error with a code of its own. Times are judged
//! against the `now` that the caller gives.
//!
//! | what | how |
//! |---|---|
//! | a token under a known key | [`verify`], [`sign`] |
//! | keys | [`PublicKey`], [`SigningKey`], [`Thumbprint`], [`SigningRing`], [`PublicKeys`] |
//! | a node proves its key | [`Proof`], [`Nonces`] |
//! | a node says which one it is | [`credential`] |

mod algorithm;
mod claims;
pub(crate) mod compact;
pub mod credential;
mod error;
mod interop;
mod jwk;
mod key;
mod nonce;
pub mod proof;
mod ring;
mod signing;
mod target;
mod thumbprint;

pub use algorithm::Algorithm;
pub(crate) use algorithm::AlgorithmName;
pub use claims::{Claims, Expected};
pub use error::{JwtError, Part};
pub(crate) use jwk::{is_private as is_private_jwk, rsa_spki};
pub use key::{PublicKey, Verifier};
pub use nonce::Nonces;
pub use proof::{Proof, ProofError};
pub use ring::{PublicKeys, SigningRing};
pub use signing::SigningKey;
pub use target::TargetUrl;
pub use thumbprint::Thumbprint;

use crate::{limits, secret::Secret, time::Timestamp, verified::Verified};

/// Verifies a token under one key, whatever `kid` the token names.
///
/// # Errors
/// The first [`JwtError`] that is found, the signature before any claim.
pub fn verify(
    key: &Verifier,
    text: &str,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Verified<Claims>, JwtError> {
    let token = compact::read(text, limits::JWT_BYTES)?;
    token.header.no_embedded_key()?;
    checked(&token, key, expected, now)
}

/// Verifies a token under the key of the set that its `kid` names.
///
/// # Errors
/// As [`verify`], and [`JwtError::UnknownKey`].
pub fn verify_by_kid(
    keys: &PublicKeys,
    text: &str,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Verified<Claims>, JwtError> {
    let token = compact::read(text, limits::JWT_BYTES)?;
    token.header.no_embedded_key()?;
    let key = token.header.kid.as_deref().and_then(|kid| keys.get(kid)).ok_or(JwtError::UnknownKey)?;
    checked(&token, key, expected, now)
}

/// Signs claims. The same claims under the same key give the same bytes.
#[must_use]
pub fn sign(key: &SigningKey, typ: &str, kid: Option<&str>, claims: &Claims) -> Secret {
    let mut header = serde_json::Map::from_iter([("typ".to_owned(), typ.into())]);
    header.extend(kid.map(|kid| ("kid".to_owned(), kid.into())));
    Secret::new(compact::write(key, header, claims.as_map().clone()))
}

fn checked(
    token: &compact::Unverified<'_>,
    key: &Verifier,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Verified<Claims>, JwtError> {
    token.header.is_of_type(expected.typ)?;
    token.check_signature(key)?;
    token.claims.check(expected, now)?;
    Ok(Verified::new(token.claims.clone()))
}
