//! Public keys of authorities, between JSON Web Key (RFC 7518 section 6, RFC 8037) and SubjectPublicKeyInfo (RFC 5280).
//!
//! A P-256 or Ed25519 point is computed with; those of P-384 and P-521 are only measured, since no backend of handfast
//! verifies with them: whoever does checks that they lie on their curve.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use x509_cert::{
    der::{AnyRef, Decode as _, Encode as _, asn1::BitStringRef, oid::ObjectIdentifier},
    spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef},
};

use super::SpireError;
use crate::{
    crypto::{point, rsa_key},
    jwt, limits,
};

const UNUSABLE: SpireError = SpireError::UnusableAuthority {
    what: "not a P-256, P-384, P-521, RSA or Ed25519 key of an allowed size",
};

/// id-ecPublicKey (RFC 5480 section 2.1.1) and id-Ed25519 (RFC 8410 section 3).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The two coordinates of a point, one after the other.
    Ec(Curve, Vec<u8>),
    /// A DER SubjectPublicKeyInfo within the limits.
    Rsa(Vec<u8>),
    /// A point.
    Ed25519([u8; 32]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// The name in a JWK, the bytes of a coordinate, and the name in DER.
    fn facts(self) -> (&'static str, usize, ObjectIdentifier) {
        match self {
            Self::P256 => ("P-256", 32, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
            Self::P384 => ("P-384", 48, ObjectIdentifier::new_unwrap("1.3.132.0.34")),
            Self::P521 => ("P-521", 66, ObjectIdentifier::new_unwrap("1.3.132.0.35")),
        }
    }

    fn find(is_it: impl Fn((&'static str, usize, ObjectIdentifier)) -> bool) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| is_it(curve.facts()))
    }
}

impl Key {
    pub(super) fn from_spki(der: &[u8]) -> Result<Self, SpireError> {
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| UNUSABLE)?;
        let point = info.subject_public_key.as_bytes().ok_or(UNUSABLE)?;
        match (info.algorithm.oid, info.algorithm.parameters) {
            (EC, Some(parameters)) => {
                let named: ObjectIdentifier = parameters.decode_as().map_err(|_| UNUSABLE)?;
                let curve = Curve::find(|(_, _, oid)| oid == named).ok_or(UNUSABLE)?;
                match point {
                    [4, coordinates @ ..] => Self::ec(curve, coordinates.to_vec()),
                    _ => Err(UNUSABLE),
                }
            }
            (ED25519, None) => Self::ed25519(point),
            (rsa_key::RSA_ENCRYPTION, _) => Self::rsa(der.to_vec()),
            _ => Err(UNUSABLE),
        }
    }

    /// Reads a JWK; `None` for a kind of key that is not known, which the standard has readers ignore (section 4.2.1).
    pub(super) fn from_jwk(members: &Map<String, Value>) -> Result<Option<Self>, SpireError> {
        let text = |name: &str| members.get(name).and_then(Value::as_str).ok_or(UNUSABLE);
        let bytes = |name: &str| BASE64URL_NOPAD.decode(text(name)?.as_bytes()).map_err(|_| UNUSABLE);
        match text("kty")? {
            "EC" => {
                let named = text("crv")?;
                let Some(curve) = Curve::find(|(name, _, _)| name == named) else { return Ok(None) };
                let (x, y) = (bytes("x")?, bytes("y")?);
                if x.len() != y.len() {
                    return Err(UNUSABLE);
                }
                Self::ec(curve, [x, y].concat()).map(Some)
            }
            "OKP" if text("crv")? == "Ed25519" => Self::ed25519(&bytes("x")?).map(Some),
            "RSA" => {
                let spki = jwt::rsa_spki(&bytes("n")?, &bytes("e")?).ok_or(UNUSABLE)?;
                Self::rsa(spki).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn ec(curve: Curve, coordinates: Vec<u8>) -> Result<Self, SpireError> {
        let (_, bytes, _) = curve.facts();
        if coordinates.len() != bytes.saturating_mul(2) {
            return Err(UNUSABLE);
        }
        if let Curve::P256 = curve {
            let point = [&[4], coordinates.as_slice()].concat();
            let point = point.as_slice().try_into().map_err(|_| UNUSABLE)?;
            point::p256(point).map_err(|_| UNUSABLE)?;
        }
        Ok(Self::Ec(curve, coordinates))
    }

    fn ed25519(point: &[u8]) -> Result<Self, SpireError> {
        let point = point.try_into().map_err(|_| UNUSABLE)?;
        point::ed25519(&point).map_err(|_| UNUSABLE)?;
        Ok(Self::Ed25519(point))
    }

    fn rsa(spki: Vec<u8>) -> Result<Self, SpireError> {
        let key = rsa_key::Components::from_spki(&spki).map_err(|_| UNUSABLE)?;
        if key.bits < limits::RSA_MIN_BITS || key.exponent < limits::RSA_MIN_EXPONENT {
            return Err(UNUSABLE);
        }
        Ok(Self::Rsa(spki))
    }

    pub(super) fn to_spki(&self) -> Result<Vec<u8>, SpireError> {
        match self {
            Self::Ec(curve, coordinates) => {
                let (_, _, oid) = curve.facts();
                spki(EC, Some(AnyRef::from(&oid)), &[&[4], coordinates.as_slice()].concat())
            }
            Self::Ed25519(point) => spki(ED25519, None, point),
            Self::Rsa(spki) => Ok(spki.clone()),
        }
    }

    /// The members of the JWK that say what the key is.
    pub(super) fn to_jwk(&self) -> Map<String, Value> {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let members = match self {
            Self::Ec(curve, coordinates) => {
                let (name, bytes, _) = curve.facts();
                let (x, y) = coordinates.split_at_checked(bytes).unwrap_or_default();
                vec![("kty", "EC".to_owned()), ("crv", name.to_owned()), ("x", encode(x)), ("y", encode(y))]
            }
            Self::Ed25519(point) => {
                vec![("kty", "OKP".to_owned()), ("crv", "Ed25519".to_owned()), ("x", encode(point))]
            }
            Self::Rsa(spki) => match rsa_key::Components::from_spki(spki) {
                Ok(key) => vec![
                    ("kty", "RSA".to_owned()),
                    ("n", encode(key.modulus)),
                    ("e", encode(key.exponent_bytes)),
                ],
                Err(_) => Vec::new(),
            },
        };
        members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }
}

fn spki(oid: ObjectIdentifier, parameters: Option<AnyRef<'_>>, point: &[u8]) -> Result<Vec<u8>, SpireError> {
    let subject_public_key = BitStringRef::from_bytes(point).map_err(|_| UNUSABLE)?;
    let algorithm = AlgorithmIdentifierRef { oid, parameters };
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().map_err(|_| UNUSABLE)
}
