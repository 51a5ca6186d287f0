//! Forget, and the chain of facts that outlives it.

use handfast::{
    audit::Chain,
    aws::InstanceState,
    crypto::default_backend,
    id::PackageId,
    ledger::Ledger,
    record::{Key, Record},
    vocabulary::{Answer, Event, Refusal},
};
use serde_json::json;

use crate::world::{ADDRESS, World, instance, refusal};

impl World {
    fn forget(&mut self, key: &Key) -> Answer {
        self.run(json!({"type": "forget", "authority": "timer", "key": key}))
    }

    fn bodies(&self) -> Vec<String> {
        self.ledger.events().iter().map(Event::body).collect()
    }
}

fn forgotten(answer: &Answer) -> bool {
    matches!(answer, Answer::Forgotten(forgotten) if forgotten.changed)
}

#[test]
fn what_has_ended_is_forgotten_and_its_place_in_the_chain_stays() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({"labels": {"site": "hunter-lane"}}));
    let node = world.enrol(&token, "m");
    for key in [Key::Package(package), Key::Node(node)] {
        assert_eq!(refusal(&world.forget(&key)), Refusal::NotEnded);
    }
    world.revoke(package);
    for key in [Key::Package(package), Key::Node(node)] {
        let version = world.version(&key);
        assert!(forgotten(&world.forget(&key)));
        assert!(matches!(world.ledger.get(&key), Some(Record::Forgotten(_))));
        assert_eq!(world.version(&key), version + 1);
        assert_eq!(refusal(&world.forget(&key)), Refusal::Unknown, "once");
    }
    assert!(!world.ledger.snapshot().contains("hunter-lane"));
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::UnknownToken);
    let bodies = world.bodies();
    let replayed = Ledger::replay(&bodies, &*default_backend()).unwrap();
    assert_eq!(replayed.snapshot(), world.ledger.snapshot());
    let Record::Forgotten(left) = world.ledger.get(&Key::Package(package)).unwrap() else { panic!() };
    assert_eq!(left.scope.as_ref().unwrap().as_str(), "default");
}

#[test]
fn nothing_is_forgotten_while_anything_of_it_is_left_outside() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({"contents": [{"type": "host", "kind": "client"}]}));
    let key = Key::Package(package);
    world.work();
    world.revoke(package);
    assert_eq!(refusal(&world.forget(&key)), Refusal::NotEnded);
    world.work();
    assert!(forgotten(&world.forget(&key)));
    let other = Key::Scope("default".parse().unwrap());
    let command = json!({"type": "forget", "authority": "timer", "key": other});
    assert!(world.error(command).starts_with("key: "));
}

#[test]
fn a_node_below_a_forgotten_fleet_is_still_retired() {
    let mut world = World::new();
    let (fleet, token) = world.issue("fleet", json!({"max_uses": null}));
    let node = world.redeemed(&token, "m");
    world.revoke(fleet);
    assert_eq!(refusal(&world.forget(&Key::Package(fleet))), Refusal::NotEnded, "it is not swept");
    world.work();
    assert!(forgotten(&world.forget(&Key::Package(fleet))));
    assert_eq!(refusal(&world.check_in(&node, "m", 1)), Refusal::Unknown);
    assert!(forgotten(&world.forget(&Key::Node(node.node))));
}

#[test]
fn every_fact_is_linked_to_the_one_before_it_of_its_record() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    world.enrol(&token, "m");
    world.reissue(package, json!({}));
    world.revoke(package);
    let events = world.ledger.events();
    assert!(events.iter().all(|event| (event.version == 1) == event.previous.is_none()));
    let bodies = world.bodies();
    let mut chain = Chain::new(default_backend());
    bodies.iter().for_each(|body| chain.feed(body).unwrap());
    assert!(chain.finish().is_empty());
    let place = bodies.iter().position(|body| body.contains("package_reissued")).unwrap();
    let mut altered = bodies.clone();
    altered[place] =
        altered[place].replace("\"authority\":\"operator:ann\"", "\"authority\":\"operator:bob\"");
    assert_ne!(altered, bodies);
    let mut dropped = bodies.clone();
    dropped.remove(place);
    for wrong in [altered, dropped] {
        assert!(Ledger::replay(&wrong, &*default_backend()).is_err());
        let mut chain = Chain::new(default_backend());
        assert!(wrong.iter().any(|body| chain.feed(body).is_err()));
    }
}

#[test]
fn a_forgotten_package_is_a_parent_that_has_ended() {
    let mut policy = crate::world::policy();
    policy["kinds"] = json!({"gateway": {"parents": ["site"]}});
    let mut world = World::with_policy(policy);
    let site = world.made("site", json!({"kind": "site"}));
    let children: Vec<PackageId> = (0..17)
        .map(|number| world.made(&format!("g{number}"), json!({"kind": "gateway", "parent": site})))
        .collect();
    world.revoke(site);
    world.work();
    assert!(children.iter().all(|child| !world.status(*child).is_live()));
    assert!(forgotten(&world.forget(&Key::Package(site))));
    assert_eq!(world.not_issued("g", json!({"kind": "gateway", "parent": site})), Refusal::Unknown);
}

#[test]
fn the_tombstone_of_an_instance_outlives_the_age_of_events_by_a_day() {
    let mut world = World::new();
    let package = world.instance_ready();
    world.deliver_to_instance(ADDRESS);
    world.observe(InstanceState::Terminated);
    world.work();
    let key = Key::Instance(instance());
    world.later(3600 + 24 * 3600 - 1);
    assert_eq!(refusal(&world.forget(&key)), Refusal::NotEnded);
    world.later(1);
    assert!(forgotten(&world.forget(&key)));
    assert!(forgotten(&world.forget(&Key::Package(package))));
    let version = world.version(&key);
    world.observe_at(InstanceState::Terminated, world.now.minus_seconds(100_000));
    assert_eq!(world.version(&key), version, "a late repeat of its end is nothing new");
    assert!(world.effects().is_empty());
}

#[test]
fn a_node_that_was_forgotten_is_no_clone_when_it_comes_back() {
    for max_uses in [json!(2), json!(20), json!(null)] {
        let mut world = World::new();
        let (package, token) = world.issue("fleet", json!({"max_uses": max_uses}));
        let node = world.enrol(&token, "m");
        world.evict(node);
        assert!(forgotten(&world.forget(&Key::Node(node))));
        assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::NodeRetired);
        world.enrol(&token, "other");
        assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::NodeRetired, "also when all uses are spent");
        assert_eq!(world.package(package).clones_suspected, 0);
    }
}
