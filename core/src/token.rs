//! The enrollment token: `hf1_<id>_<secret and check>`.
//!
//! - `hf1_` lets secret scanners recognise it;
//! - the id (29 characters) is public: the package and the generation of its token;
//! - the secret has 256 bits (52 characters), more than anybody can guess;
//! - the check (7 characters, CRC-32 of all before it) makes a typing mistake [`Malformed`](Code::MalformedToken)
//!   instead of unknown, so that mistakes and attacks look different in the audit. It protects nothing else.
//!
//! All three are unpadded Base32 (RFC 4648 section 6) in upper case with zero trailing bits: one token, one spelling.
//! What is stored is an HMAC-SHA-256 under a pepper that is not in the database: a stolen database yields no token.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    code::Code,
    crypto::Backend,
    id::PackageId,
    secret::{Secret, SecretKey},
};

pub(crate) const PREFIX: &str = "hf1_";
const ID_BYTES: usize = 18;
const SECRET_BYTES: usize = 32;

/// A text that is not an enrollment token, or was mistyped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an enrollment token, or mistyped")]
pub struct MalformedToken;

impl MalformedToken {
    /// [`Code::MalformedToken`].
    #[must_use]
    pub fn code(self) -> Code {
        Code::MalformedToken
    }
}

/// An enrollment token in the clear.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EnrollmentToken {
    #[zeroize(skip)]
    package: PackageId,
    generation: u16,
    secret: [u8; SECRET_BYTES],
}

impl EnrollmentToken {
    /// Draws a new secret.
    #[must_use]
    pub fn generate(package: PackageId, generation: u16, rng: &mut dyn CryptoRng) -> Self {
        let mut secret = [0; SECRET_BYTES];
        rng.fill_bytes(&mut secret);
        Self { package, generation, secret }
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`MalformedToken`], whatever is wrong with it: it is not said which character.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        Self::read(text).ok_or(MalformedToken)
    }

    fn read(text: &str) -> Option<Self> {
        let (id, rest) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let id: [u8; ID_BYTES] = BASE32_NOPAD.decode(id.as_bytes()).ok()?.try_into().ok()?;
        let (secret, check) = rest.split_at_checked(BASE32_NOPAD.encode_len(SECRET_BYTES))?;
        let body = text.strip_suffix(check)?;
        if BASE32_NOPAD.encode(&crc32fast::hash(body.as_bytes()).to_be_bytes()) != check {
            return None;
        }
        let mut bytes = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
        let secret = bytes.as_slice().try_into().ok();
        bytes.zeroize();
        let (package, generation) = id.split_last_chunk::<2>()?;
        Some(Self {
            package: PackageId::from_bytes(package.try_into().ok()?),
            generation: u16::from_be_bytes(*generation),
            secret: secret?,
        })
    }

    /// The package that the token belongs to. Public.
    #[must_use]
    pub fn package(&self) -> PackageId {
        self.package
    }

    /// Counts the tokens of the package from 1. Public.
    #[must_use]
    pub fn generation(&self) -> u16 {
        self.generation
    }

    /// The token as it is handed out.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let mut text =
            format!("{PREFIX}{}_{}", BASE32_NOPAD.encode(&self.id()), BASE32_NOPAD.encode(&self.secret));
        let check = crc32fast::hash(text.as_bytes());
        text.push_str(&BASE32_NOPAD.encode(&check.to_be_bytes()));
        Secret::new(text)
    }

    /// The digest that is stored: HMAC-SHA-256 under the pepper, in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self, backend: &dyn Backend, pepper: &SecretKey) -> String {
        let digest = backend.hmac_sha256(pepper.expose(), &[b"handfast token 1\n", &self.id(), &self.secret]);
        data_encoding::HEXLOWER.encode(&digest)
    }

    /// Whether the stored digest is this token's, in constant time.
    #[must_use]
    pub fn matches(&self, backend: &dyn Backend, pepper: &SecretKey, stored: &str) -> bool {
        self.digest(backend, pepper).as_bytes().ct_eq(stored.as_bytes()).into()
    }

    fn id(&self) -> [u8; ID_BYTES] {
        let mut id = [0; ID_BYTES];
        let bytes =
            self.package.as_bytes().iter().chain(&self.generation.to_be_bytes()).copied().collect::<Vec<_>>();
        id.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        id
    }
}

impl fmt::Debug for EnrollmentToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EnrollmentToken({}, generation {}, [redacted])", self.package, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> EnrollmentToken {
        let package = PackageId::new("2026-01-02T03:04:05Z".parse().unwrap(), &[7; 10]);
        EnrollmentToken { package, generation: 3, secret: [0xa5; 32] }
    }

    #[test]
    fn is_text_and_back() {
        let text = token().to_secret();
        let read = EnrollmentToken::parse(text.expose()).unwrap();
        assert_eq!((read.package(), read.generation(), read.secret), (token().package, 3, [0xa5; 32]));
        assert_eq!(text.expose().len(), 4 + 29 + 1 + 52 + 7);
    }

    #[test]
    fn every_single_typing_mistake_is_malformed() {
        let text = token().to_secret().expose().to_owned();
        for position in 0..text.len() {
            for other in ["A", "7", "_", "0", "a", "\n"] {
                let mut typo = text.clone();
                typo.replace_range(position..=position, other);
                if typo != text {
                    assert!(EnrollmentToken::parse(&typo).is_err(), "{typo}");
                }
            }
        }
        for wrong in [
            "",
            "hf1_",
            "hf2_",
            text.get(..text.len() - 1).unwrap(),
            &format!("{text}A"),
            &format!(" {text}"),
            &text.to_lowercase(),
        ] {
            assert!(EnrollmentToken::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn debug_shows_the_public_part_only() {
        let token = token();
        let shown = format!("{token:?}");
        assert!(shown.contains("[redacted]") && !shown.contains(&BASE32_NOPAD.encode(&token.secret)));
    }
}
