//! Bootstrap tokens: `[a-z0-9]{6}.[a-z0-9]{16}`, a public id and a secret.

use std::{fmt, str::FromStr};

use rand_core::CryptoRng;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::KubernetesError;
use crate::secret::Secret;

const ID_LENGTH: usize = 6;
const SECRET_LENGTH: usize = 16;

/// The public part of a bootstrap token: it names the Secret and the signature, and may be logged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(Box<str>);

impl TokenId {
    /// The six characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the Secret that makes the token work: `bootstrap-token-<id>`, in namespace `kube-system`.
    #[must_use]
    pub fn secret_name(&self) -> String {
        format!("bootstrap-token-{}", self.0)
    }
}

impl FromStr for TokenId {
    type Err = KubernetesError;

    fn from_str(text: &str) -> Result<Self, KubernetesError> {
        if is_part(text, ID_LENGTH) { Ok(Self(text.into())) } else { Err(KubernetesError::MalformedToken) }
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for TokenId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A bootstrap token. Its secret part follows the rules of [`Secret`]: no `Display`, no `Serialize`, redacted in
/// `Debug`, compared in constant time.
///
/// 16 characters of 36 are 82 bits: out of reach of guessing over the network in minutes, and of guessing offline
/// against the signature that `cluster-info` shows to everybody.
#[derive(Clone, PartialEq, Eq)]
pub struct BootstrapToken {
    id: TokenId,
    secret: Secret,
}

impl BootstrapToken {
    /// A new token. Each character is drawn uniformly: bytes that would favour some are drawn again.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let id = TokenId(draw(rng, ID_LENGTH).into());
        Self { id, secret: Secret::new(draw(rng, SECRET_LENGTH)) }
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> &TokenId {
        &self.id
    }

    /// The secret part alone, as the Secret has it and as the key of the signature.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The whole token, `<id>.<secret>`, as a node presents it.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let mut text = String::with_capacity(ID_LENGTH + 1 + SECRET_LENGTH);
        text.push_str(self.id.as_str());
        text.push('.');
        text.push_str(self.secret.expose());
        Secret::new(text)
    }
}

impl FromStr for BootstrapToken {
    type Err = KubernetesError;

    /// The text is the caller's to wipe.
    fn from_str(text: &str) -> Result<Self, KubernetesError> {
        let (id, secret) = text.split_once('.').ok_or(KubernetesError::MalformedToken)?;
        if !is_part(secret, SECRET_LENGTH) {
            return Err(KubernetesError::MalformedToken);
        }
        Ok(Self { id: id.parse()?, secret: Secret::new(secret.to_owned()) })
    }
}

impl fmt::Debug for BootstrapToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BootstrapToken({}.[redacted])", self.id)
    }
}

fn is_part(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Uniform characters of `a` to `z` and `0` to `9`. 252 is the largest multiple of 36 that a byte can reach: bytes from
/// there on are dropped, since keeping them would make the first four characters likelier.
fn draw<R: CryptoRng + ?Sized>(rng: &mut R, length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut pool = Zeroizing::new([0_u8; 2 * SECRET_LENGTH]);
    while text.len() < length {
        rng.fill_bytes(pool.as_mut_slice());
        let missing = length.saturating_sub(text.len());
        text.extend(pool.iter().filter(|byte| **byte < 252).take(missing).map(|byte| character(byte % 36)));
    }
    text
}

fn character(index: u8) -> char {
    char::from(if index < 26 { b'a' + index } else { b'0' + (index - 26) })
}
