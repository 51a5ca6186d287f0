//! Two machines with one identity: how that is found out, and what the policy does about it.

use handfast::{
    id::PackageId,
    vocabulary::{Answer, Redeemed},
};
use serde_json::{Value, json};

use crate::world::{World, policy};

impl World {
    /// A world whose policy reacts like this.
    pub(crate) fn that_reacts(by: &str) -> Self {
        let mut policy = policy();
        policy["on_clone_suspected"] = json!(by);
        Self::with_policy(policy)
    }

    pub(crate) fn beat(&mut self, node: &Redeemed, sequence: u64, attempt: Option<&str>) -> Answer {
        let mut command =
            json!({"type": "check_in", "node": node.node, "fingerprint": "m", "sequence": sequence});
        if let Some(attempt) = attempt {
            command["attempt"] = json!(attempt);
        }
        self.run(command)
    }

    fn clones(&self, package: PackageId) -> u32 {
        self.package(package).clones_suspected
    }
}

/// What an answer is called: its type, or the code of the refusal.
pub(crate) fn outcome(answer: Answer) -> String {
    let (value, _) = answer.into_parts();
    let name = value.get("code").or_else(|| value.get("type")).and_then(Value::as_str);
    name.unwrap().to_owned()
}

/// One use, an old grant still open where the node has not checked in.
fn enrolled(by: &str) -> (World, PackageId, String, Redeemed) {
    let mut world = World::that_reacts(by);
    let (package, token) = world.issue("edge-1", json!({}));
    let node = world.redeemed(&token, "m");
    (world, package, token, node)
}

#[test]
fn two_copies_of_one_disk_that_beat_in_turn_are_found_at_the_second_beat() {
    let (mut world, package, _, node) = enrolled("alert");
    assert_eq!(outcome(world.beat(&node, 1, Some("first-a"))), "checked_in");
    assert_eq!(outcome(world.beat(&node, 1, Some("first-b"))), "clone_suspected");
    assert_eq!(outcome(world.beat(&node, 2, Some("second-a"))), "checked_in", "an alert stops nobody");
    assert_eq!(outcome(world.beat(&node, 2, Some("second-b"))), "clone_suspected");
    assert_eq!(world.clones(package), 2);
    assert!(world.facts().ends_with(&["clone_suspected"]));
}

#[test]
fn a_lost_reply_is_the_same_attempt_and_gets_the_same_answer() {
    let (mut world, package, _, node) = enrolled("quarantine");
    world.beat(&node, 1, Some("first"));
    for _ in 0..3 {
        let Answer::CheckedIn(again) = world.beat(&node, 1, Some("first")) else { panic!("no answer") };
        assert!(again.again && again.sequence == 1);
    }
    assert_eq!(outcome(world.beat(&node, 2, Some("second"))), "checked_in");
    assert_eq!(world.clones(package), 0);
    assert_eq!(world.node(node.node).attempt, Some("second".parse().unwrap()));
}

#[test]
fn a_node_that_never_names_its_attempts_counts_as_before_and_one_that_does_cannot_stop() {
    let (mut world, package, _, node) = enrolled("alert");
    world.beat(&node, 1, None);
    assert_eq!(outcome(world.beat(&node, 1, None)), "checked_in", "a lost reply, or a copy: nobody knows");
    assert_eq!(outcome(world.beat(&node, 1, Some("upgraded"))), "checked_in", "it was upgraded in between");
    assert_eq!(world.clones(package), 0);
    world.beat(&node, 2, Some("second"));
    assert_eq!(outcome(world.beat(&node, 2, None)), "clone_suspected", "a copy that keeps silent");
    assert_eq!(world.clones(package), 1);
}

#[test]
fn a_clone_writes_so_many_facts_and_no_more() {
    let (mut world, package, _, node) = enrolled("alert");
    world.beat(&node, 1, Some("mine"));
    for number in 0..20 {
        let other = format!("other-{number}");
        assert_eq!(outcome(world.beat(&node, 1, Some(&other))), "clone_suspected");
    }
    assert_eq!(world.clones(package), 8);
    assert_eq!(world.facts().iter().filter(|fact| **fact == "clone_suspected").count(), 8);
    assert_eq!(world.notices()["clone_suspected"], 20);
}

#[test]
fn a_wiped_node_counts_and_names_anew() {
    let (mut world, package, _, node) = enrolled("alert");
    world.beat(&node, 1, Some("first"));
    let newer = world.reissue(package, json!({}));
    let anew = world.redeemed(&newer, "m");
    assert_eq!(world.node(anew.node).attempt, None);
    assert_eq!(outcome(world.beat(&anew, 1, Some("other"))), "checked_in");
}

#[test]
fn by_default_an_old_token_neither_stops_nor_evicts_a_healthy_node() {
    let (mut world, package, token, node) = enrolled("alert");
    assert_eq!(outcome(world.redeem(&token, "thief")), "already_claimed");
    assert!(world.redeemed(&token, "m").again, "its own retry");
    assert_eq!(outcome(world.beat(&node, 1, Some("first"))), "checked_in");
    assert_eq!(world.clones(package), 1);
    assert_eq!((world.package(package).locked, world.node(node.node).quarantined), (None, false));
}

#[test]
fn a_locked_token_gives_nothing_to_anybody_and_its_nodes_go_on() {
    let (mut world, package, token, node) = enrolled("lock");
    assert_eq!(outcome(world.redeem(&token, "thief")), "already_claimed");
    assert!(world.facts().ends_with(&["clone_suspected", "token_locked"]));
    for machine in ["m", "thief", "third"] {
        assert_eq!(outcome(world.redeem(&token, machine)), "token_locked", "{machine}");
    }
    assert_eq!(world.clones(package), 1, "what is locked tells nothing new");
    assert_eq!(outcome(world.beat(&node, 1, Some("first"))), "checked_in", "it is alive and well");
    assert_eq!(outcome(world.beat(&node, 1, Some("other"))), "clone_suspected");
    assert_eq!(outcome(world.beat(&node, 2, Some("second"))), "checked_in");
}

#[test]
fn a_reissued_token_is_not_locked_and_the_one_before_it_stays_so() {
    let (mut world, package, token, _) = enrolled("lock");
    world.redeem(&token, "thief");
    let newer = world.reissue(package, json!({"make_before_break": true}));
    assert_eq!(outcome(world.redeem(&token, "m")), "token_locked");
    assert!(!world.redeemed(&newer, "m").again);
    assert!(world.redeemed(&newer, "m").again);
}

#[test]
fn a_copied_node_is_in_quarantine_until_its_token_is_reissued() {
    let (mut world, package, token, node) = enrolled("quarantine");
    world.beat(&node, 1, Some("a"));
    assert_eq!(outcome(world.beat(&node, 1, Some("b"))), "clone_suspected");
    assert!(world.facts().ends_with(&["clone_suspected", "token_locked", "node_quarantined"]));
    let facts = world.facts().len();
    for sequence in [1, 2, 3] {
        assert_eq!(outcome(world.beat(&node, sequence, Some("a"))), "quarantined");
    }
    let leave = json!({"type": "leave", "node": node.node, "fingerprint": "m"});
    assert_eq!(outcome(world.run(leave)), "quarantined", "a copy cannot make it go");
    assert_eq!(outcome(world.redeem(&token, "m")), "token_locked");
    assert_eq!(world.facts().len(), facts);
    let newer = world.reissue(package, json!({}));
    assert_eq!(outcome(world.beat(&node, 2, Some("a"))), "quarantined", "not before it shows the new token");
    let anew = world.redeemed(&newer, "m");
    assert_eq!(outcome(world.beat(&anew, 1, Some("a"))), "checked_in");
}

#[test]
fn a_node_in_quarantine_can_be_sent_away_and_banned() {
    for (what, reason) in [("evict", "evicted"), ("ban", "banned")] {
        let (mut world, _, _, node) = enrolled("quarantine");
        world.beat(&node, 1, Some("a"));
        world.beat(&node, 1, Some("b"));
        match what {
            "evict" => world.evict(node.node),
            _ => world.ban("default", "m"),
        };
        assert_eq!(json!(world.node(node.node).retired), json!(reason));
        assert_eq!(outcome(world.beat(&node, 2, Some("a"))), "ended");
    }
}

#[test]
fn two_machines_with_the_one_token_of_a_node_put_it_into_quarantine_where_that_is_wanted() {
    let (mut world, _, token, node) = enrolled("quarantine");
    assert_eq!(outcome(world.redeem(&token, "other")), "already_claimed", "which of them is the right one?");
    assert_eq!(outcome(world.beat(&node, 1, Some("a"))), "quarantined");
}

#[test]
fn one_machine_too_many_of_several_is_an_alert_about_nobody() {
    for (uses, by) in [(2, "alert"), (2, "quarantine"), (17, "alert"), (17, "lock"), (17, "quarantine")] {
        let mut world = World::that_reacts(by);
        let (package, token) = world.issue("fleet", json!({"max_uses": uses}));
        let nodes: Vec<_> = (0..uses).map(|number| world.redeemed(&token, &format!("m{number}"))).collect();
        assert_eq!(outcome(world.redeem(&token, "late")), "already_claimed", "{uses} {by}");
        assert_eq!(world.clones(package), 1, "{uses} {by}");
        let event = serde_json::to_value(
            world.ledger.events().iter().rfind(|event| event.fact.name() == "clone_suspected").unwrap(),
        );
        assert_eq!(event.unwrap()["fact"].get("node"), None, "nobody knows whose place it wants");
        let retry = outcome(world.redeem(&token, "m0"));
        assert_eq!(retry, if by == "alert" { "redeemed" } else { "token_locked" }, "{uses} {by}");
        assert_eq!(outcome(world.check_in(&nodes[0], "m0", 1)), "checked_in", "{uses} {by}");
    }
}

#[test]
fn a_token_is_locked_and_a_node_kept_away_also_after_all_alerts_are_spent() {
    let (mut world, package, _, node) = enrolled("alert");
    world.beat(&node, 1, Some("mine"));
    for number in 0..9 {
        world.beat(&node, 1, Some(&format!("other-{number}")));
    }
    let mut stricter = policy();
    stricter["on_clone_suspected"] = json!("quarantine");
    world.registrar = crate::world::registrar(stricter);
    world.beat(&node, 1, Some("once-more"));
    assert_eq!(outcome(world.beat(&node, 2, Some("mine"))), "quarantined");
    assert_eq!(world.clones(package), 8);
}
