//! Expire: the deadlines of one record that have come.

use super::{
    draft::{Draft, Step},
    end,
};
use crate::{
    id::{NodeId, PackageId},
    record::{Deadline, EndReason, Key, NodeStatus, PackageStatus, RetireReason},
    vocabulary::{Answer, Changed, Expire, Fact},
};

pub(super) fn decide(draft: &mut Draft<'_>, expire: &Expire) -> Step<Answer> {
    let changed = match &expire.key {
        Key::Package(id) => package(draft, *id)?,
        Key::Node(id) => node(draft, *id)?,
        Key::Name(..) | Key::Subject(..) | Key::Instance(_) | Key::Secret(_) => false,
    };
    Ok(Answer::Expired(Changed { changed }))
}

fn package(draft: &mut Draft<'_>, id: PackageId) -> Step<bool> {
    let key = Key::Package(id);
    let Some(package) = draft.package(id)? else { return Ok(false) };
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
        match deadline {
            Deadline::Token => draft.emit(key.clone(), Fact::TokenClosed)?,
            Deadline::Delivery => draft.emit(key.clone(), Fact::DeliveryClosed)?,
            Deadline::Resource(resource) => {
                draft.emit(key.clone(), Fact::ResourceUnwanted { resource: *resource })?
            }
            Deadline::Unused => {}
        }
    }
    if let Some(package) = draft.package(id)?.filter(|_| due.contains(&Deadline::Token)) {
        end::settle(draft, &package)?;
    }
    Ok(!due.is_empty())
}

fn node(draft: &mut Draft<'_>, id: NodeId) -> Step<bool> {
    let key = Key::Node(id);
    let Some(node) = draft.node(id)? else { return Ok(false) };
    if node.status == NodeStatus::Claimed && draft.is_past(node.activate_by, &key)? {
        draft.prefetch(&[
            Key::Package(node.package),
            Key::Subject(node.scope.clone(), node.fingerprint.clone()),
        ])?;
        end::node(draft, &node, RetireReason::NeverConfirmed)?;
        return Ok(true);
    }
    if node.grant_open && draft.is_past(node.retry_until, &key)? {
        draft.emit(key, Fact::NodeGrantClosed)?;
        let package = draft.package(node.package)?.filter(|package| package.status.is_live());
        if let Some(package) = package {
            draft.emit(Key::Package(package.id), Fact::GrantClosed { node: id })?;
        }
        return Ok(true);
    }
    Ok(false)
}
