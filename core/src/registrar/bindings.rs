//! Whether a presenter matches what a token is bound to.

use std::net::IpAddr;

use crate::vocabulary::{Bindings, Redeem};

/// All that is bound must match; what the presenter does not say does not match.
pub(super) fn hold(bindings: &Bindings, redeem: &Redeem, source: Option<IpAddr>) -> bool {
    let instance = bindings.instance.is_none() || bindings.instance == redeem.instance;
    let node_name = bindings.node_name.is_none() || bindings.node_name == redeem.node_name;
    let within =
        |source: IpAddr| bindings.cidrs.iter().any(|network| network.contains(&source.to_canonical()));
    let network = bindings.cidrs.is_empty() || source.is_some_and(within);
    instance && node_name && network
}
