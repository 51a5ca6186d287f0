//! Download links: signed, expiring, single-use.

use handfast::{
    code::Code,
    id::PackageId,
    record::{DeliveredTo, PackageStatus},
    time::Now,
    vocabulary::{Answer, Command, Refusal},
};
use serde_json::json;

use crate::world::{World, delivered, refusal};

impl World {
    fn link(&mut self, package: PackageId, more: serde_json::Value) -> String {
        let mut command = json!({"type": "make_link", "authority": "operator:ann", "package": package});
        command.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        match self.run(command) {
            Answer::Linked(linked) => linked.link.expose().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn follow(&mut self, link: &str, source: &str) -> Answer {
        self.run(json!({"type": "deliver", "source": source, "to": {"type": "link", "link": link}}))
    }
}

#[test]
fn whoever_follows_a_link_first_has_the_package_and_nobody_else() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({}));
    let link = world.link(package, json!({}));
    let first = delivered(world.follow(&link, "192.0.2.1"));
    assert_eq!(world.status(package), PackageStatus::Delivered);
    assert!(matches!(
        world.package(package).delivery.as_ref().unwrap().to,
        DeliveredTo::Link { number: 1, .. }
    ));
    assert_eq!(refusal(&world.follow(&link, "192.0.2.2")), Refusal::AlreadyDelivered);
    let again = delivered(world.follow(&link, "192.0.2.1"));
    assert!(again.again && again.token == first.token, "a lost reply");
    world.later(600);
    assert_eq!(refusal(&world.follow(&link, "192.0.2.1")), Refusal::AlreadyDelivered);
    assert!(matches!(world.redeem(first.token.unwrap().expose(), "m"), Answer::Redeemed(_)));
}

#[test]
fn a_newer_link_takes_the_place_of_the_one_before() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({}));
    let (first, second) = (world.link(package, json!({})), world.link(package, json!({})));
    assert_eq!(refusal(&world.follow(&first, "192.0.2.1")), Refusal::LinkReplaced);
    assert!(delivered(world.follow(&second, "192.0.2.1")).token.is_some());
}

#[test]
fn a_link_is_made_for_what_can_still_be_handed_over() {
    let mut world = World::new();
    let (package, _) = world.issue("edge-1", json!({}));
    let make = |package: PackageId, ttl: u32| json!({"type": "make_link", "authority": "operator:ann", "package": package, "ttl_seconds": ttl});
    assert_eq!(refusal(&world.run(make(package, 60))), Refusal::AlreadyDelivered);
    world.revoke(package);
    assert_eq!(refusal(&world.run(make(package, 60))), Refusal::Ended);
    assert!(world.error(make(package, 0)).starts_with("ttl_seconds: "));
    assert!(world.error(make(package, 604_801)).starts_with("ttl_seconds: "));
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    assert_eq!(refusal(&world.run(make(unknown, 60))), Refusal::Unknown);
}

#[test]
fn a_link_of_a_package_that_has_ended_or_is_not_ready_gives_nothing() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({"contents": [{"type": "kubernetes_bootstrap_token"}]}));
    let link = world.link(package, json!({}));
    assert_eq!(refusal(&world.follow(&link, "192.0.2.1")), Refusal::NotReady);
    world.revoke(package);
    assert_eq!(refusal(&world.follow(&link, "192.0.2.1")), Refusal::Ended);
}

#[test]
fn a_link_that_we_did_not_make_is_none() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({}));
    let link = world.link(package, json!({}));
    let mut typo = link.clone();
    typo.replace_range(link.len() - 1.., if link.ends_with('A') { "Q" } else { "A" });
    for wrong in ["", "x", &typo] {
        assert!(matches!(refusal(&world.follow(wrong, "192.0.2.1")), Refusal::Link(_)), "{wrong}");
    }
    assert_eq!(world.status(package), PackageStatus::Created);
    assert!(!world.ledger.snapshot().contains(&link));
}

#[test]
fn a_link_ends_at_its_time_and_not_a_second_before() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({}));
    let link = world.link(package, json!({"ttl_seconds": 60}));
    world.later(60);
    assert_eq!(refusal(&world.follow(&link, "192.0.2.1")), Refusal::Link(Code::LinkExpired));
    let link = world.link(package, json!({"ttl_seconds": 60}));
    world.later(59);
    assert!(delivered(world.follow(&link, "192.0.2.1")).token.is_some());
}

#[test]
fn a_link_that_has_expired_by_the_records_time_stays_so() {
    let mut world = World::new();
    let package = world
        .made("edge-1", json!({"ttl_seconds": 7200, "contents": [{"type": "kubernetes_bootstrap_token"}]}));
    let link = world.link(package, json!({"ttl_seconds": 60}));
    let early = world.now;
    world.later(60);
    world.work(); // the record has seen this instant
    let follow = json!({"type": "deliver", "source": "192.0.2.1", "to": {"type": "link", "link": link}});
    let back = world.attempt(&Command::from_value(follow).unwrap(), Now::trusted(early)).unwrap();
    assert_eq!(refusal(&back), Refusal::Link(Code::LinkExpired));
}

#[test]
fn a_used_link_gives_nothing_of_a_reissued_package() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({}));
    let link = world.link(package, json!({}));
    delivered(world.follow(&link, "192.0.2.1"));
    world.run(json!({"type": "reissue", "authority": "operator:ann", "package": package}));
    assert_eq!(refusal(&world.follow(&link, "192.0.2.1")), Refusal::LinkReplaced);
    let next = world.link(package, json!({}));
    assert_eq!(refusal(&world.follow(&link, "192.0.2.1")), Refusal::LinkReplaced);
    assert!(delivered(world.follow(&next, "192.0.2.2")).token.is_some());
}

#[test]
fn where_the_host_does_not_say_who_asks_a_link_is_good_for_one_answer() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({}));
    let link = world.link(package, json!({}));
    let follow = || json!({"type": "deliver", "to": {"type": "link", "link": link}});
    assert!(delivered(world.run(follow())).token.is_some());
    assert_eq!(refusal(&world.run(follow())), Refusal::AlreadyDelivered, "it could be anybody");
}
