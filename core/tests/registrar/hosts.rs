//! Resources of kinds that the host defines, and the cluster's own objects.

use handfast::{
    record::{Key, PackageStatus, ResourceState},
    registrar::Revealed,
    vocabulary::{Effect, EffectOutcome, GivenContent, Refusal, Work},
};
use serde_json::{Value, json};

use crate::world::{World, delivered, refusal};

fn host(value: Value) -> Value {
    json!({"contents": [{"type": "host", "kind": "database", "value": value, "settings": {"size": "small"}}]})
}

impl World {
    fn reveal(&self, effect: &Effect) -> Revealed {
        let keys: Vec<_> = effect.work.secrets().into_iter().map(Key::Secret).collect();
        self.registrar.reveal(effect, &self.ledger.read(&keys)).unwrap()
    }
}

#[test]
fn a_value_is_drawn_or_given_and_reaches_the_executor_and_the_node() {
    for (value, given) in
        [(json!({"type": "drawn"}), None), (json!({"type": "given", "value": "hunter2"}), Some("hunter2"))]
    {
        let mut world = World::new();
        let package = world.made("edge-1", host(value));
        let effect = world.effect();
        let Work::EnsureHost { resource } = &effect.work else { panic!("{effect:?}") };
        assert!(resource.name.as_str().starts_with("hf-"), "{}", resource.name);
        assert_eq!(resource.settings["size"], "small");
        let Revealed::Value(value) = world.reveal(&effect) else { panic!() };
        assert!(given.is_none_or(|given| given == value.expose()) && value.expose().len() > 6);
        world.work();
        let token = delivered(world.deliver(package)).token.unwrap();
        let redeemed = world.redeemed(token.expose(), "m");
        let [GivenContent::Host { kind, name, value: given }] = &redeemed.contents[..] else { panic!() };
        assert_eq!((kind.as_str(), name, given), ("database", &resource.name, &value));
        world.check_in(&redeemed, "m", 1);
        world.later(600);
        world.tick();
        assert!(world.vault().is_empty());
    }
}

#[test]
fn a_resource_without_a_value_has_no_secret() {
    let mut world = World::new();
    let package = world.made("edge-1", host(json!({"type": "none"})));
    assert_eq!(world.vault().len(), 1, "the token");
    let effect = world.effect();
    assert!(matches!(world.reveal(&effect), Revealed::Nothing));
    world.work();
    let token = delivered(world.deliver(package)).token.unwrap();
    assert!(world.redeemed(token.expose(), "m").contents.is_empty());
}

#[test]
fn nothing_is_handed_over_before_all_of_it_is_ready() {
    let mut world = World::new();
    let two = json!({"contents": [{"type": "host", "kind": "a"}, {"type": "host", "kind": "b"}]});
    let package = world.made("edge-1", two);
    let effects = world.effects();
    assert_eq!(refusal(&world.deliver(package)), Refusal::NotReady);
    world.report(&effects[0], EffectOutcome::Done);
    assert_eq!(refusal(&world.deliver(package)), Refusal::NotReady);
    world.report(&effects[1], EffectOutcome::Done);
    delivered(world.deliver(package));
    let deliver = json!({"type": "issue", "authority": "operator:ann", "name": "x", "deliver": true, "contents": [{"type": "host", "kind": "a"}]});
    assert!(world.error(deliver).starts_with("deliver: "));
}

#[test]
fn what_one_worker_started_is_deleted_after_it_and_what_was_never_started_is_not() {
    let mut world = World::new();
    let package = world.made("edge-1", host(json!({"type": "drawn"})));
    world.revoke(package);
    assert!(world.effects().is_empty() && world.package(package).is_settled());
    let package = world.made("edge-1", host(json!({"type": "drawn"})));
    let create = world.effect();
    world.report(&create, EffectOutcome::Started { lease_seconds: 30 });
    world.revoke(package);
    let delete = world.effect();
    assert_eq!(delete.not_before, Some(world.now.plus_seconds(30)), "the worker may still be at it");
    assert_eq!(
        refusal(&world.report_as("executor:w2", &delete, EffectOutcome::Started { lease_seconds: 30 })),
        Refusal::NotOutstanding
    );
    world.later(30);
    assert_eq!(world.work().len(), 1);
    assert!(world.package(package).is_settled());
}

#[test]
fn a_report_of_an_earlier_attempt_counts_for_nothing_while_the_package_lives() {
    let mut world = World::new();
    let package = world.made("edge-1", host(json!({"type": "drawn"})));
    let first = world.effect();
    world.report(&first, EffectOutcome::Unknown);
    assert_eq!(refusal(&world.report(&first, EffectOutcome::Done)), Refusal::NotOutstanding);
    world.later(2);
    let second = world.effect();
    assert_eq!(second.work, first.work, "the same name and secret, so twice is once");
    world.report(&second, EffectOutcome::Done);
    assert!(world.package(package).is_ready());
    let events = world.ledger.events().len();
    world.report(&second, EffectOutcome::Done);
    assert_eq!(world.ledger.events().len(), events, "told twice");
}

#[test]
fn an_upstream_that_is_down_for_a_day_loses_nothing() {
    let mut world = World::new();
    let package =
        world.made("edge-1", json!({"ttl_seconds": 200_000, "contents": [{"type": "host", "kind": "a"}]}));
    let end = world.now.plus_seconds(86_400);
    let mut attempts = 0;
    while world.now < end {
        let effect = world.effect();
        world.now = effect.not_before.unwrap_or(world.now);
        world.report(&effect, EffectOutcome::Failed { reason: "down".into() });
        attempts += 1;
        assert_eq!(world.package(package).resources[0].reason.as_ref().unwrap().as_str(), "down");
    }
    assert!((90..120).contains(&attempts), "the delays grow and stop growing: {attempts}");
    world.now = world.effect().not_before.unwrap();
    world.work();
    assert!(world.package(package).is_ready());
}

#[test]
fn somebody_elses_object_is_left_alone_in_the_end_as_well() {
    let mut world = World::new();
    let package = world.made("edge-1", host(json!({"type": "drawn"})));
    let create = world.effect();
    world.report(&create, EffectOutcome::Collision);
    assert_eq!(world.package(package).resources[0].state, ResourceState::Failed);
    assert_eq!(refusal(&world.deliver(package)), Refusal::NotReady);
    world.revoke(package);
    assert!(world.effects().is_empty() && world.package(package).is_settled());
}

#[test]
fn a_clusters_node_object_is_never_deleted_because_a_package_expired() {
    let node = json!({"contents": [{"type": "kubernetes_node", "name": "n1"}], "ttl_seconds": 60});
    let mut world = World::new();
    let (package, _) = world.issue("edge-1", node.clone());
    assert!(world.effects().is_empty(), "it is the node's to make");
    world.later(60);
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Expired);
    assert!(world.effects().is_empty() && world.package(package).is_settled());
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", node.clone());
    world.redeemed(&token, "m");
    world.later(3600);
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Expired, "it never checked in");
    assert!(world.effects().is_empty());
    for how in ["revoke", "leave"] {
        let mut world = World::new();
        let (package, token) = world.issue("edge-1", node.clone());
        let machine = world.enrol(&token, "m");
        match how {
            "revoke" => world.revoke(package),
            _ => world.run(json!({"type": "leave", "node": machine, "fingerprint": "m"})),
        };
        assert!(
            matches!(&world.effect().work, Work::DeleteKubernetesNode { name } if name.to_string() == "n1"),
            "{how}"
        );
        assert_eq!(world.work().len(), 1);
    }
}

#[test]
fn a_failed_delete_is_tried_again_and_the_operator_sees_why() {
    let mut world = World::new();
    let package = world.made("edge-1", host(json!({"type": "drawn"})));
    world.work();
    world.revoke(package);
    let delete = world.effect();
    world.report(&delete, EffectOutcome::Failed { reason: "forbidden".into() });
    let record = &world.package(package).resources[0];
    assert_eq!(
        (record.state, record.reason.as_ref().unwrap().as_str()),
        (ResourceState::Deleting, "forbidden")
    );
    assert!(!world.package(package).is_settled());
    world.later(4);
    assert_eq!(world.work().len(), 1);
    assert!(world.package(package).is_settled());
}
