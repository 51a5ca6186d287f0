//! The chain of trust: the organisation's key signs a chain issuer, and a chain issuer signs others.
//!
//! | token | `iss` | `tcs` | signed by |
//! |---|---|---|---|
//! | a chain issuer's own, a client | `I-<organisation's key>` | the organisation's signature over `<jti>.<public_key>` | the organisation |
//! | a server or client | `C-<issuer's jti>.<issuer's key>` | the issuer's `tcs`, `.`, the issuer's signature over `<jti>.<issuer's tcs>` | the issuer |
//!
//! So the organisation's key alone proves either. What it does not prove is when a chain issuer's own time ends: `issexp`
//! is the chain issuer's word.

use super::{
    ChoriaError, HexKey, IssuerKey, Ksuid, Purpose,
    key::{Kind, fixed},
    standard::{Standard, seconds},
};
use crate::jwt::{Algorithm, JwtError, Verifier};

pub(super) const ORGANISATION: &str = "I-";
pub(super) const CHAIN: &str = "C-";

/// Who signed a token, as its issuer claim has it.
pub(super) enum Issuer<'a> {
    /// Somebody with a name and no place in a chain.
    Named,
    /// The organisation, for a chain issuer.
    Organisation(HexKey),
    /// A chain issuer: its id and key.
    Chain(&'a str, HexKey),
}

impl<'a> Issuer<'a> {
    pub(super) fn of(standard: &'a Standard) -> Result<Self, ChoriaError> {
        let issuer = standard.issuer.as_deref().unwrap_or_default();
        if let Some(key) = issuer.strip_prefix(ORGANISATION) {
            return Ok(Self::Organisation(key.parse().map_err(|_| MALFORMED)?));
        }
        let Some(rest) = issuer.strip_prefix(CHAIN) else { return Ok(Self::Named) };
        match rest.split_once('.') {
            Some((id, key)) if !id.is_empty() => Ok(Self::Chain(id, key.parse().map_err(|_| MALFORMED)?)),
            Some(_) | None => Err(MALFORMED),
        }
    }
}

const MALFORMED: ChoriaError = broken("malformed issuer");

/// The key that must have signed a token of this kind, once the chain from `key` down to it is proven.
pub(super) fn signer(
    key: &IssuerKey,
    standard: &Standard,
    purpose: Purpose,
    algorithm: Algorithm,
) -> Result<Verifier, ChoriaError> {
    let own = || key.verifier(algorithm).cloned().map_err(ChoriaError::from);
    match (Issuer::of(standard)?, purpose) {
        (Issuer::Named, Purpose::Provisioning | Purpose::Server | Purpose::Client) => {
            let lost = standard.chain_signature.is_some();
            if lost { Err(broken("a chain signature without a chain")) } else { own() }
        }
        (Issuer::Organisation(issuer), Purpose::Client) => {
            let top = top(key, algorithm)?;
            appointed(top, issuer, standard)?;
            own()
        }
        (Issuer::Organisation(_), Purpose::Provisioning | Purpose::Server) => {
            Err(broken("only a client can be a chain issuer"))
        }
        (Issuer::Chain(id, issuer), Purpose::Client | Purpose::Server) => {
            chained(top(key, algorithm)?.1, id, issuer, standard, key)
        }
        // Nodes and provisioners know no chain here: they are given the key that signs provisioning tokens.
        (Issuer::Chain(_, issuer), Purpose::Provisioning) => {
            let signer = own()?;
            if key.hex() == Some(&issuer) { Ok(signer) } else { Err(JwtError::BadSignature.into()) }
        }
    }
}

/// The organisation's key, which must be an Ed25519 one, as must be all below it.
fn top(key: &IssuerKey, algorithm: Algorithm) -> Result<(HexKey, &Verifier), ChoriaError> {
    match (&key.kind, algorithm) {
        (Kind::Ed25519(hex, verifier), Algorithm::EdDsa) => Ok((*hex, verifier)),
        (
            Kind::Ed25519(..) | Kind::Rsa(_),
            Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512,
        ) => Err(JwtError::AlgorithmMismatch.into()),
    }
}

fn appointed(
    (organisation, verifier): (HexKey, &Verifier),
    issuer: HexKey,
    standard: &Standard,
) -> Result<(), ChoriaError> {
    let own = Own::of(standard)?;
    if issuer != organisation {
        return Err(broken("appointed by another organisation"));
    }
    signed(verifier, &format!("{}.{}", own.id, own.public_key), own.chain_signature)
        .map_err(|_| broken("not appointed by the organisation"))
}

fn chained(
    organisation: &Verifier,
    id: &str,
    issuer: HexKey,
    standard: &Standard,
    key: &IssuerKey,
) -> Result<Verifier, ChoriaError> {
    let own = Own::of(standard)?;
    if standard.issuer_expires_at.is_none() {
        return Err(broken("no issexp"));
    }
    let (above, signature) =
        own.chain_signature.split_once('.').ok_or(broken("a chain signature of one part"))?;
    signed(organisation, &format!("{id}.{issuer}"), above)
        .map_err(|_| broken("its issuer was not appointed by the organisation"))?;
    let issuer = issuer.verifier(key.backend.as_ref())?;
    signed(&issuer, &format!("{}.{above}", own.id), signature)
        .map_err(|_| broken("not signed by its issuer"))?;
    Ok(issuer)
}

/// What a token in a chain must say of itself.
struct Own<'a> {
    id: &'a str,
    public_key: HexKey,
    chain_signature: &'a str,
}

impl<'a> Own<'a> {
    fn of(standard: &'a Standard) -> Result<Self, ChoriaError> {
        let id = standard.id.as_deref().ok_or(broken("no jti"))?;
        let public_key = standard.public_key.ok_or(broken("no public_key"))?;
        let chain_signature = standard.chain_signature.as_deref().ok_or(broken("no tcs"))?;
        let issued_at = standard.issued_at.ok_or(broken("no iat"))?;
        if standard.expires_at.is_none() {
            return Err(broken("no exp"));
        }
        let made_at = id.parse::<Ksuid>().map_err(|_| broken("a jti that is no KSUID"))?.issued_at();
        if seconds(made_at) != seconds(issued_at) {
            return Err(broken("a jti of another time than iat"));
        }
        Ok(Self { id, public_key, chain_signature })
    }
}

fn signed(key: &Verifier, message: &str, signature: &str) -> Result<(), JwtError> {
    let signature: [u8; 64] = fixed(signature).ok_or(JwtError::SignatureLength)?;
    key.verify(message.as_bytes(), &signature)
}

const fn broken(what: &'static str) -> ChoriaError {
    ChoriaError::BrokenChain { what }
}
