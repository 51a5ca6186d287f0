//! CheckIn: a node is alive. The first one confirms that it has what it was given.

use super::{
    credential,
    draft::{Draft, Step, refuse, refuse_unknown},
    expire::ancestor_has_ended,
    presenter::{self, Doing, Presenter, Shown},
    revoke::is_banned,
};
use crate::{
    id::Subject,
    limits,
    record::{Key, Node, NodeStatus, Package, PackageStatus},
    vocabulary::{ActivatesOn, Answer, CheckIn, CheckedIn, Error, Fact, Refusal},
};

pub(super) fn decide(draft: &mut Draft<'_>, check_in: &CheckIn) -> Step<Answer> {
    if check_in.sequence == 0 {
        return Err(Error::input("sequence", "counts from 1").into());
    }
    let Some(node) = draft.node(check_in.node)? else { return refuse_unknown(Refusal::Unknown) };
    let key = Key::Node(node.id);
    let names_of = names(&node).map(|subject| Key::Subject(node.scope.clone(), subject));
    draft.prefetch(&names_of.chain([Key::Package(node.package)]).collect::<Vec<_>>())?;
    let shown = Shown {
        fingerprint: check_in.fingerprint.as_ref(),
        proof: check_in.proof.as_ref(),
        token: check_in.credential.as_ref(),
    };
    let presenter = presenter::is_node(draft, &node, Doing::CheckIn, &shown)?;
    let Some(package) = draft.package(node.package)? else { return refuse_unknown(Refusal::Unknown) };
    if !package.status.is_live() || ancestor_has_ended(draft, &package)? {
        return refuse(Refusal::Ended, Key::Package(package.id));
    }
    for subject in names(&node) {
        if is_banned(draft, &node.scope, &subject)? {
            return refuse(Refusal::Banned, Key::Subject(node.scope.clone(), subject));
        }
    }
    match node.status {
        NodeStatus::Retired => return refuse(Refusal::NodeRetired, key),
        NodeStatus::Claimed if draft.is_past(node.activate_by, &key)? => {
            return refuse(Refusal::Expired, key);
        }
        NodeStatus::Claimed | NodeStatus::Active => {}
    }
    match check_in.sequence.cmp(&node.sequence) {
        std::cmp::Ordering::Greater => take_in(draft, &package, &node, &presenter, check_in.sequence),
        std::cmp::Ordering::Equal => again(draft, &node, &presenter),
        std::cmp::Ordering::Less => clone_suspected(draft, &package, &node),
    }
}

/// Who a node is, and who it said it is: it is banned under either.
fn names(node: &Node) -> impl Iterator<Item = Subject> + use<> {
    let fingerprint = Subject::Fingerprint(node.fingerprint.clone());
    std::iter::once(fingerprint).chain(node.node_name.clone().map(Subject::NodeName))
}

fn take_in(
    draft: &mut Draft<'_>,
    package: &Package,
    node: &Node,
    presenter: &Presenter,
    sequence: u64,
) -> Step<Answer> {
    let credential = credential::grant(draft, presenter)?;
    draft.emit(
        Key::Node(node.id),
        Fact::NodeCheckedIn { sequence, credential, proof: presenter.proof_digest() },
    )?;
    let key = Key::Package(package.id);
    if package.nodes.iter().any(|listed| listed.id == node.id && listed.grant_open) {
        draft.emit(key.clone(), Fact::GrantClosed { node: node.id })?;
    }
    if package.issued.activates_on == ActivatesOn::CheckIn && package.status != PackageStatus::Activated {
        draft.emit(key, Fact::PackageActivated)?;
    }
    answer(draft, node, presenter, false)
}

/// A lost reply: the same answer, with the same credential.
fn again(draft: &mut Draft<'_>, node: &Node, presenter: &Presenter) -> Step<Answer> {
    if let Some(proof) = presenter.proof_digest() {
        draft.emit(Key::Node(node.id), Fact::NodeProven { proof })?;
    }
    answer(draft, node, presenter, true)
}

fn answer(draft: &mut Draft<'_>, node: &Node, presenter: &Presenter, again: bool) -> Step<Answer> {
    let Some(node) = draft.node(node.id)? else { return refuse_unknown(Refusal::Unknown) };
    draft.will_sign(&node, presenter);
    Ok(Answer::CheckedIn(CheckedIn { node: node.id, sequence: node.sequence, credential: None, again }))
}

/// An older number than one already seen: a copy of the node went another way.
fn clone_suspected(draft: &mut Draft<'_>, package: &Package, node: &Node) -> Step<Answer> {
    let key = Key::Package(package.id);
    if package.clones_suspected < limits::CLONE_FACTS {
        draft.emit(
            key.clone(),
            Fact::CloneSuspected { node: node.id, fingerprint: node.fingerprint.clone() },
        )?;
    }
    Ok(draft.refuse_with_facts(Refusal::CloneSuspected, &key, "check_in"))
}
