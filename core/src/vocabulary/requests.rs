//! What is asked of packages, nodes, scopes and pools that exist.
//!
//! Who presents itself says so in two ways: with a `proof` of a key (RFC 9449), or with a `fingerprint` that the *host*
//! vouches for, where the policy allows that. A host that copies the fingerprint from a request body lets every
//! stranger be whoever it wants.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};

use super::{EffectId, FileFormat, Reason, strict::by_the_letter};
use crate::{
    aws::{AccountId, InstanceId, Region, identity::InstanceIdentity},
    id::{Fingerprint, ItemName, NodeId, NodeName, PackageId, PoolName, RequestId, ScopeId, Subject},
    record::{InstanceState, Key},
    secret::Secret,
    spire::SpiffeId,
    time::Timestamp,
    verified::Verified,
};

/// Hand a package over, once; the same recipient again within its window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    /// To whom.
    pub to: Recipient,
}

/// Who receives a package.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(remote = "Self", tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Recipient {
    /// The operator who asks, to carry it to the node.
    Operator {
        /// The package.
        package: PackageId,
    },
    /// Whoever holds a download link that an operator had made.
    Link {
        /// The link's secret part.
        link: Secret,
    },
    /// The cloud instance itself, which proves itself by the address that the cloud's API gave for it, or by its identity
    /// document.
    Instance {
        /// The instance that the requester says it is.
        instance: InstanceId,
        /// Its identity document, verified; in place of the address. Evidence has no JSON form.
        #[serde(skip)]
        identity: Option<Box<Verified<InstanceIdentity>>>,
    },
    /// An active node of the package above it, which carries it to its child.
    ParentNode {
        /// The package.
        package: PackageId,
        /// The node.
        node: NodeId,
        /// The node's fingerprint, where the host vouches for it.
        #[serde(default)]
        fingerprint: Option<Fingerprint>,
        /// The node's proof of its key, over `deliver`.
        #[serde(default)]
        proof: Option<Secret>,
        /// The node's credential, with a proof.
        #[serde(default)]
        credential: Option<Secret>,
    },
}

/// Have a download link made for a package; earlier links are dead.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MakeLink {
    /// The package.
    pub package: PackageId,
    /// Seconds that the link lives, at most [`crate::limits::LINK_TTL_MAX_SECONDS`]; the policy's default when left out.
    #[serde(default)]
    pub ttl_seconds: Option<u32>,
}

/// Give a live package a new token. Contents that were shredded meanwhile, after they had been given, do not come back: the
/// answer says so, and so does that to who redeems it. A package that shall carry them once more is issued anew.
///
/// It is also how an operator decides about a suspected clone: the new token is not locked, and the node that redeems it is
/// not in quarantine any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reissue {
    /// The package.
    pub package: PackageId,
    /// Keep the old token good until the new one is used first, or for `grace_seconds` at most. Without it, the old one dies
    /// at once.
    #[serde(default)]
    pub make_before_break: bool,
    /// Seconds that both are good at most; the policy's default when left out.
    #[serde(default)]
    pub grace_seconds: Option<u32>,
    /// Seconds that the new token lives; the policy's default when left out.
    #[serde(default)]
    pub ttl_seconds: Option<u32>,
    /// Deliver to the operator in the same decision.
    #[serde(default)]
    pub deliver: bool,
    /// The same request id again gives the same token, so that a lost reply can be asked for again.
    #[serde(default)]
    pub request: Option<RequestId>,
}

/// Present an enrollment token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    /// The token, as it was handed out.
    pub token: Secret,
    /// An identifier of the presenter that the host vouches for; the policy must allow it.
    #[serde(default)]
    pub fingerprint: Option<Fingerprint>,
    /// The presenter's proof of its key, over `redeem` and the token.
    #[serde(default)]
    pub proof: Option<Secret>,
    /// The cloud instance that the presenter says it is.
    #[serde(default)]
    pub instance: Option<InstanceId>,
    /// The node name that the presenter says it has.
    #[serde(default)]
    pub node_name: Option<NodeName>,
    /// The SPIFFE id that the *host* found on the connection.
    #[serde(default)]
    pub spiffe_id: Option<SpiffeId>,
    /// The presenter's instance identity document, verified. Evidence has no JSON form.
    #[serde(skip)]
    pub identity: Option<Box<Verified<InstanceIdentity>>>,
}

/// Say that a node is alive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// The node.
    pub node: NodeId,
    /// The fingerprint it redeemed with, where the host vouches for it.
    #[serde(default)]
    pub fingerprint: Option<Fingerprint>,
    /// The node's proof of its key, over `check-in`.
    #[serde(default)]
    pub proof: Option<Secret>,
    /// The node's credential, with a proof; it may have expired, the key is what counts.
    #[serde(default)]
    pub credential: Option<Secret>,
    /// Counts the node's check-ins from 1. The last number again is a lost reply; an older one is a suspected clone.
    pub sequence: u64,
    /// Names this one attempt: drawn at random for each new number, kept by the node until the reply is there, and
    /// repeated only when the reply was lost. The last number under another name is a suspected clone, so two copies of
    /// one disk that beat in turn are found at the second beat. A node that never sends one is served all the same, at
    /// this cost: of two such copies, each looks like a lost reply of the other for as long as they keep step.
    #[serde(default)]
    pub attempt: Option<RequestId>,
}

/// A node says that it goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// The node.
    pub node: NodeId,
    /// The fingerprint it redeemed with, where the host vouches for it.
    #[serde(default)]
    pub fingerprint: Option<Fingerprint>,
    /// The node's proof of its key, over `leave`.
    #[serde(default)]
    pub proof: Option<Secret>,
    /// The node's credential, with a proof.
    #[serde(default)]
    pub credential: Option<Secret>,
}

/// Send a node away. It may return with a new token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Evict {
    /// The node.
    pub node: NodeId,
}

/// Never let a subject be a node again, whatever token it shows, until an operator lifts the ban. Its current node goes at
/// once, whether its package names the subject or the node only said so; where several say one name, the others go when
/// they check in next.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ban {
    /// The scope.
    pub scope: ScopeId,
    /// The subject.
    pub subject: Subject,
    /// Why, for the audit.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Lift a ban: the subject may be a node again, with a token. What had ended stays so.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unban {
    /// The scope.
    pub scope: ScopeId,
    /// The subject.
    pub subject: Subject,
    /// Why, for the audit.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Count the recoveries of one subject, or of one package, from 0 again: by as many reissued tokens as the policy allows
/// it may be given its grant anew, or have its only node replaced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetRecoveries {
    /// The record: a subject or a package.
    pub key: Key,
}

/// End a package for good.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The package.
    pub package: PackageId,
    /// Why, for the audit.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Set a scope's quota. Packages issued before the first time are outside of it, so do it first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfigureScope {
    /// The scope.
    pub scope: ScopeId,
    /// How many packages may live at once; any number when left out.
    #[serde(default)]
    pub max_outstanding: Option<u32>,
    /// How many uses may be reserved at once, from the issue of their package until nothing of it is left outside; any
    /// number when left out.
    #[serde(default)]
    pub max_active: Option<u32>,
}

/// Fill a pool, or empty it. A pool is made by its first filling.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePool {
    /// The scope.
    pub scope: ScopeId,
    /// The pool.
    pub pool: PoolName,
    /// New items, each with its content (at most [`crate::limits::POOL_ITEM_BYTES`]), at most [`crate::limits::POOL_CHANGES`]. An item that
    /// exists is left as it is.
    #[serde(default)]
    pub add: BTreeMap<ItemName, Option<Secret>>,
    /// What every new content is: then it is refused where it is not. A pool that was empty holds nothing else from then on, also
    /// when this is left out.
    #[serde(default)]
    pub format: Option<FileFormat>,
    /// Items to take out, at most [`crate::limits::POOL_CHANGES`]. One that a package has is not taken.
    #[serde(default)]
    pub remove: BTreeSet<ItemName>,
}

/// Take note that a subject has connected, as the host found out (a SPIFFE id on a TLS connection, a node's name in its
/// cluster).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ObserveSubject {
    /// The scope.
    pub scope: ScopeId,
    /// The subject.
    pub subject: Subject,
}

/// Apply the deadlines of one record that have come.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expire {
    /// The record, as the store's `due` named it.
    pub key: Key,
}

/// Forget a record that has ended, and of which nothing is left outside. Its version and digest stay as a checkpoint of
/// its chain; how long to keep what has ended is the host's choice, but longer than a worker may be late: what is made
/// outside for a package that was forgotten meanwhile is never deleted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// The record: an ended package, a retired node, or an instance that is terminated.
    pub key: Key,
}

/// Say how an effect went.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The effect, as `outstanding` named it.
    pub effect: EffectId,
    /// How it went.
    pub outcome: Outcome,
}

/// How an effect went.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EffectOutcome"))]
#[serde(remote = "Self", tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// A worker takes it, for at most `lease_seconds` ([`crate::limits::LEASE_MAX_SECONDS`]): nobody else shall meanwhile.
    Started {
        /// Seconds until the worker is taken for dead.
        lease_seconds: u32,
    },
    /// What was wanted is so, whether or not it was so before.
    Done,
    /// It was not done; it is tried again after a delay.
    Failed {
        /// Why, for the operator. Must hold no secret.
        reason: Reason,
    },
    /// Something of that name exists that is not ours.
    Collision,
    /// Nobody knows whether it was done (a time-out, for example); it is tried again.
    Unknown,
    /// The cloud's answer about an instance.
    Described(Description),
}

by_the_letter!(Recipient, Outcome ["done", "collision", "unknown"]);

/// An instance, as the cloud's own API describes it (EC2 `DescribeInstances`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The account that owns the reservation.
    pub account: AccountId,
    /// The region that was asked.
    pub region: Region,
    /// The state that the API reports.
    pub state: InstanceState,
    /// All addresses, private and public, at most [`crate::limits::INSTANCE_ADDRESSES`].
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub addresses: BTreeSet<IpAddr>,
    /// The instance's tags, at most [`crate::limits::INSTANCE_TAGS`].
    #[serde(default)]
    pub tags: std::collections::BTreeMap<String, String>,
    /// When it was launched.
    #[serde(default)]
    pub launched_at: Option<Timestamp>,
}
