//! What an operator asks of a new package.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{FileFormat, Labels, Notes, strict::by_the_letter};
use crate::{
    aws::{AccountId, InstanceId, Region},
    id::{
        FileName, Fingerprint, Kind, NodeName, PackageId, PackageName, PoolName, RequestId, ResourceKind,
        ResourceName, ScopeId,
    },
    kubernetes::BootstrapGroup,
    limits,
    secret::Secret,
    spire::{Selector, SpiffeId, TrustDomain},
};

/// Make a package: a token, what it is bound to, what it carries.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Unique among the live packages of the scope.
    pub name: PackageName,
    /// The tenant, site or account; `default` when left out.
    #[serde(default = "defaults::scope")]
    pub scope: ScopeId,
    /// The host's own classification; `node` when left out.
    #[serde(default = "defaults::kind")]
    pub kind: Kind,
    /// Free labels for lists.
    #[serde(default)]
    pub labels: Labels,
    /// An operator's notes; for people, not for rules.
    #[serde(default)]
    pub notes: Option<Notes>,
    /// The live package above it. It ends with that one. Which kinds may sit under which is the policy's.
    #[serde(default)]
    pub parent: Option<PackageId>,
    /// What makes it another package when it changes: the same name with the same keepers again is the same package, with
    /// other keepers it replaces the one before. At most [`limits::KEEPERS`].
    #[serde(default)]
    pub keepers: BTreeMap<String, String>,
    /// Seconds until the unused package expires; the policy's default when left out. Too long is an error, not clamped.
    #[serde(default)]
    pub ttl_seconds: Option<u32>,
    /// How many distinct subjects may redeem the token, at most [`limits::PACKAGE_USES`]; 1 when left out, any number
    /// when `null`.
    #[serde(default = "defaults::one")]
    pub max_uses: Option<u32>,
    /// Seconds of silence after which a node of it retires: for nodes that come and go. The policy's choice for its kind
    /// when left out, else never.
    #[serde(default)]
    pub inactivity_seconds: Option<u32>,
    /// What a presenter must match. All of it must match.
    #[serde(default)]
    pub bindings: Bindings,
    /// What turns the package Activated; the policy's choice for its kind when left out, else the first check-in.
    #[serde(default)]
    pub activates_on: Option<ActivatesOn>,
    /// What the package carries, at most [`limits::CONTENTS`].
    #[serde(default)]
    pub contents: Vec<Content>,
    /// The same request id and name again give the same package, so that a lost reply can be asked for again.
    #[serde(default)]
    pub request: Option<RequestId>,
    /// Deliver to the operator in the same decision; not possible when contents need something external first. A package that
    /// waits for what is left outside of the one before it is not delivered yet.
    #[serde(default)]
    pub deliver: bool,
}

impl Issue {
    /// A single-use package named `name` in the scope `default`, with the policy's lifetime and nothing in it.
    #[must_use]
    pub fn new(name: PackageName) -> Self {
        Self {
            name,
            scope: defaults::scope(),
            kind: defaults::kind(),
            labels: Labels::default(),
            notes: None,
            parent: None,
            keepers: BTreeMap::new(),
            ttl_seconds: None,
            max_uses: Some(1),
            inactivity_seconds: None,
            bindings: Bindings::default(),
            activates_on: None,
            contents: Vec::new(),
            request: None,
            deliver: false,
        }
    }
}

/// What must happen for a package to count as in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActivatesOn {
    /// The hand-over is the whole job. Such a package has no enrollment token.
    Delivery,
    /// The first redemption.
    Redeem,
    /// The first check-in of a node: proof that it has what it was given.
    #[default]
    CheckIn,
    /// The host reports that the subject it names has connected ([`ObserveSubject`](super::ObserveSubject)).
    Report,
}

/// What a presenter of the token must match; everything given must hold.
///
/// A binding narrows what a thief can do with a stolen token. None of them proves anything alone: an instance id
/// or a node name is claimed by the presenter, and an address is as good as the network it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bindings {
    /// The cloud instance that the presenter names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The cloud accounts that the presenter's proven instance must be in; any of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accounts: BTreeSet<AccountId>,
    /// The regions that the presenter's proven instance must be in; any of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<Region>,
    /// The presenter's fingerprint: `jkt:` and a key's thumbprint (RFC 7638), or what the host vouches for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// The node name that the presenter names. The package is found by it when that node is seen elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<NodeName>,
    /// The SPIFFE id that the host found on the presenter's connection. The package is found by it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spiffe_id: Option<SpiffeId>,
    /// Networks that the request must come from, at most [`limits::CIDRS`]; any of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub cidrs: BTreeSet<IpNet>,
}

impl Bindings {
    /// Whether nobody fits these whom the others would refuse for a network, an account or a region.
    pub(crate) fn are_within(&self, others: &Self) -> bool {
        let is_covered = |net: &IpNet| others.cidrs.iter().any(|other| other.contains(net));
        fn is_part<T: Ord>(own: &BTreeSet<T>, others: &BTreeSet<T>) -> bool {
            others.is_empty() || (!own.is_empty() && own.is_subset(others))
        }
        (others.cidrs.is_empty() || (!self.cidrs.is_empty() && self.cidrs.iter().all(is_covered)))
            && is_part(&self.accounts, &others.accounts)
            && is_part(&self.regions, &others.regions)
    }
}

/// One thing that a package carries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(remote = "Self", tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Content {
    /// A file, given to the node as it is. Sealed in the vault until then.
    File {
        /// Its plain name.
        name: FileName,
        /// Its text, at most [`limits::FILE_BYTES`].
        content: Secret,
        /// What it is: then it is refused where it is not; anything, when left out.
        #[serde(default)]
        format: Option<FileFormat>,
    },
    /// A Kubernetes bootstrap token, made for this package and put into the cluster as a Secret.
    /// See <https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/>.
    KubernetesBootstrapToken {
        /// Groups of whoever authenticates with it; kubeadm's node group when left out.
        #[serde(default = "defaults::groups")]
        groups: BTreeSet<BootstrapGroup>,
        /// Seconds that the token lives, at most [`limits::BOOTSTRAP_TOKEN_TTL_MAX_SECONDS`], which is the default.
        #[serde(default = "defaults::bootstrap_token_ttl")]
        ttl_seconds: u32,
    },
    /// The cluster's object for the node, deleted when the node is known to be gone (revoked, retired), never when a
    /// package merely expired.
    KubernetesNode {
        /// The object's name.
        name: NodeName,
    },
    /// A SPIRE join token, made for this package. It cannot be deleted upstream: it dies when it is used or when its time
    /// has come, so it is short.
    SpireJoinToken {
        /// Seconds that the token lives, at most [`limits::JOIN_TOKEN_TTL_MAX_SECONDS`]; 15 minutes when left out.
        #[serde(default = "defaults::join_token_ttl")]
        ttl_seconds: u32,
        /// The id that the agent attested by it gets besides SPIRE's own, by an entry that is ours and is deleted at the end.
        /// It comes from the policy's template; saying it here is an override.
        #[serde(default)]
        spiffe_id: Option<SpiffeId>,
    },
    /// A SPIRE registration entry; nothing of it is given to the node. What it identifies comes from the policy's templates;
    /// saying it here is an override, which the policy must allow.
    SpireEntry {
        /// The id that it grants. An override.
        #[serde(default)]
        spiffe_id: Option<SpiffeId>,
        /// The id of who must vouch for it. An override.
        #[serde(default)]
        parent_id: Option<SpiffeId>,
        /// What a workload must show, at most [`limits::SPIRE_SELECTORS`]. An override.
        #[serde(default)]
        selectors: BTreeSet<Selector>,
        /// Seconds that an X.509-SVID lives; the server's default when left out.
        #[serde(default)]
        x509_svid_ttl_seconds: Option<u32>,
        /// Seconds that a JWT-SVID lives; the server's default when left out.
        #[serde(default)]
        jwt_svid_ttl_seconds: Option<u32>,
        /// Names in the X.509-SVID, at most [`limits::SPIRE_DNS_NAMES`]; the first one is its common name. An override.
        #[serde(default)]
        dns_names: Vec<String>,
        /// Trust domains whose bundles are given along, at most [`limits::SPIRE_FEDERATES_WITH`]. An override.
        #[serde(default)]
        federates_with: BTreeSet<TrustDomain>,
        /// For workloads that are given several identities: which is for what. At most [`limits::SPIRE_HINT_BYTES`].
        #[serde(default)]
        hint: Option<String>,
        /// Whether it is for a downstream SPIRE server, which can then sign any identity of the trust domain. An override.
        #[serde(default)]
        downstream: bool,
    },
    /// A resource of a kind that the host defines and its executors make and delete.
    Host {
        /// The kind.
        kind: ResourceKind,
        /// Its external name; chosen by the registrar when left out.
        #[serde(default)]
        name: Option<ResourceName>,
        /// Its value.
        #[serde(default)]
        value: HostValue,
        /// Public settings for the executor, at most [`limits::RESOURCE_SETTINGS`].
        #[serde(default)]
        settings: BTreeMap<String, String>,
    },
    /// A free item of a pool of the scope, with the package until nothing of it is left outside.
    PoolItem {
        /// The pool.
        pool: PoolName,
    },
}

/// The secret value of a host-defined resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(remote = "Self", tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum HostValue {
    /// It has none.
    #[default]
    None,
    /// 256 random bits in base64url, drawn by the registrar; given to the executor and to the node.
    Drawn,
    /// This text, at most [`limits::FILE_BYTES`]; given to the executor and to the node.
    Given {
        /// The text.
        value: Secret,
    },
}

by_the_letter!(Content, HostValue ["none", "drawn"]);

mod defaults {
    use super::{BTreeSet, BootstrapGroup, Kind, ScopeId, limits};

    #[expect(clippy::expect_used, reason = "a literal that the tests parse")]
    pub(super) fn scope() -> ScopeId {
        "default".parse().expect("a valid scope id")
    }

    #[expect(clippy::expect_used, reason = "a literal that the tests parse")]
    pub(super) fn kind() -> Kind {
        "node".parse().expect("a valid kind")
    }

    pub(super) fn groups() -> BTreeSet<BootstrapGroup> {
        BTreeSet::from([BootstrapGroup::kubeadm()])
    }

    #[expect(clippy::unnecessary_wraps, reason = "the type of the field")]
    pub(super) const fn one() -> Option<u32> {
        Some(1)
    }

    pub(super) const fn join_token_ttl() -> u32 {
        15 * 60
    }

    pub(super) const fn bootstrap_token_ttl() -> u32 {
        limits::BOOTSTRAP_TOKEN_TTL_MAX_SECONDS
    }
}
