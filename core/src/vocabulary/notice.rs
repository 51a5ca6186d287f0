//! Refusals, as the audit keeps them: beside the facts, without a version.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::{Authority, Reason};
use crate::{
    code::Code,
    id::{Digest, PackageId},
    json,
    record::Key,
    time::Timestamp,
};

/// A refusal worth counting.
///
/// A stranger can cause as many refusals as it likes, so notices never bump a record and are not stored one by
/// one: hosts keep a row for each [`Notice::coalesce`] key and count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What was refused, as the action's name.
    pub action: &'static str,
    /// Why.
    pub code: Code,
    /// When.
    pub at: Timestamp,
    /// On whose behalf.
    pub authority: Authority,
    /// The network that the request came from: /24 in IPv4, /48 in IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<IpNet>,
    /// The package whose token or name was presented, if it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageId>,
    /// The fact that it was judged against: the notice is anchored to it, not linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
    /// Whom the host saw, where no record is about it: the subject that nobody knows. Of all in a row this is the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Key>,
    /// What the operator's own rule said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The last fact of a record, as it was when something was judged against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anchor {
    /// The record.
    pub key: Key,
    /// Its version.
    pub version: u64,
    /// The digest of its last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
}

impl Notice {
    pub(crate) fn new(
        code: Code,
        action: &'static str,
        at: Timestamp,
        (authority, source): (Authority, Option<IpAddr>),
        anchor: Option<Anchor>,
    ) -> Self {
        let package = anchor.as_ref().and_then(|anchor| match &anchor.key {
            Key::Package(id) => Some(*id),
            Key::Scope(_)
            | Key::Pool(..)
            | Key::Name(..)
            | Key::Subject(..)
            | Key::Node(_)
            | Key::Instance(_)
            | Key::Secret(_) => None,
        });
        let network = source.map(network);
        Self { action, code, at, authority, network, package, anchor, unknown: None, reason: None }
    }

    /// Notices with the same key are one row with a count: minute, code, on whose behalf, about which record, and network.
    /// Older keys sort first.
    ///
    /// A stranger is `node`, and what it presents leads to a record that exists or to none: it cannot make rows at will.
    #[must_use]
    pub fn coalesce(&self) -> String {
        let minute = self.at.unix_millis().div_euclid(60_000);
        let about = match (&self.anchor, &self.unknown) {
            (Some(anchor), _) => anchor.key.to_string(),
            (None, Some(Key::Subject(scope, _))) => Key::Scope(scope.clone()).to_string(),
            (None, _) => "-".to_owned(),
        };
        let network = self.network.map_or_else(|| "-".to_owned(), |network| network.to_string());
        format!("{minute:010}|{}|{}|{about}|{network}", self.code, self.authority)
    }

    /// The notice as RFC 8785 JSON.
    #[must_use]
    pub fn body(&self) -> String {
        json::canonical_of(self)
    }
}

fn network(source: IpAddr) -> IpNet {
    match source {
        IpAddr::V4(address) => {
            Ipv4Net::new(address, 24).map_or_else(|_| source.into(), |net| net.trunc().into())
        }
        IpAddr::V6(address) => {
            Ipv6Net::new(address, 48).map_or_else(|_| source.into(), |net| net.trunc().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_refused_in_a_row_of_their_own() {
        let notice = |who: &str, key: &str| {
            let anchor = Anchor { key: key.parse().unwrap(), version: 1, head: None };
            let (at, who) = ("2026-01-01T00:00:00Z".parse().unwrap(), who.parse().unwrap());
            Notice::new(Code::QuotaExceeded, "issue", at, (who, None), Some(anchor)).coalesce()
        };
        let ann = notice("operator:ann", "scope/a");
        assert_eq!(ann, notice("operator:ann", "scope/a"));
        assert_ne!(ann, notice("operator:bob", "scope/a"));
        assert_ne!(ann, notice("operator:ann", "scope/b"));
    }

    #[test]
    fn a_flood_from_one_network_in_one_minute_is_one_row() {
        let notice = |source: &str, at: &str| {
            Notice::new(
                Code::UnknownToken,
                "redeem",
                at.parse().unwrap(),
                (Authority::Node, Some(source.parse().unwrap())),
                None,
            )
            .coalesce()
        };
        assert_eq!(
            notice("192.0.2.1", "2026-01-01T00:00:00Z"),
            notice("192.0.2.250", "2026-01-01T00:00:59.999Z")
        );
        assert_ne!(notice("192.0.2.1", "2026-01-01T00:00:00Z"), notice("192.0.2.1", "2026-01-01T00:01:00Z"));
        assert_ne!(
            notice("192.0.2.1", "2026-01-01T00:00:00Z"),
            notice("198.51.100.1", "2026-01-01T00:00:00Z")
        );
    }
}
