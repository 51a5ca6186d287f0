//! Keys of 32 bytes, in base64 as `wg` writes them.

use std::{fmt, str::FromStr};

use data_encoding::BASE64;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use super::WireGuardError;
use crate::secret::{Secret, SecretKey};

/// Bytes of a key, and characters of its base64.
const BYTES: usize = 32;
const CHARACTERS: usize = 44;

/// The private half of an X25519 key (RFC 7748), clamped as `wg genkey` does it. Whoever has it is the peer.
#[derive(Clone)]
pub struct PrivateKey(SecretKey);

impl PrivateKey {
    /// A new key.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self::clamped(draw(rng))
    }

    /// The public half, which the other peers are told.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let secret = StaticSecret::from(*self.0.expose());
        PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes())
    }

    /// The key as `wg` writes it.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        encode(self.0.expose())
    }

    /// RFC 7748 section 5: without the bits that the multiplication does not look at.
    fn clamped(mut bytes: Zeroizing<[u8; BYTES]>) -> Self {
        let [first, .., last] = &mut *bytes;
        *first &= 0b1111_1000;
        *last = (*last & 0b0111_1111) | 0b0100_0000;
        Self(SecretKey::new(*bytes))
    }

    pub(super) fn write_to(&self, text: &mut String) {
        BASE64.encode_append(self.0.expose(), text);
    }
}

impl FromStr for PrivateKey {
    type Err = WireGuardError;

    /// Clamps what is not clamped, as every user of the key does. The text is the caller's to wipe.
    fn from_str(text: &str) -> Result<Self, WireGuardError> {
        decode(text, "all zeros would take the interface's key away").map(Self::clamped)
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose().ct_eq(other.0.expose()).into()
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey([redacted])")
    }
}

/// A secret that two peers share besides their keys, against somebody who records now and has a quantum computer later.
#[derive(Clone)]
pub struct PresharedKey(SecretKey);

impl PresharedKey {
    /// A new key: 32 random bytes.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(SecretKey::new(*draw(rng)))
    }

    /// The key as `wg` writes it.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        encode(self.0.expose())
    }

    pub(super) fn write_to(&self, text: &mut String) {
        BASE64.encode_append(self.0.expose(), text);
    }
}

impl FromStr for PresharedKey {
    type Err = WireGuardError;

    /// The text is the caller's to wipe.
    fn from_str(text: &str) -> Result<Self, WireGuardError> {
        decode(text, "all zeros mean that there is none").map(|bytes| Self(SecretKey::new(*bytes)))
    }
}

impl PartialEq for PresharedKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose().ct_eq(other.0.expose()).into()
    }
}

impl Eq for PresharedKey {}

impl fmt::Debug for PresharedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PresharedKey([redacted])")
    }
}

/// The public half of a peer's key: its name in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; BYTES]);

impl PublicKey {
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl FromStr for PublicKey {
    type Err = WireGuardError;

    /// Refuses the points of low order, with which everybody agrees on the same secret: no handshake ever succeeds.
    fn from_str(text: &str) -> Result<Self, WireGuardError> {
        let bytes = *decode(text, "a point of low order is nobody's")?;
        let any = StaticSecret::from([1; BYTES]);
        if any.diffie_hellman(&x25519_dalek::PublicKey::from(bytes)).was_contributory() {
            Ok(Self(bytes))
        } else {
            Err(WireGuardError::MalformedKey { what: "a point of low order is nobody's" })
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        BASE64.encode_write(&self.0, formatter)
    }
}

fn draw<R: CryptoRng + ?Sized>(rng: &mut R) -> Zeroizing<[u8; BYTES]> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    rng.fill_bytes(bytes.as_mut_slice());
    bytes
}

fn encode(bytes: &[u8; BYTES]) -> Secret {
    let mut text = String::with_capacity(CHARACTERS);
    BASE64.encode_append(bytes, &mut text);
    Secret::new(text)
}

/// Exactly one spelling: padded, no stray bits, no white space; and never all zeros.
fn decode(text: &str, zeros: &'static str) -> Result<Zeroizing<[u8; BYTES]>, WireGuardError> {
    let malformed = WireGuardError::MalformedKey { what: "expected 44 characters of base64 for 32 bytes" };
    let mut buffer = Zeroizing::new([0; BYTES + 1]);
    if text.len() != CHARACTERS || BASE64.decode_mut(text.as_bytes(), buffer.as_mut_slice()) != Ok(BYTES) {
        return Err(malformed);
    }
    let (bytes, _) = buffer.split_first_chunk::<BYTES>().ok_or(malformed)?;
    if bool::from(bytes.ct_eq(&[0; BYTES])) {
        return Err(WireGuardError::MalformedKey { what: zeros });
    }
    Ok(Zeroizing::new(*bytes))
}
