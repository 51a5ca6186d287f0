//! Redeem: a token is presented. Nothing before the last step spends a use.
//!
//! parse, digest in constant time, status and time, bindings, proof, standing, uses, consume.

use std::sync::Arc;

use super::{
    bindings, clone,
    contents::open_contents,
    credential,
    draft::{Draft, Step, refuse, refuse_unknown},
    end,
    expire::ancestor_has_ended,
    presenter::{self, Doing, Presenter, Shown},
    standing::{self, Standing},
};
use crate::{
    id::{NodeId, Subject},
    record::{Key, Node, Package, PackageStatus, RetireReason},
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
    if package.is_locked(token.generation()) {
        return refuse(Refusal::TokenLocked, key);
    }
    let current = package.token.as_ref().map(|token| token.generation);
    if package.delivery.is_none() && current == Some(token.generation()) {
        return refuse(Refusal::NotDelivered, key); // reissued, and not handed out since
    }
    let shown = Shown {
        fingerprint: redeem.fingerprint.as_ref(),
        proof: redeem.proof.as_ref(),
        token: Some(&redeem.token),
    };
    let presenter = presenter::identify(draft, Doing::Redeem, &shown, &package.issued.kind, &key)?;
    let node = NodeId::derive(&*draft.registrar.backend, package.id, &presenter.fingerprint);
    draft.prefetch(&keys(&package, node, &presenter, redeem))?;
    if ancestor_has_ended(draft, &package)? {
        return refuse(Refusal::ParentEnded, key);
    }
    let known = draft.node(node)?;
    if known.is_none() && (!package.token_open || draft.is_past(package.expires_at, &key)?) {
        return refuse(Refusal::Expired, key);
    }
    if !bindings::hold(draft, &package.issued.bindings, redeem, &presenter)? {
        return refuse(Refusal::BindingMismatch, key);
    }
    presenter.check_not_replayed(known.as_deref(), &key)?;
    let claim =
        Claim { package: &package, node, presenter: &presenter, redeem, generation: token.generation() };
    match standing::judge(draft, &claim, known.as_ref())? {
        Standing::SameGrant(node) => again(draft, &claim, &node),
        Standing::First => first(draft, &claim),
        Standing::Moves(from) => {
            end::node(draft, &from, RetireReason::Replaced)?;
            if draft.package(package.id)?.is_none_or(|package| !package.status.is_live()) {
                return refuse(Refusal::Ended, key); // with the package above it, which the old node was the last of
            }
            first(draft, &claim)
        }
        Standing::Anew(node) => anew(draft, &claim, &node),
        Standing::InPlaceOf(old) => in_place_of(draft, &claim, &old),
        Standing::TooLate => already_claimed(draft, &claim),
        Standing::No(refusal, anchor) => refuse(refusal, anchor),
    }
}

/// A presenter with a valid token, and what it asks for.
pub(super) struct Claim<'a> {
    pub(super) package: &'a Arc<Package>,
    pub(super) node: NodeId,
    pub(super) presenter: &'a Presenter,
    pub(super) redeem: &'a Redeem,
    pub(super) generation: u16,
}

impl Claim<'_> {
    pub(super) fn subject(&self) -> Subject {
        Subject::Fingerprint(self.presenter.fingerprint.clone())
    }
}

/// Everything that a redemption looks at besides the package.
fn keys(package: &Package, node: NodeId, presenter: &Presenter, redeem: &Redeem) -> Vec<Key> {
    let scope = &package.issued.scope;
    let mut keys = vec![Key::Node(node), Key::Subject(scope.clone(), presenter.fingerprint.clone().into())];
    keys.extend(claimed_subjects(redeem).map(|subject| Key::Subject(scope.clone(), subject)));
    keys.extend(package.issued.parents.iter().map(|parent| Key::Package(*parent)));
    keys.extend(bindings::instance_key(&package.issued.bindings, redeem));
    keys
}

/// The names that a presenter gives itself, each of which may be banned.
pub(super) fn claimed_subjects(redeem: &Redeem) -> impl Iterator<Item = Subject> + use<> {
    let node_name = redeem.node_name.clone().map(Subject::NodeName);
    node_name.into_iter().chain(redeem.spiffe_id.clone().map(Subject::Spiffe))
}

/// Finds the token's package. An unknown id does the same work against a dummy, so that time tells nothing.
fn authenticate(draft: &mut Draft<'_>, token: &EnrollmentToken) -> Step<Arc<Package>> {
    let package = draft.package(token.package())?;
    let stored = package.as_ref().and_then(|package| package.token_of(token.generation()).cloned());
    let backend = &*draft.registrar.backend;
    let (Some(package), Some(stored)) = (package, stored) else {
        let _same_work = token.matches(backend, draft.registrar.peppers.current()?.1, &"0".repeat(64));
        return refuse_unknown(Refusal::UnknownToken);
    };
    let key = Key::Package(package.id);
    if !token.matches(backend, draft.registrar.peppers.get(&stored.kid)?, &stored.digest) {
        return refuse(Refusal::UnknownToken, key);
    }
    let old = package.old_token.as_ref().filter(|old| old.token.generation == token.generation());
    match old {
        Some(old) if draft.is_past(old.until, &key)? => refuse(Refusal::Expired, key),
        Some(_) | None => Ok(package),
    }
}

/// The same presenter once more: it gets the same grant.
fn again(draft: &mut Draft<'_>, claim: &Claim<'_>, node: &Node) -> Step<Answer> {
    claim.presenter.remember(draft, node.id)?;
    answer(draft, claim, true)
}

/// A new subject takes a use.
fn first(draft: &mut Draft<'_>, claim: &Claim<'_>) -> Step<Answer> {
    let package = claim.package;
    let key = Key::Package(package.id);
    let counted = package.issued.max_uses.is_some() || package.uses() == 0;
    if counted {
        let subject = claim.presenter.fingerprint.clone();
        draft.emit(key.clone(), Fact::PackageClaimed { node: claim.node, subject })?;
    }
    consume(draft, claim)?;
    let bound = Fact::SubjectBound { node: claim.node, package: package.id };
    draft.emit(Key::Subject(package.issued.scope.clone(), claim.subject()), bound)?;
    bind_declared(draft, claim)?;
    claim_names(draft, claim, None)?;
    answer(draft, claim, false)
}

/// The subjects that the package names are this node.
fn bind_declared(draft: &mut Draft<'_>, claim: &Claim<'_>) -> Step<()> {
    let (package, scope) = (claim.package, &claim.package.issued.scope);
    for subject in end::declared_subjects(package) {
        if draft.subject(scope, &subject)?.and_then(|entry| entry.node) != Some(claim.node) {
            let bound = Fact::SubjectBound { node: claim.node, package: package.id };
            draft.emit(Key::Subject(scope.clone(), subject), bound)?;
        }
    }
    Ok(())
}

/// What the node says of itself beyond what its package names: a ban finds it by that. Of several that say one name it
/// finds the first, and the others when they check in.
fn claim_names(draft: &mut Draft<'_>, claim: &Claim<'_>, before: Option<&Node>) -> Step<()> {
    let scope = &claim.package.issued.scope;
    let declared: Vec<Subject> = end::declared_subjects(claim.package).collect();
    let says: Vec<Subject> = claimed_subjects(claim.redeem).collect();
    let dropped = before.into_iter().flat_map(|node| node.names()).filter(|name| !says.contains(name));
    for subject in dropped {
        if draft.subject(scope, &subject)?.and_then(|entry| entry.claimed_by) == Some(claim.node) {
            draft.emit(Key::Subject(scope.clone(), subject), Fact::SubjectClaimed { node: None })?;
        }
    }
    for subject in says.into_iter().filter(|name| !declared.contains(name)) {
        if draft.subject(scope, &subject)?.is_none_or(|entry| entry.claimed_by.is_none()) {
            let fact = Fact::SubjectClaimed { node: Some(claim.node) };
            draft.emit(Key::Subject(scope.clone(), subject), fact)?;
        }
    }
    Ok(())
}

/// The same subject, by a newer token: it was wiped, or had gone, and is given its grant anew. No use is spent.
fn anew(draft: &mut Draft<'_>, claim: &Claim<'_>, node: &Node) -> Step<Answer> {
    let package = claim.package;
    if !package.is_wide() || !node.is_live() {
        let subject = claim.presenter.fingerprint.clone();
        let fact = Fact::PackageReclaimed { node: node.id, subject, replaces: node.id };
        if package.issued.max_uses.is_some() {
            draft.emit(Key::Package(package.id), fact)?;
        }
    }
    consume(draft, claim)?;
    let fact = Fact::SubjectRecovered { node: node.id, package: package.id };
    draft.emit(Key::Subject(package.issued.scope.clone(), claim.subject()), fact)?;
    bind_declared(draft, claim)?;
    claim_names(draft, claim, Some(node))?;
    answer(draft, claim, false)
}

/// Another key, by a newer token, where all uses are spent: it takes the place of the node that had the older token.
fn in_place_of(draft: &mut Draft<'_>, claim: &Claim<'_>, old: &Node) -> Step<Answer> {
    let package = claim.package;
    bind_declared(draft, claim)?;
    if old.is_live() {
        draft.prefetch(&presenter::keys(old))?;
        end::retire(draft, old, RetireReason::Replaced)?;
    }
    let subject = claim.presenter.fingerprint.clone();
    let fact = Fact::PackageReclaimed { node: claim.node, subject, replaces: old.id };
    draft.emit(Key::Package(package.id), fact)?;
    consume(draft, claim)?;
    let bound = Fact::SubjectBound { node: claim.node, package: package.id };
    draft.emit(Key::Subject(package.issued.scope.clone(), claim.subject()), bound)?;
    claim_names(draft, claim, None)?;
    answer(draft, claim, false)
}

/// The node's side of a redemption, and what follows from it for the package.
fn consume(draft: &mut Draft<'_>, claim: &Claim<'_>) -> Step<()> {
    let (package, redeem) = (claim.package, claim.redeem);
    let key = Key::Package(package.id);
    let policy = &draft.registrar.policy;
    let (retry_until, activate_by) =
        (draft.now().plus_seconds(policy.retry_seconds), draft.now().plus_seconds(policy.confirm_seconds));
    let claimed = NodeClaimed {
        package: package.id,
        scope: package.issued.scope.clone(),
        fingerprint: claim.presenter.fingerprint.clone(),
        node_name: redeem.node_name.clone(),
        spiffe_id: redeem.spiffe_id.clone(),
        instance: redeem.instance.clone(),
        retry_until,
        activate_by,
        generation: claim.generation,
        inactivity_seconds: package.issued.inactivity_seconds,
        credential: credential::grant(draft, claim.presenter)?,
        proof: claim.presenter.proof_digest(),
    };
    draft.emit(Key::Node(claim.node), Fact::NodeClaimed(Box::new(claimed)))?;
    let current = package.token.as_ref().map(|token| token.generation);
    if package.old_token.is_some() && current == Some(claim.generation) {
        draft.emit(key.clone(), Fact::OldTokenClosed)?;
    }
    if package.issued.activates_on == ActivatesOn::Redeem && package.status != PackageStatus::Activated {
        draft.emit(key, Fact::PackageActivated)?;
    }
    Ok(())
}

/// Somebody with the live secret came too late: one machine more has the token than was meant to. Those before it keep what
/// they have, and whose place it wants is certain only where there is one.
fn already_claimed(draft: &mut Draft<'_>, claim: &Claim<'_>) -> Step<Answer> {
    let key = Key::Package(claim.package.id);
    let only = claim.package.nodes.first().filter(|_| claim.package.issued.max_uses == Some(1));
    clone::suspect(draft, claim.package, only.map(|node| node.id), &claim.presenter.fingerprint)?;
    Ok(draft.refuse_with_facts(Refusal::AlreadyClaimed, &key, "redeem"))
}

fn answer(draft: &mut Draft<'_>, claim: &Claim<'_>, again: bool) -> Step<Answer> {
    let contents = open_contents(draft, claim.package)?;
    let Some(node) = draft.node(claim.node)? else { return refuse_unknown(Refusal::Unknown) };
    draft.will_sign(&node, claim.presenter);
    Ok(Answer::Redeemed(Redeemed {
        package: claim.package.id,
        node: node.id,
        contents,
        contents_shredded: claim.package.lacks_contents(),
        retry_until: node.retry_until,
        activate_by: node.activate_by,
        credential: None,
        again,
    }))
}
