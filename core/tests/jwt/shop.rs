//! Keys, times and a forger's tools, shared by the stories.

use data_encoding::BASE64URL_NOPAD;
use handfast::{
    Timestamp,
    crypto::{Ed25519Key, Es256Key},
    jwt::{Algorithm, SigningKey},
    secret::SecretKey,
};
use serde_json::Value;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The same key for the same byte.
pub(crate) fn key(algorithm: Algorithm, byte: u8) -> SigningKey {
    let secret = SecretKey::new([byte; 32]);
    match algorithm {
        Algorithm::Es256 => Es256Key::from_scalar(&secret).unwrap().into(),
        _ => Ed25519Key::from_seed(&secret).into(),
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
}

/// The DER inside a PEM.
pub(crate) fn pem_body(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    data_encoding::BASE64.decode(text.as_bytes()).unwrap()
}

/// The JSON of one part of a token.
pub(crate) fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&decode(token.split('.').nth(number).unwrap())).unwrap()
}

/// A token of exactly these texts, properly signed.
pub(crate) fn forge(key: &SigningKey, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    format!("{signed}.{}", encode(key.sign(signed.as_bytes())))
}
