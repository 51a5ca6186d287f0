//! Tokens whose kind is known only when the program runs: what the bindings carry, and what [`inspect`](super::inspect)
//! finds.

use std::{fmt, str::FromStr};

use rand_core::CryptoRng;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    ChainIssuer, ChoriaError, Client, Issuer, IssuerKey, Provisioning, Purpose, Server, Standard, Terms,
    Token, claims::Wire as _, verify,
};
use crate::{
    jwt::Algorithm,
    secret::Secret,
    time::Timestamp,
    verified::Verified,
    vocabulary::{self, Error},
};

/// The claims of a token of whatever kind. Serialised, they hold no secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AnyClaims {
    /// Of a provisioning token.
    Provisioning(Provisioning),
    /// Of a server token.
    Server(Server),
    /// Of a client token.
    Client(Client),
}

impl AnyClaims {
    /// Reads claims that crossed a language boundary; `type` says which.
    ///
    /// # Errors
    /// [`Error::Input`], with the path of what is wrong.
    pub fn from_value(mut value: Value) -> Result<Self, Error> {
        let kind = value.as_object_mut().and_then(|members| members.remove("type"));
        match kind.as_ref().and_then(Value::as_str).map(Purpose::from_str) {
            Some(Ok(Purpose::Provisioning)) => vocabulary::from_value(value, "").map(Self::Provisioning),
            Some(Ok(Purpose::Server)) => vocabulary::from_value(value, "").map(Self::Server),
            Some(Ok(Purpose::Client)) => vocabulary::from_value(value, "").map(Self::Client),
            Some(Err(_)) | None => Err(Error::input("type", "expected one of provisioning, server, client")),
        }
    }

    /// Which kind.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Provisioning(_) => Purpose::Provisioning,
            Self::Server(_) => Purpose::Server,
            Self::Client(_) => Purpose::Client,
        }
    }

    /// Whether a node, broker or provisioner could use them: what [`verify`] judges beside signature and times.
    ///
    /// # Errors
    /// `choria_no_token`, `choria_no_broker`, `choria_two_brokers`, `choria_invalid_claim`.
    pub fn check(&self) -> Result<(), ChoriaError> {
        match self {
            Self::Provisioning(claims) => claims.check(),
            Self::Server(claims) => claims.check(),
            Self::Client(claims) => claims.check(),
        }
    }

    /// The claims, if they are for provisioning.
    #[must_use]
    pub fn provisioning(&self) -> Option<&Provisioning> {
        match self {
            Self::Provisioning(claims) => Some(claims),
            Self::Server(_) | Self::Client(_) => None,
        }
    }
}

impl FromStr for Purpose {
    type Err = ChoriaError;

    /// Reads the short name, as it is shown.
    fn from_str(text: &str) -> Result<Self, ChoriaError> {
        match text {
            "provisioning" => Ok(Self::Provisioning),
            "server" => Ok(Self::Server),
            "client" => Ok(Self::Client),
            _ => Err(ChoriaError::UnknownPurpose),
        }
    }
}

/// [`verify`], for a kind that is a value.
///
/// # Errors
/// As [`verify`].
pub fn verify_as(
    purpose: Purpose,
    key: &IssuerKey,
    text: &str,
    now: Timestamp,
) -> Result<Verified<Token<AnyClaims>>, ChoriaError> {
    fn any<T>(token: Verified<Token<T>>, claims: fn(T) -> AnyClaims) -> Verified<Token<AnyClaims>> {
        let token = token.into_inner();
        Verified::new(Token { standard: token.standard, claims: claims(token.claims) })
    }
    match purpose {
        Purpose::Provisioning => verify(key, text, now).map(|token| any(token, AnyClaims::Provisioning)),
        Purpose::Server => verify(key, text, now).map(|token| any(token, AnyClaims::Server)),
        Purpose::Client => verify(key, text, now).map(|token| any(token, AnyClaims::Client)),
    }
}

impl Token<AnyClaims> {
    /// As that of a token whose kind is known.
    #[must_use]
    pub fn to_json(&self) -> Secret {
        match &self.claims {
            AnyClaims::Provisioning(claims) => super::claims::to_json(&self.standard, claims),
            AnyClaims::Server(claims) => super::claims::to_json(&self.standard, claims),
            AnyClaims::Client(claims) => super::claims::to_json(&self.standard, claims),
        }
    }

    /// The token, if it is for provisioning.
    ///
    /// # Errors
    /// `choria_wrong_purpose`.
    pub fn provisioning(&self) -> Result<Token<Provisioning>, ChoriaError> {
        let claims = self.claims.provisioning();
        let claims = claims.ok_or(ChoriaError::WrongPurpose { expected: Purpose::Provisioning })?;
        Ok(Token { standard: self.standard.clone(), claims: claims.clone() })
    }
}

impl Issuer {
    /// [`Issuer::issue`], for claims of whatever kind.
    ///
    /// # Errors
    /// As [`Issuer::issue`].
    pub fn issue_any<R: CryptoRng + ?Sized>(
        &self,
        claims: &AnyClaims,
        terms: &Terms,
        rng: &mut R,
    ) -> Result<Secret, ChoriaError> {
        match claims {
            AnyClaims::Provisioning(claims) => self.issue(claims, terms, rng),
            AnyClaims::Server(claims) => self.issue(claims, terms, rng),
            AnyClaims::Client(claims) => self.issue(claims, terms, rng),
        }
    }
}

impl ChainIssuer {
    /// [`ChainIssuer::issue`], for claims of whatever kind.
    ///
    /// # Errors
    /// As [`ChainIssuer::issue`].
    pub fn issue_any<R: CryptoRng + ?Sized>(
        &self,
        claims: &AnyClaims,
        terms: &Terms,
        rng: &mut R,
    ) -> Result<Secret, ChoriaError> {
        match claims {
            AnyClaims::Provisioning(claims) => self.issue(claims, terms, rng),
            AnyClaims::Server(claims) => self.issue(claims, terms, rng),
            AnyClaims::Client(claims) => self.issue(claims, terms, rng),
        }
    }
}

/// What a token says, in nobody's name: anybody can write this. Shown or serialised, it holds no secret: no `cht` and
/// `chpwd`, no user of a URL, and of `extensions` only the names, since there is no telling what a stranger has put there.
#[derive(Clone, PartialEq)]
pub struct UnverifiedToken {
    pub(super) algorithm: Algorithm,
    pub(super) token: Token<AnyClaims>,
}

impl UnverifiedToken {
    /// The algorithm that it claims to be signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What every token says.
    #[must_use]
    pub fn standard(&self) -> &Standard {
        &self.token.standard
    }

    /// What its kind says.
    #[must_use]
    pub fn claims(&self) -> &AnyClaims {
        &self.token.claims
    }
}

impl fmt::Debug for UnverifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Token { standard, claims } = &self.token;
        formatter
            .debug_struct("UnverifiedToken")
            .field("algorithm", &self.algorithm)
            .field("standard", standard)
            .field("claims", &shown(claims))
            .finish()
    }
}

impl Serialize for UnverifiedToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            algorithm: &'static str,
            #[serde(flatten)]
            standard: &'a Standard,
            claims: AnyClaims,
        }
        let Token { standard, claims } = &self.token;
        Shown { algorithm: self.algorithm.as_str(), standard, claims: shown(claims) }.serialize(serializer)
    }
}

/// The claims without the values of their extensions.
fn shown(claims: &AnyClaims) -> AnyClaims {
    let mut claims = claims.clone();
    if let AnyClaims::Provisioning(Provisioning { extensions: Some(extensions), .. }) = &mut claims {
        extensions.values_mut().for_each(|value| *value = "[redacted]".into());
    }
    claims
}
