//! Revoke, Evict and Leave: how packages and nodes are ended on purpose.

use super::{
    draft::{Draft, Step, refuse_unknown},
    end,
    presenter::{self, Doing, Shown},
};
use crate::{
    record::{EndReason, PackageStatus, RetireReason},
    vocabulary::{Answer, Evict, Leave, NodeEnded, Refusal, Revoke, Revoked},
};

/// An operator ends a package, in any live state, for good.
pub(super) fn package(draft: &mut Draft<'_>, revoke: &Revoke) -> Step<Answer> {
    let Some(package) = draft.package(revoke.package)? else { return refuse_unknown(Refusal::Unknown) };
    if !package.status.is_live() {
        return Ok(Answer::Revoked(Revoked { package: package.id, status: package.status, again: true }));
    }
    let reason = EndReason::Operator { note: revoke.reason.clone() };
    end::package(draft, &package, PackageStatus::Revoked, reason)?;
    Ok(Answer::Revoked(Revoked { package: package.id, status: PackageStatus::Revoked, again: false }))
}

/// An operator sends a node away.
pub(super) fn evict(draft: &mut Draft<'_>, evict: &Evict) -> Step<Answer> {
    let Some(node) = draft.node(evict.node)? else { return refuse_unknown(Refusal::Unknown) };
    let again = !node.is_live();
    if !again {
        end::node(draft, &node, RetireReason::Evicted)?;
    }
    Ok(Answer::NodeEnded(NodeEnded { node: node.id, again }))
}

/// A node goes by itself. That it has gone before is no secret to itself.
pub(super) fn leave(draft: &mut Draft<'_>, leave: &Leave) -> Step<Answer> {
    let Some(node) = draft.node(leave.node)? else { return refuse_unknown(Refusal::Unknown) };
    draft.prefetch(&presenter::keys(&node))?;
    let shown = Shown {
        fingerprint: leave.fingerprint.as_ref(),
        proof: leave.proof.as_ref(),
        token: leave.credential.as_ref(),
    };
    let presenter = presenter::is_node(draft, &node, Doing::Leave, &shown)?;
    presenter::check_not_quarantined(&node)?;
    let again = !node.is_live();
    if !again {
        presenter.remember(draft, node.id)?;
        end::node(draft, &node, RetireReason::Left)?;
    }
    Ok(Answer::NodeEnded(NodeEnded { node: node.id, again }))
}
