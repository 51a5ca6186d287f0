//! Packages under packages: who may sit where, who is handed what, and what ends with what.

use handfast::{
    id::PackageId,
    record::{EndReason, Key, NodeStatus, PackageStatus},
    vocabulary::{Answer, Refusal, Work},
};
use serde_json::{Value, json};

use crate::world::{World, delivered, policy, refusal};

/// Sites hold gateways, gateways hold gateways and sensors.
fn sites() -> World {
    let mut policy = policy();
    policy["kinds"] = json!({
        "gateway": {"parents": ["site", "gateway"]},
        "sensor": {"parents": ["gateway"]},
    });
    World::with_policy(policy)
}

fn under(kind: &str, parent: PackageId) -> Value {
    json!({"kind": kind, "parent": parent})
}

/// Whoever may issue under a package cannot let in whom that package keeps out.
#[test]
fn a_child_may_be_bound_more_narrowly_and_not_less() {
    let mut policy = policy();
    policy["kinds"] = json!({"sensor": {"parents": ["site"], "within_parent": true}});
    let mut world = World::with_policy(policy);
    let bindings = json!({"cidrs": ["10.0.0.0/8", "2001:db8::/32"], "regions": ["eu-west-1", "eu-north-1"]});
    let site = world.made("site", json!({"kind": "site", "bindings": bindings}));
    let sensor = |bindings: Value| json!({"kind": "sensor", "parent": site, "bindings": bindings});
    for wide in [
        json!({}),
        json!({"cidrs": ["10.1.0.0/16"]}),
        json!({"regions": ["eu-west-1"]}),
        json!({"cidrs": ["0.0.0.0/0"], "regions": ["eu-west-1"]}),
        json!({"cidrs": ["10.1.0.0/16", "192.0.2.0/24"], "regions": ["eu-west-1"]}),
        json!({"cidrs": ["10.1.0.0/16"], "regions": ["eu-west-1", "us-east-1"]}),
    ] {
        assert_eq!(world.not_issued("a", sensor(wide.clone())), Refusal::ParentNotAllowed, "{wide}");
    }
    let narrow =
        json!({"cidrs": ["10.1.0.0/16", "2001:db8:1::/48"], "regions": ["eu-west-1"], "node_name": "n1"});
    world.made("sensor", sensor(narrow));
    let free = world.made("other", json!({"kind": "site"}));
    world.made("b", json!({"kind": "sensor", "parent": free}));
}

#[test]
fn a_kind_sits_only_where_the_policy_lets_it() {
    let mut world = sites();
    let site = world.made("site", json!({"kind": "site"}));
    let gateway = world.made("gateway", under("gateway", site));
    world.made("sensor", under("sensor", gateway));
    assert_eq!(world.not_issued("a", under("sensor", site)), Refusal::ParentNotAllowed);
    assert_eq!(
        world.not_issued("a", under("site", site)),
        Refusal::ParentNotAllowed,
        "a kind without a rule"
    );
    assert_eq!(world.not_issued("a", json!({"kind": "sensor"})), Refusal::ParentNotAllowed, "it needs one");
    let elsewhere = json!({"kind": "gateway", "parent": site, "scope": "other"});
    assert_eq!(world.not_issued("a", elsewhere), Refusal::ParentNotAllowed);
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    assert_eq!(world.not_issued("a", under("gateway", unknown)), Refusal::Unknown);
}

#[test]
fn nothing_sits_under_what_has_ended_nor_too_deep() {
    let mut world = sites();
    let mut parent = world.made("site", json!({"kind": "site"}));
    for depth in 0..4 {
        parent = world.made(&format!("gateway-{depth}"), under("gateway", parent));
    }
    assert_eq!(world.package(parent).issued.parents.len(), 4);
    assert_eq!(world.not_issued("a", under("gateway", parent)), Refusal::ParentNotAllowed);
    world.revoke(parent);
    let mut other = sites();
    let site = other.made("site", json!({"kind": "site"}));
    other.revoke(site);
    assert_eq!(other.not_issued("a", under("gateway", site)), Refusal::ParentEnded);
}

#[test]
fn the_end_of_a_package_is_the_end_of_everything_below_it_in_one_decision() {
    let mut world = sites();
    let (site, _) = world.issue("site", json!({"kind": "site"}));
    let (gateway, token) = world.issue("gateway", under("gateway", site));
    let node = world.enrol(&token, "m");
    let sensor = world.made("sensor", under("sensor", gateway));
    world.revoke(site);
    assert_eq!(world.status(gateway), PackageStatus::Retired, "it was in use");
    assert_eq!(world.status(sensor), PackageStatus::Revoked, "it was not");
    for package in [gateway, sensor] {
        assert_eq!(world.package(package).end_reason, Some(EndReason::ParentEnded));
    }
    assert_eq!(world.node(node).status, NodeStatus::Retired);
    assert!(world.vault().is_empty() && world.effects().is_empty(), "no sweep is needed");
    let last = world.ledger.events().last().unwrap();
    let ends = world
        .ledger
        .events()
        .iter()
        .filter(|event| event.decision == last.decision && event.fact.name() == "package_ended");
    assert_eq!(ends.count(), 3, "one decision");
    world.issue("sensor", json!({}));
}

#[test]
fn a_child_that_ends_leaves_its_place() {
    let mut world = sites();
    let site = world.made("site", json!({"kind": "site"}));
    let gateway = world.made("gateway", under("gateway", site));
    assert_eq!(world.package(site).children, [gateway]);
    world.revoke(gateway);
    assert!(world.package(site).children.is_empty());
    assert_eq!(world.status(site), PackageStatus::Created);
}

#[test]
fn more_children_than_are_listed_are_swept_by_the_host() {
    let mut world = sites();
    let site = world.made("site", json!({"kind": "site"}));
    let children: Vec<_> = (0..20)
        .map(|number| {
            let (child, token) = world.issue(&format!("gateway-{number}"), under("gateway", site));
            let redeemed = world.redeemed(&token, &format!("m{number}"));
            world.check_in(&redeemed, &format!("m{number}"), 1);
            (child, redeemed)
        })
        .collect();
    assert_eq!((world.package(site).children.len(), world.package(site).unlisted_children), (16, 4));
    world.revoke(site);
    let live = |world: &World| children.iter().filter(|(child, _)| world.status(*child).is_live()).count();
    assert_eq!(live(&world), 4);
    let (unswept, node) = &children[19];
    assert_eq!(refusal(&world.check_in(node, "m19", 2)), Refusal::Ended, "until then every check-in sees it");
    assert_eq!(refusal(&world.deliver(*unswept)), Refusal::ParentEnded);
    assert!(matches!(world.effect().work, Work::Sweep { package } if package == site));
    let forget = json!({"type": "forget", "authority": "timer", "key": Key::Package(site)});
    assert_eq!(refusal(&world.run(forget)), Refusal::NotEnded);
    assert_eq!(world.work(), [Work::Sweep { package: site }]);
    assert_eq!(live(&world), 0);
    assert_eq!(world.package(*unswept).end_reason, Some(EndReason::ParentEnded));
    assert!(world.package(site).is_swept() && world.effects().is_empty());
}

#[test]
fn a_sweep_that_fails_comes_again_until_nothing_is_left() {
    let mut world = sites();
    let site = world.made("site", json!({"kind": "site"}));
    for number in 0..17 {
        world.made(&format!("gateway-{number}"), under("gateway", site));
    }
    world.revoke(site);
    let effect = world.effect();
    world.report(&effect, handfast::vocabulary::EffectOutcome::Failed { reason: "no".into() });
    let again = world.effect();
    assert_eq!((again.not_before, &again.work), (Some(world.now.plus_seconds(2)), &effect.work));
    world.later(2);
    assert_eq!(world.work(), [Work::Sweep { package: site }]);
    assert!(world.effects().is_empty());
}

#[test]
fn no_cascade_grows_without_bound_and_yet_nothing_survives() {
    let mut world = sites();
    let site = world.made("site", json!({"kind": "site"}));
    let mut all = Vec::new();
    for outer in 0..6 {
        let gateway = world.made(&format!("g{outer}"), under("gateway", site));
        all.push(gateway);
        for inner in 0..10 {
            all.push(world.made(&format!("s{outer}-{inner}"), under("sensor", gateway)));
        }
    }
    world.revoke(site);
    let ended = all.iter().filter(|id| !world.status(**id).is_live()).count();
    assert_eq!(ended, 31, "32 in one decision");
    assert!(world.work().len() > 1);
    assert!(all.iter().all(|id| !world.status(*id).is_live()));
    assert!(world.vault().is_empty() && world.effects().is_empty());
}

#[test]
fn an_unused_parent_that_expires_takes_its_children_along() {
    let mut world = sites();
    let site = world.made("site", json!({"kind": "site", "ttl_seconds": 60}));
    let child = world.made("gateway", under("gateway", site));
    world.later(60);
    world.tick();
    assert_eq!((world.status(site), world.status(child)), (PackageStatus::Expired, PackageStatus::Revoked));
}

#[test]
fn an_active_node_fetches_what_is_for_its_children() {
    let mut world = sites();
    let (site, token) = world.issue("site", json!({"kind": "site"}));
    let (_, other) = world.issue("site-2", json!({"kind": "site"}));
    let stranger = world.enrol(&other, "stranger");
    let redeemed = world.redeemed(&token, "m");
    let child = world.made("gateway", under("gateway", site));
    let fetch = |node, fingerprint: &str| {
        let to = json!({"type": "parent_node", "package": child, "node": node, "fingerprint": fingerprint});
        json!({"type": "deliver", "to": to})
    };
    assert_eq!(refusal(&world.run(fetch(redeemed.node, "m"))), Refusal::NotActive, "it has not checked in");
    world.check_in(&redeemed, "m", 1);
    assert_eq!(refusal(&world.run(fetch(stranger, "stranger"))), Refusal::Unknown, "not its child");
    assert_eq!(refusal(&world.run(fetch(redeemed.node, "stranger"))), Refusal::BindingMismatch);
    let first = delivered(world.run(fetch(redeemed.node, "m")));
    let again = delivered(world.run(fetch(redeemed.node, "m")));
    assert!(again.again && again.token == first.token);
    assert_eq!(refusal(&world.deliver(child)), Refusal::AlreadyDelivered);
    assert!(matches!(world.redeem(first.token.unwrap().expose(), "child"), Answer::Redeemed(_)));
}

#[test]
fn a_token_below_a_package_that_has_ended_is_dead_before_the_sweep() {
    let mut world = sites();
    let site = world.made("site", json!({"kind": "site"}));
    let tokens: Vec<_> =
        (0..17).map(|number| world.issue(&format!("g{number}"), under("gateway", site))).collect();
    world.revoke(site);
    let (last, token) = &tokens[16];
    assert!(world.status(*last).is_live());
    assert_eq!(refusal(&world.redeem(token, "m")), Refusal::ParentEnded);
    assert_eq!(world.not_issued("a", under("sensor", *last)), Refusal::ParentEnded);
    world.expire(&Key::Package(*last));
    assert_eq!(refusal(&world.redeem(token, "m")), Refusal::Ended);
}
