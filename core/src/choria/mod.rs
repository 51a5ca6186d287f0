//! Choria's tokens (<https://choria.io>): JWTs that say where a node is provisioned, who a node is, and who a client is.
//!
//! ```text
//! organisation --issue--> provisioning.jwt      a fleet's nodes carry it, until
//! organisation --appoint--> chain issuer --issue--> server.jwt     each has its own
//! ```
//!
//! | what | how |
//! |---|---|
//! | look at a token that nothing is known of | [`inspect`], which gives an [`UnverifiedToken`] and no evidence |
//! | believe one | [`verify`] with an [`IssuerKey`], which gives a [`Verified`] [`Token`] |
//! | make one | [`Issuer`], [`ChainIssuer`] |
//! | talk with Choria's provisioner | [`HelperRequest`], [`HelperReply`] |
//!
//! A token is read as its one spelling: trim what you read from a file. Here are only formats; what a fleet may do with its
//! token, and how often, is the registrar's.

mod any;
mod broker;
mod chain;
mod claims;
mod client;
mod error;
mod helper;
mod issue;
mod key;
mod ksuid;
mod provisioning;
mod server;
mod standard;

pub use self::{
    any::{AnyClaims, UnverifiedToken, verify_as},
    broker::{Broker, BrokerUrl},
    claims::{Claims, Purpose, Token},
    client::{Client, ClientPermissions},
    error::ChoriaError,
    helper::{Csr, Expiry, HelperReply, HelperRequest, HelperServer, NodeKey},
    issue::{ChainIssuer, Issuer, Terms},
    key::{HexKey, IssuerKey},
    ksuid::Ksuid,
    provisioning::Provisioning,
    server::{Server, ServerPermissions},
    standard::Standard,
};
use crate::{
    jwt::{self, compact},
    limits,
    time::Timestamp,
    verified::Verified,
};

/// Verifies a token of one kind: its signature, the chain of trust up to the key, its times without leeway, and that its
/// claims can be used.
///
/// # Errors
/// The first [`ChoriaError`] that is found, that of the signature and the chain before any other of a claim.
pub fn verify<T: Claims>(
    key: &IssuerKey,
    text: &str,
    now: Timestamp,
) -> Result<Verified<Token<T>>, ChoriaError> {
    let Read { jwt, claims, standard } = Read::of(text)?;
    let signer = chain::signer(key, &standard, T::PURPOSE, jwt.header.algorithm)?;
    jwt.check_signature(&signer)?;
    if standard.kind()? != T::PURPOSE {
        return Err(ChoriaError::WrongPurpose { expected: T::PURPOSE });
    }
    claims.check_times(0, now)?;
    if standard.issuer_expires_at.is_some_and(|expires| now >= expires) {
        return Err(jwt::JwtError::Expired.into());
    }
    let claims: T = claims::read(claims.as_map())?;
    claims.check()?;
    Ok(Verified::new(Token { standard, claims }))
}

/// Reads a token and proves nothing: for showing it to a person, or for a node that tries what it was given. Times and the
/// fitness of the claims are not judged.
///
/// # Errors
/// A [`ChoriaError`] where it is not a token of Choria's in form.
pub fn inspect(text: &str) -> Result<UnverifiedToken, ChoriaError> {
    let Read { jwt, claims, standard } = Read::of(text)?;
    let members = claims.as_map();
    let claims = match standard.kind()? {
        Purpose::Provisioning => AnyClaims::Provisioning(claims::read(members)?),
        Purpose::Server => AnyClaims::Server(claims::read(members)?),
        Purpose::Client => AnyClaims::Client(claims::read(members)?),
    };
    Ok(UnverifiedToken { algorithm: jwt.header.algorithm, token: Token { standard, claims } })
}

/// A token in its parts.
struct Read<'a> {
    jwt: compact::Unverified<'a>,
    claims: jwt::Claims,
    standard: Standard,
}

impl<'a> Read<'a> {
    fn of(text: &'a str) -> Result<Self, ChoriaError> {
        let jwt = compact::read(text, limits::JWT_BYTES)?;
        jwt.header.no_embedded_key()?;
        let claims = jwt::Claims::new(claims::without_blanks(jwt.claims.as_map().clone(), claims::TEXTS));
        let standard = Standard::read(&claims)?;
        Ok(Self { jwt, claims, standard })
    }
}
