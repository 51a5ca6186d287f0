//! The session: loading, conflicts, misuse; and stores that keep text.

use handfast::{
    code::Code,
    ledger::Ledger,
    record::{Key, Row},
    registrar::{Session, Step},
    time::Now,
    vocabulary::{Answer, Command, Error, Refusal},
};
use serde_json::json;

use crate::world::{World, refusal};

/// The driver that every host writes, over a store that keeps text.
fn drive(session: &mut Session, world: &mut World) -> Result<Answer, Error> {
    let mut rounds = 0;
    loop {
        match session.next(Now::trusted(world.now), &mut world.rng)? {
            Step::Load(keys) => {
                rounds += 1;
                assert!(rounds <= 3, "at most three rounds");
                session.loaded(world.ledger.read(&keys))?;
            }
            Step::Commit(commit) => {
                let held = world.ledger.commit(&commit);
                session.committed(held)?;
            }
            Step::Answer(answer) => return Ok(answer),
        }
    }
}

fn command(value: serde_json::Value) -> Command {
    Command::from_value(value).unwrap()
}

#[test]
fn a_whole_life_through_a_store_of_text_needs_at_most_three_rounds() {
    let mut world = World::new();
    let run = |world: &mut World, value| {
        drive(&mut world.registrar.clone().session(command(value)), world).unwrap()
    };
    let file =
        json!([{"type": "file", "name": "a", "content": "1"}, {"type": "file", "name": "b", "content": "2"}]);
    let issue = json!({"type": "issue", "authority": "operator:ann", "name": "edge-1", "contents": file, "deliver": true});
    let Answer::Issued(issued) = run(&mut world, issue) else { panic!() };
    let redeem = json!({"type": "redeem", "token": issued.token.unwrap().expose(), "fingerprint": "m"});
    let Answer::Redeemed(redeemed) = run(&mut world, redeem) else { panic!() };
    assert_eq!(redeemed.contents.len(), 2);
    let check_in = json!({"type": "check_in", "node": redeemed.node, "fingerprint": "m", "sequence": 1});
    assert!(matches!(run(&mut world, check_in), Answer::CheckedIn(_)));
    let revoke = json!({"type": "revoke", "authority": "operator:ann", "package": issued.package});
    assert!(matches!(run(&mut world, revoke), Answer::Revoked(_)));
}

#[test]
fn of_two_hosts_that_redeem_at_once_one_wins_and_the_other_decides_again() {
    let mut world = World::new();
    let (package, token) = world.issue("edge-1", json!({}));
    let redeem = |machine: &str| command(json!({"type": "redeem", "token": token, "fingerprint": machine}));
    let (mut one, mut two) = (world.registrar.session(redeem("m1")), world.registrar.session(redeem("m2")));
    let to_commit = |session: &mut Session, world: &mut World| loop {
        match session.next(Now::trusted(world.now), &mut world.rng).unwrap() {
            Step::Load(keys) => session.loaded(world.ledger.read(&keys)).unwrap(),
            Step::Commit(commit) => return commit,
            Step::Answer(answer) => panic!("{answer:?}"),
        }
    };
    let (first, second) = (to_commit(&mut one, &mut world), to_commit(&mut two, &mut world));
    assert!(world.ledger.commit(&first));
    one.committed(true).unwrap();
    assert!(!world.ledger.commit(&second));
    two.committed(false).unwrap();
    assert!(matches!(drive(&mut one, &mut world).unwrap(), Answer::Redeemed(_)));
    assert_eq!(refusal(&drive(&mut two, &mut world).unwrap()), Refusal::AlreadyClaimed);
    assert_eq!(world.package(package).uses(), 1);
}

#[test]
fn a_store_that_never_commits_is_busy_in_the_end() {
    let world = &mut World::new();
    let mut session =
        world.registrar.session(command(json!({"type": "issue", "authority": "operator:ann", "name": "a"})));
    let error = loop {
        match session.next(Now::trusted(world.now), &mut world.rng).unwrap() {
            Step::Load(keys) => session.loaded(world.ledger.read(&keys)).unwrap(),
            Step::Commit(_) => {
                if let Err(error) = session.committed(false) {
                    break error;
                }
            }
            Step::Answer(answer) => panic!("{answer:?}"),
        }
    };
    assert_eq!(error.code(), Code::Busy);
}

#[test]
fn steps_out_of_order_are_the_callers_mistake() {
    let world = &mut World::new();
    let mut session =
        world.registrar.session(command(json!({"type": "issue", "authority": "operator:ann", "name": "a"})));
    assert_eq!(session.loaded(Vec::new()).unwrap_err().code(), Code::Misuse);
    let mut session =
        world.registrar.session(command(json!({"type": "issue", "authority": "operator:ann", "name": "a"})));
    assert!(matches!(session.next(Now::trusted(world.now), &mut world.rng), Ok(Step::Load(_))));
    assert_eq!(session.next(Now::trusted(world.now), &mut world.rng).unwrap_err().code(), Code::Misuse);
    assert_eq!(session.committed(true).unwrap_err().code(), Code::Misuse);
}

#[test]
fn a_receipt_is_good_for_its_own_decision_only() {
    let mut world = World::new();
    let decide = |world: &mut World, name: &str| {
        let command =
            command(json!({"type": "issue", "authority": "operator:ann", "name": name, "deliver": true}));
        match world
            .registrar
            .clone()
            .decide(&command, &world.ledger, Now::trusted(world.now), &mut world.rng)
            .unwrap()
        {
            handfast::vocabulary::Outcome::Decision(decision) => *decision,
            handfast::vocabulary::Outcome::Need(keys) => panic!("{keys:?}"),
        }
    };
    let (one, two) = (decide(&mut world, "a"), decide(&mut world, "b"));
    assert_eq!(one.pending.release(two.commit.committed()).unwrap_err().code(), Code::Misuse);
}

#[test]
fn records_of_a_newer_version_are_not_guessed_at() {
    let mut world = World::new();
    let (package, _) = world.issue("edge-1", json!({}));
    let mut row: Row = world.ledger.read(&[Key::Package(package)]).remove(0);
    let revoke = command(json!({"type": "revoke", "authority": "operator:ann", "package": package}));
    for (body, code) in [
        (row.body.replace("\"schema\":2", "\"schema\":3"), Code::NewerSchema),
        (row.body.replace("\"status\"", "\"state\""), Code::CorruptRecord),
        ("{}".to_owned(), Code::CorruptRecord),
    ] {
        let mut session = world.registrar.session(revoke.clone());
        assert!(matches!(session.next(Now::trusted(world.now), &mut world.rng), Ok(Step::Load(_))));
        row.body = body;
        assert_eq!(session.loaded(vec![row.clone()]).unwrap_err().code(), code);
    }
}

#[test]
fn a_snapshot_restores_everything_that_a_decision_needs() {
    let mut world = World::new();
    let package = world.instance_ready();
    let (_, token) =
        world.issue("edge-1", json!({"contents": [{"type": "file", "name": "a", "content": "1"}]}));
    let snapshot = world.ledger.snapshot();
    world.ledger = Ledger::restore(&snapshot).unwrap();
    assert_eq!(world.ledger.snapshot(), snapshot);
    assert!(matches!(world.redeem(&token, "m"), Answer::Redeemed(_)));
    assert!(matches!(world.deliver_to_instance(crate::world::ADDRESS), Answer::Delivered(_)), "{package}");
    assert!(Ledger::restore("").is_err() && Ledger::restore("{}").is_err());
    let newer = snapshot.replacen("\"schema\":2", "\"schema\":9", 1);
    assert_eq!(Ledger::restore(&newer).unwrap_err().code(), Code::NewerSchema);
}

#[test]
fn what_another_host_shreds_between_two_reads_is_a_conflict_and_decided_again() {
    let mut world = World::new();
    let (_, token) =
        world.issue("edge-1", json!({"contents": [{"type": "file", "name": "a", "content": "1"}]}));
    let redeemed = world.redeemed(&token, "m");
    let again = json!({"type": "redeem", "token": token, "fingerprint": "m"});
    let mut session = world.registrar.session(Command::from_value(again).unwrap());
    let mut checked_in = false;
    let answer = loop {
        match session.next(Now::trusted(world.now), &mut world.rng).unwrap() {
            Step::Load(keys) => {
                if keys.iter().any(|key| key.secret().is_some()) && !checked_in {
                    checked_in = true;
                    assert!(matches!(world.check_in(&redeemed, "m", 1), Answer::CheckedIn(_)));
                }
                session.loaded(world.ledger.read(&keys)).unwrap();
            }
            Step::Commit(commit) => session.committed(world.ledger.commit(&commit)).unwrap(),
            Step::Answer(answer) => break answer,
        }
    };
    assert!(checked_in && refusal(&answer) == Refusal::GrantClosed, "{answer:?}");
}
