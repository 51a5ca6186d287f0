//! The one strict reader of RSA public keys, shared by the backends, so that they accept exactly the same keys.

use std::iter::successors;

use x509_cert::{
    der::{Decode, Reader, SliceReader, asn1::UintRef, oid::ObjectIdentifier},
    spki::SubjectPublicKeyInfoRef,
};

use super::{CryptoError, RsaDigest};
use crate::limits;

/// rsaEncryption (RFC 8017 appendix C).
pub(crate) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Modulus and exponent of a key whose size is within the limits; big-endian, without leading zeros.
pub(crate) struct Components<'a> {
    pub(crate) modulus: &'a [u8],
    pub(crate) exponent_bytes: &'a [u8],
    pub(crate) exponent: u64,
    pub(crate) bits: usize,
}

impl<'a> Components<'a> {
    /// Reads a DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) that holds an RSAPublicKey (RFC 8017 appendix A.1.1).
    pub(crate) fn from_spki(spki: &'a [u8]) -> Result<Self, CryptoError> {
        let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| CryptoError::UnusableKey)?;
        let null_parameters = info.algorithm.parameters.is_some_and(|parameters| parameters.is_null());
        if info.algorithm.oid != RSA_ENCRYPTION || !null_parameters {
            return Err(CryptoError::UnusableKey);
        }
        let key = info.subject_public_key.as_bytes().ok_or(CryptoError::UnusableKey)?;
        let (modulus, exponent) = read_rsa_public_key(key).map_err(|_| CryptoError::UnusableKey)?;
        Self::check(modulus, exponent)
    }

    fn check(modulus: &'a [u8], exponent_bytes: &'a [u8]) -> Result<Self, CryptoError> {
        let bits = bit_length(modulus);
        let odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte % 2 == 1);
        let exponent = exponent_bytes
            .iter()
            .try_fold(0_u64, |value, byte| value.checked_mul(256).map(|shifted| shifted | u64::from(*byte)));
        let size = limits::RSA_LEGACY_MIN_BITS..=limits::RSA_MAX_BITS;
        match exponent {
            Some(exponent)
                if size.contains(&bits)
                    && odd(modulus)
                    && odd(exponent_bytes)
                    && (3..=limits::RSA_MAX_EXPONENT).contains(&exponent)
                    && !is_roca(modulus) =>
            {
                Ok(Self { modulus, exponent_bytes, exponent, bits })
            }
            Some(_) | None => Err(CryptoError::UnusableKey),
        }
    }
}

/// Short moduli are for what SNS signed with them; nobody may use them with anything newer.
#[cfg_attr(
    not(any(feature = "aws-lc", feature = "rust-crypto")),
    expect(dead_code, reason = "only backends verify")
)]
pub(crate) fn digest_allowed(bits: usize, digest: RsaDigest) -> bool {
    match digest {
        RsaDigest::Sha1 | RsaDigest::Sha256 => true,
        RsaDigest::Sha384 | RsaDigest::Sha512 => bits >= limits::RSA_MIN_BITS,
    }
}

/// The small primes modulo which 65537 does not reach every residue.
const ROCA_PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// Whether this is a key of Infineon's RSALib (ROCA, CVE-2017-15361), which can be factored: its primes are powers of 65537
/// modulo a product of small primes, and so is the modulus ("The Return of Coppersmith's Attack", 2017, section 2). Every
/// such key of 512 bits and more is found; of all others, one in two hundred million is taken for one.
fn is_roca(modulus: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|prime| {
        let residue = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let next = |power: &u32| Some(power * 65_537 % prime).filter(|power| *power != 1);
        successors(Some(1), next).any(|power| power == residue)
    })
}

fn read_rsa_public_key(der: &[u8]) -> x509_cert::der::Result<(&[u8], &[u8])> {
    let mut outer = SliceReader::new(der)?;
    let components = outer.sequence(|reader| {
        let modulus = UintRef::decode(reader)?;
        let exponent = UintRef::decode(reader)?;
        Ok::<_, x509_cert::der::Error>((modulus.as_bytes(), exponent.as_bytes()))
    })?;
    outer.finish()?;
    Ok(components)
}

fn bit_length(number: &[u8]) -> usize {
    let Some(first) = number.first() else { return 0 };
    let leading = usize::try_from(first.leading_zeros()).unwrap_or(0);
    number.len().saturating_mul(8).saturating_sub(leading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_65537_are_known_and_their_neighbours_are_not() {
        for exponent in 1..=7 {
            let power = 65_537_u128.pow(exponent);
            assert!(is_roca(&power.to_be_bytes()), "{exponent}");
            assert!(
                !is_roca(&(power + 2).to_be_bytes()) && !is_roca(&(power - 2).to_be_bytes()),
                "{exponent}"
            );
        }
    }
}
