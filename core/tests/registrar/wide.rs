//! Packages for fleets: counted beyond what is listed, or not counted at all.

use handfast::{
    record::{EndReason, Key, NodeStatus, PackageStatus, RetireReason},
    vocabulary::{Answer, Refusal, Work},
};
use serde_json::json;

use crate::world::{World, refusal};

#[test]
fn a_counted_fleet_admits_exactly_so_many_and_lists_none() {
    let mut world = World::new();
    let (package, token) = world.issue("fleet", json!({"max_uses": 20}));
    for machine in 0..20 {
        world.redeemed(&token, &format!("m{machine}"));
        assert!(world.redeemed(&token, &format!("m{machine}")).again, "a retry is free");
    }
    assert_eq!(refusal(&world.redeem(&token, "m20")), Refusal::AlreadyClaimed);
    let fleet = world.package(package);
    assert_eq!((fleet.uses(), fleet.wide_live, fleet.nodes.len()), (20, 20, 0));
}

#[test]
fn the_redemptions_of_a_fleet_without_a_number_do_not_write_its_record() {
    let mut world = World::new();
    let (package, token) = world.issue("fleet", json!({"max_uses": null}));
    let key = Key::Package(package);
    world.enrol(&token, "m0");
    let version = world.version(&key);
    let nodes: Vec<_> = (1..50).map(|machine| world.enrol(&token, &format!("m{machine}"))).collect();
    assert_eq!(world.version(&key), version);
    assert!(nodes.iter().all(|node| world.node(*node).status == NodeStatus::Active));
    world.evict(nodes[0]);
    assert_eq!(world.version(&key), version);
    assert_eq!(world.status(package), PackageStatus::Activated);
}

#[test]
fn a_fleets_nodes_end_with_it_at_once_and_are_swept_afterwards() {
    for max_uses in [json!(20), json!(null)] {
        let mut world = World::new();
        let (package, token) = world.issue("fleet", json!({"max_uses": max_uses}));
        let nodes: Vec<_> = (0..18)
            .map(|machine| {
                let redeemed = world.redeemed(&token, &format!("m{machine}"));
                world.check_in(&redeemed, &format!("m{machine}"), 1);
                redeemed
            })
            .collect();
        world.revoke(package);
        assert_eq!(world.node(nodes[7].node).status, NodeStatus::Active, "nobody has told it yet");
        assert_eq!(
            refusal(&world.check_in(&nodes[7], "m7", 2)),
            Refusal::Ended,
            "and yet it is no node any more"
        );
        assert_eq!(refusal(&world.redeem(&token, "m7")), Refusal::Ended);
        assert_eq!(world.work(), [Work::Sweep { package }]);
        for node in &nodes {
            assert_eq!(world.node(node.node).retired, Some(RetireReason::PackageEnded));
        }
        assert_eq!(world.subject("default", "m7").standing(), "gone");
    }
}

#[test]
fn an_unused_fleet_needs_no_sweep() {
    let mut world = World::new();
    let (package, _) = world.issue("fleet", json!({"max_uses": null}));
    world.later(900);
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Expired);
    assert!(world.effects().is_empty() && world.vault().is_empty());
}

#[test]
fn a_counted_fleet_retires_with_its_last_node_once_none_can_come() {
    let mut world = World::new();
    let (package, token) = world.issue("fleet", json!({"max_uses": 17}));
    let nodes: Vec<_> = (0..17).map(|machine| world.enrol(&token, &format!("m{machine}"))).collect();
    for node in &nodes[..16] {
        world.evict(*node);
    }
    assert_eq!((world.status(package), world.package(package).wide_live), (PackageStatus::Activated, 1));
    world.evict(nodes[16]);
    assert_eq!(world.status(package), PackageStatus::Retired);
    assert_eq!(world.package(package).end_reason, Some(EndReason::LastNodeRetired));
}

#[test]
fn a_fleet_keeps_its_contents_for_as_long_as_anybody_may_retry() {
    let mut world = World::new();
    let file = json!({"max_uses": null, "contents": [{"type": "file", "name": "a", "content": "hunter2"}]});
    let (package, token) = world.issue("fleet", file);
    world.later(899);
    world.redeemed(&token, "m");
    world.later(599);
    assert_eq!(refusal(&world.redeem(&token, "late")), Refusal::Expired);
    world.tick();
    let again = world.redeemed(&token, "m");
    assert_eq!(again.contents[0].secret().unwrap().expose(), "hunter2");
    world.later(2);
    world.tick();
    assert!(!world.package(package).token_open && world.vault().is_empty());
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::GrantClosed);
}

#[test]
fn a_node_of_a_fleet_returns_by_a_reissued_token_and_is_counted_once() {
    let mut world = World::new();
    let (package, token) = world.issue("fleet", json!({"max_uses": 20}));
    let node = world.enrol(&token, "m0");
    world.enrol(&token, "m1");
    world.evict(node);
    assert_eq!((world.package(package).uses(), world.package(package).wide_live), (2, 1));
    let new = world.reissue(package, json!({}));
    assert_eq!(world.redeemed(&new, "m0").node, node);
    assert_eq!((world.package(package).uses(), world.package(package).wide_live), (2, 2));
    assert!(matches!(world.redeem(&new, "m1"), Answer::Redeemed(redeemed) if !redeemed.again));
    assert_eq!((world.package(package).uses(), world.package(package).wide_live), (2, 2), "it was alive");
}
