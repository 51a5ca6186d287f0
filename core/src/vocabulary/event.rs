//! What has happened: complete facts, each about exactly one record.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{ActivatesOn, Authority, Bindings, Description, Error, FileFormat, Labels, Notes, Reason};
use crate::{
    aws::{AccountId, InstanceId, Region},
    id::{
        ActorName, DecisionId, Digest, Fingerprint, ForeignId, ItemName, Kind, NodeId, NodeName, PackageId,
        PackageName, RequestId, ScopeId, SecretId,
    },
    json, limits,
    record::{
        CredentialGrant, Delivery, EndReason, InstanceState, Key, PackageContent, PackageStatus,
        ResourceSpec, RetireReason, SCHEMA, TokenDigest, check_length, check_schema, migrate,
    },
    spire::SpiffeId,
    time::Timestamp,
};

/// One fact with its place in the history of its record. `(key, version)` is unique in the whole log, and folding
/// [`crate::record::apply`] over the log gives every record bit for bit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The format's version, [`crate::record::SCHEMA`].
    pub schema: u32,
    /// The record that this is about.
    pub key: Key,
    /// The record's version after this event; counts from 1.
    pub version: u64,
    /// The digest of the record's event before this one: SHA-256 over its body as stored. Absent at version 1, and after
    /// an event of schema 1, which were not linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// When it was decided.
    pub at: Timestamp,
    /// The decision it belongs to.
    pub decision: DecisionId,
    /// Its place among the events of the decision, from 0.
    pub index: u32,
    /// How many events the decision has.
    pub of: u32,
    /// On whose behalf.
    pub authority: Authority,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// What happened.
    pub fact: Fact,
}

impl Event {
    /// The event as RFC 8785 JSON: what is stored, exported and digested.
    #[must_use]
    pub fn body(&self) -> String {
        json::canonical_of(self)
    }

    /// Reads what [`Event::body`] wrote, for a replay.
    ///
    /// # Errors
    /// [`Error::NewerSchema`] and [`Error::CorruptRecord`].
    pub fn from_body(body: &str) -> Result<Self, Error> {
        check_length(body, limits::EVENT_BYTES)?;
        let corrupt = |error: serde_json::Error| Error::CorruptRecord(error.to_string());
        match serde_json::from_str::<Self>(body) {
            Ok(event) if event.schema == SCHEMA => Ok(event),
            read => {
                let schema = check_schema(body)?;
                if migrate::is_old(schema) {
                    serde_json::from_value(migrate::event(body, schema)?).map_err(corrupt)
                } else {
                    read.map_err(corrupt)
                }
            }
        }
    }
}

/// What happened to a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fact {
    /// A package was made.
    PackageIssued(Arc<PackageIssued>),
    /// It was handed over.
    PackageDelivered {
        /// To whom, and until when it may be handed over again.
        delivery: Delivery,
    },
    /// Its window for handing over again has closed.
    DeliveryClosed,
    /// A download link was made for it; earlier ones are dead.
    LinkMade {
        /// Counts the package's links.
        number: u32,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// It has a new token.
    PackageReissued(Box<Reissued>),
    /// The token before the current one is dead.
    OldTokenClosed,
    /// A new subject has redeemed its token.
    PackageClaimed {
        /// The node made for it.
        node: NodeId,
        /// The subject.
        subject: Fingerprint,
    },
    /// A use that was spent before is now this node's, by a reissued token.
    PackageReclaimed {
        /// The node.
        node: NodeId,
        /// The subject.
        subject: Fingerprint,
        /// The node that the use was; the same, when a retired node has returned.
        replaces: NodeId,
    },
    /// A package was issued under it.
    ChildAdded {
        /// The package.
        child: PackageId,
    },
    /// A package under it has ended.
    ChildEnded {
        /// The package.
        child: PackageId,
    },
    /// It is in use.
    PackageActivated,
    /// A node can no longer ask for its grant again.
    GrantClosed {
        /// The node.
        node: NodeId,
    },
    /// One of its nodes has retired.
    PackageNodeRetired {
        /// The node.
        node: NodeId,
    },
    /// Two machines presented the same identity, or one more than its uses showed a token.
    CloneSuspected {
        /// The node whose identity it is; absent where several nodes have the token's uses, and it could be anyone's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeId>,
        /// What the second machine said it was.
        fingerprint: Fingerprint,
    },
    /// No token of it up to this one gives anything to anybody any more, because of a suspected clone.
    TokenLocked {
        /// The token's generation.
        generation: u16,
    },
    /// Its token can no longer be redeemed, though it is in use.
    TokenClosed,
    /// It has ended.
    PackageEnded {
        /// How: Expired, Revoked or Retired.
        status: PackageStatus,
        /// Why.
        reason: EndReason,
        /// Whether records below it have to be swept.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sweep: bool,
    },
    /// Another package has its name now, has taken over what it had reserved, and waits until nothing of it is left outside.
    PackageSuccessor {
        /// The other package.
        package: PackageId,
    },
    /// Nothing is left outside of the package that this one waited for.
    PackageUnblocked,
    /// Everything that it held of its scope and of pools was given back.
    PackageReleased,
    /// A worker has taken the resource's outstanding effect.
    ResourceStarted {
        /// The resource.
        resource: u32,
        /// Who.
        worker: ActorName,
        /// Until when nobody else shall.
        until: Timestamp,
    },
    /// The resource exists.
    ResourceReady {
        /// The resource.
        resource: u32,
    },
    /// An attempt failed.
    ResourceFailed {
        /// The resource.
        resource: u32,
        /// Why.
        reason: Reason,
        /// When it is tried again; never, when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// The resource is to be deleted although its package lives on, or once more although it was gone.
    ResourceUnwanted {
        /// The resource.
        resource: u32,
    },
    /// The resource does not exist any more.
    ResourceGone {
        /// The resource.
        resource: u32,
    },
    /// A name now means this package.
    NameTaken {
        /// The package.
        package: PackageId,
    },
    /// A name is free again.
    NameFreed,
    /// A live package names the subject.
    SubjectExpected {
        /// The package.
        package: PackageId,
    },
    /// A subject is now this node.
    SubjectBound {
        /// The node.
        node: NodeId,
        /// Its package.
        package: PackageId,
    },
    /// A node says that it is the subject, though its package does not name it. Nobody finds it by that, but a ban does.
    SubjectClaimed {
        /// The node; nobody says so any more, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<NodeId>,
    },
    /// A subject was given its grant anew.
    SubjectRecovered {
        /// The node.
        node: NodeId,
        /// Its package.
        package: PackageId,
    },
    /// A subject is no node any more, and no package names it.
    SubjectReleased,
    /// A subject is not to be a node any more.
    SubjectBanned {
        /// Who says so.
        by: ActorName,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// A subject may be a node again.
    SubjectUnbanned {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The recoveries of a subject, or of a package, are counted from 0 again.
    RecoveriesReset,
    /// A node has redeemed a token; also once more, when it is given its grant anew.
    NodeClaimed(Box<NodeClaimed>),
    /// A node has proven its key once more: for its grant, for a package of its children, or to leave.
    NodeProven {
        /// The digest of the proof's identifier.
        proof: Digest,
    },
    /// A node has checked in.
    NodeCheckedIn {
        /// Its sequence number.
        sequence: u64,
        /// Its new credential, where it proved a key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credential: Option<CredentialGrant>,
        /// The digest of the proof's identifier.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Digest>,
        /// What it named this attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<RequestId>,
    },
    /// Nothing is taken from the node any more until it redeems a reissued token, because of a suspected clone.
    NodeQuarantined,
    /// The node can no longer ask for its grant again.
    NodeGrantClosed,
    /// The node is retired.
    NodeRetired {
        /// Why.
        reason: RetireReason,
    },
    /// A scope's quota was set.
    ScopeConfigured {
        /// How many packages may live at once; any number, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_outstanding: Option<u32>,
        /// How many uses may be reserved at once; any number, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_active: Option<u32>,
    },
    /// A package was issued within a scope.
    ScopeReserved {
        /// The package.
        package: PackageId,
        /// The uses reserved for it, beyond what it took over from the package before it.
        uses: u32,
    },
    /// A package of a scope has ended; what was reserved for it stays so until nothing of it is left outside.
    ScopePackageEnded {
        /// The package.
        package: PackageId,
    },
    /// What was reserved for a package is free again.
    ScopeReturned {
        /// The package.
        package: PackageId,
        /// The uses.
        uses: u32,
    },
    /// A pool was filled or emptied.
    PoolChanged {
        /// What the pool's secrets are kept under in the vault.
        vault: PackageId,
        /// The number of its next secret.
        next_secret: u32,
        /// What all its items are from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<FileFormat>,
        /// The new items, each with its sealed content.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        added: BTreeMap<ItemName, Option<SecretId>>,
        /// The items that are no more.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        removed: BTreeSet<ItemName>,
    },
    /// A package has an item of a pool.
    PoolItemAssigned {
        /// The item.
        item: ItemName,
        /// The package.
        package: PackageId,
    },
    /// An item is free again.
    PoolItemReturned {
        /// The item.
        item: ItemName,
        /// The package that had it.
        package: PackageId,
    },
    /// The record had ended and was forgotten; its version and digest stay.
    Forgotten,
    /// The cloud told of an instance's state.
    InstanceObserved {
        /// Its account.
        account: AccountId,
        /// Its region.
        region: Region,
        /// Its state, by the event.
        state: InstanceState,
        /// When the cloud says that it happened.
        occurred_at: Timestamp,
        /// The cloud's id of the event.
        event: ForeignId,
    },
    /// A worker is asking the cloud's API about the instance.
    InstanceDescribing {
        /// Who.
        worker: ActorName,
        /// Until when nobody else shall.
        until: Timestamp,
    },
    /// The cloud's API has answered.
    InstanceDescribed {
        /// What it said.
        description: Description,
    },
    /// The cloud's API has not answered, or does not know the instance.
    InstanceNotDescribed {
        /// Why.
        reason: Reason,
        /// When it is asked again; never, when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// No rule of the policy wants the instance, or the API contradicts its events.
    InstancePassed {
        /// Why.
        reason: Reason,
    },
    /// A package was issued for the instance.
    InstanceEnrolled {
        /// The package.
        package: PackageId,
    },
}

impl Fact {
    /// The fact's name, as in its `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PackageIssued(_) => "package_issued",
            Self::PackageDelivered { .. } => "package_delivered",
            Self::DeliveryClosed => "delivery_closed",
            Self::LinkMade { .. } => "link_made",
            Self::PackageReissued(_) => "package_reissued",
            Self::OldTokenClosed => "old_token_closed",
            Self::PackageClaimed { .. } => "package_claimed",
            Self::PackageReclaimed { .. } => "package_reclaimed",
            Self::ChildAdded { .. } => "child_added",
            Self::ChildEnded { .. } => "child_ended",
            Self::PackageActivated => "package_activated",
            Self::GrantClosed { .. } => "grant_closed",
            Self::PackageNodeRetired { .. } => "package_node_retired",
            Self::CloneSuspected { .. } => "clone_suspected",
            Self::TokenLocked { .. } => "token_locked",
            Self::TokenClosed => "token_closed",
            Self::PackageEnded { .. } => "package_ended",
            Self::PackageSuccessor { .. } => "package_successor",
            Self::PackageUnblocked => "package_unblocked",
            Self::PackageReleased => "package_released",
            Self::ResourceStarted { .. } => "resource_started",
            Self::ResourceReady { .. } => "resource_ready",
            Self::ResourceFailed { .. } => "resource_failed",
            Self::ResourceUnwanted { .. } => "resource_unwanted",
            Self::ResourceGone { .. } => "resource_gone",
            Self::NameTaken { .. } => "name_taken",
            Self::NameFreed => "name_freed",
            Self::SubjectExpected { .. } => "subject_expected",
            Self::SubjectBound { .. } => "subject_bound",
            Self::SubjectClaimed { .. } => "subject_claimed",
            Self::SubjectRecovered { .. } => "subject_recovered",
            Self::SubjectReleased => "subject_released",
            Self::SubjectBanned { .. } => "subject_banned",
            Self::SubjectUnbanned { .. } => "subject_unbanned",
            Self::RecoveriesReset => "recoveries_reset",
            Self::NodeClaimed(_) => "node_claimed",
            Self::NodeProven { .. } => "node_proven",
            Self::NodeCheckedIn { .. } => "node_checked_in",
            Self::NodeQuarantined => "node_quarantined",
            Self::NodeGrantClosed => "node_grant_closed",
            Self::NodeRetired { .. } => "node_retired",
            Self::ScopeConfigured { .. } => "scope_configured",
            Self::ScopeReserved { .. } => "scope_reserved",
            Self::ScopePackageEnded { .. } => "scope_package_ended",
            Self::ScopeReturned { .. } => "scope_returned",
            Self::PoolChanged { .. } => "pool_changed",
            Self::PoolItemAssigned { .. } => "pool_item_assigned",
            Self::PoolItemReturned { .. } => "pool_item_returned",
            Self::Forgotten => "forgotten",
            Self::InstanceObserved { .. } => "instance_observed",
            Self::InstanceDescribing { .. } => "instance_describing",
            Self::InstanceDescribed { .. } => "instance_described",
            Self::InstanceNotDescribed { .. } => "instance_not_described",
            Self::InstancePassed { .. } => "instance_passed",
            Self::InstanceEnrolled { .. } => "instance_enrolled",
        }
    }
}

/// Everything that a package is at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageIssued {
    /// Its scope.
    pub scope: ScopeId,
    /// Its name.
    pub name: PackageName,
    /// Its kind.
    pub kind: Kind,
    /// Its labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// An operator's notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Notes>,
    /// What makes it another package when it changes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keepers: BTreeMap<String, String>,
    /// The packages above it, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<PackageId>,
    /// When it expires if it is not in use by then, and when its token can no longer be redeemed.
    pub expires_at: Timestamp,
    /// How many subjects may redeem its token; any number, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// Seconds after its time for which a wide package keeps its contents for those who may still retry.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retry_seconds: u32,
    /// Seconds of silence after which a node of it retires; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactivity_seconds: Option<u32>,
    /// What a presenter must match.
    pub bindings: Bindings,
    /// What turns it Activated.
    pub activates_on: ActivatesOn,
    /// Its token, unless it activates on delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenDigest>,
    /// What it carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<PackageContent>,
    /// What must exist outside for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceSpec>,
    /// The cloud instance it was issued for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The caller's request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// The package whose external resources must be gone before its own are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<PackageId>,
    /// The uses that its scope keeps reserved for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reserved: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A package's new token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reissued {
    /// The token.
    pub token: TokenDigest,
    /// Until when the one before it is good at the latest; dead at once, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_until: Option<Timestamp>,
    /// When the package expires now if it is not in use by then, and when the token can no longer be redeemed.
    pub expires_at: Timestamp,
    /// The caller's request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

/// Everything that a node is at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeClaimed {
    /// Its package.
    pub package: PackageId,
    /// Its package's scope.
    pub scope: ScopeId,
    /// What it proved, or the host vouched for.
    pub fingerprint: Fingerprint,
    /// The name it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_name: Option<NodeName>,
    /// The SPIFFE id that the host found on its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spiffe_id: Option<SpiffeId>,
    /// The instance it named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Until when it may ask for its grant again.
    pub retry_until: Timestamp,
    /// Until when it must have checked in.
    pub activate_by: Timestamp,
    /// The generation of the token.
    pub generation: u16,
    /// Seconds of silence after which it retires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactivity_seconds: Option<u32>,
    /// Its credential, where it proved a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialGrant>,
    /// The digest of the proof's identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Digest>,
}

/// The secrets that the facts of a decision speak of, for the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultWrite {
    /// Keep this ciphertext.
    Put {
        /// The secret's name.
        id: SecretId,
        /// Its ciphertext, as [`crate::seal`] writes it.
        sealed: String,
    },
    /// Destroy it.
    Shred {
        /// The secret's name.
        id: SecretId,
    },
}
