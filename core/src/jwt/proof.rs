//! Proof of possession: a node shows that it holds the private key, for one request (RFC 9449, DPoP).
//!
//! Whoever steals a token or a credential, from a log or from the wire, cannot use it without the key. Whoever steals a
//! proof can use it only for the same method, URL and token, within the minute of its nonce, and where its `jti` is not
//! remembered: the caller keeps those of accepted proofs.

use data_encoding::BASE64URL_NOPAD;
use rand_core::CryptoRng;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    Algorithm, Claims, JwtError, Nonces, PublicKey, SigningKey, TargetUrl, Thumbprint, claims::seconds,
    compact, jwk,
};
use crate::{code::Code, crypto::Backend, limits, time::Timestamp, verified::Verified, vocabulary::Error};

/// The `typ` of a proof (RFC 9449 section 4.2).
pub const TYPE: &str = "dpop+jwt";

/// Why a proof was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// [`Code::UseNonce`]: no nonce, or not one of the last minute. Not a failure of the node: it is to try again with the nonce that
    /// comes with the answer.
    #[error("a proof with a new nonce is needed")]
    UseNonce,
    /// [`Code::ProofWrongMethod`].
    #[error("made for another method")]
    WrongMethod,
    /// [`Code::ProofWrongUrl`].
    #[error("made for another URL")]
    WrongUrl,
    /// [`Code::ProofWrongToken`].
    #[error("made for another token, or for none")]
    WrongToken,
    /// [`Code::ProofWrongKey`].
    #[error("made with another key than the credential is bound to")]
    WrongKey,
    /// [`Code::ProofTooOld`].
    #[error("too old")]
    TooOld,
    /// [`Code::ProofTooFarAhead`].
    #[error("from the future")]
    TooFarAhead,
    /// The proof is not a good JWT, or its signature does not verify.
    #[error(transparent)]
    Jwt(#[from] JwtError),
}

impl ProofError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::UseNonce => Code::UseNonce,
            Self::WrongMethod => Code::ProofWrongMethod,
            Self::WrongUrl => Code::ProofWrongUrl,
            Self::WrongToken => Code::ProofWrongToken,
            Self::WrongKey => Code::ProofWrongKey,
            Self::TooOld => Code::ProofTooOld,
            Self::TooFarAhead => Code::ProofTooFarAhead,
            Self::Jwt(error) => error.code(),
        }
    }
}

/// The request that a node makes a proof for.
#[derive(Clone, Copy, Debug)]
pub struct Make<'a> {
    /// The HTTP method, in upper case as it is sent.
    pub method: &'a str,
    /// The URL of the request.
    pub url: &'a TargetUrl,
    /// The token or credential that goes with the request.
    pub token: Option<&'a str>,
    /// The nonce that the host gave last.
    pub nonce: Option<&'a str>,
    /// The node's own idea of the time; it does not matter where there is a nonce.
    pub issued_at: Timestamp,
}

/// The request that came with a proof.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The URL that nodes are configured to use; never what a request header says.
    pub url: &'a TargetUrl,
    /// The token or credential that came with the request. With `None`, a proof for a token is refused.
    pub token: Option<&'a str>,
    /// With nonces, one of the last minute is demanded and the proof's own time is not judged. Without, the proof must be younger than
    /// [`limits::PROOF_SECONDS`] by its own time.
    pub nonces: Option<&'a Nonces>,
    /// The host's clock.
    pub now: Timestamp,
}

/// What a proof says. Only inside [`Verified`] does it prove anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    key: PublicKey,
    thumbprint: Thumbprint,
    jti: String,
    issued_at: Timestamp,
}

impl Proof {
    /// Makes a proof, on the node's side.
    ///
    /// # Errors
    /// [`Error::Input`] for a `method` or `nonce` that is empty, too long, or not printable.
    pub fn make(key: &SigningKey, request: &Make<'_>, rng: &mut dyn CryptoRng) -> Result<String, Error> {
        let mut jti = [0; 16];
        rng.fill_bytes(&mut jti);
        let mut claims = Map::from_iter([
            ("htm".to_owned(), argument("method", request.method, limits::METHOD_BYTES)?.into()),
            ("htu".to_owned(), request.url.as_str().into()),
            ("iat".to_owned(), seconds(request.issued_at)),
            ("jti".to_owned(), BASE64URL_NOPAD.encode(&jti).into()),
        ]);
        if let Some(nonce) = request.nonce {
            claims.insert("nonce".to_owned(), argument("nonce", nonce, limits::NONCE_BYTES)?.into());
        }
        if let Some(token) = request.token {
            claims.insert("ath".to_owned(), token_hash(token).into());
        }
        let header = [("typ".to_owned(), TYPE.into()), ("jwk".to_owned(), key.public().to_jwk())];
        Ok(compact::write(key, Map::from_iter(header), claims))
    }

    /// The key that made the proof.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The name of that key: who the node is.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The proof's own id, at most [`limits::JTI_BYTES`] printable ASCII characters: an accepted one must not be accepted again.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// When the node made it, by the node's clock: evidence of nothing.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }
}

/// Verifies a proof. What costs nothing is checked before the signature; a proof without a good nonce costs one HMAC.
///
/// # Errors
/// The first [`ProofError`] that is found; [`ProofError::UseNonce`] only where method, URL and token are right.
pub fn verify(
    backend: &dyn Backend,
    text: &str,
    expected: &Expected<'_>,
) -> Result<Verified<Proof>, ProofError> {
    let token = compact::read(text, limits::PROOF_BYTES)?;
    token.header.is_of_type(Some(TYPE))?;
    let key = key_of(token.header.algorithm, token.header.jwk.as_ref())?;
    let claims = &token.claims;
    if claims.required_text("htm")? != expected.method {
        return Err(ProofError::WrongMethod);
    }
    if claims.required_text("htu")?.parse().as_ref() != Ok(expected.url) {
        return Err(ProofError::WrongUrl);
    }
    if claims.text("ath")? != expected.token.map(token_hash).as_deref() {
        return Err(ProofError::WrongToken);
    }
    let jti = short("jti", claims.required_text("jti")?, limits::JTI_BYTES)?.to_owned();
    let issued_at = claims.required_time("iat")?;
    is_fresh(claims, issued_at, expected)?;
    token.check_signature(&key.verifier(backend).map_err(JwtError::from)?)?;
    Ok(Verified::new(Proof { thumbprint: key.thumbprint(), key, jti, issued_at }))
}

fn is_fresh(claims: &Claims, issued_at: Timestamp, expected: &Expected<'_>) -> Result<(), ProofError> {
    let nonce = claims.text("nonce")?;
    if let Some(nonces) = expected.nonces {
        let known = nonce.is_some_and(|nonce| nonces.check(nonce, expected.now));
        return if known { Ok(()) } else { Err(ProofError::UseNonce) };
    }
    if expected.now.plus_seconds(limits::LEEWAY_SECONDS) < issued_at {
        return Err(ProofError::TooFarAhead);
    }
    let oldest = issued_at.plus_seconds(limits::PROOF_SECONDS).plus_seconds(limits::LEEWAY_SECONDS);
    if expected.now >= oldest { Err(ProofError::TooOld) } else { Ok(()) }
}

/// The key that the header brings: a node's own, so not RSA, which handfast does not make and which is slow to be given.
fn key_of(algorithm: Algorithm, embedded: Option<&Value>) -> Result<PublicKey, JwtError> {
    match algorithm {
        Algorithm::Es256 | Algorithm::EdDsa => {}
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => return Err(JwtError::AlgorithmNotAllowed),
    }
    jwk::read(embedded.ok_or(JwtError::InvalidHeader { name: "jwk", expected: "there" })?)
}

/// A part of the request that a proof is made for.
fn argument<'a>(name: &'static str, text: &'a str, limit: usize) -> Result<&'a str, Error> {
    short(name, text, limit).map_err(|_| Error::input(name, "expected a short printable text"))
}

/// `ath` (RFC 9449 section 4.2).
fn token_hash(token: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(token.as_bytes()))
}

fn short<'a>(name: &'static str, text: &'a str, limit: usize) -> Result<&'a str, JwtError> {
    let known = (1..=limit).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if known { Ok(text) } else { Err(JwtError::InvalidClaim { name, expected: "a short printable text" }) }
}
