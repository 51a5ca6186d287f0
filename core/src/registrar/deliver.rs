//! Deliver: a package is handed over, once; the same recipient again within its window. And the links for it.

use std::sync::Arc;

use super::{
    ban,
    contents::open_contents,
    draft::{Draft, Step, refuse, refuse_unknown},
    expire::ancestor_has_ended,
    instance,
    presenter::{self, Doing, Presenter, Shown},
};
use crate::{
    code::Code,
    id::PackageId,
    limits,
    link::Link,
    record::{DeliveredTo, Delivery, Key, NodeStatus, Package, PackageStatus},
    secret::Secret,
    vocabulary::{
        ActivatesOn, Answer, Authority, Deliver, Delivered, Error, Fact, Linked, MakeLink, Recipient, Refusal,
    },
};

pub(super) fn decide(draft: &mut Draft<'_>, deliver: &Deliver) -> Step<Answer> {
    let (package, to) = match &deliver.to {
        Recipient::ParentNode { package, node, fingerprint, proof, credential } => {
            let shown = Shown {
                fingerprint: fingerprint.as_ref(),
                proof: proof.as_ref(),
                token: credential.as_ref(),
            };
            let package = known(draft, *package)?;
            let presenter = is_node_above(draft, &package, *node, &shown)?;
            let answer = hand_over(draft, &package, DeliveredTo::ParentNode { node: *node })?;
            presenter.remember(draft, *node)?;
            return Ok(answer);
        }
        Recipient::Operator { package } => to_operator(draft, *package)?,
        Recipient::Link { link } => by_link(draft, link)?,
        Recipient::Instance { instance, identity } => {
            let record = instance::prove(draft, instance, identity.as_deref())?;
            let Some(id) = record.package else {
                return refuse(Refusal::Unknown, Key::Instance(instance.clone()));
            };
            let by_id_alone = draft.registrar.policy.instance_id_alone && identity.is_none();
            (known(draft, id)?, DeliveredTo::Instance { instance: instance.clone(), by_id_alone })
        }
    };
    hand_over(draft, &package, to)
}

fn known(draft: &mut Draft<'_>, id: PackageId) -> Step<Arc<Package>> {
    draft.package(id)?.map_or_else(|| refuse_unknown(Refusal::Unknown), Ok)
}

fn to_operator(draft: &mut Draft<'_>, package: PackageId) -> Step<(Arc<Package>, DeliveredTo)> {
    let Authority::Operator(name) = draft.authority else {
        return Err(Error::Misuse("only an operator receives as one").into());
    };
    let to = DeliveredTo::Operator { name: name.clone() };
    Ok((known(draft, package)?, to))
}

/// The same link from the same address is the same recipient: its reply was lost. From anywhere else it is somebody who
/// found the link later.
fn by_link(draft: &mut Draft<'_>, link: &Secret) -> Step<(Arc<Package>, DeliveredTo)> {
    let now = draft.now();
    let link = match draft.registrar.links.verify(link.expose(), now) {
        Ok(link) => link,
        Err(error) => return refuse_unknown(Refusal::Link(error.code())),
    };
    let package = known(draft, link.package)?;
    if package.link.as_ref().map(|made| made.number) != Some(link.number) {
        return refuse(Refusal::LinkReplaced, Key::Package(package.id));
    }
    if draft.is_past(link.expires_at, &Key::Package(package.id))? {
        return refuse(Refusal::Link(Code::LinkExpired), Key::Package(package.id));
    }
    let to = DeliveredTo::Link { number: link.number, source: draft.source };
    Ok((package, to))
}

fn is_node_above(
    draft: &mut Draft<'_>,
    package: &Package,
    node: crate::id::NodeId,
    shown: &Shown<'_>,
) -> Step<Presenter> {
    let Some(node) = draft.node(node)? else { return refuse_unknown(Refusal::Unknown) };
    draft.prefetch(&presenter::keys(&node))?;
    let presenter = presenter::is_node(draft, &node, Doing::Deliver, shown)?;
    if let Some(ban) = ban::first_banned(draft, &node.scope, node.names())? {
        return refuse(Refusal::Banned, ban);
    }
    presenter::check_not_quarantined(&node)?;
    let key = Key::Node(node.id);
    if package.issued.parents.first() != Some(&node.package) {
        return refuse(Refusal::Unknown, key);
    }
    if node.status != NodeStatus::Active { refuse(Refusal::NotActive, key) } else { Ok(presenter) }
}

fn hand_over(draft: &mut Draft<'_>, package: &Package, to: DeliveredTo) -> Step<Answer> {
    let key = Key::Package(package.id);
    if !package.status.is_live() {
        return refuse(Refusal::Ended, key);
    }
    if ancestor_has_ended(draft, package)? {
        return refuse(Refusal::ParentEnded, key);
    }
    if package.status != PackageStatus::Activated && draft.is_past(package.expires_at, &key)? {
        return refuse(Refusal::Expired, key);
    }
    if let Some(delivery) = &package.delivery {
        let anybody = matches!(to, DeliveredTo::Link { source: None, .. });
        let same = delivery.to == to && !anybody;
        let again = same && package.delivery_open && !draft.is_past(delivery.until, &key)?;
        return if again { answer(draft, package, true) } else { refuse(Refusal::AlreadyDelivered, key) };
    }
    if !package.is_ready() {
        return refuse(Refusal::NotReady, key);
    }
    let until = draft.now().plus_seconds(draft.registrar.policy.redelivery_seconds);
    draft.emit(key.clone(), Fact::PackageDelivered { delivery: Delivery { to, until } })?;
    if package.issued.activates_on == ActivatesOn::Delivery {
        draft.emit(key, Fact::PackageActivated)?;
    }
    answer(draft, package, false)
}

fn answer(draft: &mut Draft<'_>, package: &Package, again: bool) -> Step<Answer> {
    let token = package.token.as_ref().map(|token| draft.open(token.secret)).transpose()?;
    let contents = match package.issued.activates_on {
        ActivatesOn::Delivery => open_contents(draft, package)?,
        ActivatesOn::Redeem | ActivatesOn::CheckIn | ActivatesOn::Report => Vec::new(),
    };
    Ok(Answer::Delivered(Delivered { package: package.id, token, contents, again }))
}

/// An operator has a link made. Whoever holds it can have the package, once: earlier links are dead.
pub(super) fn make_link(draft: &mut Draft<'_>, make: &MakeLink) -> Step<Answer> {
    let ttl = make.ttl_seconds.unwrap_or(draft.registrar.policy.link_seconds);
    if !(1..=limits::LINK_TTL_MAX_SECONDS).contains(&ttl) {
        let max = limits::LINK_TTL_MAX_SECONDS;
        return Err(Error::input("ttl_seconds", &format!("expected 1 to {max} seconds")).into());
    }
    let package = known(draft, make.package)?;
    let key = Key::Package(package.id);
    if !package.status.is_live() {
        return refuse(Refusal::Ended, key);
    }
    if package.delivery.is_some() {
        return refuse(Refusal::AlreadyDelivered, key);
    }
    let number = package.link.as_ref().map_or(0, |link| link.number).saturating_add(1);
    let expires_at = draft.now().plus_seconds(ttl);
    draft.emit(key, Fact::LinkMade { number, expires_at })?;
    let link = draft.registrar.links.sign(&Link { package: package.id, number, expires_at })?;
    Ok(Answer::Linked(Linked { package: package.id, link, expires_at }))
}
