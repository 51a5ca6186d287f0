//! CheckIn: a node is alive. The first one confirms that it has what it was given.

use std::cmp::Ordering;

use super::{
    ban, clone, credential,
    draft::{Draft, Step, refuse, refuse_unknown},
    end,
    expire::ancestor_has_ended,
    presenter::{self, Doing, Presenter, Shown},
};
use crate::{
    record::{Key, Node, NodeStatus, Package, PackageStatus, RetireReason},
    vocabulary::{ActivatesOn, Answer, CheckIn, CheckedIn, Error, Fact, Refusal},
};

pub(super) fn decide(draft: &mut Draft<'_>, check_in: &CheckIn) -> Step<Answer> {
    if check_in.sequence == 0 {
        return Err(Error::input("sequence", "counts from 1").into());
    }
    let Some(node) = draft.node(check_in.node)? else { return refuse_unknown(Refusal::Unknown) };
    let key = Key::Node(node.id);
    draft.prefetch(&presenter::keys(&node))?;
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
    if let Some(ban) = ban::first_banned(draft, &node.scope, node.names())? {
        return banned(draft, &node, &ban);
    }
    presenter::check_not_quarantined(&node)?;
    match node.status {
        NodeStatus::Retired => return refuse(Refusal::NodeRetired, key),
        NodeStatus::Claimed if draft.is_past(node.activate_by, &key)? => {
            return refuse(Refusal::Expired, key);
        }
        NodeStatus::Claimed | NodeStatus::Active => {}
    }
    match check_in.sequence.cmp(&node.sequence) {
        Ordering::Greater => take_in(draft, &package, &node, &presenter, check_in),
        Ordering::Equal if is_same_attempt(&node, check_in) => again(draft, &node, &presenter),
        Ordering::Equal | Ordering::Less => clone_suspected(draft, &package, &node),
    }
}

/// Whether a repeated number is a lost reply, as far as the node tells. One that named its attempt does so again: a copy
/// must not get away with silence.
fn is_same_attempt(node: &Node, check_in: &CheckIn) -> bool {
    node.attempt.is_none() || node.attempt == check_in.attempt
}

/// The ban did not find the node, because it was not the first to say that name. Now it has come by itself.
fn banned(draft: &mut Draft<'_>, node: &Node, ban: &Key) -> Step<Answer> {
    if node.is_live() {
        end::node(draft, node, RetireReason::Banned)?;
    }
    Ok(draft.refuse_with_facts(Refusal::Banned, ban, "check_in"))
}

fn take_in(
    draft: &mut Draft<'_>,
    package: &Package,
    node: &Node,
    presenter: &Presenter,
    check_in: &CheckIn,
) -> Step<Answer> {
    let fact = Fact::NodeCheckedIn {
        sequence: check_in.sequence,
        credential: credential::grant(draft, presenter)?,
        proof: presenter.proof_digest(),
        attempt: check_in.attempt.clone(),
    };
    draft.emit(Key::Node(node.id), fact)?;
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
    presenter.remember(draft, node.id)?;
    answer(draft, node, presenter, true)
}

fn answer(draft: &mut Draft<'_>, node: &Node, presenter: &Presenter, again: bool) -> Step<Answer> {
    let Some(node) = draft.node(node.id)? else { return refuse_unknown(Refusal::Unknown) };
    draft.will_sign(&node, presenter);
    Ok(Answer::CheckedIn(CheckedIn { node: node.id, sequence: node.sequence, credential: None, again }))
}

/// An older number than one already seen, or another attempt under the last one: a copy of the node went another way.
fn clone_suspected(draft: &mut Draft<'_>, package: &Package, node: &Node) -> Step<Answer> {
    clone::suspect(draft, package, Some(node.id), &node.fingerprint)?;
    Ok(draft.refuse_with_facts(Refusal::CloneSuspected, &Key::Package(package.id), "check_in"))
}
