//! The compact form (RFC 7515 section 7.1): `header.payload.signature`, each in base64url.

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeSeed as _;
use serde_json::{Map, Value};

use super::{Algorithm, Claims, JwtError, Part, SigningKey, Verifier};
use crate::{
    json::{self, Strict},
    limits,
};

/// A token whose form is right and of which nothing is proven.
pub(crate) struct Unverified<'a, A = Algorithm> {
    pub(crate) header: Header<A>,
    pub(crate) claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

/// What a header may say.
pub(crate) struct Header<A = Algorithm> {
    pub(crate) algorithm: A,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
    pub(crate) jwk: Option<Value>,
}

/// Reads a token.
pub(crate) fn read(text: &str, limit: usize) -> Result<Unverified<'_>, JwtError> {
    read_as(text, limit)
}

/// The same, with the algorithms that `A` knows.
pub(crate) fn read_as<A: FromStr<Err = JwtError>>(
    text: &str,
    limit: usize,
) -> Result<Unverified<'_, A>, JwtError> {
    if text.len() > limit {
        return Err(JwtError::TooLarge { limit });
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(JwtError::NotCompact)?;
    let (header, payload) = signed.split_once('.').ok_or(JwtError::NotCompact)?;
    if payload.contains('.') {
        return Err(JwtError::NotCompact);
    }
    let header = Header::read(object(header, Part::Header)?)?;
    let claims = Claims::new(object(payload, Part::Payload)?);
    Ok(Unverified { header, claims, signed, signature: decode(signature, Part::Signature)? })
}

/// Writes and signs a token; header and payload in their one canonical spelling (RFC 8785).
pub(crate) fn write(key: &SigningKey, header: Map<String, Value>, payload: Map<String, Value>) -> String {
    write_payload(key, header, &json::canonical(&Value::Object(payload)))
}

/// Writes and signs a token whose payload others spell in their own way.
pub(crate) fn write_payload(key: &SigningKey, mut header: Map<String, Value>, payload: &str) -> String {
    header.insert("alg".to_owned(), key.algorithm().as_str().into());
    let header = json::canonical(&Value::Object(header));
    let mut text = BASE64URL_NOPAD.encode(header.as_bytes());
    text.push('.');
    BASE64URL_NOPAD.encode_append(payload.as_bytes(), &mut text);
    let signature = key.sign(text.as_bytes());
    text.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut text);
    text
}

impl Unverified<'_> {
    /// Whether the signature is this key's over this header and payload.
    pub(crate) fn check_signature(&self, key: &Verifier) -> Result<(), JwtError> {
        if self.header.algorithm != key.algorithm() {
            return Err(JwtError::AlgorithmMismatch);
        }
        if self.signature.len() != key.signature_bytes() {
            return Err(JwtError::SignatureLength);
        }
        key.verify(self.signed.as_bytes(), &self.signature)
    }
}

impl<A: FromStr<Err = JwtError>> Header<A> {
    fn read(mut members: Map<String, Value>) -> Result<Self, JwtError> {
        if members.contains_key("crit") {
            return Err(JwtError::CriticalExtension);
        }
        if members.contains_key("b64") {
            return Err(JwtError::UnencodedPayload);
        }
        for name in ["jku", "x5c", "x5u"] {
            if members.contains_key(name) {
                return Err(JwtError::EmbeddedKey { name });
            }
        }
        let algorithm = text(&mut members, "alg", limits::KIND_BYTES)?;
        let algorithm = algorithm.ok_or(JwtError::InvalidHeader { name: "alg", expected: "there" })?;
        Ok(Self {
            algorithm: algorithm.parse()?,
            typ: text(&mut members, "typ", limits::NAME_BYTES)?,
            kid: text(&mut members, "kid", limits::KID_BYTES)?,
            jwk: members.remove("jwk"),
        })
    }
}

impl Header {
    /// Only a proof of possession brings its key along.
    pub(crate) fn no_embedded_key(&self) -> Result<(), JwtError> {
        if self.jwk.is_some() { Err(JwtError::EmbeddedKey { name: "jwk" }) } else { Ok(()) }
    }

    /// Compared exactly, although media types need not be: a type that is meant to tell tokens apart has one spelling.
    pub(crate) fn is_of_type(&self, expected: Option<&str>) -> Result<(), JwtError> {
        if expected.is_some() && self.typ.as_deref() != expected { Err(JwtError::WrongType) } else { Ok(()) }
    }
}

fn text(
    members: &mut Map<String, Value>,
    name: &'static str,
    limit: usize,
) -> Result<Option<String>, JwtError> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= limit => Ok(Some(text)),
        Some(_) => Err(JwtError::InvalidHeader { name, expected: "a short text" }),
    }
}

fn object(encoded: &str, part: Part) -> Result<Map<String, Value>, JwtError> {
    let bytes = decode(encoded, part)?;
    let malformed = JwtError::MalformedJson { part };
    let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(|error| {
        if error.to_string().starts_with("duplicate member") {
            JwtError::DuplicateMember { part }
        } else {
            malformed
        }
    })?;
    deserializer.end().map_err(|_| malformed)?;
    match value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(malformed)
        }
    }
}

/// Canonical: without padding, and with zero trailing bits.
fn decode(encoded: &str, part: Part) -> Result<Vec<u8>, JwtError> {
    BASE64URL_NOPAD.decode(encoded.as_bytes()).map_err(|_| JwtError::Encoding { part })
}
