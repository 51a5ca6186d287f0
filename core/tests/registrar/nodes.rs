//! Nodes that fall silent, leave, are sent away or banned.

use handfast::{
    record::{EndReason, Key, NodeStatus, PackageStatus, RetireReason},
    vocabulary::{Answer, Refusal},
};
use serde_json::json;

use crate::world::{World, policy, refusal};

#[test]
fn a_silent_ephemeral_node_retires_and_its_package_with_it() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({"inactivity_seconds": 300}));
    let node = world.enrol(&token, "m");
    world.later(299);
    world.tick();
    assert_eq!(world.node(node).status, NodeStatus::Active);
    world.later(1);
    world.tick();
    assert_eq!(world.node(node).retired, Some(RetireReason::Inactive));
    assert_eq!(world.package(package).end_reason, Some(EndReason::LastNodeRetired));
    assert_eq!(world.status(package), PackageStatus::Retired);
}

#[test]
fn a_check_in_beats_a_removal_that_is_already_due() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-1", json!({"inactivity_seconds": 300}));
    let redeemed = world.redeemed(&token, "m");
    world.check_in(&redeemed, "m", 1);
    world.later(400);
    assert!(
        world.ledger.due(world.now, 10).contains(&Key::Node(redeemed.node)),
        "the timer is about to come by"
    );
    assert!(matches!(world.check_in(&redeemed, "m", 2), Answer::CheckedIn(_)));
    assert!(matches!(world.expire(&Key::Node(redeemed.node)), Answer::Expired(expired) if !expired.changed));
    assert_eq!(world.node(redeemed.node).status, NodeStatus::Active);
    world.later(300);
    world.tick();
    assert_eq!(refusal(&world.check_in(&redeemed, "m", 3)), Refusal::Ended);
}

#[test]
fn a_kind_may_be_ephemeral_by_the_policy_and_a_plain_node_never_is() {
    let mut policy = policy();
    policy["kinds"] = json!({"spot": {"inactivity_seconds": 60}});
    let mut world = World::with_policy(policy);
    let (_, spot) = world.issue("spot", json!({"kind": "spot"}));
    let (_, plain) = world.issue("plain", json!({}));
    let (spot, plain) = (world.enrol(&spot, "m1"), world.enrol(&plain, "m2"));
    world.later(90 * 24 * 3600);
    world.tick();
    assert_eq!(
        (world.node(spot).status, world.node(plain).status),
        (NodeStatus::Retired, NodeStatus::Active)
    );
    let issue = json!({"type": "issue", "authority": "operator:ann", "name": "x", "inactivity_seconds": 59});
    assert!(world.error(issue).starts_with("inactivity_seconds: "));
}

#[test]
fn a_node_that_leaves_frees_its_subject_and_leaving_twice_is_once() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let node = world.enrol(&token, "m");
    let leave = |fingerprint: &str| json!({"type": "leave", "node": node, "fingerprint": fingerprint});
    assert_eq!(refusal(&world.run(leave("other"))), Refusal::BindingMismatch);
    assert!(matches!(world.run(leave("m")), Answer::NodeEnded(ended) if !ended.again));
    assert!(matches!(world.run(leave("m")), Answer::NodeEnded(ended) if ended.again));
    assert_eq!(world.node(node).retired, Some(RetireReason::Left));
    assert_eq!(world.status(package), PackageStatus::Retired);
    assert_eq!(world.subject("default", "m").standing(), "gone");
    let (_, next) = world.issue("edge-1", json!({}));
    assert!(matches!(world.redeem(&next, "m"), Answer::Redeemed(_)));
}

#[test]
fn an_evicted_node_may_return_and_a_banned_one_never() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-1", json!({}));
    let node = world.enrol(&token, "m");
    assert!(matches!(world.evict(node), Answer::NodeEnded(ended) if !ended.again));
    assert!(matches!(world.evict(node), Answer::NodeEnded(ended) if ended.again));
    assert_eq!(world.node(node).retired, Some(RetireReason::Evicted));
    let (package, token) = world.issue("edge-1", json!({}));
    let node = world.enrol(&token, "m");
    assert!(
        matches!(world.ban("default", "m"), Answer::Banned(banned) if banned.node == Some(node) && !banned.again)
    );
    assert_eq!(world.node(node).retired, Some(RetireReason::Banned));
    assert_eq!(world.status(package), PackageStatus::Retired);
    let events = world.ledger.events().len();
    assert!(matches!(world.ban("default", "m"), Answer::Banned(banned) if banned.again));
    assert_eq!(world.ledger.events().len(), events);
    let (_, token) = world.issue("edge-1", json!({}));
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::Banned);
    assert_eq!(world.subject("default", "m").standing(), "banned");
    let (_, elsewhere) = world.issue("edge-1", json!({"scope": "other"}));
    assert!(matches!(world.redeem(&elsewhere, "m"), Answer::Redeemed(_)), "a ban is of one scope");
}

#[test]
fn a_ban_reaches_a_node_under_every_name_that_its_package_gave_it() {
    let mut world = World::new();
    for (number, subject) in ["node/n1", "spiffe://example.org/n1"].into_iter().enumerate() {
        let bindings = json!({"node_name": "n1", "spiffe_id": "spiffe://example.org/n1"});
        let scope = format!("s{number}");
        let (_, token) = world.issue("edge-1", json!({"scope": scope, "bindings": bindings}));
        let redeem = json!({
            "type": "redeem", "token": token, "fingerprint": "m", "node_name": "n1", "spiffe_id": "spiffe://example.org/n1",
        });
        let Answer::Redeemed(redeemed) = world.run(redeem) else { panic!() };
        world.check_in(&redeemed, "m", 1);
        world.ban(&scope, subject);
        assert_eq!(world.node(redeemed.node).retired, Some(RetireReason::Banned), "{subject}");
        assert_eq!(refusal(&world.check_in(&redeemed, "m", 2)), Refusal::Ended);
        let issue = json!({"scope": scope, "bindings": bindings});
        assert_eq!(world.not_issued("edge-2", issue), Refusal::Banned, "{subject}");
    }
}

#[test]
fn one_of_several_nodes_goes_and_the_others_stay() {
    let mut world = World::new();
    let (package, token) = world.issue("pair", json!({"max_uses": 2}));
    let (one, two) = (world.enrol(&token, "m1"), world.enrol(&token, "m2"));
    world.evict(one);
    assert_eq!(
        (world.status(package), world.node(two).status),
        (PackageStatus::Activated, NodeStatus::Active)
    );
    assert_eq!(world.package(package).uses(), 2, "a use that was spent stays spent");
    assert_eq!(refusal(&world.redeem(&token, "m3")), Refusal::AlreadyClaimed);
    world.evict(two);
    assert_eq!(world.status(package), PackageStatus::Retired);
}

#[test]
fn a_package_with_uses_left_outlives_its_last_node_until_its_token_ends() {
    let mut world = World::new();
    let (package, token) = world.issue("pair", json!({"max_uses": 2}));
    let one = world.enrol(&token, "m1");
    world.evict(one);
    assert_eq!(world.status(package), PackageStatus::Activated, "another may come");
    world.later(900);
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Retired);
    assert_eq!(world.package(package).end_reason, Some(EndReason::LastNodeRetired));
}

#[test]
fn silence_is_measured_from_the_last_check_in_and_not_by_an_untrusted_clock() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-1", json!({"inactivity_seconds": 300}));
    let node = world.enrol(&token, "m");
    let far = handfast::time::Now::untrusted(world.now.plus_seconds(10_000));
    let expire =
        handfast::vocabulary::Command::from_value(json!({"type": "expire", "key": Key::Node(node)})).unwrap();
    assert_eq!(refusal(&world.attempt(&expire, far).unwrap()), Refusal::ClockSuspect);
    assert_eq!(world.node(node).status, NodeStatus::Active);
}

#[test]
fn a_banned_name_ends_a_node_that_only_said_that_it_bears_it() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-1", json!({}));
    let redeem = json!({"type": "redeem", "token": token, "fingerprint": "m", "node_name": "n1"});
    let Answer::Redeemed(redeemed) = world.run(redeem) else { panic!() };
    world.check_in(&redeemed, "m", 1);
    world.ban("default", "node/n1");
    assert_eq!(world.node(redeemed.node).retired, Some(RetireReason::Banned));
    assert_eq!(refusal(&world.check_in(&redeemed, "m", 2)), Refusal::Ended);
}
