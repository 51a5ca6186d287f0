//! A live package gets a new token.

use handfast::{
    record::{Key, PackageStatus},
    vocabulary::{Answer, GivenContent, Refusal},
};
use serde_json::json;

use crate::world::{World, delivered, refusal};

#[test]
fn the_old_token_dies_at_once_and_its_sealed_copy_with_it() {
    let mut world = World::new();
    let (package, old) = world.issue("edge-1", json!({}));
    let new = world.reissue(package, json!({}));
    assert_ne!(old, new);
    assert_eq!(world.vault().len(), 1, "only the new token is kept");
    assert_eq!(refusal(&world.redeem(&old, "m")), Refusal::UnknownToken);
    assert!(matches!(world.redeem(&new, "m"), Answer::Redeemed(_)));
    assert_eq!(world.package(package).uses(), 1);
}

#[test]
fn make_before_break_keeps_the_old_token_until_the_new_one_is_used() {
    let mut world = World::new();
    let (package, old) = world.issue("fleet", json!({"max_uses": 3}));
    let new = world.reissue(package, json!({"make_before_break": true}));
    world.redeemed(&old, "a");
    assert!(world.package(package).old_token.is_some(), "the use of the old one breaks nothing");
    world.redeemed(&new, "b");
    assert_eq!(refusal(&world.redeem(&old, "c")), Refusal::UnknownToken);
    assert_eq!(
        refusal(&world.redeem(&old, "a")),
        Refusal::UnknownToken,
        "a retry by the old one is over, too"
    );
    world.redeemed(&new, "c");
    assert_eq!(world.package(package).uses(), 3);
}

#[test]
fn make_before_break_ends_with_its_grace() {
    let mut world = World::new();
    let (package, old) = world.issue("edge-1", json!({}));
    let more = json!({"make_before_break": true, "ttl_seconds": 7200, "grace_seconds": 60});
    let new = world.reissue(package, more);
    assert_eq!(world.package(package).old_token.as_ref().unwrap().until, world.now.plus_seconds(60));
    world.later(60);
    assert_eq!(refusal(&world.redeem(&old, "m")), Refusal::Expired, "also before the timer has come by");
    assert_eq!(world.ledger.next_wake(), Some(world.now));
    world.tick();
    assert_eq!(refusal(&world.redeem(&old, "m")), Refusal::UnknownToken);
    assert!(matches!(world.redeem(&new, "m"), Answer::Redeemed(_)));
}

#[test]
fn make_before_break_gives_the_old_token_no_time_that_it_did_not_have() {
    let mut world = World::new();
    let (package, old) = world.issue("fleet", json!({"max_uses": null, "ttl_seconds": 60}));
    world.enrol(&old, "m");
    world.later(30);
    let more = json!({"make_before_break": true, "ttl_seconds": 7200});
    world.reissue(package, more.clone());
    assert_eq!(world.package(package).old_token.as_ref().unwrap().until, world.now.plus_seconds(30));
    world.later(30);
    assert_eq!(refusal(&world.redeem(&old, "m2")), Refusal::Expired);
    let mut expired = World::new();
    let (package, old) = expired.issue("fleet", json!({"max_uses": null, "ttl_seconds": 60}));
    expired.enrol(&old, "m");
    expired.later(60);
    expired.reissue(package, more);
    assert_eq!(refusal(&expired.redeem(&old, "m2")), Refusal::UnknownToken, "it had expired before");
}

#[test]
fn a_lost_reply_is_asked_for_again_by_its_request_id() {
    let mut world = World::new();
    let (package, _) = world.issue("edge-1", json!({}));
    let ask = |authority: &str, request: &str| json!({"type": "reissue", "authority": authority, "package": package, "deliver": true, "request": request});
    let Answer::Reissued(first) = world.run(ask("operator:ann", "r-1")) else { panic!() };
    let Answer::Reissued(again) = world.run(ask("operator:ann", "r-1")) else { panic!() };
    assert!(!first.again && again.again && first.token == again.token && first.token.is_some());
    let Answer::Reissued(bob) = world.run(ask("operator:bob", "r-1")) else { panic!() };
    assert!(bob.again && bob.token.is_none(), "not his token");
    let Answer::Reissued(other) = world.run(ask("operator:ann", "r-2")) else { panic!() };
    assert!(!other.again && other.token != first.token);
    assert_eq!(world.package(package).token.as_ref().unwrap().generation, 3);
}

#[test]
fn the_package_lives_as_long_as_its_new_token() {
    let mut world = World::new();
    let (package, _) = world.issue("edge-1", json!({"ttl_seconds": 60}));
    world.later(59);
    let new = world.reissue(package, json!({"ttl_seconds": 120}));
    world.later(60);
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Delivered);
    assert!(matches!(world.redeem(&new, "m"), Answer::Redeemed(_)));
}

#[test]
fn what_has_ended_or_has_no_token_gets_none() {
    let mut world = World::new();
    let (package, _) = world.issue("edge-1", json!({}));
    world.revoke(package);
    let reissue = |package| json!({"type": "reissue", "authority": "operator:ann", "package": package});
    assert_eq!(refusal(&world.run(reissue(package))), Refusal::Ended);
    let file = json!([{"type": "file", "name": "a", "content": "1"}]);
    let package = world.made("edge-2", json!({"activates_on": "delivery", "contents": file}));
    assert!(world.error(reissue(package)).starts_with("package: "));
    let mut grace = reissue(package);
    grace["grace_seconds"] = json!(86_401);
    assert!(world.error(grace).starts_with("grace_seconds: "));
}

#[test]
fn the_new_token_may_be_handed_to_somebody_else_once() {
    let mut world = World::new();
    let (package, _) = world.issue("edge-1", json!({}));
    let new = json!({"type": "reissue", "authority": "operator:ann", "package": package});
    assert!(matches!(world.run(new), Answer::Reissued(reissued) if reissued.token.is_none()));
    let deliver = |name: &str| json!({"type": "deliver", "authority": format!("operator:{name}"), "to": {"type": "operator", "package": package}});
    let token = delivered(world.run(deliver("bob"))).token.unwrap();
    assert_eq!(refusal(&world.run(deliver("ann"))), Refusal::AlreadyDelivered);
    assert!(matches!(world.redeem(token.expose(), "m"), Answer::Redeemed(_)));
}

#[test]
fn what_was_not_shredded_yet_is_given_to_the_next_one() {
    let mut world = World::new();
    let file = json!({"max_uses": 2, "contents": [{"type": "file", "name": "a", "content": "hunter2"}]});
    let (package, token) = world.issue("edge-1", file);
    world.enrol(&token, "m");
    let new = world.reissue(package, json!({}));
    for machine in ["m", "m2"] {
        let redeemed = world.redeemed(&new, machine);
        assert!(
            matches!(&redeemed.contents[..], [GivenContent::File { content, .. }] if content.expose() == "hunter2")
        );
    }
}

#[test]
fn a_new_token_that_was_never_handed_out_is_not_accepted() {
    let mut world = World::new();
    let (package, _) = world.issue("edge-1", json!({}));
    let mut thief = World::new();
    thief.issue("edge-1", json!({}));
    let stolen = thief.reissue(package, json!({}));
    world.run(json!({"type": "reissue", "authority": "operator:ann", "package": package}));
    assert_eq!(refusal(&world.redeem(&stolen, "m")), Refusal::NotDelivered);
}

#[test]
fn a_reissue_hands_nothing_over_before_everything_external_is_ready() {
    let mut world = World::new();
    let package = world.made("edge-1", json!({"contents": [{"type": "kubernetes_bootstrap_token"}]}));
    let reissue =
        json!({"type": "reissue", "authority": "operator:ann", "package": package, "deliver": true});
    assert_eq!(refusal(&world.run(reissue.clone())), Refusal::NotReady);
    assert_eq!(world.status(package), PackageStatus::Created);
    world.work();
    assert!(matches!(world.run(reissue), Answer::Reissued(reissued) if reissued.token.is_some()));
}

#[test]
fn a_package_whose_bootstrap_token_has_done_its_work_can_still_be_handed_over_anew() {
    let mut world = World::new();
    let more = json!({"contents": [{"type": "kubernetes_bootstrap_token"}], "bindings": {"node_name": "n1"}});
    let package = world.made("edge-1", more);
    world.work();
    let token = delivered(world.deliver(package)).token.unwrap();
    let redeem = json!({"type": "redeem", "token": token.expose(), "fingerprint": "m", "node_name": "n1"});
    let Answer::Redeemed(redeemed) = world.run(redeem) else { panic!() };
    world.check_in(&redeemed, "m", 1);
    let joined = json!({"type": "observe_subject", "authority": "executor:w1", "scope": "default", "subject": "node/n1"});
    assert!(matches!(world.run(joined), Answer::SubjectObserved(_)));
    world.work();
    world.run(json!({"type": "reissue", "authority": "operator:ann", "package": package}));
    assert!(delivered(world.deliver(package)).token.is_some());
}

#[test]
fn a_fleets_contents_are_gone_once_its_token_was_closed() {
    let mut world = World::new();
    let file = json!({"max_uses": null, "contents": [{"type": "file", "name": "a", "content": "hunter2"}]});
    let (package, token) = world.issue("fleet", file);
    world.enrol(&token, "m");
    world.later(900 + 600);
    world.tick();
    assert!(!world.package(package).token_open);
    let new = world.reissue(package, json!({}));
    assert!(world.redeemed(&new, "m2").contents.is_empty());
    assert!(world.version(&Key::Package(package)) > 0);
}

#[test]
fn what_was_shredded_is_not_given_again() {
    let mut world = World::new();
    let file = json!({"contents": [{"type": "file", "name": "a", "content": "hunter2"}]});
    let (package, token) = world.issue("edge-1", file);
    world.enrol(&token, "m");
    let new = world.reissue(package, json!({}));
    let again = world.redeemed(&new, "m");
    assert!(!again.again && again.contents.is_empty(), "the first check-in has shredded the file");
    let other = world.reissue(package, json!({}));
    let Answer::Redeemed(other) = world.redeem(&other, "m2") else { panic!() };
    assert!(other.contents.is_empty());
    world.revoke(package);
    assert!(world.vault().is_empty());
}

#[test]
fn the_answers_say_that_contents_were_shredded() {
    let mut world = World::new();
    let file = json!([{"type": "file", "name": "a", "content": "hunter2"}]);
    let (package, token) = world.issue("edge-1", json!({"contents": file}));
    let answered = |answer: Answer| answer.into_parts().0["contents_shredded"].clone();
    let ask = json!({"type": "reissue", "authority": "operator:ann", "package": package, "deliver": true, "request": "r-1"});
    assert_eq!(answered(world.redeem(&token, "m")), json!(false));
    world.enrol(&token, "m");
    assert_eq!(answered(world.run(ask.clone())), json!(true));
    let Answer::Reissued(reissued) = world.run(ask) else { panic!() };
    assert!(reissued.again && reissued.contents_shredded, "also when it is asked again");
    let newer = reissued.token.unwrap();
    for again in [false, true] {
        let redeemed = world.redeemed(newer.expose(), "m");
        assert!(redeemed.contents.is_empty() && redeemed.contents_shredded && redeemed.again == again);
    }
    let (empty, token) = world.issue("edge-2", json!({}));
    world.enrol(&token, "m2");
    let reissue = json!({"type": "reissue", "authority": "operator:ann", "package": empty});
    assert_eq!(answered(world.run(reissue)), json!(false), "there was nothing to shred");
}
