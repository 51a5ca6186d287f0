//! The claims that all of Choria's tokens have.

use serde::Serialize;

use super::{ChoriaError, HexKey, Purpose};
use crate::{
    jwt::{Claims, JwtError},
    time::Timestamp,
};

/// What every token says beside what it is for. Written as it is read: a token keeps its old ways.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standard {
    /// `iss`: a name, or `I-` or `C-` and what leads up the chain of trust.
    pub issuer: Option<String>,
    /// `sub`. Until 2021 it alone said that a token is for provisioning.
    pub subject: Option<String>,
    /// `purpose`, empty in old tokens.
    pub purpose: String,
    /// `jti`: a KSUID; before 2023 32 hexadecimal digits; in the oldest nothing.
    pub id: Option<String>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `exp`. Tokens of others may have none, and are then good for ever, as they are to Choria; only in a chain of trust
    /// there must be one.
    pub expires_at: Option<Timestamp>,
    /// `public_key`: whose token it is. Its holder proves that with signatures of its own.
    pub public_key: Option<HexKey>,
    /// `tcs`: the signatures that lead up the chain of trust, in hexadecimal digits.
    pub chain_signature: Option<String>,
    /// `issexp`: when the chain issuer's own token expires, in the chain issuer's words; the organisation has not signed it.
    pub issuer_expires_at: Option<Timestamp>,
}

impl Standard {
    pub(super) fn read(claims: &Claims) -> Result<Self, ChoriaError> {
        let text = |name| claims.text(name).map(|text| text.map(str::to_owned));
        if !claims.is_for(None)? {
            return Err(JwtError::WrongAudience.into());
        }
        let invalid = ChoriaError::InvalidClaim { claim: "public_key", expected: "64 hexadecimal digits" };
        let key = claims.text("public_key")?.map(|key| key.parse().map_err(|_| invalid));
        Ok(Self {
            issuer: text("iss")?,
            subject: text("sub")?,
            purpose: text("purpose")?.unwrap_or_default(),
            id: text("jti")?,
            issued_at: claims.time("iat")?,
            not_before: claims.time("nbf")?,
            expires_at: claims.time("exp")?,
            public_key: key.transpose()?,
            chain_signature: text("tcs")?,
            issuer_expires_at: claims.time("issexp")?,
        })
    }

    /// The one kind of token that it is: `purpose` says it, and only where that is silent may `sub` say it. A token is
    /// never of two kinds.
    ///
    /// # Errors
    /// `choria_unknown_purpose`.
    pub fn kind(&self) -> Result<Purpose, ChoriaError> {
        let of_subject =
            || self.subject.as_deref().filter(|subject| *subject == Purpose::Provisioning.as_str());
        let named = if self.purpose.is_empty() { of_subject() } else { Some(self.purpose.as_str()) };
        let known = Purpose::ALL.into_iter().find(|purpose| Some(purpose.as_str()) == named);
        known.ok_or(ChoriaError::UnknownPurpose)
    }

    /// As it is signed.
    pub(super) fn wire(&self) -> Wire<'_> {
        Wire {
            purpose: &self.purpose,
            tcs: self.chain_signature.as_deref(),
            public_key: self.public_key,
            issexp: self.issuer_expires_at.map(seconds),
            iss: self.issuer.as_deref(),
            sub: self.subject.as_deref(),
            exp: self.expires_at.map(seconds),
            nbf: self.not_before.map(seconds),
            iat: self.issued_at.map(seconds),
            jti: self.id.as_deref(),
        }
    }
}

/// In the order in which Choria writes them, so that the same claims have the same bytes.
#[derive(Serialize)]
pub(super) struct Wire<'a> {
    purpose: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcs: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<HexKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issexp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
}

pub(super) fn seconds(at: Timestamp) -> i64 {
    at.unix_millis().div_euclid(1000)
}
