//! How a presenter with a valid token stands: the one table of first redemptions, retries and re-enrolments.
//!
//! | the subject | the token | its node here | comes to |
//! |---|---|---|---|
//! | banned, under any name that it has or had here | any | any | `banned` |
//! | known here | the one it redeemed | live, grant open | the same grant |
//! | known here | the one it redeemed | live, grant closed | `grant_closed` |
//! | known here | the one it redeemed | retired | `node_retired` |
//! | known here | any | retired and forgotten | `node_retired` |
//! | known here | a newer one (reissued) | live or retired | its grant anew, no use spent |
//! | lives in another package | any | none | `subject_enrolled`, or it moves, as the policy says |
//! | replaced here | any | retired | as if new here |
//! | new here | any | none, uses remain | a first grant |
//! | new here | newer than that of the only node here | none, uses spent | that node's place |
//! | new here | any | none, uses spent | `already_claimed`, and a suspected clone |
//!
//! Before any of it, a token that was locked because of a suspected clone gives `token_locked` to everybody.

use std::sync::Arc;

use super::{
    ban,
    draft::{Draft, Step},
    policy::Enrolled,
    redeem::{Claim, claimed_subjects},
};
use crate::{
    record::{Key, Node},
    vocabulary::Refusal,
};

/// What the table comes to.
pub(super) enum Standing {
    /// A retry.
    SameGrant(Arc<Node>),
    /// A first grant.
    First,
    /// A first grant; its node in another package retires.
    Moves(Arc<Node>),
    /// Its grant anew.
    Anew(Arc<Node>),
    /// The place of this node.
    InPlaceOf(Arc<Node>),
    /// All uses are spent.
    TooLate,
    /// A refusal, judged against this record.
    No(Refusal, Key),
}

pub(super) fn judge(draft: &mut Draft<'_>, claim: &Claim<'_>, known: Option<&Arc<Node>>) -> Step<Standing> {
    let scope = &claim.package.issued.scope;
    let names = std::iter::once(claim.subject()).chain(claimed_subjects(claim.redeem));
    let before = known.into_iter().flat_map(|node| node.names());
    if let Some(ban) = ban::first_banned(draft, scope, names.chain(before))? {
        return Ok(Standing::No(Refusal::Banned, ban));
    }
    match known {
        Some(node) => known_here(draft, claim, node),
        None if draft.is_forgotten(&Key::Node(claim.node))? => {
            Ok(Standing::No(Refusal::NodeRetired, Key::Node(claim.node)))
        }
        None => new_here(draft, claim),
    }
}

fn known_here(draft: &mut Draft<'_>, claim: &Claim<'_>, node: &Arc<Node>) -> Step<Standing> {
    let key = Key::Node(node.id);
    let replaced = !claim.package.is_wide() && claim.package.nodes.iter().all(|listed| listed.id != node.id);
    if replaced {
        // Its use is another node's now.
        return if is_too_late(draft, claim)? { Ok(too_late(claim)) } else { new_here(draft, claim) };
    }
    if claim.generation > node.generation {
        return anew(draft, claim, node);
    }
    if !node.is_live() {
        return Ok(Standing::No(Refusal::NodeRetired, key));
    }
    if !node.grant_open || draft.is_past(node.retry_until, &key)? {
        return Ok(Standing::No(Refusal::GrantClosed, key));
    }
    Ok(Standing::SameGrant(Arc::clone(node)))
}

/// Whether the time in which the token gives a new grant is over.
fn is_too_late(draft: &Draft<'_>, claim: &Claim<'_>) -> Step<bool> {
    let package = claim.package;
    Ok(!package.token_open || draft.is_past(package.expires_at, &Key::Package(package.id))?)
}

fn too_late(claim: &Claim<'_>) -> Standing {
    Standing::No(Refusal::Expired, Key::Package(claim.package.id))
}

fn anew(draft: &mut Draft<'_>, claim: &Claim<'_>, node: &Arc<Node>) -> Step<Standing> {
    let scope = &claim.package.issued.scope;
    let entry = draft.subject(scope, &claim.subject())?;
    let subject = Key::Subject(scope.clone(), claim.subject());
    if is_too_late(draft, claim)? {
        return Ok(too_late(claim));
    }
    if entry.as_ref().is_some_and(|entry| entry.recoveries >= draft.registrar.policy.recoveries) {
        return Ok(Standing::No(Refusal::RecoveryExhausted, subject));
    }
    let elsewhere = entry.and_then(|entry| entry.node).filter(|other| *other != node.id);
    if elsewhere.is_some() {
        return Ok(Standing::No(Refusal::SubjectEnrolled, subject));
    }
    Ok(Standing::Anew(Arc::clone(node)))
}

fn new_here(draft: &mut Draft<'_>, claim: &Claim<'_>) -> Step<Standing> {
    let (package, scope) = (claim.package, &claim.package.issued.scope);
    let spent = package.issued.max_uses.is_some_and(|max| package.uses() >= max);
    if spent {
        return in_place_of(draft, claim);
    }
    let other = draft.subject(scope, &claim.subject())?.and_then(|subject| subject.node);
    let Some(other) = other else { return Ok(Standing::First) };
    let Some(other) = draft.node(other)?.filter(|node| node.is_live()) else { return Ok(Standing::First) };
    if draft.package(other.package)?.is_none_or(|elsewhere| !elsewhere.status.is_live()) {
        return Ok(Standing::First); // a sweep has yet to tell the old node
    }
    match draft.registrar.policy.enrolled_elsewhere {
        Enrolled::Refuse => Ok(Standing::No(Refusal::SubjectEnrolled, Key::Package(package.id))),
        Enrolled::Move => Ok(Standing::Moves(other)),
    }
}

/// Only where it is certain whose place is meant: a package of one use, its token reissued since.
fn in_place_of(draft: &mut Draft<'_>, claim: &Claim<'_>) -> Step<Standing> {
    let package = claim.package;
    let [only] = package.nodes.as_slice() else { return Ok(Standing::TooLate) };
    draft.prefetch(&[
        Key::Node(only.id),
        Key::Subject(package.issued.scope.clone(), only.subject.clone().into()),
        Key::Subject(package.issued.scope.clone(), claim.subject()),
    ])?;
    let Some(old) = draft.node(only.id)? else { return Ok(Standing::TooLate) };
    if claim.generation <= old.generation || package.issued.max_uses != Some(1) {
        return Ok(Standing::TooLate);
    }
    let key = Key::Package(package.id);
    let enrolled = draft.subject(&package.issued.scope, &claim.subject())?.and_then(|entry| entry.node);
    if enrolled.is_some() {
        return Ok(Standing::No(Refusal::SubjectEnrolled, key));
    }
    if package.recoveries >= draft.registrar.policy.recoveries {
        return Ok(Standing::No(Refusal::RecoveryExhausted, key));
    }
    Ok(Standing::InPlaceOf(old))
}
