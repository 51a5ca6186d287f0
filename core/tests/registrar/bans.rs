//! Bans reach a node under every name that it goes by, and an operator can lift them.

use handfast::{
    id::NodeId,
    record::{Key, PackageStatus, Record, RetireReason},
    vocabulary::{Answer, Redeemed},
};
use serde_json::{Value, json};

use crate::{
    clones::outcome,
    world::{World, policy},
};

const SPIFFE: &str = "spiffe://example.org/n1";
const NAMES: [&str; 3] = ["m", "node/n1", SPIFFE];

impl World {
    fn with_quota() -> Self {
        let mut world = Self::new();
        world.run(json!({"type": "configure_scope", "authority": "operator:ann", "scope": "default", "max_active": 4}));
        world
    }

    fn reserved(&self) -> u32 {
        match self.ledger.get(&Key::Scope("default".parse().unwrap())) {
            Some(Record::Scope(scope)) => scope.reserved,
            other => panic!("{other:?}"),
        }
    }

    /// Redeems under all three names.
    fn named(&mut self, token: &str, fingerprint: &str) -> Redeemed {
        let redeem = json!({
            "type": "redeem", "token": token, "fingerprint": fingerprint, "node_name": "n1", "spiffe_id": SPIFFE,
        });
        match self.run(redeem) {
            Answer::Redeemed(redeemed) => redeemed,
            other => panic!("{other:?}"),
        }
    }

    fn unban(&mut self, subject: &str) -> Value {
        let unban = json!({"type": "unban", "authority": "operator:bob", "scope": "default", "subject": subject, "reason": "a mistake"});
        self.run(unban).into_parts().0
    }

    fn reset(&mut self, key: &Key) -> String {
        outcome(self.run(json!({"type": "reset_recoveries", "authority": "operator:bob", "key": key})))
    }

    fn is_banned_node(&self, node: NodeId) -> bool {
        self.node(node).retired == Some(RetireReason::Banned)
    }
}

#[test]
fn a_ban_under_any_name_ends_the_node_at_once_and_returns_its_quota() {
    for bindings in [json!({}), json!({"node_name": "n1", "spiffe_id": SPIFFE})] {
        for name in NAMES {
            let mut world = World::with_quota();
            let (package, token) = world.issue("edge-1", json!({"bindings": bindings}));
            let node = world.named(&token, "m");
            world.check_in(&node, "m", 1);
            assert_eq!(world.reserved(), 1);
            let Answer::Banned(banned) = world.ban("default", name) else { panic!("{name}") };
            assert_eq!((banned.node, banned.again), (Some(node.node), false), "{name} {bindings}");
            assert!(world.is_banned_node(node.node), "{name} {bindings}");
            assert_eq!((world.status(package), world.reserved()), (PackageStatus::Retired, 0), "{name}");
            assert_eq!(outcome(world.check_in(&node, "m", 2)), "ended");
        }
    }
}

#[test]
fn of_two_that_say_one_name_the_second_is_found_when_it_checks_in() {
    for name in ["node/n1", SPIFFE] {
        let mut world = World::with_quota();
        let (_, first) = world.issue("edge-1", json!({}));
        let (package, second) = world.issue("edge-2", json!({}));
        let (one, two) = (world.named(&first, "m"), world.named(&second, "m2"));
        world.check_in(&two, "m2", 1);
        world.ban("default", name);
        assert!(world.is_banned_node(one.node), "{name}");
        assert_eq!(world.reserved(), 1);
        assert_eq!(outcome(world.check_in(&two, "m2", 2)), "banned", "{name}");
        assert!(world.is_banned_node(two.node), "in the decision that refused it: {name}");
        assert_eq!((world.status(package), world.reserved()), (PackageStatus::Retired, 0));
        assert_eq!(world.notices()["banned"], 1);
    }
}

#[test]
fn a_name_that_a_node_only_says_is_no_name_that_it_is_found_by() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-1", json!({}));
    world.named(&token, "m");
    for name in ["node/n1", SPIFFE] {
        let see = json!({"type": "observe_subject", "authority": "executor:gate", "scope": "default", "subject": name});
        assert_eq!(outcome(world.run(see)), "unknown_subject", "{name}");
        assert_eq!(world.subject("default", name).standing(), "claimed");
    }
    world.issue("edge-2", json!({"bindings": {"node_name": "n1", "spiffe_id": SPIFFE}}));
}

#[test]
fn a_name_that_a_node_no_longer_goes_by_does_not_end_it() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let node = world.named(&token, "m");
    let newer = world.reissue(package, json!({}));
    let anew = json!({"type": "redeem", "token": newer, "fingerprint": "m", "node_name": "n2"});
    assert_eq!(outcome(world.run(anew)), "redeemed");
    world.ban("default", "node/n1");
    world.ban("default", SPIFFE);
    assert_eq!(outcome(world.check_in(&node, "m", 1)), "checked_in");
    world.ban("default", "node/n2");
    assert!(world.is_banned_node(node.node));
}

#[test]
fn a_banned_node_does_not_return_by_dropping_its_name() {
    let mut world = World::new();
    let (package, token) = world.issue("pair", json!({"max_uses": 2}));
    world.named(&token, "m");
    world.ban("default", "node/n1");
    let newer = world.reissue(package, json!({}));
    assert_eq!(outcome(world.redeem(&newer, "m")), "banned");
    assert_eq!(outcome(world.redeem(&newer, "other")), "redeemed");
}

#[test]
fn a_banned_node_fetches_nothing_for_its_children() {
    let mut policy = policy();
    policy["kinds"] = json!({"child": {"parents": ["node"]}});
    let mut world = World::with_policy(policy);
    let (_, other) = world.issue("other", json!({}));
    world.named(&other, "first");
    let (parent, token) = world.issue("parent", json!({}));
    let node = world.named(&token, "m");
    world.check_in(&node, "m", 1);
    let child = world.made("child", json!({"kind": "child", "parent": parent}));
    world.ban("default", "node/n1");
    let to = json!({"type": "parent_node", "package": child, "node": node.node, "fingerprint": "m"});
    assert_eq!(outcome(world.run(json!({"type": "deliver", "to": to}))), "banned");
}

#[test]
fn a_ban_is_lifted_by_an_operator_and_the_audit_says_so() {
    let mut world = World::new();
    world.ban("default", "m");
    let (_, token) = world.issue("edge-1", json!({}));
    assert_eq!(outcome(world.redeem(&token, "m")), "banned");
    assert_eq!(
        world.unban("m"),
        json!({"type": "unbanned", "scope": "default", "subject": "m", "again": false})
    );
    let event = serde_json::to_value(world.ledger.events().last().unwrap()).unwrap();
    assert_eq!(event["authority"], "operator:bob");
    assert_eq!(event["fact"], json!({"type": "subject_unbanned", "reason": "a mistake"}));
    assert_eq!(world.subject("default", "m").standing(), "gone");
    assert_eq!(outcome(world.redeem(&token, "m")), "redeemed");
    assert_eq!(world.unban("m")["again"], true);
    assert_eq!(world.unban("nobody")["again"], true);
    let by_node = json!({"type": "unban", "authority": "node", "scope": "default", "subject": "m"});
    assert_eq!(outcome(world.run(by_node)), "not_authorized");
}

#[test]
fn a_package_that_names_a_banned_subject_finds_it_again_when_the_ban_is_lifted() {
    let mut world = World::new();
    let more = json!({"activates_on": "report", "bindings": {"node_name": "n1"}});
    let (package, token) = world.issue("edge-1", more);
    world.ban("default", "node/n1");
    world.unban("node/n1");
    assert_eq!(world.subject("default", "node/n1").standing(), "expected");
    let redeem = json!({"type": "redeem", "token": token, "fingerprint": "m", "node_name": "n1"});
    assert_eq!(outcome(world.run(redeem)), "redeemed");
    assert_eq!(world.subject("default", "node/n1").standing(), "active");
    world.revoke(package);
    assert_eq!(world.subject("default", "node/n1").standing(), "gone");
}

#[test]
fn a_bound_name_is_free_as_soon_as_its_node_has_gone_and_finds_it_when_it_is_back() {
    let mut world = World::new();
    let more = json!({"max_uses": 2, "bindings": {"node_name": "n1", "spiffe_id": SPIFFE}});
    let (package, token) = world.issue("pair", more);
    let node = world.named(&token, "m").node;
    world.evict(node);
    assert_eq!(world.subject("default", "node/n1").standing(), "expected");
    let newer = world.reissue(package, json!({}));
    world.named(&newer, "m");
    assert_eq!(world.subject("default", SPIFFE).node, Some(node));
}

#[test]
fn recoveries_are_counted_anew_for_one_subject_or_one_package() {
    let mut policy = policy();
    policy["recoveries"] = json!(1);
    let mut world = World::with_policy(policy);
    let (package, token) = world.issue("edge-1", json!({}));
    world.enrol(&token, "m");
    let newer = world.reissue(package, json!({}));
    world.enrol(&newer, "m");
    let newer = world.reissue(package, json!({}));
    assert_eq!(outcome(world.redeem(&newer, "m")), "recovery_exhausted");
    let subject: Key = "subject/default/m".parse().unwrap();
    assert_eq!(world.reset(&subject), "recoveries_reset");
    assert_eq!(world.subject("default", "m").recoveries, 0);
    assert!(world.facts().ends_with(&["recoveries_reset"]));
    world.enrol(&newer, "m");
    for machine in ["m2", "m3"] {
        let newer = world.reissue(package, json!({}));
        if machine == "m3" {
            assert_eq!(outcome(world.redeem(&newer, machine)), "recovery_exhausted");
            assert_eq!(world.reset(&Key::Package(package)), "recoveries_reset");
        }
        world.enrol(&newer, machine);
    }
    let facts = world.facts().len();
    assert_eq!(world.reset(&"subject/default/nobody".parse().unwrap()), "recoveries_reset");
    assert_eq!(world.facts().len(), facts, "there was nothing to reset");
    let unknown = "package/01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    assert_eq!(world.reset(&unknown), "unknown");
    let wrong = json!({"type": "reset_recoveries", "authority": "operator:ann", "key": "scope/default"});
    assert!(world.error(wrong).starts_with("key: "));
}
