//! Instances: what the cloud's events and API say, and the packages that follow from it.
//!
//! A message may end things by itself, but it never issues by itself: whoever may publish to the topic can send
//! one. A package is issued when the cloud's own API has confirmed the instance.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    draft::{Draft, Step, Stop, refuse, refuse_unknown},
    end,
    issue::{self, Before, NewPackage},
    policy::InstanceRule,
    resource::{backoff_seconds, is_leased_away, lease, worker},
};
use crate::{
    aws::{InstanceEvent, InstanceId, identity::InstanceIdentity},
    limits,
    record::{EndReason, Instance, InstanceState, Key, is_final},
    time::Timestamp,
    verified::Verified,
    vocabulary::{
        ActivatesOn, Answer, Bindings, Description, Effect, EffectId, EffectOutcome, Error, Fact, Observed,
        Reason, Refusal, Work,
    },
};

pub(super) fn observe(draft: &mut Draft<'_>, event: &InstanceEvent) -> Step<Answer> {
    let id = event.instance();
    let known = draft.instance(id)?;
    let key = Key::Instance(id.clone());
    if known
        .as_ref()
        .is_some_and(|known| known.account != *event.account() || known.region != *event.region())
    {
        return refuse(Refusal::BindingMismatch, key);
    }
    let forgotten = draft.is_forgotten(&key)?;
    let news = event
        .implied_state()
        .filter(|state| !forgotten && is_news(known.as_deref(), *state, event.occurred_at()));
    if let Some(state) = news {
        if !is_final(state) {
            check_age(draft, event.occurred_at(), &key)?;
        }
        draft.emit(
            key,
            Fact::InstanceObserved {
                account: event.account().clone(),
                region: event.region().clone(),
                state,
                occurred_at: event.occurred_at(),
                event: event.event_id().parse().map_err(Error::from)?,
            },
        )?;
        if is_final(state) {
            end_package_of(draft, known.as_deref())?;
        }
    }
    let now_known = draft.instance(id)?;
    Ok(Answer::Observed(Observed {
        instance: id.clone(),
        state: now_known.as_ref().map(|instance| instance.state),
        changed: news.is_some(),
        package: now_known.and_then(|instance| instance.package),
    }))
}

/// Ended states absorb; otherwise the later event counts, and of two in one second the later stage of life.
fn is_news(known: Option<&Instance>, state: InstanceState, occurred_at: Timestamp) -> bool {
    let Some(known) = known else { return true };
    match (is_final(known.state), is_final(state)) {
        (true, _) => known.state == InstanceState::ShuttingDown && state == InstanceState::Terminated,
        (false, true) => true,
        (false, false) => (occurred_at, state) > (known.state_at, known.state),
    }
}

fn check_age(draft: &Draft<'_>, occurred_at: Timestamp, key: &Key) -> Step<()> {
    let oldest = draft.now().minus_seconds(draft.registrar.policy.event_age_seconds);
    let newest = draft.now().plus_seconds(limits::SNS_MAX_AHEAD_SECONDS);
    if (oldest..=newest).contains(&occurred_at) { Ok(()) } else { refuse(Refusal::Expired, key.clone()) }
}

fn end_package_of(draft: &mut Draft<'_>, known: Option<&Instance>) -> Step<()> {
    let Some(id) = known.and_then(|instance| instance.package) else { return Ok(()) };
    let Some(package) = draft.package(id)?.filter(|package| package.status.is_live()) else { return Ok(()) };
    end::package(draft, &package, end::ended_from_outside(package.status), EndReason::InstanceTerminated)
}

/// Proves that the requester is the instance: by its identity document, or by the address that the cloud's API gave for
/// it, for a short time after it began to run. Unknown, ended and wrong address are one answer to the requester.
///
/// An identity document is no secret of the instance for ever: whoever once read it can show it. It is good for the first
/// delivery only, and its verifier has judged its age.
pub(super) fn prove(
    draft: &mut Draft<'_>,
    id: &InstanceId,
    identity: Option<&Verified<InstanceIdentity>>,
) -> Step<Arc<Instance>> {
    let Some(instance) = draft.instance(id)? else { return refuse_unknown(Refusal::Unknown) };
    let key = Key::Instance(id.clone());
    if is_final(instance.state) {
        return refuse(Refusal::Ended, key);
    }
    if let Some(identity) = identity {
        let same = identity.instance() == id
            && *identity.account() == instance.account
            && *identity.region() == instance.region;
        return if same { Ok(instance) } else { refuse(Refusal::BindingMismatch, key) };
    }
    if draft.registrar.policy.instance_id_alone {
        return Ok(instance);
    }
    let known = instance.description.as_ref().map(|description| &description.addresses);
    let from_its_address =
        known.zip(draft.source).is_some_and(|(known, source)| known.contains(&source.to_canonical()));
    if !from_its_address {
        return refuse(Refusal::WrongAddress, key);
    }
    let closes = instance.running_at.map(|at| at.plus_seconds(draft.registrar.policy.address_seconds));
    match closes {
        Some(closes) if !draft.is_past(closes, &key)? => Ok(instance),
        Some(_) | None => refuse(Refusal::AddressWindowClosed, key),
    }
}

/// The effect that is outstanding for an instance.
pub(super) fn outstanding(instance: &Instance) -> Option<Effect> {
    let not_before = instance.due()?;
    let (id, account, region) = (instance.id.clone(), instance.account.clone(), instance.region.clone());
    Some(Effect {
        id: EffectId::Describe { instance: id.clone(), attempt: instance.attempt },
        not_before,
        leased_by: instance.lease.as_ref().map(|lease| lease.worker.clone()),
        work: Work::DescribeInstance { instance: id, account, region },
    })
}

/// Takes in what an executor says about asking the cloud's API.
pub(super) fn report(
    draft: &mut Draft<'_>,
    id: &InstanceId,
    attempt: u32,
    outcome: &EffectOutcome,
) -> Step<bool> {
    let key = Key::Instance(id.clone());
    let Some(instance) = draft.instance(id)? else { return refuse_unknown(Refusal::Unknown) };
    if !instance.describe || instance.attempt != attempt {
        return refuse(Refusal::NotOutstanding, key);
    }
    match outcome {
        EffectOutcome::Started { lease_seconds } => {
            let until = lease(draft, instance.lease.as_ref(), instance.retry_at, *lease_seconds, &key)?;
            let worker = worker(draft)?;
            draft.emit(key, Fact::InstanceDescribing { worker, until })?;
        }
        _ if is_leased_away(draft, instance.lease.as_ref())? => return refuse(Refusal::NotOutstanding, key),
        EffectOutcome::Described(description) => described(draft, &instance, description)?,
        EffectOutcome::Failed { reason } => not_described(draft, &instance, reason.clone())?,
        EffectOutcome::Unknown => {
            not_described(draft, &instance, Reason::from("the cloud's API did not answer"))?
        }
        EffectOutcome::Done | EffectOutcome::Collision => {
            return Err(Error::input("outcome", "does not fit this effect").into());
        }
    }
    Ok(true)
}

/// Asked again with growing delays, for as long as the instance could still prove itself by its event's age.
fn not_described(draft: &mut Draft<'_>, instance: &Instance, reason: Reason) -> Step<()> {
    let retry_at = draft.now().plus_seconds(backoff_seconds(instance.attempt));
    let gives_up = instance.state_at.plus_seconds(draft.registrar.policy.event_age_seconds);
    let retry_at = (retry_at < gives_up).then_some(retry_at);
    draft.emit(Key::Instance(instance.id.clone()), Fact::InstanceNotDescribed { reason, retry_at })
}

/// What the rules refuse to the instance now (a full scope, an empty pool) may be there when it is asked for again.
fn described(draft: &mut Draft<'_>, instance: &Instance, description: &Description) -> Step<()> {
    check_description(description)?;
    let key = Key::Instance(instance.id.clone());
    let rule = judge(draft, instance, description)?;
    let described = Fact::InstanceDescribed { description: description.clone() };
    match rule.map(|rule| issue_for(draft, instance, &rule)) {
        Ok(Err(Stop::Refuse(refusal, _))) => {
            draft.nothing_happened();
            let reason = format!("{}: {refusal}", refusal.code().as_str());
            not_described(draft, instance, Reason::from(reason))
        }
        Ok(issued) => {
            let package = issued?;
            draft.emit(key.clone(), described)?;
            draft.emit(key, Fact::InstanceEnrolled { package })
        }
        Err(reason) => {
            draft.emit(key.clone(), described)?;
            draft.emit(key, Fact::InstancePassed { reason: Reason::from(reason) })
        }
    }
}

fn check_description(description: &Description) -> Result<(), Error> {
    if description.addresses.len() > limits::INSTANCE_ADDRESSES {
        return Err(Error::input("outcome.addresses", &format!("at most {}", limits::INSTANCE_ADDRESSES)));
    }
    if description.tags.len() > limits::INSTANCE_TAGS {
        return Err(Error::input("outcome.tags", &format!("at most {}", limits::INSTANCE_TAGS)));
    }
    Ok(())
}

/// The rule that wants the instance, or why none does.
fn judge(
    draft: &mut Draft<'_>,
    instance: &Instance,
    description: &Description,
) -> Step<Result<InstanceRule, &'static str>> {
    if description.account != instance.account || description.region != instance.region {
        return Ok(Err("the cloud's API contradicts the event"));
    }
    if !matches!(description.state, InstanceState::Pending | InstanceState::Running) {
        return Ok(Err("the cloud's API says that it does not run"));
    }
    let rule = draft.registrar.policy.instances.iter().find(|rule| rule.matches(description));
    let Some(rule) = rule.cloned() else { return Ok(Err("no rule wants it")) };
    let name = package_name(&instance.id)?;
    if issue::live_by_name(draft, &rule.scope, &name)?.is_some() {
        return Ok(Err("its name belongs to another package"));
    }
    Ok(Ok(rule))
}

fn issue_for(draft: &mut Draft<'_>, instance: &Instance, rule: &InstanceRule) -> Step<crate::id::PackageId> {
    let new = NewPackage {
        scope: &rule.scope,
        name: &package_name(&instance.id)?,
        kind: &rule.kind,
        labels: &rule.labels,
        notes: None,
        parent: None,
        keepers: &BTreeMap::new(),
        ttl_seconds: rule.ttl_seconds.unwrap_or(draft.registrar.policy.package_ttl_seconds),
        max_uses: Some(1),
        inactivity_seconds: None,
        bindings: &Bindings::default(),
        activates_on: ActivatesOn::Delivery,
        contents: &rule.contents,
        instance: Some(&instance.id),
        request: None,
    };
    draft.prefetch(&new.keys())?;
    issue::create(draft, &new, Before::default()).map(|(package, _)| package.id)
}

fn package_name(id: &InstanceId) -> Result<crate::id::PackageName, Error> {
    id.as_str().parse().map_err(|_| Error::Misuse("an instance id is a package name"))
}
