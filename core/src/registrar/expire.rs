//! Expire: the deadlines of one record that have come. Also what a sweep sends to the records below an ended package.

use std::sync::Arc;

use super::{
    draft::{Draft, Step},
    end, presenter,
};
use crate::{
    id::{NodeId, PackageId},
    record::{Deadline, EndReason, Key, Node, NodeStatus, Package, PackageStatus, RetireReason},
    vocabulary::{Answer, Changed, Expire, Fact},
};

pub(super) fn decide(draft: &mut Draft<'_>, expire: &Expire) -> Step<Answer> {
    let changed = match &expire.key {
        Key::Package(id) => package(draft, *id)?,
        Key::Node(id) => node(draft, *id)?,
        Key::Scope(_)
        | Key::Pool(..)
        | Key::Name(..)
        | Key::Subject(..)
        | Key::Instance(_)
        | Key::Secret(_) => false,
    };
    Ok(Answer::Expired(Changed { changed }))
}

fn package(draft: &mut Draft<'_>, id: PackageId) -> Step<bool> {
    let key = Key::Package(id);
    let Some(package) = draft.package(id)? else { return Ok(false) };
    if package.status.is_live() && ancestor_has_ended(draft, &package)? {
        end::package(draft, &package, end::ended_from_outside(package.status), EndReason::ParentEnded)?;
        return Ok(true);
    }
    let mut due = Vec::new();
    for (deadline, at) in package.deadlines() {
        if draft.is_past(at, &key)? {
            due.push(deadline);
        }
    }
    if due.contains(&Deadline::Unused) {
        end::package(draft, &package, PackageStatus::Expired, EndReason::Deadline)?;
        return Ok(true);
    }
    for deadline in &due {
        let fact = match deadline {
            Deadline::Token => Fact::TokenClosed,
            Deadline::OldToken => Fact::OldTokenClosed,
            Deadline::Delivery => Fact::DeliveryClosed,
            Deadline::Resource(resource) => resource_is_due(&package, *resource),
            Deadline::Unused => continue,
        };
        draft.emit(key.clone(), fact)?;
    }
    if due.contains(&Deadline::Token) {
        end::settle(draft, id)?;
    }
    if due.iter().any(|deadline| matches!(deadline, Deadline::Resource(_))) {
        end::release(draft, id)?;
    }
    Ok(!due.is_empty())
}

/// What cannot be deleted is gone by now; everything else is to be deleted.
fn resource_is_due(package: &Package, number: u32) -> Fact {
    let deletable = package.resource(number).is_some_and(|(_, spec)| spec.is_deletable());
    if deletable {
        Fact::ResourceUnwanted { resource: number }
    } else {
        Fact::ResourceGone { resource: number }
    }
}

/// Whether a package above has ended. It ends the ones below it; a sweep may just not have come here yet.
pub(super) fn ancestor_has_ended(draft: &mut Draft<'_>, package: &Package) -> Step<bool> {
    let parents = &package.issued.parents;
    draft.prefetch(&parents.iter().map(|parent| Key::Package(*parent)).collect::<Vec<_>>())?;
    for parent in parents {
        if draft.package(*parent)?.is_none_or(|parent| !parent.status.is_live()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn node(draft: &mut Draft<'_>, id: NodeId) -> Step<bool> {
    let Some(node) = draft.node(id)? else { return Ok(false) };
    if !node.is_live() {
        return Ok(false);
    }
    draft.prefetch(&presenter::keys(&node))?;
    if draft.package(node.package)?.is_none_or(|package| !package.status.is_live()) {
        end::retire(draft, &node, RetireReason::PackageEnded)?;
        return Ok(true);
    }
    match overdue(draft, &node)? {
        Some(reason) => {
            end::node(draft, &node, reason)?;
            Ok(true)
        }
        None => close_grant(draft, &node),
    }
}

/// A check-in that came meanwhile is in the record already, and beats the removal.
fn overdue(draft: &Draft<'_>, node: &Arc<Node>) -> Step<Option<RetireReason>> {
    let key = Key::Node(node.id);
    if node.status == NodeStatus::Claimed && draft.is_past(node.activate_by, &key)? {
        return Ok(Some(RetireReason::NeverConfirmed));
    }
    match node.inactive_at() {
        Some(at) if draft.is_past(at, &key)? => Ok(Some(RetireReason::Inactive)),
        Some(_) | None => Ok(None),
    }
}

fn close_grant(draft: &mut Draft<'_>, node: &Node) -> Step<bool> {
    let key = Key::Node(node.id);
    if !node.grant_open || !draft.is_past(node.retry_until, &key)? {
        return Ok(false);
    }
    draft.emit(key, Fact::NodeGrantClosed)?;
    let package = draft.package(node.package)?.filter(|package| package.status.is_live());
    if let Some(package) = package.filter(|package| !package.is_wide()) {
        draft.emit(Key::Package(package.id), Fact::GrantClosed { node: node.id })?;
    }
    Ok(true)
}
