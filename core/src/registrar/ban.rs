//! Ban, Unban and ResetRecoveries: what operators say about subjects, whatever the package.

use super::{
    draft::{Draft, Step, refuse, refuse_unknown},
    end,
};
use crate::{
    id::{NodeId, ScopeId, Subject},
    record::{Key, RetireReason},
    vocabulary::{
        Answer, Authority, Ban, Banned, Changed, Error, Fact, Refusal, ResetRecoveries, Unban, Unbanned,
    },
};

/// An operator bans a subject: its node goes, and it is none again.
pub(super) fn ban(draft: &mut Draft<'_>, ban: &Ban) -> Step<Answer> {
    let Authority::Operator(by) = draft.authority else {
        return Err(Error::Misuse("only an operator bans").into());
    };
    let key = Key::Subject(ban.scope.clone(), ban.subject.clone());
    let entry = draft.subject(&ban.scope, &ban.subject)?;
    let again = entry.as_ref().is_some_and(|entry| entry.ban.is_some());
    let nodes: Vec<NodeId> =
        entry.iter().flat_map(|entry| [entry.node, entry.claimed_by]).flatten().collect();
    if !again {
        draft.prefetch(&nodes.iter().map(|node| Key::Node(*node)).collect::<Vec<_>>())?;
        for node in &nodes {
            if let Some(node) = draft.node(*node)?.filter(|node| node.is_live()) {
                end::node(draft, &node, RetireReason::Banned)?;
            }
        }
        draft.emit(key, Fact::SubjectBanned { by: by.clone(), reason: ban.reason.clone() })?;
    }
    let (scope, subject) = (ban.scope.clone(), ban.subject.clone());
    Ok(Answer::Banned(Banned { scope, subject, node: nodes.first().copied(), again }))
}

/// An operator lifts a ban.
pub(super) fn unban(draft: &mut Draft<'_>, unban: &Unban) -> Step<Answer> {
    let entry = draft.subject(&unban.scope, &unban.subject)?;
    let again = entry.is_none_or(|entry| entry.ban.is_none());
    if !again {
        let key = Key::Subject(unban.scope.clone(), unban.subject.clone());
        draft.emit(key, Fact::SubjectUnbanned { reason: unban.reason.clone() })?;
    }
    let (scope, subject) = (unban.scope.clone(), unban.subject.clone());
    Ok(Answer::Unbanned(Unbanned { scope, subject, again }))
}

/// An operator has looked into it: what was recovered so far does not count any more.
pub(super) fn reset_recoveries(draft: &mut Draft<'_>, reset: &ResetRecoveries) -> Step<Answer> {
    let recoveries = match &reset.key {
        Key::Subject(scope, subject) => draft.subject(scope, subject)?.map_or(0, |entry| entry.recoveries),
        Key::Package(id) => match draft.package(*id)? {
            Some(package) if package.status.is_live() => package.recoveries,
            Some(_) => return refuse(Refusal::Ended, reset.key.clone()),
            None => return refuse_unknown(Refusal::Unknown),
        },
        Key::Scope(_) | Key::Pool(..) | Key::Name(..) | Key::Node(_) | Key::Instance(_) | Key::Secret(_) => {
            return Err(Error::input("key", "names neither a subject nor a package").into());
        }
    };
    let changed = recoveries > 0;
    if changed {
        draft.emit(reset.key.clone(), Fact::RecoveriesReset)?;
    }
    Ok(Answer::RecoveriesReset(Changed { changed }))
}

/// The first of these names that is banned, as the record that says so.
pub(super) fn first_banned(
    draft: &mut Draft<'_>,
    scope: &ScopeId,
    names: impl Iterator<Item = Subject>,
) -> Step<Option<Key>> {
    let names: Vec<Subject> = names.collect();
    let key = |subject: &Subject| Key::Subject(scope.clone(), subject.clone());
    draft.prefetch(&names.iter().map(key).collect::<Vec<_>>())?;
    for subject in &names {
        if draft.subject(scope, subject)?.is_some_and(|entry| entry.ban.is_some()) {
            return Ok(Some(key(subject)));
        }
    }
    Ok(None)
}
