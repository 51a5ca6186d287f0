//! Making tokens. Ed25519 only: RSA keys are believed, never used to sign.

use std::fmt;

use data_encoding::HEXLOWER;
use rand_core::CryptoRng;
use serde_json::Map;

use super::{
    ChoriaError, Claims, Client, HexKey, Ksuid, Purpose, Standard, Token, chain, claims::payload, key::fixed,
    standard::seconds,
};
use crate::{
    crypto::Ed25519Key,
    jwt::{JwtError, SigningKey, compact},
    limits,
    secret::{Secret, SecretKey},
    time::Timestamp,
    verified::Verified,
};

/// When a token is issued, until when it is good, and whose it is. Times are written in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// `iat`, `nbf` and the time in `jti`: the host's clock.
    pub at: Timestamp,
    /// `exp`. A token without an end is a password, so there is always one; at most
    /// [`limits::CHORIA_VALIDITY_MAX_SECONDS`] away.
    pub expires_at: Timestamp,
    /// `public_key`: required for servers and chain issuers, and of no use for provisioning.
    pub public_key: Option<HexKey>,
}

/// The name that Choria's own issuers go by where they are given none.
const NAME: &str = "Choria Tokens Package";

/// An Ed25519 key that signs tokens: an organisation's, or one under which it lets others sign. Shows only its public half.
#[derive(Clone)]
pub struct Issuer {
    key: Ed25519Key,
    name: String,
}

impl Issuer {
    /// Draws a new key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self::new(Ed25519Key::generate(rng))
    }

    /// Takes a key.
    #[must_use]
    pub fn new(key: Ed25519Key) -> Self {
        Self { key, name: NAME.to_owned() }
    }

    /// Reads a seed file: 64 hexadecimal digits, perhaps with white space around them.
    ///
    /// # Errors
    /// `choria_unusable_key`.
    pub fn from_seed(seed: &Secret) -> Result<Self, ChoriaError> {
        let unusable =
            ChoriaError::UnusableKey { expected: "64 lower-case hexadecimal digits of an Ed25519 seed" };
        let seed = fixed::<32>(seed.expose().trim_ascii()).map(SecretKey::new).ok_or(unusable)?;
        Ok(Self::new(Ed25519Key::from_seed(&seed)))
    }

    /// The private half as a seed file has it (mode 0600).
    #[must_use]
    pub fn seed(&self) -> Secret {
        Secret::new(HEXLOWER.encode(self.key.seed().expose()))
    }

    /// The same key under another name (`iss`). Names that look like a place in a chain are refused.
    ///
    /// # Errors
    /// `choria_invalid_claim`.
    pub fn named(self, name: &str) -> Result<Self, ChoriaError> {
        let taken = name.starts_with(chain::ORGANISATION) || name.starts_with(chain::CHAIN);
        if taken || name.is_empty() || name.len() > limits::CHORIA_NAME_BYTES {
            return Err(ChoriaError::InvalidClaim { claim: "iss", expected: "a name" });
        }
        Ok(Self { name: name.to_owned(), ..self })
    }

    /// The public half: what others verify with.
    #[must_use]
    pub fn public_key(&self) -> HexKey {
        HexKey::new(self.key.public())
    }

    /// Signs a token. The same terms and entropy give the same bytes, which are those that Choria's own library writes; only
    /// numbers with a fraction or an exponent in `extensions` it may spell in another way.
    ///
    /// # Errors
    /// `choria_invalid_claim` and the like where no node, broker or provisioner could use it; `choria_validity`;
    /// `jwt_too_large`.
    pub fn issue<T: Claims, R: CryptoRng + ?Sized>(
        &self,
        claims: &T,
        terms: &Terms,
        rng: &mut R,
    ) -> Result<Secret, ChoriaError> {
        let (standard, _) = self.standard(T::PURPOSE, terms, rng)?;
        self.sign(standard, claims)
    }

    /// Signs a client's token that makes it a chain issuer: whoever has the key of `terms` may then sign servers and
    /// clients that this key is believed for, until both expire. It cannot be recalled.
    ///
    /// # Errors
    /// As [`Issuer::issue`].
    pub fn appoint<R: CryptoRng + ?Sized>(
        &self,
        client: &Client,
        terms: &Terms,
        rng: &mut R,
    ) -> Result<Secret, ChoriaError> {
        let (standard, id) = self.standard(Purpose::Client, terms, rng)?;
        let key = terms.public_key.ok_or(NO_KEY)?;
        let standard = Standard {
            issuer: Some(format!("{}{}", chain::ORGANISATION, self.public_key())),
            chain_signature: Some(self.hex_signature(&format!("{id}.{key}"))),
            ..standard
        };
        self.sign(standard, client)
    }

    /// Takes up an appointment: this key is the one that an organisation appointed. Only a client's token is verified as
    /// one.
    ///
    /// # Errors
    /// `choria_not_an_issuer`.
    pub fn appointed<T>(self, appointment: &Verified<Token<T>>) -> Result<ChainIssuer, ChoriaError> {
        let standard = &appointment.standard;
        if !matches!(chain::Issuer::of(standard)?, chain::Issuer::Organisation(_)) {
            return Err(ChoriaError::NotAnIssuer { what: "nobody appointed this client" });
        }
        if standard.public_key != Some(self.public_key()) {
            return Err(ChoriaError::NotAnIssuer { what: "another key was appointed" });
        }
        let incomplete = ChoriaError::NotAnIssuer { what: "the appointment is incomplete" };
        Ok(ChainIssuer {
            id: standard.id.clone().ok_or(incomplete)?,
            chain_signature: standard.chain_signature.clone().ok_or(incomplete)?,
            expires_at: standard.expires_at.ok_or(incomplete)?,
            issuer: self,
        })
    }

    fn standard<R: CryptoRng + ?Sized>(
        &self,
        purpose: Purpose,
        terms: &Terms,
        rng: &mut R,
    ) -> Result<(Standard, Ksuid), ChoriaError> {
        let lives = seconds(terms.expires_at).saturating_sub(seconds(terms.at));
        if lives <= 0 {
            return Err(ChoriaError::Validity { what: "it is over before it begins" });
        }
        if lives > i64::from(limits::CHORIA_VALIDITY_MAX_SECONDS) {
            return Err(ChoriaError::Validity { what: "more than five years" });
        }
        if purpose == Purpose::Server && terms.public_key.is_none() {
            return Err(NO_KEY);
        }
        let id = Ksuid::new(terms.at, rng)?;
        let standard = Standard {
            issuer: Some(self.name.clone()),
            subject: (purpose == Purpose::Provisioning).then(|| purpose.as_str().to_owned()),
            purpose: purpose.as_str().to_owned(),
            id: Some(id.to_string()),
            issued_at: Some(terms.at),
            not_before: Some(terms.at),
            expires_at: Some(terms.expires_at),
            public_key: terms.public_key,
            chain_signature: None,
            issuer_expires_at: None,
        };
        Ok((standard, id))
    }

    fn sign<T: Claims>(&self, standard: Standard, claims: &T) -> Result<Secret, ChoriaError> {
        claims.check_new()?;
        let payload = payload(&standard, claims);
        let header = Map::from_iter([("typ".to_owned(), "JWT".into())]);
        let key = SigningKey::from(self.key.clone());
        let token = Secret::new(compact::write_payload(&key, header, &payload));
        let limit = limits::JWT_BYTES;
        if token.expose().len() > limit { Err(JwtError::TooLarge { limit }.into()) } else { Ok(token) }
    }

    fn hex_signature(&self, message: &str) -> String {
        HEXLOWER.encode(&self.key.sign(message.as_bytes()))
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Issuer({}, [redacted])", self.public_key())
    }
}

const NO_KEY: ChoriaError = ChoriaError::InvalidClaim { claim: "public_key", expected: "there" };

/// An issuer that an organisation appointed: a login service, or a provisioner.
#[derive(Clone, Debug)]
pub struct ChainIssuer {
    issuer: Issuer,
    id: String,
    chain_signature: String,
    expires_at: Timestamp,
}

impl ChainIssuer {
    /// Signs the token of a server or a client, which the organisation's key proves. It expires with the appointment at
    /// the latest.
    ///
    /// # Errors
    /// As [`Issuer::issue`]; `choria_not_an_issuer` for a provisioning token, whose readers know no chain: sign it with
    /// [`Issuer::issue`], and give them this key.
    pub fn issue<T: Claims, R: CryptoRng + ?Sized>(
        &self,
        claims: &T,
        terms: &Terms,
        rng: &mut R,
    ) -> Result<Secret, ChoriaError> {
        if T::PURPOSE == Purpose::Provisioning {
            return Err(ChoriaError::NotAnIssuer {
                what: "the readers of provisioning tokens know no chain",
            });
        }
        if terms.public_key.is_none() {
            return Err(NO_KEY);
        }
        let terms = Terms { expires_at: terms.expires_at.min(self.expires_at), ..*terms };
        let (standard, id) = self.issuer.standard(T::PURPOSE, &terms, rng)?;
        let signature = self.issuer.hex_signature(&format!("{id}.{}", self.chain_signature));
        let standard = Standard {
            issuer: Some(format!("{}{}.{}", chain::CHAIN, self.id, self.issuer.public_key())),
            chain_signature: Some(format!("{}.{signature}", self.chain_signature)),
            issuer_expires_at: Some(self.expires_at),
            ..standard
        };
        self.issuer.sign(standard, claims)
    }
}
