//! Revoke, Evict, Leave and Ban: how packages and nodes are ended on purpose.

use super::{
    draft::{Draft, Step, refuse_unknown},
    end,
    presenter::{self, Doing, Shown},
};
use crate::{
    id::Subject,
    record::{EndReason, Key, PackageStatus, RetireReason},
    vocabulary::{
        Answer, Authority, Ban, Banned, Error, Evict, Fact, Leave, NodeEnded, Refusal, Revoke, Revoked,
    },
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
        draft.prefetch(&presenter::keys(&node))?;
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
    presenter::is_node(draft, &node, Doing::Leave, &shown)?;
    let again = !node.is_live();
    if !again {
        end::node(draft, &node, RetireReason::Left)?;
    }
    Ok(Answer::NodeEnded(NodeEnded { node: node.id, again }))
}

/// An operator bans a subject: its node goes, and it is never one again.
pub(super) fn ban(draft: &mut Draft<'_>, ban: &Ban) -> Step<Answer> {
    let Authority::Operator(by) = draft.authority else {
        return Err(Error::Misuse("only an operator bans").into());
    };
    let key = Key::Subject(ban.scope.clone(), ban.subject.clone());
    let entry = draft.subject(&ban.scope, &ban.subject)?;
    let mut banned =
        Banned { scope: ban.scope.clone(), subject: ban.subject.clone(), node: None, again: false };
    if entry.as_ref().is_some_and(|entry| entry.ban.is_some()) {
        banned.again = true;
        return Ok(Answer::Banned(banned));
    }
    banned.node = entry.and_then(|entry| entry.node);
    if let Some(node) = banned.node {
        draft.prefetch(&[Key::Node(node)])?;
        if let Some(node) = draft.node(node)?.filter(|node| node.is_live()) {
            draft.prefetch(&presenter::keys(&node))?;
            end::node(draft, &node, RetireReason::Banned)?;
        }
    }
    draft.emit(key, Fact::SubjectBanned { by: by.clone(), reason: ban.reason.clone() })?;
    Ok(Answer::Banned(banned))
}

/// Whether a subject is banned, under any of its names.
pub(super) fn is_banned(draft: &mut Draft<'_>, scope: &crate::id::ScopeId, subject: &Subject) -> Step<bool> {
    Ok(draft.subject(scope, subject)?.is_some_and(|entry| entry.ban.is_some()))
}
