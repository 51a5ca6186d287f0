//! How packages and nodes end, and what ends with them.

use super::draft::{Draft, Step};
use crate::{
    record::{EndReason, Key, Node, Package, PackageStatus, RetireReason},
    vocabulary::{Error, Fact},
};

/// Ends a live package: its nodes retire, their subjects and its name are free again. Its record deletes its
/// resources, and its secrets are shredded with it.
pub(super) fn package(
    draft: &mut Draft<'_>,
    package: &Package,
    status: PackageStatus,
    reason: EndReason,
) -> Step<()> {
    let issued = &package.issued;
    let mut keys = vec![Key::Name(issued.scope.clone(), issued.name.clone())];
    let live = package.nodes.iter().filter(|node| node.live);
    keys.extend(
        live.flat_map(|node| [Key::Node(node.id), Key::Subject(issued.scope.clone(), node.subject.clone())]),
    );
    draft.prefetch(&keys)?;
    for listed in package.nodes.iter().filter(|node| node.live) {
        let node = draft
            .node(listed.id)?
            .ok_or_else(|| Error::CorruptRecord(format!("node {} is missing", listed.id)))?;
        retire(draft, &node, RetireReason::PackageEnded)?;
    }
    let named = draft.name(&issued.scope, &issued.name)?.and_then(|entry| entry.package);
    if named == Some(package.id) {
        draft.emit(Key::Name(issued.scope.clone(), issued.name.clone()), Fact::NameFreed)?;
    }
    draft.emit(Key::Package(package.id), Fact::PackageEnded { status, reason })
}

/// Retires one node of a package that goes on, and the package with its last one.
pub(super) fn node(draft: &mut Draft<'_>, node: &Node, reason: RetireReason) -> Step<()> {
    let key = Key::Package(node.package);
    retire(draft, node, reason)?;
    if draft.package(node.package)?.is_some_and(|package| package.status.is_live()) {
        draft.emit(key, Fact::PackageNodeRetired { node: node.id })?;
        without_nodes(draft, node)?;
    }
    Ok(())
}

fn without_nodes(draft: &mut Draft<'_>, node: &Node) -> Step<()> {
    match draft.package(node.package)? {
        Some(package) => settle(draft, &package),
        None => Ok(()),
    }
}

/// Ends a package that has no live node and can get no new one.
pub(super) fn settle(draft: &mut Draft<'_>, ended: &Package) -> Step<()> {
    if ended.nodes.is_empty() || ended.has_live_nodes() || ended.is_redeemable() {
        return Ok(());
    }
    match ended.status {
        PackageStatus::Activated => package(draft, ended, PackageStatus::Retired, EndReason::LastNodeRetired),
        PackageStatus::Created | PackageStatus::Delivered => {
            package(draft, ended, PackageStatus::Expired, EndReason::NeverConfirmed)
        }
        PackageStatus::Expired | PackageStatus::Revoked | PackageStatus::Retired => Ok(()),
    }
}

fn retire(draft: &mut Draft<'_>, node: &Node, reason: RetireReason) -> Step<()> {
    draft.emit(Key::Node(node.id), Fact::NodeRetired { reason })?;
    let current = draft.subject(&node.scope, &node.fingerprint)?.and_then(|subject| subject.node);
    if current == Some(node.id) {
        draft.emit(Key::Subject(node.scope.clone(), node.fingerprint.clone()), Fact::SubjectReleased)?;
    }
    Ok(())
}
