//! Who presents itself: a key that is proven, or a fingerprint that the host vouches for where the policy allows it.

use super::draft::{Draft, Step, Stop, refuse};
use crate::{
    code::Code,
    id::{Digest, Fingerprint, Kind, NodeId},
    jwt::{
        Thumbprint, credential,
        proof::{self, ProofError},
    },
    record::{Key, Node},
    secret::Secret,
    vocabulary::{Error, Fact, Refusal},
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
    pub(super) const ALL: [Self; 4] = [Self::Redeem, Self::CheckIn, Self::Leave, Self::Deliver];

    /// What is put behind the policy's `base_url`.
    pub(super) fn path(self) -> &'static str {
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
    /// What was proven, if a key was.
    pub(super) proof: Option<Proven>,
}

/// A proven key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proven {
    /// The digest of the proof's identifier.
    pub(super) digest: Digest,
    /// The key's thumbprint.
    pub(super) key: Thumbprint,
}

/// Fingerprints of proven keys begin with this, and no others do.
const PROVEN: &str = "jkt:";

impl Presenter {
    /// What is remembered of its proof.
    pub(super) fn proof_digest(&self) -> Option<Digest> {
        self.proof.map(|proof| proof.digest)
    }

    /// Writes down what was proven, so that it counts once.
    pub(super) fn remember(&self, draft: &mut Draft<'_>, node: NodeId) -> Step<()> {
        match self.proof_digest() {
            Some(proof) => draft.emit(Key::Node(node), Fact::NodeProven { proof }),
            None => Ok(()),
        }
    }

    /// A proof counts once.
    pub(super) fn check_not_replayed(&self, node: Option<&Node>, anchor: &Key) -> Step<()> {
        let seen = |proof| node.is_some_and(|node| node.proofs.contains(&proof));
        if self.proof_digest().is_some_and(seen) {
            refuse(Refusal::ProofReplayed, anchor.clone())
        } else {
            Ok(())
        }
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

/// The proof covers the configured URL, what it comes with, and a nonce of the last minute: a captured one is good for
/// nothing else, and the node's own clock does not matter.
fn proven(
    draft: &mut Draft<'_>,
    doing: Doing,
    proof: &Secret,
    token: Option<&Secret>,
    anchor: &Key,
) -> Step<Presenter> {
    let registrar = draft.registrar;
    // Anybody may come with a proof: that the policy takes none is no mistake of the operator's.
    let Some(url) = registrar.target(doing) else {
        return refuse(Refusal::Proof(Code::ProofNotAccepted), anchor.clone());
    };
    let expected = proof::Expected {
        method: "POST",
        url,
        token: token.map(Secret::expose),
        nonces: Some(&registrar.nonces),
        now: draft.now(),
    };
    let proof = match proof::verify(&*registrar.backend, proof.expose(), &expected) {
        Ok(proof) => proof,
        Err(ProofError::UseNonce) => return Err(Stop::UseNonce),
        Err(error) => return refuse(Refusal::Proof(error.code()), anchor.clone()),
    };
    let fingerprint = format!("{PROVEN}{}", proof.thumbprint());
    let fingerprint = fingerprint.parse().map_err(|_| Error::Misuse("a thumbprint makes a fingerprint"))?;
    let digest = Digest::new(registrar.backend.sha256(proof.jti().as_bytes()));
    Ok(Presenter { fingerprint, proof: Some(Proven { digest, key: proof.thumbprint() }) })
}

/// What has to be looked at to know a node again, under each of its names.
pub(super) fn keys(node: &Node) -> Vec<Key> {
    let names = node.names().map(|subject| Key::Subject(node.scope.clone(), subject));
    names.chain([Key::Package(node.package)]).collect()
}

/// Of two machines with one identity nobody knows which is the right one: nothing is taken from either.
pub(super) fn check_not_quarantined(node: &Node) -> Step<()> {
    if node.is_live() && node.quarantined { refuse(Refusal::Quarantined, Key::Node(node.id)) } else { Ok(()) }
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
    if let (Some(proven), Some(_)) = (presenter.proof, &node.credential) {
        check_credential(draft, node, proven, shown.token)?;
    }
    Ok(presenter)
}

/// A node that was given a credential shows it, too. It may have expired while the node was off: the key is what counts,
/// and the credential says which node the key means. One from before the token that the node redeemed last is a copy's:
/// whoever redeemed that token has a newer one. Credentials tell whole seconds.
fn check_credential(draft: &Draft<'_>, node: &Node, proven: Proven, shown: Option<&Secret>) -> Step<()> {
    let key = Key::Node(node.id);
    let Some(ring) = &draft.registrar.signing else { return Ok(()) };
    let Some(shown) = shown else {
        return Err(Error::input("credential", "goes with the proof").into());
    };
    let issuer = &draft.registrar.policy.issuer;
    let identified = match credential::identify(ring.public(), issuer, shown.expose(), draft.now()) {
        Ok(identified) => identified,
        Err(error) => return refuse(Refusal::Credential(error.code()), key),
    };
    let says = &identified.credential;
    let is_older = says.issued_at.plus_seconds(1) <= node.claimed_at;
    if says.node == node.id && says.key == proven.key && !is_older {
        Ok(())
    } else {
        refuse(Refusal::CredentialMismatch, key)
    }
}
