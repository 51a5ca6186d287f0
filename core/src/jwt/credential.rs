//! The node credential: a short-lived JWT that says which node it is, bound to the node's key by `cnf.jkt` (RFC 9449 section 6.1).
//!
//! It is never sufficient alone: [`authenticate`] demands a proof of the key with it. So a credential in a log or in a stolen backup opens
//! nothing. Its text is the same for the same claims and key, so that a lost reply can be repeated.

use serde_json::{Map, Value};

use super::{
    Claims, JwtError, Nonces, Proof, ProofError, PublicKeys, SigningRing, TargetUrl, Thumbprint,
    claims::seconds, compact, proof,
};
use crate::{
    crypto::Backend,
    id::{KeyId, NodeId, PackageId, ScopeId},
    limits,
    secret::Secret,
    time::Timestamp,
    verified::Verified,
    vocabulary::Error,
};

/// The `typ` of a node credential.
pub const TYPE: &str = "handfast-node+jwt";

/// What a credential says. Times are in whole seconds: the milliseconds of others are dropped when it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// `iss`: the host, as its configuration names it.
    pub issuer: String,
    /// `sub`.
    pub node: NodeId,
    /// `package`.
    pub package: PackageId,
    /// `scope`.
    pub scope: ScopeId,
    /// `jti`: at most [`limits::JTI_BYTES`].
    pub jti: String,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `cnf.jkt`: whose key it is.
    pub key: Thumbprint,
}

/// A credential that is genuine, and whether its time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// What it says.
    pub credential: Verified<Credential>,
    /// An expired credential still says who a node is that also proves its key, and that is all it does.
    pub expired: bool,
}

/// A request of a node.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The credential, as it came.
    pub credential: &'a str,
    /// The proof, as it came.
    pub proof: &'a str,
    /// The HTTP method.
    pub method: &'a str,
    /// The URL that nodes are configured to use.
    pub url: &'a TargetUrl,
    /// As in [`proof::Expected`].
    pub nonces: Option<&'a Nonces>,
    /// The host's clock.
    pub now: Timestamp,
}

/// A request by the very node that the credential names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// Who it is.
    pub credential: Verified<Credential>,
    /// The proof; its `jti` must not be accepted again.
    pub proof: Verified<Proof>,
}

/// A request by the very node that the credential names, or named until it expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Who it is.
    pub node: Identified,
    /// The proof; its `jti` must not be accepted again.
    pub proof: Verified<Proof>,
}

/// Signs a credential under the key of this id.
///
/// # Errors
/// [`Error::MissingKey`]: an operator removed a key that is still in use.
pub fn sign(keys: &SigningRing, kid: &KeyId, credential: &Credential) -> Result<Secret, Error> {
    let header = [("typ".to_owned(), TYPE.into()), ("kid".to_owned(), kid.as_str().into())];
    let claims = [
        ("iss", Value::from(credential.issuer.as_str())),
        ("sub", credential.node.to_string().into()),
        ("package", credential.package.to_string().into()),
        ("scope", credential.scope.as_str().into()),
        ("jti", credential.jti.as_str().into()),
        ("iat", seconds(credential.issued_at)),
        ("exp", seconds(credential.expires_at)),
        ("cnf", Map::from_iter([("jkt".to_owned(), credential.key.to_string().into())]).into()),
    ];
    let claims = claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Secret::new(compact::write(keys.get(kid)?, Map::from_iter(header), claims)))
}

/// Verifies a credential. To know that the node itself sent it, use [`authenticate`].
///
/// # Errors
/// The first [`JwtError`] that is found; [`JwtError::Expired`] from `expires_at` on, without leeway, for these are our own times.
pub fn verify(
    keys: &PublicKeys,
    issuer: &str,
    text: &str,
    now: Timestamp,
) -> Result<Verified<Credential>, JwtError> {
    let identified = identify(keys, issuer, text, now)?;
    if identified.expired { Err(JwtError::Expired) } else { Ok(identified.credential) }
}

/// Verifies a credential and says apart whether it has expired.
///
/// # Errors
/// The first [`JwtError`] that is found.
pub fn identify(keys: &PublicKeys, issuer: &str, text: &str, now: Timestamp) -> Result<Identified, JwtError> {
    let token = compact::read(text, limits::JWT_BYTES)?;
    token.header.no_embedded_key()?;
    token.header.is_of_type(Some(TYPE))?;
    let key = token.header.kid.as_deref().and_then(|kid| keys.get(kid)).ok_or(JwtError::UnknownKey)?;
    token.check_signature(key)?;
    let credential = read(&token.claims)?;
    if credential.issuer != issuer {
        return Err(JwtError::WrongIssuer);
    }
    let expired = now >= credential.expires_at;
    Ok(Identified { credential: Verified::new(credential), expired })
}

/// Verifies a credential together with the proof that came with it: made for this request and this credential, by the
/// key that the credential is bound to.
///
/// # Errors
/// The first [`ProofError`] that is found, the credential's before the proof's.
pub fn authenticate(
    backend: &dyn Backend,
    keys: &PublicKeys,
    issuer: &str,
    request: &Request<'_>,
) -> Result<Authenticated, ProofError> {
    let recognised = recognise(backend, keys, issuer, request)?;
    if recognised.node.expired {
        return Err(JwtError::Expired.into());
    }
    Ok(Authenticated { credential: recognised.node.credential, proof: recognised.proof })
}

/// As [`authenticate`], for a node whose credential may have expired while it was off: it has proven its key, and what it may
/// do is for the caller to say.
///
/// # Errors
/// As [`authenticate`], but for the expiry.
pub fn recognise(
    backend: &dyn Backend,
    keys: &PublicKeys,
    issuer: &str,
    request: &Request<'_>,
) -> Result<Recognised, ProofError> {
    let node = identify(keys, issuer, request.credential, request.now)?;
    let expected = proof::Expected {
        method: request.method,
        url: request.url,
        token: Some(request.credential),
        nonces: request.nonces,
        now: request.now,
    };
    let proof = proof::verify(backend, request.proof, &expected)?;
    if proof.thumbprint() != node.credential.key {
        return Err(ProofError::WrongKey);
    }
    Ok(Recognised { node, proof })
}

fn read(claims: &Claims) -> Result<Credential, JwtError> {
    let jkt = claims.as_map().get("cnf").and_then(|cnf| cnf.get("jkt")).and_then(Value::as_str);
    let jti = claims.required_text("jti")?;
    if jti.len() > limits::JTI_BYTES {
        return Err(JwtError::InvalidClaim { name: "jti", expected: "a short text" });
    }
    Ok(Credential {
        issuer: claims.required_text("iss")?.to_owned(),
        node: parsed(claims, "sub", "a node id")?,
        package: parsed(claims, "package", "a package id")?,
        scope: parsed(claims, "scope", "a scope id")?,
        jti: jti.to_owned(),
        issued_at: claims.required_time("iat")?,
        expires_at: claims.required_time("exp")?,
        key: jkt
            .ok_or(JwtError::MissingClaim { name: "cnf" })?
            .parse()
            .map_err(|_| JwtError::InvalidClaim { name: "cnf", expected: "a thumbprint in jkt" })?,
    })
}

fn parsed<T: std::str::FromStr>(
    claims: &Claims,
    name: &'static str,
    expected: &'static str,
) -> Result<T, JwtError> {
    claims.required_text(name)?.parse().map_err(|_| JwtError::InvalidClaim { name, expected })
}
