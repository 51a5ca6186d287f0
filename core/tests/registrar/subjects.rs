//! Whoever connects, as the host sees it: known subjects find their package, unknown ones raise an alert.

use handfast::{
    code::Code,
    record::{PackageStatus, ResourceState},
    vocabulary::{Answer, Refusal, SubjectObserved},
};
use serde_json::json;

use crate::world::{World, delivered, refusal};

const SPIFFE: &str = "spiffe://example.org/edge/n1";

impl World {
    fn see(&mut self, subject: &str) -> Answer {
        self.run(json!({"type": "observe_subject", "authority": "executor:gate", "scope": "default", "subject": subject}))
    }

    fn seen(&mut self, subject: &str) -> SubjectObserved {
        match self.see(subject) {
            Answer::SubjectObserved(seen) => seen,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_package_that_activates_on_report_does_so_when_its_subject_connects() {
    let mut world = World::new();
    let more = json!({"activates_on": "report", "bindings": {"spiffe_id": SPIFFE}, "deliver": false});
    let package = world.issued("edge-1", more).package;
    assert!(!world.seen(SPIFFE).activated, "it is not handed over yet");
    assert_eq!(world.status(package), PackageStatus::Created);
    world.deliver(package);
    let seen = world.seen(SPIFFE);
    assert!(seen.activated && seen.package == package && seen.node.is_none());
    assert_eq!(world.status(package), PackageStatus::Activated);
    assert!(!world.seen(SPIFFE).activated, "once");
}

#[test]
fn a_node_is_found_by_its_fingerprint_its_name_and_its_spiffe_id() {
    let mut world = World::new();
    let (package, token) =
        world.issue("edge-1", json!({"bindings": {"node_name": "n1", "spiffe_id": SPIFFE}}));
    let redeem =
        json!({"type": "redeem", "token": token, "fingerprint": "m", "node_name": "n1", "spiffe_id": SPIFFE});
    let Answer::Redeemed(redeemed) = world.run(redeem) else { panic!() };
    for subject in ["m", "node/n1", SPIFFE] {
        let seen = world.seen(subject);
        assert_eq!((seen.package, seen.node), (package, Some(redeemed.node)), "{subject}");
    }
    world.revoke(package);
    for subject in ["m", "node/n1", SPIFFE] {
        assert_eq!(refusal(&world.see(subject)), Refusal::UnknownSubject, "{subject}");
    }
}

#[test]
fn unknown_subjects_are_counted_and_never_stored_one_by_one() {
    let mut world = World::new();
    for number in 0..100 {
        assert_eq!(refusal(&world.see(&format!("node/stranger-{number}"))), Refusal::UnknownSubject);
    }
    assert_eq!(world.notices()["unknown_subject"], 100);
    let rows: Vec<_> = world.ledger.notices().filter(|row| row.first.code == Code::UnknownSubject).collect();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let unknown = row.first.unknown.as_ref().unwrap().to_string();
    assert_eq!(unknown, "subject/default/node/stranger-0", "whom to look for");
    assert_eq!((world.ledger.iter().count(), world.ledger.events().len()), (0, 0));
    assert_eq!(world.ledger.notices().count(), 1);
}

#[test]
fn a_banned_subject_that_connects_raises_its_own_alert() {
    let mut world = World::new();
    world.ban("default", "node/n1");
    assert_eq!(refusal(&world.see("node/n1")), Refusal::Banned);
    assert_eq!(world.notices()["banned"], 1);
}

#[test]
fn no_two_live_packages_name_the_same_subject() {
    let mut world = World::new();
    let bound = || json!({"bindings": {"node_name": "n1"}});
    let (package, _) = world.issue("edge-1", bound());
    assert_eq!(world.not_issued("edge-2", bound()), Refusal::SubjectTaken);
    assert_eq!(world.subject("default", "node/n1").standing(), "expected");
    let mut elsewhere = bound();
    elsewhere["scope"] = json!("other");
    world.issue("edge-2", elsewhere);
    world.revoke(package);
    world.issue("edge-2", bound());
}

#[test]
fn a_bootstrap_token_goes_as_soon_as_its_node_has_joined() {
    let mut world = World::new();
    let more = json!({
        "activates_on": "report", "bindings": {"node_name": "n1"}, "contents": [{"type": "kubernetes_bootstrap_token"}],
    });
    let package = world.made("edge-1", more);
    world.work();
    assert!(delivered(world.deliver(package)).token.is_some());
    world.seen("node/n1");
    assert_eq!(world.package(package).resources[0].state, ResourceState::Deleting);
    world.work();
    assert_eq!(world.package(package).resources[0].state, ResourceState::Gone);
    assert_eq!(world.status(package), PackageStatus::Activated);
    world.seen("node/n1");
    assert!(world.effects().is_empty());
}

#[test]
fn a_bootstrap_token_of_several_nodes_serves_the_others_yet() {
    let mut world = World::new();
    let more = json!({
        "activates_on": "report", "max_uses": 2, "bindings": {"node_name": "n1"},
        "contents": [{"type": "kubernetes_bootstrap_token"}],
    });
    let package = world.made("edge-1", more);
    world.work();
    world.deliver(package);
    world.seen("node/n1");
    assert_eq!(world.package(package).resources[0].state, ResourceState::Ready);
}

#[test]
fn a_subject_of_a_node_that_has_gone_finds_nothing() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-1", json!({}));
    let node = world.enrol(&token, "m");
    world.evict(node);
    assert_eq!(refusal(&world.see("m")), Refusal::UnknownSubject);
}
