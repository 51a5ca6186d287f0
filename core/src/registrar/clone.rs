//! Suspected clones: the one table of what is taken for one, and of what the policy does about it.
//!
//! | what happened | the fact names | `lock` does | `quarantine` does |
//! |---|---|---|---|
//! | a node checks in with an older number, or with the last one as another attempt | the node | lock the token | lock the token, and keep the node away |
//! | another machine shows the token of one use, and the use is spent | the node that has the use | lock the token | lock the token, and keep the node away |
//! | another machine shows the token of several uses, and all are spent | nobody: it could be anyone's place | lock the token | lock the token |
//!
//! `alert`, the default, does nothing but tell: whoever finds an old token, or copies a disk, must not be able to stop a
//! healthy node by it. Each of the three shows something that only a machine of ours, or a copy of one, can have: a live
//! token or a node's key. A package causes at most [`limits::CLONE_FACTS`] facts of this kind; what the policy does is
//! done all the same, once. A fleet without a number of uses is never spent, so only its nodes' check-ins tell of clones.

use super::{
    draft::{Draft, Step},
    policy::CloneReaction,
};
use crate::{
    id::{Fingerprint, NodeId},
    limits,
    record::{Key, Package},
    vocabulary::Fact,
};

/// Takes note of a suspected clone, and reacts to it.
pub(super) fn suspect(
    draft: &mut Draft<'_>,
    package: &Package,
    node: Option<NodeId>,
    fingerprint: &Fingerprint,
) -> Step<()> {
    if package.clones_suspected < limits::CLONE_FACTS {
        let fact = Fact::CloneSuspected { node, fingerprint: fingerprint.clone() };
        draft.emit(Key::Package(package.id), fact)?;
    }
    match draft.registrar.policy.on_clone_suspected {
        CloneReaction::Alert => Ok(()),
        CloneReaction::Lock => lock(draft, package),
        CloneReaction::Quarantine => {
            lock(draft, package)?;
            node.map_or(Ok(()), |node| quarantine(draft, node))
        }
    }
}

/// All tokens of the package so far: which of two that are good at once was copied, nobody knows.
fn lock(draft: &mut Draft<'_>, package: &Package) -> Step<()> {
    match package.token.as_ref().map(|token| token.generation) {
        Some(generation) if !package.is_locked(generation) => {
            draft.emit(Key::Package(package.id), Fact::TokenLocked { generation })
        }
        Some(_) | None => Ok(()),
    }
}

fn quarantine(draft: &mut Draft<'_>, node: NodeId) -> Step<()> {
    match draft.node(node)? {
        Some(found) if found.is_live() && !found.quarantined => {
            draft.emit(Key::Node(node), Fact::NodeQuarantined)
        }
        Some(_) | None => Ok(()),
    }
}
