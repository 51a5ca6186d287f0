//! Whether a presenter matches what a token is bound to.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    draft::{Draft, Step},
    presenter::Presenter,
};
use crate::{
    aws::{AccountId, Region},
    record::{Key, is_final},
    vocabulary::{Bindings, Redeem},
};

/// All that is bound must match; what the presenter does not say does not match.
pub(super) fn hold(
    draft: &mut Draft<'_>,
    bindings: &Bindings,
    redeem: &Redeem,
    presenter: &Presenter,
) -> Step<bool> {
    let same = bindings.node_name.is_none() || bindings.node_name == redeem.node_name;
    let says = redeem.identity.as_ref().map(|identity| identity.instance()).or(redeem.instance.as_ref());
    let consistent = redeem.instance.is_none() || redeem.instance.as_ref() == says;
    let same = same && consistent && (bindings.instance.is_none() || bindings.instance.as_ref() == says);
    let same = same && (bindings.spiffe_id.is_none() || bindings.spiffe_id == redeem.spiffe_id);
    let same = same && bindings.fingerprint.as_ref().is_none_or(|bound| *bound == presenter.fingerprint);
    Ok(same && within(&bindings.cidrs, draft.source) && in_place(draft, bindings, redeem)?)
}

fn within(networks: &BTreeSet<ipnet::IpNet>, source: Option<IpAddr>) -> bool {
    let within = |source: IpAddr| networks.iter().any(|network| network.contains(&source.to_canonical()));
    networks.is_empty() || source.is_some_and(within)
}

/// Account and region are what a verified identity document says, or what the cloud's API said about the instance, never
/// what the presenter says: then the instance must be known, alive, and described, and the request must come from one of
/// its addresses.
fn in_place(draft: &mut Draft<'_>, bindings: &Bindings, redeem: &Redeem) -> Step<bool> {
    if bindings.accounts.is_empty() && bindings.regions.is_empty() {
        return Ok(true);
    }
    let in_place = |account: &AccountId, region: &Region| {
        (bindings.accounts.is_empty() || bindings.accounts.contains(account))
            && (bindings.regions.is_empty() || bindings.regions.contains(region))
    };
    if let Some(identity) = &redeem.identity {
        return Ok(in_place(identity.account(), identity.region()));
    }
    let Some(instance) = &redeem.instance else { return Ok(false) };
    let Some(instance) = draft.instance(instance)?.filter(|instance| !is_final(instance.state)) else {
        return Ok(false);
    };
    let Some(description) = &instance.description else { return Ok(false) };
    let from_its_address =
        draft.source.is_some_and(|source| description.addresses.contains(&source.to_canonical()));
    Ok(from_its_address && in_place(&instance.account, &instance.region))
}

/// The record that the bindings to a place look at.
pub(super) fn instance_key(bindings: &Bindings, redeem: &Redeem) -> Option<Key> {
    let wanted = redeem.identity.is_none() && !(bindings.accounts.is_empty() && bindings.regions.is_empty());
    redeem.instance.clone().filter(|_| wanted).map(Key::Instance)
}
