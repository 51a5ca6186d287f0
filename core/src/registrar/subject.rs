//! Subjects that the host sees connect: they find their package, or raise an alert.

use super::draft::{Draft, Step, refuse};
use crate::{
    record::{Key, Package, PackageStatus, ResourceSpec, ResourceState},
    vocabulary::{ActivatesOn, Answer, Fact, ObserveSubject, Refusal, SubjectObserved},
};

pub(super) fn observe(draft: &mut Draft<'_>, observe: &ObserveSubject) -> Step<Answer> {
    let key = Key::Subject(observe.scope.clone(), observe.subject.clone());
    let Some(entry) = draft.subject(&observe.scope, &observe.subject)? else {
        return refuse(Refusal::UnknownSubject, key);
    };
    if entry.ban.is_some() {
        return refuse(Refusal::Banned, key);
    }
    let of_node = match entry.node {
        Some(node) => draft.node(node)?.map(|node| node.package),
        None => None,
    };
    let Some(package) = entry.package.or(of_node) else { return refuse(Refusal::UnknownSubject, key) };
    let package = draft.package(package)?.filter(|package| package.status.is_live());
    let Some(package) = package else { return refuse(Refusal::UnknownSubject, key) };
    let activated =
        package.issued.activates_on == ActivatesOn::Report && package.status == PackageStatus::Delivered;
    if activated {
        draft.emit(Key::Package(package.id), Fact::PackageActivated)?;
    }
    if activated || package.status == PackageStatus::Activated {
        drop_bootstrap_tokens(draft, &package)?;
    }
    let (scope, subject) = (observe.scope.clone(), observe.subject.clone());
    Ok(Answer::SubjectObserved(SubjectObserved {
        scope,
        subject,
        package: package.id,
        node: entry.node,
        activated,
    }))
}

/// A bootstrap token is multi-use by nature: once the node has joined, it is deleted at once. That of a package for
/// several nodes serves the others yet.
fn drop_bootstrap_tokens(draft: &mut Draft<'_>, package: &Package) -> Step<()> {
    if package.issued.max_uses != Some(1) {
        return Ok(());
    }
    for (resource, spec) in package.resources_with_specs() {
        if let (ResourceSpec::KubernetesBootstrapToken { .. }, ResourceState::Ready) = (spec, resource.state)
        {
            draft.emit(Key::Package(package.id), Fact::ResourceUnwanted { resource: resource.number })?;
        }
    }
    Ok(())
}
