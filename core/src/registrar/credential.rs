//! The node credential: its claims are fixed in the decision, and it is signed when the answer is released, so that a
//! retry signs the same claims again.

use std::sync::Arc;

use super::{
    Registrar,
    draft::{Draft, Step},
    presenter::Presenter,
};
use crate::{
    id::KeyId,
    jwt::{SigningRing, Thumbprint, credential},
    record::{CredentialGrant, Node},
    vocabulary::{Answer, Credential, Error},
};

/// A new credential for whoever proved a key, if the registrar signs any.
pub(super) fn grant(draft: &mut Draft<'_>, presenter: &Presenter) -> Step<Option<CredentialGrant>> {
    let (Some(ring), Some(_)) = (&draft.registrar.signing, presenter.proof) else { return Ok(None) };
    let kid = ring.current()?.0.clone();
    let id = data_encoding::BASE64URL_NOPAD.encode(&draft.random::<16>());
    let issued_at = draft.now();
    let expires_at = issued_at.plus_seconds(draft.registrar.policy.credential_seconds);
    Ok(Some(CredentialGrant { id, kid, issued_at, expires_at }))
}

/// A credential that has yet to be signed.
#[derive(Debug)]
pub(crate) struct Unsigned {
    ring: Arc<SigningRing>,
    kid: KeyId,
    claims: credential::Credential,
}

impl Unsigned {
    /// The claims of the node's present credential, for the key that it has just proven.
    pub(super) fn of(registrar: &Registrar, node: &Node, key: Thumbprint) -> Option<Self> {
        let (ring, grant) = (registrar.signing.as_ref()?, node.credential.as_ref()?);
        let claims = credential::Credential {
            issuer: registrar.policy.issuer.clone(),
            node: node.id,
            package: node.package,
            scope: node.scope.clone(),
            jti: grant.id.clone(),
            issued_at: grant.issued_at,
            expires_at: grant.expires_at,
            key,
        };
        Some(Self { ring: Arc::clone(ring), kid: grant.kid.clone(), claims })
    }

    /// Signs it and puts it into the answer.
    pub(crate) fn sign_into(self, answer: &mut Answer) -> Result<(), Error> {
        let token = credential::sign(&self.ring, &self.kid, &self.claims)?;
        let signed = Some(Credential { token, expires_at: self.claims.expires_at });
        if let Answer::Redeemed(redeemed) = answer {
            redeemed.credential = signed;
        } else if let Answer::CheckedIn(checked_in) = answer {
            checked_in.credential = signed;
        }
        Ok(())
    }
}
