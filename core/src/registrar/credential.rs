//! The node credential: what is fixed about it in a decision. It is signed when the answer is released.

use super::{
    draft::{Draft, Step},
    presenter::Presenter,
};
use crate::record::CredentialGrant;

/// A new credential for whoever proved a key, if the registrar signs any.
pub(super) fn grant(draft: &mut Draft<'_>, presenter: &Presenter) -> Step<Option<CredentialGrant>> {
    let Some(kid) = draft.registrar.signing_kid().filter(|_| presenter.is_proven()) else { return Ok(None) };
    let id = data_encoding::BASE64URL_NOPAD.encode(&draft.random::<16>());
    let issued_at = draft.now();
    let expires_at = issued_at.plus_seconds(draft.registrar.policy.credential_seconds);
    Ok(Some(CredentialGrant { id, kid, issued_at, expires_at }))
}
