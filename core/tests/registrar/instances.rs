//! Cloud instances: signed events, the cloud's API, and the bootstrap tokens that follow.

use handfast::{
    aws::InstanceState,
    record::{DeliveredTo, EndReason, Key, PackageStatus, Record, ResourceState},
    registrar::Revealed,
    vocabulary::{Answer, EffectOutcome, GivenContent, Refusal, Work},
};
use serde_json::json;

use crate::world::{ADDRESS, INSTANCE, World, delivered, described, instance, refusal, source};

#[test]
fn running_gives_a_node_its_bootstrap_token_once() {
    let mut world = World::new();
    world.observe(InstanceState::Pending);
    assert!(world.effects().is_empty());
    world.observe(InstanceState::Running);
    assert!(matches!(world.effect().work, Work::DescribeInstance { .. }), "a message never issues by itself");
    assert_eq!(
        refusal(&world.deliver_to_instance(ADDRESS)),
        Refusal::WrongAddress,
        "its address is not known yet"
    );
    world.describe();
    assert_eq!(refusal(&world.deliver_to_instance(ADDRESS)), Refusal::NotReady);
    let effect = world.effect();
    let Work::EnsureBootstrapToken { name, .. } = &effect.work else { panic!("{effect:?}") };
    let rows = world.ledger.read(&effect.work.secrets().into_iter().map(Key::Secret).collect::<Vec<_>>());
    let Revealed::BootstrapToken(manifest) = world.registrar.reveal(&effect, &rows).unwrap() else {
        panic!()
    };
    assert_eq!(manifest.name(), *name);
    assert!(manifest.to_yaml().expose().contains(INSTANCE));
    world.report(&effect, EffectOutcome::Done);
    let first = delivered(world.deliver_to_instance(ADDRESS));
    let [GivenContent::KubernetesBootstrapToken { token, .. }] = &first.contents[..] else {
        panic!("{first:?}")
    };
    assert!(name.ends_with(token.expose().split('.').next().unwrap()));
    assert_eq!(world.status(first.package), PackageStatus::Activated);
    let again = delivered(world.deliver_to_instance(ADDRESS));
    assert!(again.again && again.contents == first.contents);
}

#[test]
fn a_repeated_running_issues_nothing_new() {
    let mut world = World::new();
    let package = world.instance_ready();
    let events = world.ledger.events().len();
    for _ in 0..5 {
        world.observe(InstanceState::Running);
    }
    assert_eq!(world.ledger.events().len(), events, "the same event");
    world.later(30);
    assert!(
        matches!(world.observe(InstanceState::Running), Answer::Observed(observed) if observed.package == Some(package))
    );
    assert!(world.effects().is_empty());
    assert_eq!(world.facts().iter().filter(|fact| **fact == "package_issued").count(), 1);
}

#[test]
fn terminated_before_running_wins_whatever_the_order() {
    let mut world = World::new();
    world.later(60);
    world.observe(InstanceState::Terminated);
    world.observe_at(InstanceState::Running, world.now.minus_seconds(30));
    assert!(world.effects().is_empty());
    world.later(10);
    assert!(matches!(world.observe(InstanceState::Running), Answer::Observed(observed) if !observed.changed));
    assert_eq!(world.facts(), ["instance_observed"]);
}

#[test]
fn terminated_cleans_everything_up() {
    let mut world = World::new();
    let package = world.instance_ready();
    world.deliver_to_instance(ADDRESS);
    world.observe_at(InstanceState::ShuttingDown, world.now.minus_seconds(7200));
    assert_eq!(world.status(package), PackageStatus::Retired, "an end counts whenever it happened");
    assert_eq!(world.package(package).end_reason, Some(EndReason::InstanceTerminated));
    let effect = world.effect();
    assert!(matches!(effect.work, Work::DeleteBootstrapToken { .. }));
    assert!(!world.package(package).is_settled());
    world.report(&effect, EffectOutcome::Done);
    assert!(world.package(package).is_settled() && world.effects().is_empty() && world.vault().is_empty());
    assert_eq!(refusal(&world.deliver_to_instance(ADDRESS)), Refusal::Ended);
    world.observe(InstanceState::Terminated);
    assert!(world.effects().is_empty());
}

#[test]
fn a_create_that_completes_after_the_end_is_undone() {
    let mut world = World::new();
    world.observe(InstanceState::Running);
    world.describe();
    let create = world.effect();
    world.report(&create, EffectOutcome::Started { lease_seconds: 30 });
    world.observe(InstanceState::Terminated);
    let delete = world.effect();
    assert!(
        matches!(delete.work, Work::DeleteBootstrapToken { .. }) && delete.not_before.is_some(),
        "after the create"
    );
    world.report(&create, EffectOutcome::Done);
    let delete = world.effect();
    assert_eq!(delete.not_before, None);
    world.report(&delete, EffectOutcome::Done);
    assert!(world.effects().is_empty());
    world.report(&create, EffectOutcome::Done);
    let again = world.effect();
    assert!(matches!(again.work, Work::DeleteBootstrapToken { .. }), "even when it was gone already");
    world.report(&again, EffectOutcome::Done);
    assert_eq!(refusal(&world.report(&delete, EffectOutcome::Done)), Refusal::NotOutstanding);
}

#[test]
fn only_the_instances_own_address_is_given_its_package_and_not_for_long() {
    let mut world = World::new();
    world.instance_ready();
    assert_eq!(refusal(&world.deliver_to_instance("10.0.0.8")), Refusal::WrongAddress);
    let anonymous = json!({"type": "deliver", "to": {"type": "instance", "instance": INSTANCE}});
    assert_eq!(refusal(&world.run(anonymous)), Refusal::WrongAddress);
    let unknown = json!({"type": "deliver", "to": {"type": "instance", "instance": "i-00000000000000000"}, "source": ADDRESS});
    assert_eq!(refusal(&world.run(unknown)), Refusal::Unknown);
    world.later(300);
    assert_eq!(refusal(&world.deliver_to_instance(ADDRESS)), Refusal::AddressWindowClosed);
}

#[test]
fn an_instance_id_alone_proves_nothing_unless_the_policy_says_so_and_then_the_audit_does_too() {
    let mut policy = crate::world::policy();
    policy["instance_id_alone"] = json!(true);
    let mut world = World::with_policy(policy);
    let package = world.instance_ready();
    world.later(400);
    delivered(world.deliver_to_instance("192.0.2.99"));
    let to = world.package(package).delivery.clone().unwrap().to;
    assert!(matches!(to, DeliveredTo::Instance { by_id_alone: true, .. }));
}

#[test]
fn an_instance_that_no_rule_wants_gets_nothing_and_the_record_says_why() {
    for (tags, reason) in [(json!({}), "no rule wants it"), (json!({"role": "database"}), "no rule wants it")]
    {
        let mut world = World::new();
        world.observe(InstanceState::Running);
        let effect = world.effect();
        world.report(&effect, described(&tags));
        assert!(world.effects().is_empty() && world.vault().is_empty());
        let Some(Record::Instance(record)) = world.ledger.get(&Key::Instance(instance())) else { panic!() };
        assert_eq!(record.reason.as_ref().unwrap().as_str(), reason);
    }
}

#[test]
fn an_api_that_contradicts_the_event_is_believed() {
    let mut world = World::new();
    world.observe(InstanceState::Running);
    let effect = world.effect();
    let EffectOutcome::Described(mut description) = described(&json!({"role": "node"})) else { panic!() };
    description.account = "999999999999".parse().unwrap();
    world.report(&effect, EffectOutcome::Described(description));
    let Some(Record::Instance(record)) = world.ledger.get(&Key::Instance(instance())) else { panic!() };
    assert!(record.package.is_none() && record.reason.as_ref().unwrap().as_str().contains("contradicts"));
}

#[test]
fn the_api_is_asked_again_with_growing_delays_until_the_event_is_old() {
    let mut world = World::new();
    world.observe(InstanceState::Running);
    let mut asked = 0;
    while let [effect] = &world.effects()[..] {
        world.now = effect.not_before.unwrap_or(world.now);
        let failed = EffectOutcome::Failed { reason: "InvalidInstanceID.NotFound".into() };
        world.report(effect, failed);
        asked += 1;
    }
    assert!((8..20).contains(&asked), "{asked}");
    let Some(Record::Instance(record)) = world.ledger.get(&Key::Instance(instance())) else { panic!() };
    assert_eq!(record.reason.as_ref().unwrap().as_str(), "InvalidInstanceID.NotFound");
}

#[test]
fn old_news_is_no_news_and_too_old_is_refused() {
    let mut world = World::new();
    world.later(10_000);
    world.observe(InstanceState::Stopped);
    world.observe_at(InstanceState::Running, world.now.minus_seconds(5));
    assert!(world.effects().is_empty());
    let mut fresh = World::new();
    let old = fresh.now.minus_seconds(3601);
    assert_eq!(refusal(&fresh.observe_at(InstanceState::Running, old)), Refusal::Expired);
    let ahead = fresh.now.plus_seconds(301);
    assert_eq!(refusal(&fresh.observe_at(InstanceState::Running, ahead)), Refusal::Expired);
}

#[test]
fn of_two_workers_one_has_the_lease() {
    let mut world = World::new();
    world.observe(InstanceState::Running);
    let effect = world.effect();
    let started = || EffectOutcome::Started { lease_seconds: 30 };
    assert!(matches!(world.report_as("executor:a", &effect, started()), Answer::Reported(_)));
    assert_eq!(refusal(&world.report_as("executor:b", &effect, started())), Refusal::NotOutstanding);
    assert_eq!(
        refusal(&world.report_as("executor:b", &effect, described(&json!({})))),
        Refusal::NotOutstanding
    );
    world.later(30);
    assert!(
        matches!(world.report_as("executor:b", &effect, started()), Answer::Reported(_)),
        "a is taken for dead"
    );
    assert_eq!(refusal(&world.report_as("executor:a", &effect, started())), Refusal::NotOutstanding);
}

#[test]
fn a_failed_create_is_retried_and_the_operator_sees_why() {
    let mut world = World::new();
    world.observe(InstanceState::Running);
    world.describe();
    let effect = world.effect();
    world.report(&effect, EffectOutcome::Failed { reason: "connection refused".into() });
    let retry = world.effect();
    assert_ne!(retry.id, effect.id);
    assert_eq!(retry.work, effect.work, "the same name and secret");
    assert_eq!(retry.not_before, Some(world.now.plus_seconds(2)));
    assert_eq!(
        refusal(&world.report(&retry, EffectOutcome::Started { lease_seconds: 30 })),
        Refusal::NotOutstanding,
        "too early"
    );
    let package = *world
        .ledger
        .iter()
        .find_map(|(key, _)| if let Key::Package(id) = key { Some(id) } else { None })
        .unwrap();
    assert_eq!(world.package(package).resources[0].reason.as_ref().unwrap().as_str(), "connection refused");
    world.later(2);
    world.report(&retry, EffectOutcome::Done);
    assert!(world.package(package).is_ready());
    assert_eq!(world.package(package).resources[0].reason, None);
}

#[test]
fn somebody_elses_object_is_neither_used_nor_deleted() {
    let mut world = World::new();
    world.observe(InstanceState::Running);
    world.describe();
    let effect = world.effect();
    world.report(&effect, EffectOutcome::Collision);
    assert!(world.effects().is_empty());
    assert_eq!(refusal(&world.deliver_to_instance(ADDRESS)), Refusal::NotReady);
    world.observe(InstanceState::Terminated);
    assert!(world.effects().is_empty());
}

#[test]
fn a_bootstrap_token_is_deleted_when_it_expires_and_unused_packages_end() {
    let mut world = World::new();
    let package = world.instance_ready();
    world.deliver_to_instance(ADDRESS);
    world.later(900);
    world.tick();
    assert_eq!(world.package(package).resources[0].state, ResourceState::Deleting);
    assert_eq!(world.status(package), PackageStatus::Activated);
    let mut unused = World::new();
    let package = unused.instance_ready();
    unused.later(900);
    unused.tick();
    assert_eq!(unused.status(package), PackageStatus::Expired);
    assert!(
        matches!(unused.effect().work, Work::DeleteBootstrapToken { .. }),
        "unused credentials are deleted"
    );
}

#[test]
fn a_repeated_delivery_is_recorded_with_its_requester() {
    let mut world = World::new();
    let package = world.instance_ready();
    world.deliver_to_instance(ADDRESS);
    assert_eq!(world.package(package).activated_from, source(ADDRESS));
    let events: Vec<_> =
        world.ledger.events().iter().filter(|event| event.key == Key::Package(package)).collect();
    assert_eq!(
        events.iter().map(|event| event.version).collect::<Vec<_>>(),
        (1..=events.len() as u64).collect::<Vec<_>>()
    );
}

#[test]
fn a_trusted_account_cannot_end_an_instance_of_another() {
    let mut world = World::new();
    let package = world.instance_ready();
    let body = world
        .ledger
        .read(&[Key::Instance(instance())])
        .remove(0)
        .body
        .replace("123456789012", "111111111111");
    let mut elsewhere = World::new();
    elsewhere.observe(InstanceState::Running);
    let text = elsewhere.ledger.snapshot().replace("123456789012", "111111111111");
    assert!(body.contains("111111111111"));
    let mut restored = handfast::ledger::Ledger::restore(&text).unwrap();
    std::mem::swap(&mut world.ledger, &mut restored);
    assert_eq!(refusal(&world.observe(InstanceState::Terminated)), Refusal::BindingMismatch);
    std::mem::swap(&mut world.ledger, &mut restored);
    assert_eq!(world.status(package), PackageStatus::Created);
}
