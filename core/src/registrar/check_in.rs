//! CheckIn: a node is alive. The first one confirms that it has what it was given.

use super::draft::{Draft, Step, refuse, refuse_unknown};
use crate::{
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
    if !draft.registrar.policy.vouched_fingerprints {
        return refuse(Refusal::ProofRequired, key);
    }
    if node.fingerprint != check_in.fingerprint {
        return refuse(Refusal::BindingMismatch, key);
    }
    let Some(package) = draft.package(node.package)? else { return refuse_unknown(Refusal::Unknown) };
    if !package.status.is_live() {
        return refuse(Refusal::Ended, Key::Package(package.id));
    }
    match node.status {
        NodeStatus::Retired => return refuse(Refusal::NodeRetired, key),
        NodeStatus::Claimed if draft.is_past(node.activate_by, &key)? => {
            return refuse(Refusal::Expired, key);
        }
        NodeStatus::Claimed | NodeStatus::Active => {}
    }
    let answer =
        |again| Ok(Answer::CheckedIn(CheckedIn { node: check_in.node, sequence: check_in.sequence, again }));
    match check_in.sequence.cmp(&node.sequence) {
        std::cmp::Ordering::Greater => {
            take_in(draft, &package, &node, check_in.sequence)?;
            answer(false)
        }
        std::cmp::Ordering::Equal => answer(true),
        std::cmp::Ordering::Less => clone_suspected(draft, &package, &node),
    }
}

fn take_in(draft: &mut Draft<'_>, package: &Package, node: &Node, sequence: u64) -> Step<()> {
    draft.emit(Key::Node(node.id), Fact::NodeCheckedIn { sequence })?;
    let key = Key::Package(package.id);
    if package.nodes.iter().any(|listed| listed.id == node.id && listed.grant_open) {
        draft.emit(key.clone(), Fact::GrantClosed { node: node.id })?;
    }
    if package.issued.activates_on == ActivatesOn::CheckIn && package.status != PackageStatus::Activated {
        draft.emit(key, Fact::PackageActivated)?;
    }
    Ok(())
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
