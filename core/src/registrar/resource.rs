//! External resources: what is outstanding, what an executor needs for it, and what it reports.

use super::{
    Registrar,
    draft::{Draft, Step, refuse, refuse_unknown},
    end, instance,
};
use crate::{
    id::{PackageId, SecretId},
    kubernetes::{BootstrapSecret, BootstrapToken},
    limits,
    record::{Key, Lease, Package, Resource, ResourceSpec, ResourceState, Row},
    secret::Secret,
    time::Timestamp,
    vocabulary::{
        Answer, Authority, Changed, Effect, EffectId, EffectOutcome, Error, Fact, Reason, Refusal, Report,
        Verb, Work,
    },
};

/// What an executor needs beyond the effect itself.
#[derive(Debug)]
pub enum Revealed {
    /// Nothing.
    Nothing,
    /// The manifest of the bootstrap-token Secret, with the token in it.
    BootstrapToken(Box<BootstrapSecret>),
    /// The value: a SPIRE join token, also for its alias, or that of a resource of a kind that the host defines.
    Value(Secret),
}

impl Registrar {
    /// Opens what an executor needs for an effect, also after a crash. `rows` are those of
    /// [`Work::secrets`](crate::vocabulary::Work::secrets), read as [`Key::Secret`].
    ///
    /// # Errors
    /// [`Error::MissingSecret`], [`Error::MissingKey`], [`Error::Crypto`].
    pub fn reveal(&self, effect: &Effect, rows: &[Row]) -> Result<Revealed, Error> {
        let opened = |secret: &SecretId| {
            let row = rows.iter().find(|row| row.key == Key::Secret(*secret));
            self.sealer.open(*secret, &row.ok_or(Error::MissingSecret(*secret))?.body)
        };
        match &effect.work {
            Work::DescribeInstance { .. }
            | Work::DeleteBootstrapToken { .. }
            | Work::DeleteKubernetesNode { .. }
            | Work::EnsureSpireEntry { .. }
            | Work::DeleteSpireEntry { .. }
            | Work::DeleteHost { .. }
            | Work::Sweep { .. } => Ok(Revealed::Nothing),
            Work::EnsureSpireJoinToken { secret, .. } | Work::EnsureSpireAlias { secret, .. } => {
                opened(secret).map(Revealed::Value)
            }
            Work::EnsureHost { resource } => match &resource.secret {
                Some(secret) => opened(secret).map(Revealed::Value),
                None => Ok(Revealed::Nothing),
            },
            Work::EnsureBootstrapToken { secret, expires_at, groups, instance, .. } => {
                let token: BootstrapToken = opened(secret)?
                    .expose()
                    .parse()
                    .map_err(|_| Error::CorruptRecord(format!("secret {secret} is no bootstrap token")))?;
                let mut manifest = BootstrapSecret::new(token, *expires_at, self.policy.owner.clone())
                    .with_groups(groups.iter().cloned().collect())
                    .map_err(|error| Error::CorruptRecord(error.to_string()))?;
                if let Some(instance) = instance {
                    manifest = manifest
                        .with_instance(instance.as_str())
                        .map_err(|error| Error::CorruptRecord(error.to_string()))?;
                }
                Ok(Revealed::BootstrapToken(Box::new(manifest)))
            }
        }
    }
}

/// The effects that are outstanding for a package.
pub(super) fn outstanding(package: &Package) -> Vec<Effect> {
    let effect = |(resource, spec, not_before): (&Resource, Option<&ResourceSpec>, Option<Timestamp>)| {
        let verb = verb_of(resource.state, spec)?;
        let id = EffectId::Resource {
            package: package.id,
            resource: resource.number,
            verb,
            attempt: resource.attempt,
        };
        let work = match spec {
            Some(spec) => work(package, spec, verb)?,
            None => Work::Sweep { package: package.id },
        };
        let leased_by = resource.lease.as_ref().map(|lease| lease.worker.clone());
        Some(Effect { id, not_before, leased_by, work })
    };
    package.due_resources().filter_map(effect).collect()
}

/// What is to be done. Some things are never made by us, and some can never be deleted.
fn work(package: &Package, spec: &ResourceSpec, verb: Verb) -> Option<Work> {
    let ensure = match verb {
        Verb::Ensure => true,
        Verb::Delete => false,
        Verb::Sweep => return None,
    };
    Some(match (spec, ensure) {
        (ResourceSpec::KubernetesBootstrapToken { name, secret, expires_at, groups }, true) => {
            Work::EnsureBootstrapToken {
                name: name.clone(),
                secret: *secret,
                expires_at: *expires_at,
                groups: groups.clone(),
                instance: package.issued.instance.clone(),
            }
        }
        (ResourceSpec::KubernetesBootstrapToken { name, .. }, false) => {
            Work::DeleteBootstrapToken { name: name.clone() }
        }
        (ResourceSpec::KubernetesNode { name }, false) => Work::DeleteKubernetesNode { name: name.clone() },
        (ResourceSpec::SpireJoinToken { secret, expires_at }, true) => {
            Work::EnsureSpireJoinToken { secret: *secret, expires_at: *expires_at }
        }
        (ResourceSpec::SpireAlias { id, spiffe_id, secret }, true) => {
            Work::EnsureSpireAlias { id: id.clone(), spiffe_id: spiffe_id.clone(), secret: *secret }
        }
        (ResourceSpec::SpireAlias { id, .. }, false) => Work::DeleteSpireEntry { id: id.clone() },
        (ResourceSpec::SpireEntry(entry), true) => Work::EnsureSpireEntry { entry: (**entry).clone() },
        (ResourceSpec::SpireEntry(entry), false) => Work::DeleteSpireEntry { id: entry.id.clone() },
        (ResourceSpec::Host(resource), true) => Work::EnsureHost { resource: (**resource).clone() },
        (ResourceSpec::Host(resource), false) => {
            Work::DeleteHost { kind: resource.kind.clone(), name: resource.name.clone() }
        }
        (ResourceSpec::KubernetesNode { .. }, true) | (ResourceSpec::SpireJoinToken { .. }, false) => {
            return None;
        }
    })
}

pub(super) fn decide(draft: &mut Draft<'_>, report: &Report) -> Step<Answer> {
    let changed = match &report.effect {
        EffectId::Describe { instance, attempt } => {
            instance::report(draft, instance, *attempt, &report.outcome)?
        }
        EffectId::Resource { package, resource, verb, attempt } => {
            take_in(draft, *package, *resource, (*verb, *attempt), &report.outcome)?
        }
    };
    Ok(Answer::Reported(Changed { changed }))
}

fn take_in(
    draft: &mut Draft<'_>,
    package: PackageId,
    number: u32,
    (verb, attempt): (Verb, u32),
    outcome: &EffectOutcome,
) -> Step<bool> {
    let key = Key::Package(package);
    let Some(package) = draft.package(package)? else { return refuse_unknown(Refusal::Unknown) };
    let known = match number {
        0 => package.sweep.as_ref().map(|sweep| (sweep, None)),
        _ => package.resource(number).map(|(resource, spec)| (resource, Some(spec))),
    };
    let Some((resource, spec)) = known else { return refuse(Refusal::NotOutstanding, key) };
    if verb_of(resource.state, spec) != Some(verb)
        || resource.attempt != attempt
        || package.waits_for.is_some()
    {
        return late(draft, key, resource, (verb, attempt), outcome);
    }
    let fact = match outcome {
        EffectOutcome::Started { lease_seconds } => {
            let until = lease(draft, resource.lease.as_ref(), resource.retry_at, *lease_seconds, &key)?;
            Fact::ResourceStarted { resource: number, worker: worker(draft)?, until }
        }
        _ if is_leased_away(draft, resource.lease.as_ref())? => return refuse(Refusal::NotOutstanding, key),
        EffectOutcome::Done => match verb {
            Verb::Ensure | Verb::Sweep => Fact::ResourceReady { resource: number },
            Verb::Delete => Fact::ResourceGone { resource: number },
        },
        EffectOutcome::Failed { reason } => failed(draft, number, attempt, reason.clone()),
        EffectOutcome::Unknown => {
            failed(draft, number, attempt, Reason::from("nobody knows whether it was done"))
        }
        EffectOutcome::Collision => match verb {
            Verb::Ensure => {
                let reason = Reason::from("something else bears its name");
                Fact::ResourceFailed { resource: number, reason, retry_at: None }
            }
            Verb::Delete => Fact::ResourceGone { resource: number },
            Verb::Sweep => return Err(Error::input("outcome", "does not fit this effect").into()),
        },
        EffectOutcome::Described(_) => return Err(Error::input("outcome", "does not fit this effect").into()),
    };
    draft.emit(key, fact)?;
    end::release(draft, package.id)?;
    Ok(true)
}

/// A report about an earlier attempt. A create that was done although its package has ended is undone.
fn late(
    draft: &mut Draft<'_>,
    key: Key,
    resource: &Resource,
    (verb, attempt): (Verb, u32),
    outcome: &EffectOutcome,
) -> Step<bool> {
    let may_exist = matches!((verb, outcome), (Verb::Ensure, EffectOutcome::Done | EffectOutcome::Unknown));
    let unwanted = matches!(resource.state, ResourceState::Deleting | ResourceState::Gone);
    if may_exist && unwanted && attempt <= resource.attempt {
        draft.emit(key, Fact::ResourceUnwanted { resource: resource.number })?;
        return Ok(true);
    }
    let same_again = matches!(
        (verb, outcome, resource.state),
        (Verb::Ensure, EffectOutcome::Done, ResourceState::Ready)
            | (Verb::Delete, EffectOutcome::Done, ResourceState::Gone)
            | (Verb::Sweep, EffectOutcome::Done, ResourceState::Ready)
    );
    if same_again && attempt == resource.attempt { Ok(false) } else { refuse(Refusal::NotOutstanding, key) }
}

fn failed(draft: &Draft<'_>, resource: u32, attempt: u32, reason: Reason) -> Fact {
    Fact::ResourceFailed {
        resource,
        reason,
        retry_at: Some(draft.now().plus_seconds(backoff_seconds(attempt))),
    }
}

/// What is to be done with a resource in that state, or with a sweep, which has no specification.
fn verb_of(state: ResourceState, spec: Option<&ResourceSpec>) -> Option<Verb> {
    match (state, spec) {
        (ResourceState::Wanted | ResourceState::Creating, Some(_)) => Some(Verb::Ensure),
        (ResourceState::Deleting, Some(spec)) => spec.is_deletable().then_some(Verb::Delete),
        (ResourceState::Wanted | ResourceState::Creating | ResourceState::Deleting, None) => {
            Some(Verb::Sweep)
        }
        (ResourceState::Ready | ResourceState::Gone | ResourceState::Failed, _) => None,
    }
}

/// Grants a lease: not before the delay is over, and not while somebody else holds one.
pub(super) fn lease(
    draft: &Draft<'_>,
    held: Option<&Lease>,
    not_before: Option<Timestamp>,
    seconds: u32,
    key: &Key,
) -> Step<Timestamp> {
    if seconds == 0 || seconds > limits::LEASE_MAX_SECONDS {
        let max = limits::LEASE_MAX_SECONDS;
        return Err(Error::input("outcome.lease_seconds", &format!("expected 1 to {max} seconds")).into());
    }
    if is_leased_away(draft, held)? || not_before.is_some_and(|at| draft.now() < at) {
        return refuse(Refusal::NotOutstanding, key.clone());
    }
    Ok(draft.now().plus_seconds(seconds))
}

/// Whether somebody else holds a lease that still runs.
pub(super) fn is_leased_away(draft: &Draft<'_>, held: Option<&Lease>) -> Step<bool> {
    let me = worker(draft)?;
    Ok(held.is_some_and(|lease| lease.worker != me && draft.now() < lease.until))
}

/// The executor who reports.
pub(super) fn worker(draft: &Draft<'_>) -> Step<crate::id::ActorName> {
    match draft.authority {
        Authority::Executor(worker) => Ok(worker.clone()),
        Authority::Operator(_) | Authority::Node | Authority::Timer | Authority::Event => {
            Err(Error::Misuse("only an executor reports").into())
        }
    }
}

/// Doubles with each attempt, from [`limits::BACKOFF_FIRST_SECONDS`] to [`limits::BACKOFF_MAX_SECONDS`].
pub(super) fn backoff_seconds(attempt: u32) -> u32 {
    let doublings = attempt.saturating_sub(1).min(16);
    limits::BACKOFF_FIRST_SECONDS
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(limits::BACKOFF_MAX_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_stop_growing() {
        assert_eq!([1, 2, 3, 4].map(backoff_seconds), [2, 4, 8, 16]);
        assert_eq!(backoff_seconds(u32::MAX), limits::BACKOFF_MAX_SECONDS);
    }
}
