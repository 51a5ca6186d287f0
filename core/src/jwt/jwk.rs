//! JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2), read strictly.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use x509_cert::{
    der::{
        Encode as _,
        asn1::{BitStringRef, Null, UintRef},
    },
    spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef},
};

use super::{Algorithm, JwtError, PublicKey, key::Material};
use crate::crypto::{CryptoError, rsa_key};

const UNUSABLE: JwtError = JwtError::Key(CryptoError::UnusableKey);
/// Members of private keys (RFC 7518 section 6), and that of a symmetric one.
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Reads a public key.
pub(super) fn read(value: &Value) -> Result<PublicKey, JwtError> {
    let members = value.as_object().ok_or(UNUSABLE)?;
    if is_private(members) {
        return Err(JwtError::PrivateKey);
    }
    if !is_for_signatures(members) {
        return Err(UNUSABLE);
    }
    let named = match members.get("alg") {
        None => None,
        Some(name) => Some(name.as_str().ok_or(UNUSABLE)?.parse::<Algorithm>()?),
    };
    let key = match (text(members, "kty")?, members.get("crv").and_then(Value::as_str)) {
        ("EC", Some("P-256")) => PublicKey::es256(point(members)?)?,
        ("OKP", Some("Ed25519")) => {
            PublicKey::ed25519(bytes(members, "x")?.try_into().map_err(|_| UNUSABLE)?)?
        }
        ("RSA", None) => rsa(members, named.ok_or(UNUSABLE)?)?,
        _ => return Err(UNUSABLE),
    };
    if named.is_some_and(|named| named != key.algorithm()) {
        return Err(JwtError::AlgorithmMismatch);
    }
    Ok(key)
}

/// Whether members of a private or symmetric key are there.
pub(crate) fn is_private(members: &Map<String, Value>) -> bool {
    PRIVATE.iter().any(|name| members.contains_key(*name))
}

/// The members that a thumbprint covers (RFC 7638 section 3.2, RFC 8037 section 2).
pub(super) fn required(key: &PublicKey) -> Map<String, Value> {
    let members: &[(&str, String)] = match &key.0 {
        Material::Es256(point) => {
            let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
            &[("kty", "EC".into()), ("crv", "P-256".into()), ("x", encode(x)), ("y", encode(y))]
        }
        Material::EdDsa(point) => &[("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", encode(point))],
        Material::Rsa(_, spki) => match rsa_key::Components::from_spki(spki) {
            Ok(key) => {
                &[("kty", "RSA".into()), ("n", encode(key.modulus)), ("e", encode(key.exponent_bytes))]
            }
            Err(_) => &[],
        },
    };
    members.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect()
}

/// The required members, and `alg` where they do not imply it.
pub(super) fn write(key: &PublicKey) -> Map<String, Value> {
    let mut members = required(key);
    if key.algorithm().rsa_digest().is_some() {
        members.insert("alg".to_owned(), key.algorithm().as_str().into());
    }
    members
}

/// RFC 7517 sections 4.2 and 4.3: where a key says what it is for, it must be for this.
fn is_for_signatures(members: &Map<String, Value>) -> bool {
    let usage = members.get("use").is_none_or(|usage| usage == "sig");
    let operations = members.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|operations| operations.iter().any(|name| name == "verify"))
    });
    usage && operations
}

fn point(members: &Map<String, Value>) -> Result<[u8; 65], JwtError> {
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    if (x.len(), y.len()) != (32, 32) {
        return Err(UNUSABLE);
    }
    [&[4], &*x, &*y].concat().try_into().map_err(|_| UNUSABLE)
}

fn rsa(members: &Map<String, Value>, algorithm: Algorithm) -> Result<PublicKey, JwtError> {
    if algorithm.rsa_digest().is_none() {
        return Err(JwtError::AlgorithmMismatch);
    }
    let spki = rsa_spki(&bytes(members, "n")?, &bytes(members, "e")?).ok_or(UNUSABLE)?;
    Ok(PublicKey::from_spki_der(&spki, algorithm)?)
}

/// An RSA key as a DER SubjectPublicKeyInfo. Leading zeros are another spelling of the same number, which RFC 7518 section
/// 6.3.1.1 forbids.
pub(crate) fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let canonical = |number: &[u8]| number.first().is_some_and(|byte| *byte != 0);
    if !canonical(modulus) || !canonical(exponent) {
        return None;
    }
    let key = vec![UintRef::new(modulus).ok()?, UintRef::new(exponent).ok()?].to_der().ok()?;
    let algorithm = AlgorithmIdentifierRef { oid: rsa_key::RSA_ENCRYPTION, parameters: Some(Null.into()) };
    let subject_public_key = BitStringRef::from_bytes(&key).ok()?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().ok()
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, JwtError> {
    members.get(name).and_then(Value::as_str).ok_or(UNUSABLE)
}

fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JwtError> {
    BASE64URL_NOPAD.decode(text(members, name)?.as_bytes()).map_err(|_| UNUSABLE)
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
