//! Redeem: a token is presented. Nothing before the last step spends a use.
//!
//! parse, digest in constant time, status and time, bindings, proof, uses, consume.

use super::{
    bindings,
    deliver::open_contents,
    draft::{Draft, Step, refuse, refuse_unknown},
};
use crate::{
    id::NodeId,
    limits,
    record::{Key, Node, NodeStatus, Package, PackageStatus},
    token::EnrollmentToken,
    vocabulary::{ActivatesOn, Answer, Fact, NodeClaimed, Redeem, Redeemed, Refusal},
};

pub(super) fn decide(draft: &mut Draft<'_>, redeem: &Redeem) -> Step<Answer> {
    let Ok(token) = EnrollmentToken::parse(redeem.token.expose()) else {
        return refuse_unknown(Refusal::MalformedToken);
    };
    let package = authenticate(draft, &token)?;
    let key = Key::Package(package.id);
    match package.status {
        PackageStatus::Created => return refuse(Refusal::NotDelivered, key),
        PackageStatus::Expired | PackageStatus::Revoked | PackageStatus::Retired => {
            return refuse(Refusal::Ended, key);
        }
        PackageStatus::Delivered | PackageStatus::Activated => {}
    }
    let node = NodeId::derive(&*draft.registrar.backend, package.id, &redeem.fingerprint);
    draft.prefetch(&[
        Key::Node(node),
        Key::Subject(package.issued.scope.clone(), redeem.fingerprint.clone()),
    ])?;
    let known = draft.node(node)?;
    if known.is_none() && (!package.token_open || draft.is_past(package.issued.expires_at, &key)?) {
        return refuse(Refusal::Expired, key);
    }
    if !bindings::hold(&package.issued.bindings, redeem, draft.source) {
        return refuse(Refusal::BindingMismatch, key);
    }
    if !draft.registrar.policy.vouched_fingerprints {
        return refuse(Refusal::ProofRequired, key);
    }
    match known {
        Some(node) => again(draft, &package, &node),
        None => claim(draft, &package, node, redeem),
    }
}

/// Finds the token's package. An unknown id does the same work against a dummy, so that time tells nothing.
fn authenticate(draft: &mut Draft<'_>, token: &EnrollmentToken) -> Step<std::sync::Arc<Package>> {
    let package = draft.package(token.package())?;
    let digest = package.as_ref().and_then(|package| package.issued.token.as_ref());
    let digest = digest.filter(|digest| digest.generation == token.generation());
    let backend = &*draft.registrar.backend;
    let Some(stored) = digest else {
        let _same_work = token.matches(backend, draft.registrar.peppers.current()?.1, &"0".repeat(64));
        return refuse_unknown(Refusal::UnknownToken);
    };
    if !token.matches(backend, draft.registrar.peppers.get(&stored.kid)?, &stored.digest) {
        return refuse(Refusal::UnknownToken, Key::Package(token.package()));
    }
    package.map_or_else(|| refuse_unknown(Refusal::UnknownToken), Ok)
}

/// The same presenter once more: it gets the same grant until its window closes or its first check-in.
fn again(draft: &mut Draft<'_>, package: &Package, node: &Node) -> Step<Answer> {
    let key = Key::Node(node.id);
    if node.status == NodeStatus::Retired {
        return refuse(Refusal::NodeRetired, key);
    }
    if !node.grant_open || draft.is_past(node.retry_until, &key)? {
        return refuse(Refusal::GrantClosed, key);
    }
    answer(draft, package, node, true)
}

fn claim(draft: &mut Draft<'_>, package: &Package, node: NodeId, redeem: &Redeem) -> Step<Answer> {
    let key = Key::Package(package.id);
    if package.uses() >= package.issued.max_uses {
        return already_claimed(draft, package, redeem);
    }
    let scope = &package.issued.scope;
    if let Some(other) = draft.subject(scope, &redeem.fingerprint)?.and_then(|subject| subject.node) {
        let live = draft.node(other)?.is_some_and(|node| node.status != NodeStatus::Retired);
        if live {
            return refuse(Refusal::SubjectEnrolled, key);
        }
    }
    consume(draft, package, node, redeem)?;
    let Some(claimed) = draft.node(node)? else { return refuse_unknown(Refusal::Unknown) };
    answer(draft, package, &claimed, false)
}

fn consume(draft: &mut Draft<'_>, package: &Package, node: NodeId, redeem: &Redeem) -> Step<()> {
    let key = Key::Package(package.id);
    let policy = &draft.registrar.policy;
    let (retry_until, activate_by) =
        (draft.now().plus_seconds(policy.retry_seconds), draft.now().plus_seconds(policy.confirm_seconds));
    let subject = redeem.fingerprint.clone();
    let claimed = NodeClaimed {
        package: package.id,
        scope: package.issued.scope.clone(),
        fingerprint: subject.clone(),
        node_name: redeem.node_name.clone(),
        instance: redeem.instance.clone(),
        retry_until,
        activate_by,
    };
    draft.emit(key.clone(), Fact::PackageClaimed { node, subject: subject.clone() })?;
    draft.emit(Key::Node(node), Fact::NodeClaimed(Box::new(claimed)))?;
    draft.emit(
        Key::Subject(package.issued.scope.clone(), subject),
        Fact::SubjectBound { node, package: package.id },
    )?;
    if package.issued.activates_on == ActivatesOn::Redeem && package.status != PackageStatus::Activated {
        draft.emit(key, Fact::PackageActivated)?;
    }
    Ok(())
}

/// Somebody with the live secret came too late: two machines have one token. The first keeps what it has.
fn already_claimed(draft: &mut Draft<'_>, package: &Package, redeem: &Redeem) -> Step<Answer> {
    let key = Key::Package(package.id);
    let Some(first) = package.nodes.first() else { return refuse(Refusal::AlreadyClaimed, key) };
    if package.clones_suspected < limits::CLONE_FACTS {
        draft.emit(
            key.clone(),
            Fact::CloneSuspected { node: first.id, fingerprint: redeem.fingerprint.clone() },
        )?;
    }
    Ok(draft.refuse_with_facts(Refusal::AlreadyClaimed, &key, "redeem"))
}

fn answer(draft: &mut Draft<'_>, package: &Package, node: &Node, again: bool) -> Step<Answer> {
    let contents = open_contents(draft, package)?;
    let (retry_until, activate_by) = (node.retry_until, node.activate_by);
    Ok(Answer::Redeemed(Redeemed {
        package: package.id,
        node: node.id,
        contents,
        retry_until,
        activate_by,
        again,
    }))
}
