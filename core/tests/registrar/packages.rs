//! Packages from issue to end.

use handfast::{
    code::Code,
    record::{EndReason, Key, NodeStatus, PackageStatus, Record},
    registrar::Explanation,
    time::Now,
    vocabulary::{Answer, Command, GivenContent, Refusal},
};
use serde_json::json;

use crate::world::{World, delivered, refusal};

#[test]
fn a_package_is_issued_redeemed_and_in_use() {
    let mut world = World::new();
    let file = json!({"contents": [{"type": "file", "name": "config.env", "content": "A=1"}]});
    let (package, token) = world.issue("edge-1", file);
    assert_eq!(world.status(package), PackageStatus::Delivered);
    let redeemed = world.redeemed(&token, "machine-1");
    assert!(
        matches!(&redeemed.contents[..], [GivenContent::File { content, .. }] if content.expose() == "A=1")
    );
    assert_eq!(world.status(package), PackageStatus::Delivered, "it activates on check-in");
    world.check_in(&redeemed, "machine-1", 1);
    assert_eq!(world.status(package), PackageStatus::Activated);
    assert_eq!(
        world.facts(),
        [
            "package_issued",
            "name_taken",
            "package_delivered",
            "package_claimed",
            "node_claimed",
            "subject_bound",
            "node_checked_in",
            "grant_closed",
            "package_activated",
        ]
    );
}

#[test]
fn a_lost_reply_costs_nothing_and_a_second_machine_gets_nothing() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let first = world.redeemed(&token, "machine-1");
    world.later(599);
    let again = world.redeemed(&token, "machine-1");
    assert!(again.again && again.node == first.node && again.retry_until == first.retry_until);
    assert_eq!(refusal(&world.redeem(&token, "machine-2")), Refusal::AlreadyClaimed);
    assert_eq!(world.package(package).uses(), 1);
    assert_eq!(world.package(package).clones_suspected, 1);
    world.later(1);
    assert_eq!(refusal(&world.redeem(&token, "machine-1")), Refusal::GrantClosed);
    assert_eq!(world.status(package), PackageStatus::Delivered, "the alert evicts nobody");
}

#[test]
fn the_first_check_in_closes_the_grant_and_shreds_its_secrets() {
    let mut world = World::new();
    let file = json!({"contents": [{"type": "file", "name": "a", "content": "hunter2"}]});
    let (_, token) = world.issue("edge-1", file);
    let redeemed = world.redeemed(&token, "machine-1");
    assert_eq!(world.vault().len(), 2, "the token and the file");
    world.check_in(&redeemed, "machine-1", 1);
    assert_eq!(refusal(&world.redeem(&token, "machine-1")), Refusal::GrantClosed);
    assert_eq!(world.vault().len(), 1, "the token may still be asked for again by the operator");
    world.later(600);
    world.tick();
    assert!(world.vault().is_empty());
}

#[test]
fn an_alert_about_clones_is_bounded_however_often_they_come() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    world.redeemed(&token, "machine-1");
    for stranger in 0..50 {
        assert_eq!(refusal(&world.redeem(&token, &format!("stranger-{stranger}"))), Refusal::AlreadyClaimed);
    }
    assert_eq!(world.package(package).clones_suspected, 8);
    assert_eq!(world.facts().iter().filter(|fact| **fact == "clone_suspected").count(), 8);
    assert_eq!(world.notices()["already_claimed"], 50);
}

#[test]
fn a_counted_token_admits_exactly_so_many_machines() {
    let mut world = World::new();
    let (package, token) = world.issue("fleet", json!({"max_uses": 3}));
    for machine in ["a", "b", "a", "c", "b"] {
        world.redeemed(&token, machine);
    }
    assert_eq!(refusal(&world.redeem(&token, "d")), Refusal::AlreadyClaimed);
    assert_eq!(world.package(package).uses(), 3);
}

#[test]
fn a_refused_attempt_never_spends_a_use_or_bumps_the_record() {
    let mut world = World::new();
    let bound = json!({"bindings": {"cidrs": ["10.0.0.0/8"], "node_name": "edge-1", "instance": "i-0123456789abcdef0"}});
    let (package, token) = world.issue("edge-1", bound);
    let before = world.ledger.read(&[Key::Package(package)]);
    let redeem = |source: &str, name: Option<&str>, instance: &str| json!({"type": "redeem", "token": token, "fingerprint": "m", "source": source, "node_name": name, "instance": instance});
    for wrong in [
        redeem("192.0.2.1", Some("edge-1"), "i-0123456789abcdef0"),
        redeem("10.0.0.1", Some("edge-2"), "i-0123456789abcdef0"),
        redeem("10.0.0.1", None, "i-0123456789abcdef0"),
        redeem("10.0.0.1", Some("edge-1"), "i-0123456789abcdef1"),
    ] {
        assert_eq!(refusal(&world.run(wrong)), Refusal::BindingMismatch);
    }
    assert_eq!(world.ledger.read(&[Key::Package(package)]), before);
    let right = redeem("::ffff:10.0.0.1", Some("edge-1"), "i-0123456789abcdef0");
    assert!(matches!(world.run(right), Answer::Redeemed(_)), "an IPv4-mapped address is that IPv4 address");
}

#[test]
fn mistyped_unknown_and_wrong_tokens_are_told_apart_in_the_audit_only() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-1", json!({}));
    let (_, other) = World::new().issue("edge-1", json!({"kind": "other"}));
    assert_eq!(token, other, "the same dice");
    let mut elsewhere = World::new();
    elsewhere.issue("edge-0", json!({}));
    let (_, foreign) = elsewhere.issue("edge-1", json!({}));
    assert_eq!(refusal(&world.redeem("hf1_nonsense", "m")), Refusal::MalformedToken);
    assert_eq!(refusal(&world.redeem(&foreign, "m")), Refusal::UnknownToken);
    assert!(matches!(world.redeem(&token, "m"), Answer::Redeemed(_)));
}

#[test]
fn an_unused_package_expires_at_its_deadline_and_not_a_millisecond_before() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({"ttl_seconds": 60}));
    world.now = handfast::time::Timestamp::from_unix_millis(world.now.unix_millis() + 59_999).unwrap();
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Delivered);
    world.now = handfast::time::Timestamp::from_unix_millis(world.now.unix_millis() + 1).unwrap();
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::Expired, "also before the timer has come by");
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Expired);
    assert!(world.vault().is_empty());
    let (again, _) = world.issue("edge-1", json!({}));
    assert_ne!(again, package, "the name is free again");
}

#[test]
fn a_delivered_package_expires_too_but_not_under_a_node_that_has_redeemed_it() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({"ttl_seconds": 60}));
    world.later(59);
    let redeemed = world.redeemed(&token, "m");
    world.later(60);
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Delivered);
    world.check_in(&redeemed, "m", 1);
    assert_eq!(world.status(package), PackageStatus::Activated);
}

#[test]
fn a_node_that_never_checks_in_is_retired_and_its_package_expires() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let redeemed = world.redeemed(&token, "m");
    world.later(3600);
    assert_eq!(refusal(&world.check_in(&redeemed, "m", 1)), Refusal::Expired);
    world.tick();
    assert_eq!(world.status(package), PackageStatus::Expired);
    assert_eq!(world.package(package).end_reason, Some(EndReason::NeverConfirmed));
    assert_eq!(refusal(&world.check_in(&redeemed, "m", 1)), Refusal::Ended);
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::Ended);
}

#[test]
fn revoking_ends_everything_at_once_and_twice_is_once() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let redeemed = world.redeemed(&token, "m");
    world.check_in(&redeemed, "m", 1);
    assert!(matches!(world.revoke(package), Answer::Revoked(revoked) if !revoked.again));
    assert_eq!(world.status(package), PackageStatus::Revoked, "an activated package can be revoked");
    assert!(
        matches!(world.ledger.get(&Key::Node(redeemed.node)), Some(Record::Node(node)) if node.status == NodeStatus::Retired)
    );
    assert!(world.vault().is_empty());
    let events = world.ledger.events().len();
    assert!(matches!(world.revoke(package), Answer::Revoked(revoked) if revoked.again));
    assert_eq!(world.ledger.events().len(), events);
    assert_eq!(refusal(&world.check_in(&redeemed, "m", 2)), Refusal::Ended);
    let (_, next) = world.issue("edge-1", json!({}));
    assert!(
        matches!(world.redeem(&next, "m"), Answer::Redeemed(_)),
        "the machine may return with a new package"
    );
}

#[test]
fn a_subject_that_lives_through_one_package_does_not_spend_another() {
    let mut world = World::new();
    let (first, token) = world.issue("edge-1", json!({}));
    world.redeemed(&token, "m");
    let (second, other) = world.issue("edge-2", json!({}));
    assert_eq!(refusal(&world.redeem(&other, "m")), Refusal::SubjectEnrolled);
    assert_eq!(world.package(second).uses(), 0);
    world.revoke(first);
    assert!(matches!(world.redeem(&other, "m"), Answer::Redeemed(_)));
}

#[test]
fn an_operator_is_handed_a_package_once_and_the_same_one_again_in_its_window() {
    let mut world = World::new();
    let package = world.issued("edge-1", json!({"deliver": false})).package;
    let deliver = |name: &str| json!({"type": "deliver", "authority": format!("operator:{name}"), "to": {"type": "operator", "package": package}});
    let first = delivered(world.run(deliver("ann")));
    world.later(599);
    let again = delivered(world.run(deliver("ann")));
    assert!(!first.again && again.again && first.token == again.token);
    assert_eq!(refusal(&world.run(deliver("bob"))), Refusal::AlreadyDelivered);
    world.later(1);
    assert_eq!(refusal(&world.run(deliver("ann"))), Refusal::AlreadyDelivered);
    let token = first.token.unwrap();
    assert!(matches!(world.redeem(token.expose(), "m"), Answer::Redeemed(_)));
}

#[test]
fn a_token_that_was_never_handed_out_is_not_accepted() {
    let mut world = World::new();
    let package = world.issued("edge-1", json!({"deliver": false})).package;
    let deliver = json!({"type": "deliver", "authority": "operator:ann", "to": {"type": "operator", "package": package}});
    let mut thief = World::new();
    thief.issued("edge-1", json!({"deliver": false}));
    let token = delivered(thief.run(deliver)).token.unwrap();
    assert_eq!(refusal(&world.redeem(token.expose(), "m")), Refusal::NotDelivered);
}

#[test]
fn a_repeated_request_gives_the_same_package_and_a_taken_name_is_refused() {
    let mut world = World::new();
    let first = world.issued("edge-1", json!({"request": "r-1"}));
    let again = world.issued("edge-1", json!({"request": "r-1"}));
    assert!(again.again && again.package == first.package && again.token == first.token);
    let taken = json!({"type": "issue", "authority": "operator:ann", "name": "edge-1", "request": "r-2"});
    assert_eq!(refusal(&world.run(taken)), Refusal::NameTaken);
    let elsewhere = world.issued("edge-1", json!({"scope": "other"}));
    assert_ne!(elsewhere.package, first.package, "names belong to scopes");
    let by_bob = json!({"type": "issue", "authority": "operator:bob", "name": "edge-1", "request": "r-1", "deliver": true});
    assert!(
        matches!(world.run(by_bob), Answer::Issued(issued) if issued.again && issued.token.is_none()),
        "not his token"
    );
}

#[test]
fn check_ins_count_and_an_old_one_is_a_clone() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let node = world.redeemed(&token, "m");
    for sequence in 1..=3 {
        assert!(matches!(world.check_in(&node, "m", sequence), Answer::CheckedIn(answer) if !answer.again));
    }
    let events = world.ledger.events().len();
    assert!(
        matches!(world.check_in(&node, "m", 3), Answer::CheckedIn(answer) if answer.again),
        "a lost reply"
    );
    assert_eq!(world.ledger.events().len(), events);
    assert_eq!(refusal(&world.check_in(&node, "m", 2)), Refusal::CloneSuspected);
    assert_eq!(world.package(package).clones_suspected, 1);
    assert_eq!(refusal(&world.check_in(&node, "other", 4)), Refusal::BindingMismatch);
}

#[test]
fn what_the_policy_does_not_allow_is_refused_by_default() {
    let mut world = World::with_policy(json!({}));
    let (_, token) = world.issue("edge-1", json!({}));
    assert_eq!(refusal(&world.redeem(&token, "m")), Refusal::ProofRequired);
}

#[test]
fn nobody_gives_commands_that_are_not_theirs() {
    let mut world = World::new();
    let package = world.issued("edge-1", json!({"deliver": false})).package;
    for authority in ["node", "timer", "event", "executor:w1"] {
        let revoke = json!({"type": "revoke", "authority": authority, "package": package});
        assert_eq!(refusal(&world.run(revoke)), Refusal::NotAuthorized, "{authority}");
        let deliver = json!({"type": "deliver", "authority": authority, "to": {"type": "operator", "package": package}});
        assert_eq!(refusal(&world.run(deliver)), Refusal::NotAuthorized, "{authority}");
    }
    let expire = json!({"type": "expire", "authority": "operator:ann", "key": Key::Package(package)});
    assert_eq!(refusal(&world.run(expire)), Refusal::NotAuthorized);
}

#[test]
fn a_clock_that_goes_back_revives_nothing_and_an_untrusted_one_ends_nothing() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({"ttl_seconds": 60}));
    let redeem = json!({"type": "redeem", "token": token, "fingerprint": "m"});
    let run = |world: &mut World, command: serde_json::Value, now| {
        world
            .ledger
            .run(&world.registrar, &Command::from_value(command).unwrap(), now, &mut world.rng)
            .unwrap()
    };
    let far = world.now.plus_seconds(10_000);
    let expire = json!({"type": "expire", "key": Key::Package(package)});
    assert_eq!(refusal(&run(&mut world, expire.clone(), Now::untrusted(far))), Refusal::ClockSuspect);
    assert_eq!(refusal(&run(&mut world, redeem.clone(), Now::untrusted(far))), Refusal::ClockSuspect);
    assert_eq!(world.status(package), PackageStatus::Delivered);
    run(&mut world, expire, Now::trusted(far));
    assert_eq!(world.status(package), PackageStatus::Expired);
    let back = world.now;
    assert_eq!(refusal(&run(&mut world, redeem, Now::trusted(back))), Refusal::Ended);
    let (other, _) = world.issue("edge-2", json!({}));
    assert!(world.package(other).created_at >= world.now);
}

#[test]
fn limits_hold_and_name_their_field() {
    let mut world = World::new();
    let mut issue = |more: serde_json::Value| {
        let mut command = json!({"type": "issue", "authority": "operator:ann", "name": "edge-1"});
        command.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let command = Command::from_value(command).unwrap();
        let error = world
            .ledger
            .run(&world.registrar, &command, Now::trusted(world.now), &mut world.rng)
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidInput);
        error.to_string()
    };
    assert!(issue(json!({"max_uses": 0})).starts_with("max_uses: "));
    assert!(issue(json!({"max_uses": 1_000_001})).starts_with("max_uses: "));
    assert!(issue(json!({"ttl_seconds": 59})).starts_with("ttl_seconds: "));
    assert!(issue(json!({"ttl_seconds": 2_592_001})).starts_with("ttl_seconds: "));
    let file = |content: String| json!({"type": "file", "name": "a", "content": content});
    assert!(issue(json!({"contents": [file("x".repeat(65_537))]})).starts_with("contents[0].content: "));
    assert!(
        issue(json!({"contents": [file("1".into()), file("2".into())]})).starts_with("contents[1].name: ")
    );
    let token = json!({"type": "kubernetes_bootstrap_token", "ttl_seconds": 901});
    assert!(issue(json!({"contents": [token]})).starts_with("contents[0].ttl_seconds: "));
    let token = json!({"type": "kubernetes_bootstrap_token"});
    assert!(issue(json!({"deliver": true, "contents": [token]})).starts_with("deliver: "));
    assert_eq!(world.ledger.iter().count(), 0);
}

#[test]
fn explain_says_what_would_happen_and_changes_nothing() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-1", json!({"ttl_seconds": 60}));
    let command = Command::from_value(json!({"type": "redeem", "token": token, "fingerprint": "m"})).unwrap();
    let explain = |at| {
        let explanation = world.registrar.explain(&command, &world.ledger, Now::trusted(at)).unwrap();
        serde_json::to_value(explanation).unwrap()
    };
    let now = explain(world.now);
    assert_eq!(now["facts"], json!(["package_claimed", "node_claimed", "subject_bound"]));
    let [package] = now["records"].as_array().unwrap().as_slice() else { panic!("{now}") };
    assert!(package.as_str().unwrap().starts_with("package/"), "{package}");
    let later = explain(world.now.plus_seconds(60));
    assert_eq!((later["type"].as_str(), later["code"].as_str()), (Some("refused"), Some("expired")));
    assert_eq!(world.facts().len(), 3);
}

#[test]
fn a_revocation_says_beforehand_how_far_it_reaches() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({"max_uses": 2}));
    let nodes = ["m1", "m2"].map(|machine| world.redeemed(&token, machine).node);
    let command = json!({"type": "revoke", "authority": "operator:ann", "package": package});
    let command = Command::from_value(command).unwrap();
    let reach = world.registrar.explain(&command, &world.ledger, Now::trusted(world.now)).unwrap();
    let Explanation::Accepted { records, .. } = reach else { panic!("{reach:?}") };
    for key in nodes.map(Key::Node).into_iter().chain([Key::Package(package)]) {
        assert!(records.contains(&key), "{key} is not in {records:?}");
    }
}

#[test]
fn no_package_lives_longer_than_the_policy_allows() {
    let mut world =
        World::with_policy(json!({"package_ttl_max_seconds": 3600, "vouched_fingerprints": true}));
    let issue =
        |ttl: u32| json!({"type": "issue", "authority": "operator:ann", "name": "a", "ttl_seconds": ttl});
    let too_long = world.error(issue(3601));
    assert!(too_long.starts_with("ttl_seconds: expected 60 to 3600 seconds"), "{too_long}");
    let Answer::Issued(issued) = world.run(issue(3600)) else { panic!("is allowed") };
    let again = json!({"type": "reissue", "authority": "operator:ann", "package": issued.package, "ttl_seconds": 3601});
    assert!(world.error(again).starts_with("ttl_seconds: "));
}

/// A token of ServiceRadar's in form, but for what is in it.
fn unsigned_payload(payload: &str) -> String {
    let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    format!("edgepkg-v2:{}.{}", encode(payload.as_bytes()), encode(&[0; 64]))
}

/// A token of Choria's that anybody can have written.
fn choria(payload: &str) -> String {
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    format!("{}.{}.AAAA", encode(r#"{"alg":"EdDSA"}"#), encode(payload))
}

/// What no program could read is found out by the operator who issues it, not by a node in the field.
#[test]
fn a_file_is_what_it_is_said_to_be() {
    let mut world = World::new();
    let file =
        json!({"type": "file", "name": "provisioning.jwt", "content": "hunter2", "format": "choria_token"});
    let issue = json!({"type": "issue", "authority": "operator:ann", "name": "a", "contents": [file]});
    let error = world.error(issue);
    assert!(error.starts_with("contents[0].content: is not of its format: jwt_not_compact"), "{error}");
    for (format, content, code) in [
        (
            "choria_token",
            choria(r#"{"purpose":"choria_provisioning","cht":"a"}"#).as_str(),
            "choria_no_broker",
        ),
        (
            "choria_token",
            choria(r#"{"purpose":"choria_provisioning","cht":"a","chu":"b","chsrv":"c"}"#).as_str(),
            "choria_two_brokers",
        ),
        (
            "choria_token",
            choria(r#"{"purpose":"choria_provisioning","chu":"b"}"#).as_str(),
            "choria_no_token",
        ),
        (
            "choria_token",
            choria(r#"{"purpose":"choria_server","identity":"a"}"#).as_str(),
            "choria_invalid_claim",
        ),
        ("serviceradar_token", "edgepkg-v1:e30", "serviceradar_unsigned_token"),
        ("serviceradar_token", "hunter2", "serviceradar_malformed_token"),
        ("serviceradar_token", "edgepkg-v2:", "serviceradar_malformed_token"),
        ("serviceradar_token", "collectorpkg-v2:a b\n", "serviceradar_malformed_token"),
        ("serviceradar_token", unsigned_payload("[]").as_str(), "serviceradar_invalid_payload"),
        ("spiffe_bundle", "{\"keys\": 1}", "spire_malformed_bundle"),
        ("template", "no front matter", "template_front_matter"),
        ("wireguard", "[Interface]\nPostUp = reboot\n", "wireguard_command"),
    ] {
        let file = json!({"type": "file", "name": "a", "content": content, "format": format});
        let issue = json!({"type": "issue", "authority": "operator:ann", "name": "a", "contents": [file]});
        let error = world.error(issue);
        assert!(error.contains(code) && !error.contains("hunter2"), "{format}: {error}");
    }
    for (format, content) in [
        (
            "choria_token",
            choria(r#"{"purpose":"choria_provisioning","cht":"a","chu":"nats://u:p@b","exp":1}"#),
        ),
        ("serviceradar_token", unsigned_payload(r#"{"pkg":"a","dl":"b"}"#)),
    ] {
        let file = json!({"type": "file", "name": "a", "content": content, "format": format});
        World::new()
            .run(json!({"type": "issue", "authority": "operator:ann", "name": "a", "contents": [file]}));
    }
    let pool = json!({"type": "change_pool", "authority": "operator:ann", "scope": "default", "pool": "tokens",
        "format": "choria_token", "add": {"one": null, "two": "hunter2"}});
    let error = world.error(pool);
    assert!(error.starts_with("add.two: is not of its format: "), "{error}");
    assert_eq!(world.ledger.iter().count(), 0);
}

#[test]
fn a_flood_of_refusals_fills_no_memory() {
    let mut world = World::new();
    for minute in 0..10_050_u32 {
        world.now =
            crate::world::START.parse::<handfast::time::Timestamp>().unwrap().plus_seconds(60 * minute);
        world.redeem("hf1_nonsense", "m");
    }
    assert_eq!(world.ledger.notices().count(), 10_000);
    let oldest = world.ledger.notices().next().unwrap().first.at;
    assert_eq!(
        oldest,
        crate::world::START.parse::<handfast::time::Timestamp>().unwrap().plus_seconds(60 * 50)
    );
}
