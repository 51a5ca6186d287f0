//! The table of first redemptions, retries and re-enrolments, row by row.

use handfast::{
    record::{EndReason, Key, NodeStatus, PackageStatus, RetireReason},
    vocabulary::{Answer, Refusal},
};
use serde_json::json;

use crate::world::{World, policy, refusal};

impl World {
    pub(crate) fn ban(&mut self, scope: &str, subject: &str) -> Answer {
        self.run(json!({"type": "ban", "authority": "operator:ann", "scope": scope, "subject": subject}))
    }

    pub(crate) fn evict(&mut self, node: handfast::id::NodeId) -> Answer {
        self.run(json!({"type": "evict", "authority": "operator:ann", "node": node}))
    }
}

#[test]
fn a_banned_subject_is_refused_under_any_name() {
    let mut world = World::new();
    world.ban("default", "m");
    world.ban("default", "node/n1");
    world.ban("default", "spiffe://example.org/n2");
    let (_, token) = world.issue("edge-1", json!({}));
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::Banned);
    let redeem = |name: serde_json::Value| {
        let mut command = json!({"type": "redeem", "token": token, "fingerprint": "other"});
        command.as_object_mut().unwrap().extend(name.as_object().cloned().unwrap());
        command
    };
    assert_eq!(refusal(&world.run(redeem(json!({"node_name": "n1"})))), Refusal::Banned);
    assert_eq!(refusal(&world.run(redeem(json!({"spiffe_id": "spiffe://example.org/n2"})))), Refusal::Banned);
    assert!(matches!(world.run(redeem(json!({"node_name": "n3"}))), Answer::Redeemed(_)));
}

#[test]
fn a_node_that_lives_gets_the_same_grant_while_it_is_open() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let first = world.redeemed(&token, "m");
    let events = world.ledger.events().len();
    let again = world.redeemed(&token, "m");
    assert!(again.again && again.node == first.node && again.activate_by == first.activate_by);
    assert_eq!(world.ledger.events().len(), events);
    world.check_in(&first, "m", 1);
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::GrantClosed);
    assert_eq!(world.package(package).uses(), 1);
}

#[test]
fn a_retired_node_is_not_revived_by_the_token_that_it_redeemed() {
    let mut world = World::new();
    let (package, token) = world.issue("fleet", json!({"max_uses": 2}));
    let node = world.enrol(&token, "m");
    world.evict(node);
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::NodeRetired);
    assert_eq!((world.status(package), world.package(package).uses()), (PackageStatus::Activated, 1));
}

#[test]
fn an_evicted_node_returns_by_a_new_token_and_spends_no_use() {
    let mut world = World::new();
    let (package, token) = world.issue("fleet", json!({"max_uses": 2}));
    let node = world.enrol(&token, "m");
    world.evict(node);
    let new = world.reissue(package, json!({}));
    let again = world.redeemed(&new, "m");
    assert!(again.node == node && !again.again);
    assert_eq!((world.node(node).status, world.node(node).sequence), (NodeStatus::Claimed, 0));
    assert!(matches!(world.check_in(&again, "m", 1), Answer::CheckedIn(_)));
    assert_eq!(world.package(package).uses(), 1);
    assert_eq!(world.subject("default", "m").recoveries, 1);
    world.redeemed(&new, "other");
    assert_eq!(refusal(&world.redeem(&new, "third")), Refusal::AlreadyClaimed);
}

#[test]
fn a_wiped_node_gets_its_grant_anew_and_an_old_token_never_does() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let node = world.enrol(&token, "m");
    let new = world.reissue(package, json!({"make_before_break": true}));
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::GrantClosed, "the old token gives nothing anew");
    let anew = world.redeemed(&new, "m");
    assert_eq!(anew.node, node);
    let retry = world.redeemed(&new, "m");
    assert!(retry.again, "a lost reply");
    assert_eq!(world.package(package).uses(), 1);
    assert_eq!(world.subject("default", "m").recoveries, 1);
}

#[test]
fn a_grant_is_given_anew_as_often_as_the_policy_says() {
    let mut policy = policy();
    policy["recoveries"] = json!(2);
    let mut world = World::with_policy(policy);
    let (package, token) = world.issue("edge-1", json!({}));
    world.enrol(&token, "m");
    for _ in 0..2 {
        let new = world.reissue(package, json!({}));
        world.enrol(&new, "m");
    }
    let new = world.reissue(package, json!({}));
    assert_eq!(refusal(&world.redeem(&new, "m")), Refusal::RecoveryExhausted);
    let other = world.redeemed(&new, "m2");
    assert_eq!(world.package(package).nodes[0].id, other.node, "another key has its own count");
}

#[test]
fn a_subject_of_another_package_is_refused_or_moves() {
    let mut world = World::new();
    let (_, first) = world.issue("edge-1", json!({}));
    let (_, second) = world.issue("edge-2", json!({}));
    world.enrol(&first, "m");
    assert_eq!(refusal(&world.redeem(&second, "m")), Refusal::SubjectEnrolled);
    let mut policy = policy();
    policy["enrolled_elsewhere"] = json!("move");
    let mut world = World::with_policy(policy);
    let (one, first) = world.issue("edge-1", json!({}));
    let (_, second) = world.issue("edge-2", json!({}));
    let old = world.enrol(&first, "m");
    let new = world.redeemed(&second, "m");
    assert_eq!(world.node(old).retired, Some(RetireReason::Replaced));
    assert_eq!(world.status(one), PackageStatus::Retired, "its last node has gone");
    assert_eq!(world.subject("default", "m").node, Some(new.node));
}

#[test]
fn a_place_is_taken_as_often_as_the_policy_says_and_not_by_somebody_elses_node() {
    let mut policy = policy();
    policy["recoveries"] = json!(1);
    let mut world = World::with_policy(policy);
    let (package, token) = world.issue("edge-1", json!({}));
    world.enrol(&token, "m0");
    let (_, other) = world.issue("edge-2", json!({}));
    world.enrol(&other, "elsewhere");
    let new = world.reissue(package, json!({}));
    assert_eq!(refusal(&world.redeem(&new, "elsewhere")), Refusal::SubjectEnrolled);
    world.enrol(&new, "m1");
    let new = world.reissue(package, json!({}));
    assert_eq!(refusal(&world.redeem(&new, "m2")), Refusal::RecoveryExhausted);
}

#[test]
fn a_use_that_is_spent_twice_is_a_suspected_clone() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let first = world.redeemed(&token, "m");
    assert_eq!(refusal(&world.redeem(&token, "m2")), Refusal::AlreadyClaimed);
    assert!(world.facts().ends_with(&["clone_suspected"]));
    assert_eq!(world.package(package).nodes[0].id, first.node, "the first keeps what it has");
}

#[test]
fn a_node_that_never_confirms_its_new_grant_retires() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let node = world.enrol(&token, "m");
    let new = world.reissue(package, json!({}));
    world.redeemed(&new, "m");
    world.later(3600);
    world.tick();
    assert_eq!(world.node(node).retired, Some(RetireReason::NeverConfirmed));
    assert_eq!(world.package(package).end_reason, Some(EndReason::LastNodeRetired));
}

#[test]
fn a_move_that_would_end_the_package_itself_is_none() {
    let mut policy = policy();
    policy["enrolled_elsewhere"] = json!("move");
    policy["kinds"] = json!({"child": {"parents": ["node"]}});
    let mut world = World::with_policy(policy);
    let (parent, above) = world.issue("parent", json!({}));
    let node = world.enrol(&above, "m");
    let (child, below) = world.issue("child", json!({"kind": "child", "parent": parent}));
    assert_eq!(refusal(&world.redeem(&below, "m")), Refusal::Ended, "its parent would end, and so would it");
    assert_eq!(
        (world.status(parent), world.status(child)),
        (PackageStatus::Activated, PackageStatus::Delivered)
    );
    assert_eq!(world.node(node).status, NodeStatus::Active);
}

#[test]
fn a_subject_is_free_as_soon_as_its_fleet_has_ended_also_before_the_sweep() {
    let mut world = World::new();
    let (fleet, token) = world.issue("fleet", json!({"max_uses": null}));
    let old = world.enrol(&token, "m");
    world.revoke(fleet);
    let (_, next) = world.issue("edge-1", json!({}));
    let new = world.redeemed(&next, "m");
    assert_eq!(world.subject("default", "m").node, Some(new.node));
    world.work();
    assert_eq!(world.node(old).retired, Some(RetireReason::PackageEnded));
    assert_eq!(
        world.subject("default", "m").node,
        Some(new.node),
        "the sweep takes nothing from the new node"
    );
    assert!(world.ledger.get(&Key::Package(fleet)).is_some());
}

#[test]
fn another_key_takes_the_place_of_a_node_by_a_newer_token_only() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let old = world.enrol(&token, "m");
    assert_eq!(refusal(&world.redeem(&token, "m2")), Refusal::AlreadyClaimed);
    let new = world.reissue(package, json!({}));
    let replaced = world.redeemed(&new, "m2");
    assert_eq!(world.node(old).retired, Some(RetireReason::Replaced));
    assert_eq!((world.package(package).uses(), world.package(package).recoveries), (1, 1));
    assert_eq!(world.subject("default", "m").node, None);
    assert_eq!(world.subject("default", "m2").node, Some(replaced.node));
    assert_eq!(
        refusal(&world.redeem(&new, "m3")),
        Refusal::AlreadyClaimed,
        "no chain of thieves by one token"
    );
    assert_eq!(refusal(&world.redeem(&new, "m")), Refusal::AlreadyClaimed);
    assert_eq!(world.status(package), PackageStatus::Activated);
}

#[test]
fn the_deepest_decision_asks_for_rows_less_often_than_it_may() {
    let mut policy = policy();
    policy["enrolled_elsewhere"] = json!("move");
    policy["kinds"] = json!({"gateway": {"parents": ["node", "gateway"]}});
    let mut world = World::with_policy(policy);
    let (root, token) = world.issue("root", json!({}));
    let mut parent = root;
    for depth in 0..4 {
        parent = world.issue(&format!("gateway-{depth}"), json!({"kind": "gateway", "parent": parent})).0;
    }
    world.enrol(&token, "m");
    let file = json!({"contents": [{"type": "file", "name": "a", "content": "1"}]});
    let (_, next) = world.issue("next", file);
    assert_eq!(world.redeemed(&next, "m").contents.len(), 1);
    assert_eq!((world.status(root), world.status(parent)), (PackageStatus::Retired, PackageStatus::Revoked));
}

#[test]
fn a_replaced_node_does_not_come_back_by_a_token_whose_time_is_over() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    world.enrol(&token, "m");
    let second = world.reissue(package, json!({}));
    world.enrol(&second, "m2");
    let third = world.reissue(package, json!({"ttl_seconds": 60}));
    world.later(60);
    assert_eq!(refusal(&world.redeem(&third, "m")), Refusal::Expired);
}
