//! Who presents itself: a key that is proven, or a fingerprint that the host vouches for where the policy allows it.

use super::draft::{Draft, Step, refuse};
use crate::{
    id::{Digest, Fingerprint, Kind},
    record::{Key, Node},
    secret::Secret,
    vocabulary::{Error, Refusal},
};

/// What a node wants to do: the part of the URL that its proof covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Redeem,
    CheckIn,
    Leave,
    Deliver,
}

impl Doing {
    /// What is put behind the policy's `base_url`.
    fn path(self) -> &'static str {
        match self {
            Self::Redeem => "/redeem",
            Self::CheckIn => "/check-in",
            Self::Leave => "/leave",
            Self::Deliver => "/deliver",
        }
    }
}

/// What somebody shows.
pub(super) struct Shown<'a> {
    pub(super) fingerprint: Option<&'a Fingerprint>,
    pub(super) proof: Option<&'a Secret>,
    /// What the proof must cover: the enrollment token, or the node's credential.
    pub(super) token: Option<&'a Secret>,
}

/// Who somebody is.
#[derive(Clone, Debug)]
pub(super) struct Presenter {
    pub(super) fingerprint: Fingerprint,
    /// The digest of the proof's identifier, if a key was proven.
    pub(super) proof: Option<Digest>,
}

/// Fingerprints of proven keys begin with this, and no others do.
const PROVEN: &str = "jkt:";

impl Presenter {
    /// Whether it proved a key.
    pub(super) fn is_proven(&self) -> bool {
        self.proof.is_some()
    }

    /// A proof counts once.
    pub(super) fn check_not_replayed(&self, node: Option<&Node>, anchor: &Key) -> Step<()> {
        let seen = |proof| node.is_some_and(|node| node.proofs.contains(&proof));
        if self.proof.is_some_and(seen) { refuse(Refusal::ProofReplayed, anchor.clone()) } else { Ok(()) }
    }
}

/// Finds out who presents itself.
pub(super) fn identify(
    draft: &mut Draft<'_>,
    doing: Doing,
    shown: &Shown<'_>,
    kind: &Kind,
    anchor: &Key,
) -> Step<Presenter> {
    match (shown.proof, shown.fingerprint) {
        (Some(_), Some(_)) => Err(Error::input("fingerprint", "is proven already").into()),
        (Some(proof), None) => proven(draft, doing, proof, shown.token, anchor),
        (None, Some(fingerprint)) => vouched(draft, fingerprint, kind, anchor),
        (None, None) => Err(Error::input("proof", "or fingerprint: one of them is required").into()),
    }
}

fn vouched(draft: &Draft<'_>, fingerprint: &Fingerprint, kind: &Kind, anchor: &Key) -> Step<Presenter> {
    if !draft.registrar.policy.vouches_for(kind) {
        return refuse(Refusal::ProofRequired, anchor.clone());
    }
    if fingerprint.as_str().starts_with(PROVEN) {
        return Err(Error::input("fingerprint", "only a proven key's begins with jkt:").into());
    }
    Ok(Presenter { fingerprint: fingerprint.clone(), proof: None })
}

fn proven(
    _draft: &mut Draft<'_>,
    doing: Doing,
    _proof: &Secret,
    _token: Option<&Secret>,
    _anchor: &Key,
) -> Step<Presenter> {
    let _ = doing.path();
    Err(Error::Misuse("proofs are not built yet").into())
}

/// What has to be looked at to know a node again.
pub(super) fn keys(node: &Node) -> [Key; 2] {
    [Key::Package(node.package), Key::Subject(node.scope.clone(), node.fingerprint.clone().into())]
}

/// Finds out whether somebody is this node.
pub(super) fn is_node(
    draft: &mut Draft<'_>,
    node: &Node,
    doing: Doing,
    shown: &Shown<'_>,
) -> Step<Presenter> {
    let key = Key::Node(node.id);
    let kind = draft.package(node.package)?.map(|package| package.issued.kind.clone());
    let Some(kind) = kind else { return refuse(Refusal::Unknown, key) };
    let presenter = identify(draft, doing, shown, &kind, &key)?;
    if presenter.fingerprint != node.fingerprint {
        return refuse(Refusal::BindingMismatch, key);
    }
    presenter.check_not_replayed(Some(node), &key)?;
    Ok(presenter)
}
