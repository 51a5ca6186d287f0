//! Keepers: the same again is the same package, another is a new one in its place.

use handfast::{
    id::PackageId,
    record::{EndReason, NodeStatus, PackageStatus},
    vocabulary::{Answer, EffectOutcome, Issued, Refusal, Work},
};
use serde_json::{Value, json};

use crate::world::{World, delivered, refusal};

impl World {
    /// Terraform's `apply`: a package of that name with this hash as its keeper, and a client upstream.
    pub(crate) fn apply(&mut self, name: &str, hash: &str, more: Value) -> Issued {
        let client = json!([{"type": "host", "kind": "client", "value": {"type": "drawn"}}]);
        let mut all = json!({"keepers": {"hash": hash}, "contents": client, "deliver": false});
        all.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        self.issued(name, all)
    }

    fn scope(&self, id: &str) -> (u32, u32) {
        match self.ledger.get(&handfast::record::Key::Scope(id.parse().unwrap())) {
            Some(handfast::record::Record::Scope(scope)) => (scope.reserved, scope.outstanding),
            other => panic!("{other:?}"),
        }
    }

    fn quota(&mut self, max_active: u32) {
        self.run(json!({"type": "configure_scope", "authority": "operator:ann", "scope": "default", "max_active": max_active}));
    }

    fn creates(&self) -> Vec<PackageId> {
        let of = |effect: &handfast::vocabulary::Effect| match (&effect.work, &effect.id) {
            (Work::EnsureHost { .. }, handfast::vocabulary::EffectId::Resource { package, .. }) => {
                Some(*package)
            }
            _ => None,
        };
        self.effects().iter().filter_map(of).collect()
    }
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let mut world = World::new();
    let first = world.apply("edge-1", "a", json!({}));
    let events = world.ledger.events().len();
    for _ in 0..3 {
        let again = world.apply("edge-1", "a", json!({}));
        assert!(again.again && again.package == first.package && again.token.is_none());
    }
    assert_eq!(world.ledger.events().len(), events);
}

#[test]
fn a_name_without_keepers_is_nobody_elses_to_replace() {
    let mut world = World::new();
    world.issue("plain", json!({}));
    assert_eq!(world.not_issued("plain", json!({"keepers": {"hash": "a"}})), Refusal::NameTaken);
    world.apply("kept", "a", json!({}));
    assert_eq!(world.not_issued("kept", json!({})), Refusal::NameTaken);
}

#[test]
fn other_keepers_replace_the_package_in_one_decision() {
    let mut world = World::new();
    let (old, token) = world.issue("edge-1", json!({"keepers": {"hash": "a"}}));
    let node = world.enrol(&token, "m");
    let decisions = world.ledger.events().len();
    let new = world.issued("edge-1", json!({"keepers": {"hash": "b"}}));
    assert_eq!(world.status(old), PackageStatus::Revoked);
    assert_eq!(world.package(old).end_reason, Some(EndReason::Replaced { by: new.package }));
    assert_eq!(world.node(node).status, NodeStatus::Retired);
    let events = &world.ledger.events()[decisions..];
    assert!(events.iter().all(|event| event.decision == events[0].decision));
    let token = new.token.unwrap();
    assert!(matches!(world.redeem(token.expose(), "m"), Answer::Redeemed(_)), "the machine is free again");
}

#[test]
fn the_new_ones_client_waits_until_the_old_ones_is_gone() {
    let mut world = World::new();
    let old = world.apply("edge-1", "a", json!({})).package;
    world.work();
    let new = world.apply("edge-1", "b", json!({})).package;
    let delete = world.effect();
    assert!(matches!(&delete.work, Work::DeleteHost { .. }), "nothing is created yet");
    world.report(&delete, EffectOutcome::Failed { reason: "the upstream is down".into() });
    assert!(world.creates().is_empty());
    world.later(2);
    let delete = world.effect();
    world.report(&delete, EffectOutcome::Done);
    assert!(world.package(old).is_settled());
    assert_eq!(world.creates(), [new]);
    world.work();
    assert!(world.package(new).is_ready() && world.package(new).waits_for.is_none());
}

#[test]
fn a_replacement_that_is_revoked_while_it_waits_leaves_nothing() {
    let mut world = World::new();
    world.quota(1);
    let first = world.apply("edge-1", "a", json!({})).package;
    world.work();
    let second = world.apply("edge-1", "b", json!({})).package;
    world.revoke(second);
    assert_eq!(world.scope("default"), (1, 0), "the client of the first is still out there");
    assert_eq!(world.not_issued("edge-2", json!({})), Refusal::QuotaExceeded);
    assert_eq!(world.work().len(), 1);
    assert_eq!(world.scope("default"), (0, 0));
    assert!(world.package(first).is_settled() && world.package(second).is_settled());
    world.apply("edge-1", "c", json!({}));
    assert_eq!(world.creates().len(), 1);
}

#[test]
fn a_node_does_not_join_while_the_object_of_the_one_before_it_is_yet_to_be_deleted() {
    let mut world = World::new();
    let node = |hash: &str| json!({"keepers": {"hash": hash}, "contents": [{"type": "kubernetes_node", "name": "n1"}]});
    let (_, token) = world.issue("edge-1", node("a"));
    world.enrol(&token, "m");
    let new = world.issued("edge-1", node("b"));
    assert!(new.token.is_none() && new.status == PackageStatus::Created);
    assert_eq!(refusal(&world.deliver(new.package)), Refusal::NotReady);
    assert!(matches!(&world.work()[..], [Work::DeleteKubernetesNode { .. }]));
    assert!(delivered(world.deliver(new.package)).token.is_some());
}

#[test]
fn a_request_that_is_repeated_after_a_replacement_means_the_new_one() {
    let mut world = World::new();
    world.apply("edge-1", "a", json!({"request": "r-1"}));
    let new = world.apply("edge-1", "b", json!({"request": "r-2"}));
    let again = world.apply("edge-1", "b", json!({"request": "r-2"}));
    assert!(again.again && again.package == new.package);
}

#[test]
fn a_chain_of_replacements_waits_for_the_only_client_that_there_is() {
    let mut world = World::new();
    let first = world.apply("edge-1", "a", json!({})).package;
    world.work();
    let second = world.apply("edge-1", "b", json!({})).package;
    let third = world.apply("edge-1", "c", json!({})).package;
    let fourth = world.apply("edge-1", "d", json!({})).package;
    assert!(
        world.package(second).is_settled() && world.package(third).is_settled(),
        "nothing of them was ever made"
    );
    assert_eq!(world.package(fourth).waits_for, Some(first));
    assert_eq!(world.effects().len(), 1, "one delete");
    assert_eq!(world.work().len(), 2, "and one create");
    assert!(world.package(fourth).is_ready() && world.vault().len() == 2);
    world.revoke(fourth);
    world.work();
    assert!(world.vault().is_empty());
}

#[test]
fn what_was_reserved_goes_over_to_the_new_one() {
    let mut world = World::new();
    world.quota(3);
    world.apply("edge-1", "a", json!({"max_uses": 2}));
    world.work();
    assert_eq!(world.scope("default"), (2, 1));
    world.apply("edge-1", "b", json!({"max_uses": 3}));
    assert_eq!(world.scope("default"), (3, 1), "one more, and never five");
    world.apply("edge-1", "c", json!({"max_uses": 1}));
    assert_eq!(world.scope("default"), (1, 1), "two are given back at once");
    assert_eq!(
        world.not_issued("edge-1", json!({"keepers": {"hash": "d"}, "max_uses": 4})),
        Refusal::QuotaExceeded
    );
    world.work();
    assert_eq!(world.scope("default"), (1, 1));
}

#[test]
fn the_new_ones_create_also_waits_for_a_node_object_of_one_that_never_came_to_be() {
    let mut world = World::new();
    let both = || {
        json!({"contents": [
            {"type": "host", "kind": "client"}, {"type": "kubernetes_node", "name": "n1"},
        ]})
    };
    let first = world.apply("edge-1", "a", both()).package;
    world.work();
    let second = world.apply("edge-1", "b", both()).package;
    let third = world.apply("edge-1", "c", both()).package;
    while world.package(third).waits_for.is_some() {
        let effects = world.effects();
        assert!(effects.iter().all(|effect| !matches!(effect.work, Work::EnsureHost { .. })), "{effects:?}");
        assert!(!effects.is_empty());
        world.report(&effects[0], EffectOutcome::Done);
    }
    assert!(world.package(first).is_settled() && world.package(second).is_settled());
    assert_eq!(world.creates(), [third]);
}
