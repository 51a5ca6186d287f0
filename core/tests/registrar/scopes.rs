//! Quotas: how much may be promised, and that all of it comes back.

use std::sync::Arc;

use handfast::{
    record::{Key, Record, Scope},
    vocabulary::{Answer, EffectOutcome, Refusal, Work},
};
use serde_json::{Value, json};

use crate::world::{World, policy};

impl World {
    fn configure(&mut self, limits: Value) -> Answer {
        let mut command = json!({"type": "configure_scope", "authority": "operator:ann", "scope": "default"});
        command.as_object_mut().unwrap().extend(limits.as_object().cloned().unwrap());
        self.run(command)
    }

    fn default_scope(&self) -> Arc<Scope> {
        match self.ledger.get(&Key::Scope("default".parse().unwrap())) {
            Some(Record::Scope(scope)) => scope,
            other => panic!("{other:?}"),
        }
    }
}

/// An upstream that itself refuses an eleventh client.
#[derive(Default)]
struct Upstream {
    clients: std::collections::BTreeSet<String>,
    refused: u32,
}

impl Upstream {
    const MOST: usize = 10;

    /// Does what is outstanding, as far as it lets itself be done. Every `flaky`th attempt fails.
    fn serve(&mut self, world: &mut World, flaky: usize) {
        for (place, effect) in world.effects().into_iter().enumerate() {
            if effect.not_before.is_some_and(|at| at > world.now) {
                continue;
            }
            world.report(&effect, EffectOutcome::Started { lease_seconds: 30 });
            let outcome = match &effect.work {
                _ if flaky > 0 && place % flaky == 0 => EffectOutcome::Failed { reason: "down".into() },
                Work::EnsureHost { resource } => {
                    if self.clients.len() == Self::MOST && !self.clients.contains(resource.name.as_str()) {
                        self.refused += 1;
                        EffectOutcome::Failed { reason: "too many clients".into() }
                    } else {
                        self.clients.insert(resource.name.to_string());
                        EffectOutcome::Done
                    }
                }
                Work::DeleteHost { name, .. } => {
                    self.clients.remove(name.as_str());
                    EffectOutcome::Done
                }
                other => panic!("{other:?}"),
            };
            world.report(&effect, outcome);
        }
    }
}

#[test]
fn any_number_of_applies_replaces_and_destroys_never_exceeds_ten_and_ends_at_zero() {
    let mut world = World::new();
    let mut upstream = Upstream::default();
    world.configure(json!({"max_active": 10}));
    for cycle in 0..12 {
        let packages: Vec<_> = (0..10)
            .map(|edge| world.apply(&format!("edge-{edge}"), &format!("{cycle}"), json!({})).package)
            .collect();
        assert_eq!(world.default_scope().reserved, 10);
        assert_eq!(world.not_issued("edge-10", json!({})), Refusal::QuotaExceeded);
        for round in 0..20 {
            upstream.serve(&mut world, if round < 3 { 3 } else { 0 });
            assert!(upstream.clients.len() <= 10 && world.default_scope().reserved <= 10);
            world.later(10);
        }
        assert_eq!(upstream.clients.len(), 10);
        if cycle % 4 == 3 {
            packages.iter().for_each(|package| drop(world.revoke(*package)));
            assert_eq!(world.default_scope().outstanding, 0);
            assert_eq!(world.default_scope().reserved, 10, "until they are gone upstream");
            assert_eq!(world.not_issued("edge-0", json!({})), Refusal::QuotaExceeded);
            for _ in 0..20 {
                upstream.serve(&mut world, 0);
                world.later(10);
            }
            assert_eq!((world.default_scope().reserved, upstream.clients.len()), (0, 0));
        }
    }
    assert_eq!(upstream.refused, 0, "the eleventh client was never even tried");
    assert!(world.vault().is_empty() && world.effects().is_empty());
}

#[test]
fn every_way_to_end_gives_back_what_was_reserved() {
    let mut world = World::new();
    world.configure(json!({"max_active": 4}));
    let (revoked, _) = world.issue("revoked", json!({}));
    world.issue("expires", json!({"ttl_seconds": 60}));
    let (_, token) = world.issue("leaves", json!({}));
    let (_, silent) = world.issue("silent", json!({}));
    let node = world.enrol(&token, "m1");
    world.redeemed(&silent, "m2");
    assert_eq!((world.default_scope().reserved, world.default_scope().free()), (4, Some(0)));
    world.revoke(revoked);
    world.run(json!({"type": "leave", "node": node, "fingerprint": "m1"}));
    assert_eq!(world.default_scope().reserved, 2);
    world.later(3600);
    world.tick();
    assert_eq!((world.default_scope().reserved, world.default_scope().outstanding), (0, 0));
    assert_eq!(world.default_scope().free(), Some(4));
}

#[test]
fn outstanding_packages_are_counted_apart_from_their_uses() {
    let mut world = World::new();
    world.configure(json!({"max_outstanding": 2}));
    world.issue("a", json!({"max_uses": 100}));
    let (b, _) = world.issue("b", json!({"max_uses": null}));
    assert_eq!(world.not_issued("c", json!({})), Refusal::QuotaExceeded);
    world.revoke(b);
    world.issue("c", json!({}));
}

#[test]
fn a_package_of_any_number_of_uses_does_not_fit_where_uses_are_counted() {
    let mut world = World::new();
    world.configure(json!({"max_active": 1000}));
    assert_eq!(world.not_issued("a", json!({"max_uses": null})), Refusal::UnboundedPackage);
    world.issue("b", json!({"max_uses": 1000}));
    assert_eq!(world.not_issued("c", json!({})), Refusal::QuotaExceeded);
}

#[test]
fn a_quota_may_be_lowered_below_what_is_reserved() {
    let mut world = World::new();
    world.configure(json!({"max_active": 3}));
    let packages: Vec<_> = ["a", "b", "c"].map(|name| world.issue(name, json!({})).0).into();
    assert!(
        matches!(world.configure(json!({"max_active": 1})), Answer::Configured(answer) if answer.changed)
    );
    assert!(
        matches!(world.configure(json!({"max_active": 1})), Answer::Configured(answer) if !answer.changed)
    );
    for package in packages {
        assert_eq!(
            (world.default_scope().free(), world.not_issued("d", json!({}))),
            (Some(0), Refusal::QuotaExceeded)
        );
        world.revoke(package);
    }
    world.issue("d", json!({}));
}

#[test]
fn packages_from_before_the_quota_are_outside_of_it() {
    let mut world = World::new();
    let (before, _) = world.issue("before", json!({}));
    world.configure(json!({"max_active": 1, "max_outstanding": 1}));
    let (within, _) = world.issue("within", json!({}));
    world.revoke(before);
    assert_eq!((world.default_scope().reserved, world.default_scope().outstanding), (1, 1));
    world.revoke(within);
    assert_eq!((world.default_scope().reserved, world.default_scope().outstanding), (0, 0));
}

#[test]
fn a_policy_may_give_back_at_the_end_instead() {
    let mut policy = policy();
    policy["release"] = json!("at_end");
    let mut world = World::with_policy(policy);
    world.configure(json!({"max_active": 1}));
    let first = world.apply("edge-1", "a", json!({})).package;
    world.work();
    world.revoke(first);
    assert_eq!(world.default_scope().reserved, 0);
    world.apply("edge-2", "a", json!({}));
    assert_eq!(world.default_scope().reserved, 1);
    world.work();
    assert_eq!(world.default_scope().reserved, 1, "nothing is given back twice");
}

#[test]
fn an_instance_that_finds_its_scope_full_is_told_so_and_asked_again_later() {
    let mut world = World::new();
    world.run(
        json!({"type": "configure_scope", "authority": "operator:ann", "scope": "cluster", "max_active": 1}),
    );
    let (taken, _) = world.issue("other", json!({"scope": "cluster"}));
    world.observe(handfast::aws::InstanceState::Running);
    world.describe();
    let effect = world.effect();
    assert!(effect.not_before.is_some_and(|at| at > world.now), "with a delay: {effect:?}");
    let Some(Record::Instance(instance)) = world.ledger.get(&Key::Instance(crate::world::instance())) else {
        panic!()
    };
    assert!(instance.reason.as_ref().unwrap().as_str().contains("quota"), "the operator sees why");
    world.revoke(taken);
    world.now = effect.not_before.unwrap();
    world.describe();
    let Some(Record::Instance(instance)) = world.ledger.get(&Key::Instance(crate::world::instance())) else {
        panic!()
    };
    assert!(instance.package.is_some());
}
