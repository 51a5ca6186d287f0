//! SPIRE's server API as `build.rs` generates it, and the core's data in its types.

use handfast::{
    id::InvalidId,
    spire::{BundleReply, Entry, JwtKey, Selector, SpiffeId, X509Certificate},
};
use spire::api::types;

#[allow(clippy::all, unreachable_pub, reason = "generated")]
mod generated {
    tonic::include_proto!("spire_api");
}
pub(super) use generated::spire;

impl From<&SpiffeId> for types::Spiffeid {
    fn from(id: &SpiffeId) -> Self {
        Self { trust_domain: id.trust_domain().to_owned(), path: id.path().to_owned() }
    }
}

impl From<&Entry> for types::Entry {
    fn from(entry: &Entry) -> Self {
        let seconds = |ttl: u32| i32::try_from(ttl).unwrap_or(i32::MAX);
        let selector = |selector: &Selector| types::Selector {
            r#type: selector.kind().to_owned(),
            value: selector.value().to_owned(),
        };
        Self {
            id: entry.id.to_string(),
            spiffe_id: Some((&entry.spiffe_id).into()),
            parent_id: Some((&entry.parent_id).into()),
            selectors: entry.selectors.iter().map(selector).collect(),
            x509_svid_ttl: seconds(entry.x509_svid_ttl),
            jwt_svid_ttl: seconds(entry.jwt_svid_ttl),
            federates_with: entry.federates_with.iter().map(ToString::to_string).collect(),
            admin: entry.admin,
            downstream: entry.downstream,
            expires_at: entry.expires_at.into(),
            dns_names: entry.dns_names.clone(),
            store_svid: entry.store_svid,
            hint: entry.hint.clone(),
            revision_number: 0,
            created_at: 0,
        }
    }
}

impl From<types::Bundle> for BundleReply {
    fn from(bundle: types::Bundle) -> Self {
        let certificate = |authority: types::X509Certificate| X509Certificate {
            asn1: authority.asn1,
            tainted: authority.tainted,
        };
        let key = |authority: types::JwtKey| JwtKey {
            public_key: authority.public_key,
            key_id: authority.key_id,
            expires_at: authority.expires_at,
            tainted: authority.tainted,
        };
        Self {
            trust_domain: bundle.trust_domain,
            x509_authorities: bundle.x509_authorities.into_iter().map(certificate).collect(),
            jwt_authorities: bundle.jwt_authorities.into_iter().map(key).collect(),
            refresh_hint: bundle.refresh_hint,
            sequence_number: bundle.sequence_number,
        }
    }
}

/// An entry that we could not have made is none of ours.
impl TryFrom<types::Entry> for Entry {
    type Error = InvalidId;

    fn try_from(entry: types::Entry) -> Result<Self, InvalidId> {
        let id = |id: Option<types::Spiffeid>| {
            let id = id.unwrap_or_default();
            SpiffeId::from_parts(&id.trust_domain, &id.path)
        };
        let seconds = |ttl: i32| u32::try_from(ttl).unwrap_or(u32::MAX);
        let selectors =
            entry.selectors.iter().map(|selector| Selector::from_parts(&selector.r#type, &selector.value));
        Ok(Self {
            id: entry.id.parse()?,
            spiffe_id: id(entry.spiffe_id)?,
            parent_id: id(entry.parent_id)?,
            selectors: selectors.collect::<Result<_, _>>()?,
            x509_svid_ttl: seconds(entry.x509_svid_ttl),
            jwt_svid_ttl: seconds(entry.jwt_svid_ttl),
            federates_with: entry
                .federates_with
                .iter()
                .map(|domain| domain.parse())
                .collect::<Result<_, _>>()?,
            admin: entry.admin,
            downstream: entry.downstream,
            expires_at: u32::try_from(entry.expires_at).unwrap_or(u32::MAX),
            dns_names: entry.dns_names,
            store_svid: entry.store_svid,
            hint: entry.hint,
        })
    }
}
