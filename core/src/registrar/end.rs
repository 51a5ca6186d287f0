//! How packages and nodes end, what ends with them, and what they give back.

use std::sync::Arc;

use super::{
    draft::{Draft, Step},
    policy::Release,
    presenter,
};
use crate::{
    id::{PackageId, Subject},
    limits,
    record::{EndReason, Key, Node, Package, PackageContent, PackageStatus, Record, RetireReason},
    vocabulary::{Error, Fact},
};

/// Ends a live package and the live packages below it: their nodes retire, their subjects and names are free again,
/// their records delete their resources, and their secrets are shredded with them. What lies too far below is swept.
pub(super) fn package(
    draft: &mut Draft<'_>,
    package: &Arc<Package>,
    status: PackageStatus,
    reason: EndReason,
) -> Step<()> {
    let members = gather(draft, package)?;
    let listed: Vec<PackageId> = members.iter().map(|member| member.id).collect();
    for member in &members {
        let sweep = (member.is_wide() && member.uses() > 0)
            || member.unlisted_children > 0
            || member.children.iter().any(|child| !listed.contains(child));
        let (status, reason) = if member.id == package.id {
            (status, reason.clone())
        } else {
            (ended_from_outside(member.status), EndReason::ParentEnded)
        };
        end_one(draft, member, Fact::PackageEnded { status, reason, sweep }, &listed)?;
    }
    Ok(())
}

/// What becomes of a package that did not end by itself.
pub(super) fn ended_from_outside(status: PackageStatus) -> PackageStatus {
    match status {
        PackageStatus::Activated => PackageStatus::Retired,
        PackageStatus::Created
        | PackageStatus::Delivered
        | PackageStatus::Expired
        | PackageStatus::Revoked
        | PackageStatus::Retired => PackageStatus::Revoked,
    }
}

/// The package and the live ones below it that end in the same decision, and everything that their end looks at.
fn gather(draft: &mut Draft<'_>, root: &Arc<Package>) -> Step<Vec<Arc<Package>>> {
    let mut members = vec![Arc::clone(root)];
    let mut level = root.children.clone();
    while !level.is_empty() && members.len() < limits::CASCADE_PACKAGES {
        level.truncate(limits::CASCADE_PACKAGES.saturating_sub(members.len()));
        draft.prefetch(&level.iter().map(|id| Key::Package(*id)).collect::<Vec<_>>())?;
        let mut next = Vec::new();
        for id in level {
            let Some(child) = draft.package(id)?.filter(|child| child.status.is_live()) else { continue };
            next.extend(&child.children);
            members.push(child);
        }
        level = next;
    }
    let keys: Vec<Key> = members.iter().flat_map(|member| keys_of_end(member)).collect();
    draft.prefetch(&keys)?;
    let mut names = Vec::new();
    for listed in members.iter().flat_map(|member| &member.nodes).filter(|node| node.live) {
        names.extend(draft.node(listed.id)?.iter().flat_map(|node| presenter::keys(node)));
    }
    draft.prefetch(&names)?;
    Ok(members)
}

fn keys_of_end(package: &Package) -> Vec<Key> {
    let issued = &package.issued;
    let scope = &issued.scope;
    let mut keys = vec![Key::Name(scope.clone(), issued.name.clone())];
    keys.extend(issued.parents.first().map(|parent| Key::Package(*parent)));
    keys.extend(declared_subjects(package).map(|subject| Key::Subject(scope.clone(), subject)));
    keys.extend(keys_held(package));
    for node in package.nodes.iter().filter(|node| node.live) {
        keys.push(Key::Node(node.id));
        keys.push(Key::Subject(scope.clone(), node.subject.clone().into()));
    }
    keys
}

/// The scope and the pools that a package holds something of.
fn keys_held(package: &Package) -> Vec<Key> {
    let scope = &package.issued.scope;
    let mut keys = Vec::new();
    keys.extend((package.reserved > 0).then(|| Key::Scope(scope.clone())));
    for content in &package.issued.contents {
        if let PackageContent::PoolItem { pool, .. } = content {
            keys.push(Key::Pool(scope.clone(), pool.clone()));
        }
    }
    keys
}

/// The subjects that a package names, so that it is found by them.
pub(super) fn declared_subjects(package: &Package) -> impl Iterator<Item = Subject> + use<> {
    let bindings = &package.issued.bindings;
    let node_name = bindings.node_name.clone().map(Subject::NodeName);
    node_name.into_iter().chain(bindings.spiffe_id.clone().map(Subject::Spiffe))
}

fn end_one(draft: &mut Draft<'_>, package: &Package, end: Fact, ending: &[PackageId]) -> Step<()> {
    let issued = &package.issued;
    let named = draft.name(&issued.scope, &issued.name)?.and_then(|entry| entry.package);
    if named == Some(package.id) {
        draft.emit(Key::Name(issued.scope.clone(), issued.name.clone()), Fact::NameFreed)?;
    }
    for subject in declared_subjects(package) {
        let named = draft.subject(&issued.scope, &subject)?.and_then(|entry| entry.package);
        if named == Some(package.id) {
            draft.emit(Key::Subject(issued.scope.clone(), subject), Fact::SubjectReleased)?;
        }
    }
    for listed in package.nodes.iter().filter(|node| node.live) {
        let node = draft
            .node(listed.id)?
            .ok_or_else(|| Error::CorruptRecord(format!("node {} is missing", listed.id)))?;
        retire(draft, &node, RetireReason::PackageEnded)?;
    }
    if let Some(parent) = issued.parents.first().filter(|parent| !ending.contains(parent))
        && draft.package(*parent)?.is_some_and(|parent| parent.status.is_live())
    {
        draft.emit(Key::Package(*parent), Fact::ChildEnded { child: package.id })?;
    }
    if package.reserved > 0 && draft.scope(&issued.scope)?.is_some() {
        draft.emit(Key::Scope(issued.scope.clone()), Fact::ScopePackageEnded { package: package.id })?;
    }
    draft.emit(Key::Package(package.id), end)?;
    release(draft, package.id)
}

/// Gives back what an ended package held of its scope and of pools, once nothing of it is left outside, and lets the
/// package that waited for it go on.
pub(super) fn release(draft: &mut Draft<'_>, id: PackageId) -> Step<()> {
    let mut next = Some(id);
    while let Some(id) = next {
        let Some(package) = draft.package(id)? else { return Ok(()) };
        let early = draft.registrar.policy.release == Release::AtEnd && !package.status.is_live();
        if !(package.is_settled() || early) {
            return Ok(());
        }
        give_back(draft, &package)?;
        next = match package.successor {
            Some(successor) if package.is_settled() => unblock(draft, successor, id)?,
            Some(_) | None => None,
        };
    }
    Ok(())
}

fn give_back(draft: &mut Draft<'_>, package: &Package) -> Step<()> {
    let (scope, id) = (&package.issued.scope, package.id);
    if package.released {
        return Ok(());
    }
    draft.prefetch(&keys_held(package))?;
    let mut held = package.reserved > 0;
    if package.reserved > 0 && draft.scope(scope)?.is_some() {
        let fact = Fact::ScopeReturned { package: id, uses: package.reserved };
        draft.emit(Key::Scope(scope.clone()), fact)?;
    }
    for content in &package.issued.contents {
        if let PackageContent::PoolItem { pool, item, .. } = content {
            held = true;
            let having = draft.pool(scope, pool)?.and_then(|pool| pool.items.get(item)?.package);
            if having == Some(id) {
                let fact = Fact::PoolItemReturned { item: item.clone(), package: id };
                draft.emit(Key::Pool(scope.clone(), pool.clone()), fact)?;
            }
        }
    }
    if held { draft.emit(Key::Package(id), Fact::PackageReleased) } else { Ok(()) }
}

/// Lets a package go on that waited for `before`; gives it when it has ended meanwhile and is to be released itself.
fn unblock(draft: &mut Draft<'_>, waiting: PackageId, before: PackageId) -> Step<Option<PackageId>> {
    let Some(package) = draft.package(waiting)?.filter(|package| package.waits_for == Some(before)) else {
        return Ok(None);
    };
    draft.emit(Key::Package(waiting), Fact::PackageUnblocked)?;
    Ok((!package.status.is_live()).then_some(waiting))
}

/// Retires one node of a package that goes on, and the package with its last one.
pub(super) fn node(draft: &mut Draft<'_>, node: &Node, reason: RetireReason) -> Step<()> {
    let key = Key::Package(node.package);
    draft.prefetch(&presenter::keys(node))?;
    retire(draft, node, reason)?;
    let Some(package) = draft.package(node.package)?.filter(|package| package.status.is_live()) else {
        return Ok(());
    };
    if package.issued.max_uses.is_some() {
        draft.emit(key, Fact::PackageNodeRetired { node: node.id })?;
        settle(draft, node.package)?;
    }
    Ok(())
}

/// Ends a package that has no live node and can get no new one.
pub(super) fn settle(draft: &mut Draft<'_>, id: PackageId) -> Step<()> {
    let Some(ended) = draft.package(id)? else { return Ok(()) };
    if ended.uses() == 0 || ended.has_live_nodes() || ended.is_redeemable() {
        return Ok(());
    }
    match ended.status {
        PackageStatus::Activated => {
            package(draft, &ended, PackageStatus::Retired, EndReason::LastNodeRetired)
        }
        PackageStatus::Created | PackageStatus::Delivered => {
            package(draft, &ended, PackageStatus::Expired, EndReason::NeverConfirmed)
        }
        PackageStatus::Expired | PackageStatus::Revoked | PackageStatus::Retired => Ok(()),
    }
}

/// Retires a node, and frees the names that lead to it.
pub(super) fn retire(draft: &mut Draft<'_>, node: &Node, reason: RetireReason) -> Step<()> {
    draft.emit(Key::Node(node.id), Fact::NodeRetired { reason })?;
    for subject in node.names() {
        let Some(entry) = draft.subject(&node.scope, &subject)? else { continue };
        let key = Key::Subject(node.scope.clone(), subject);
        if entry.node == Some(node.id) {
            draft.emit(key.clone(), Fact::SubjectReleased)?;
            if let Some(package) = entry.package {
                draft.emit(key.clone(), Fact::SubjectExpected { package })?; // another node may come
            }
        }
        if entry.claimed_by == Some(node.id) {
            draft.emit(key, Fact::SubjectClaimed { node: None })?;
        }
    }
    Ok(())
}

/// Whether a record has ended and nothing of it is left, so that it may be forgotten.
pub(super) fn is_over(record: &Record) -> bool {
    match record {
        Record::Package(package) => package.is_settled() && package.is_swept() && package.reserved == 0,
        Record::Node(node) => !node.is_live(),
        Record::Instance(instance) => crate::record::is_final(instance.state) && !instance.describe,
        Record::Scope(_) | Record::Pool(_) | Record::Name(_) | Record::Subject(_) | Record::Forgotten(_) => {
            false
        }
    }
}
