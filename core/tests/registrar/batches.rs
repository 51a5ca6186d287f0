//! Several commands in one commit, and keys that are rotated.

use handfast::{
    Command, KeyRing, Ledger, Now, SecretKey,
    code::Code,
    crypto::default_backend,
    limits,
    record::{Key, Loaded},
    registrar::{BatchOutcome, BatchSession, BatchStep, Registrar},
    vocabulary::{Answer, Refusal},
};
use serde_json::json;

use crate::world::{World, policy, refusal};

fn issue(name: &str) -> Command {
    let issue =
        json!({"type": "issue", "authority": "operator:ann", "scope": "full", "name": name, "deliver": true});
    Command::from_value(issue).unwrap()
}

#[test]
fn a_batch_is_decided_in_order_and_commits_once() {
    let mut world = World::new();
    world.run(
        json!({"type": "configure_scope", "authority": "operator:ann", "scope": "full", "max_active": 3}),
    );
    let bad = Command::from_value(json!({
        "type": "issue", "authority": "operator:ann", "scope": "full", "name": "bad", "ttl_seconds": 1,
    }));
    let mut commands: Vec<_> = (1..=4).map(|number| issue(&format!("edge-{number}"))).collect();
    commands.insert(1, bad.unwrap());
    let mut loaded = Loaded::default();
    let decision = loop {
        let now = Now::trusted(world.now);
        match world.registrar.decide_all(&commands, &loaded, now, &mut world.rng).unwrap() {
            BatchOutcome::Need(keys) => loaded.add(&keys, world.ledger.read(&keys)).unwrap(),
            BatchOutcome::Decision(decision) => break decision,
        }
    };
    assert!(world.ledger.commit(&decision.commit));
    assert!(!world.ledger.commit(&decision.commit), "a repeated commit does not hold");
    let answers = decision.pending.release(&decision.commit.clone().committed()).unwrap();
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Ok(Answer::Issued(issued)) if issued.token.is_some() => "issued",
            Ok(answer) if refusal(answer) == Refusal::QuotaExceeded => "full",
            Ok(answer) => panic!("{answer:?}"),
            Err(error) => error.code().as_str(),
        })
        .collect();
    assert_eq!(codes, ["issued", "invalid_input", "issued", "issued", "full"]);
    let bodies: Vec<_> = world.ledger.events().iter().map(handfast::vocabulary::Event::body).collect();
    let replayed = Ledger::replay(&bodies, &*default_backend()).unwrap();
    assert_eq!(replayed.iter().count(), world.ledger.iter().count());
    let writes =
        decision.commit.writes.iter().filter(|write| write.key == Key::Scope("full".parse().unwrap()));
    assert_eq!(writes.count(), 1, "the hot record is written once");
}

/// Drives a session on the world's ledger; `conflicts` commits do not hold. Gives the answers, and how many commits were tried.
fn drive(world: &mut World, session: &mut BatchSession, mut conflicts: u32) -> (Vec<String>, usize) {
    let mut commits = 0;
    loop {
        match session.next(Now::trusted(world.now), &mut world.rng).unwrap() {
            BatchStep::Load(keys) => session.loaded(world.ledger.read(&keys)).unwrap(),
            BatchStep::Commit(commit) => {
                commits += 1;
                let held = conflicts == 0 && world.ledger.commit(&commit);
                conflicts = conflicts.saturating_sub(1);
                session.committed(held).unwrap();
            }
            BatchStep::Answers(answers) => return (answers.iter().map(code).collect(), commits),
        }
    }
}

fn code(answer: &Result<Answer, handfast::vocabulary::Error>) -> String {
    match answer {
        Ok(Answer::Refused(refused)) => refused.code().to_string(),
        Ok(Answer::Issued(_)) => "issued".into(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => error.code().to_string(),
    }
}

fn issues(count: usize) -> Vec<Command> {
    (1..=count).map(|number| issue(&format!("edge-{number}"))).collect()
}

#[test]
fn a_session_over_a_batch_commits_once_and_keeps_to_the_quota() {
    let mut world = World::new();
    world.run(
        json!({"type": "configure_scope", "authority": "operator:ann", "scope": "full", "max_active": 2}),
    );
    let mut session = world.registrar.session_all(issues(3)).unwrap();
    let (codes, commits) = drive(&mut world, &mut session, 1);
    assert_eq!((codes, commits), (["issued", "issued", "quota_exceeded"].map(String::from).into(), 2));
    assert_eq!(session.next(Now::trusted(world.now), &mut world.rng).unwrap_err().code(), Code::Misuse);
}

#[test]
fn commands_that_conflict_too_often_are_taken_one_by_one() {
    let mut world = World::new();
    let mut session = world.registrar.session_all(issues(3)).unwrap();
    let (codes, commits) = drive(&mut world, &mut session, limits::CONFLICTS);
    let expected = usize::try_from(limits::CONFLICTS).unwrap() + 3;
    assert_eq!((codes, commits), (vec!["issued".to_owned(); 3], expected));
    let mut session = world.registrar.session_all(issues(3)).unwrap();
    let (codes, _) = drive(&mut world, &mut session, u32::MAX);
    assert_eq!(codes, vec!["busy"; 3], "and end");
}

#[test]
fn none_fails_for_another_ones_sake() {
    let mut world = World::new();
    let (_, token) = world.issue("edge-0", json!({}));
    let key = |id: &str, byte| KeyRing::single(id.parse().unwrap(), SecretKey::new([byte; 32]));
    // The pepper of that token has been taken away since: its redemption is an error of the operator's.
    let policy = serde_json::from_value(policy()).unwrap();
    let registrar = Registrar::new(policy, key("k9", 9), key("k1", 2), default_backend()).unwrap();
    world.registrar = std::sync::Arc::new(registrar);
    let redeem = Command::from_value(json!({"type": "redeem", "token": token, "fingerprint": "m1"})).unwrap();
    let commands = [issue("edge-1"), redeem, issue("edge-2")];
    let mut session = world.registrar.session_all(commands.to_vec()).unwrap();
    let (codes, commits) = drive(&mut world, &mut session, 0);
    assert_eq!((codes, commits), (["issued", "missing_key", "issued"].map(String::from).into(), 2));
    let now = Now::trusted(world.now);
    let answers = world.ledger.run_all(&world.registrar, &commands, now, &mut world.rng).unwrap();
    let codes: Vec<_> = answers.iter().map(code).collect();
    assert_eq!(codes, ["name_taken", "missing_key", "name_taken"], "a ledger does the same");
}

#[test]
fn a_driver_that_does_not_do_what_it_is_asked_is_told_so() {
    let mut world = World::new();
    let too_many = world.registrar.session_all(issues(limits::BATCH_COMMANDS + 1)).unwrap_err();
    assert_eq!(too_many.code(), Code::InvalidInput);
    let now = Now::trusted(world.now);
    let too_many = issues(limits::BATCH_COMMANDS + 1);
    assert!(world.ledger.run_all(&world.registrar, &too_many, now, &mut world.rng).is_err());
    let mut nothing = world.registrar.session_all(Vec::new()).unwrap();
    assert_eq!(drive(&mut world, &mut nothing, 0), (Vec::new(), 0));
    let mut session = world.registrar.session_all(issues(1)).unwrap();
    assert_eq!(session.committed(true).unwrap_err().code(), Code::Misuse);
    let mut session = world.registrar.session_all(issues(1)).unwrap();
    assert!(matches!(session.next(now, &mut world.rng).unwrap(), BatchStep::Load(_)));
    assert_eq!(session.next(now, &mut world.rng).unwrap_err().code(), Code::Misuse);
}

#[test]
fn a_sealing_key_is_rotated_and_the_old_one_taken_away() {
    let mut world = World::new();
    let (_, token) =
        world.issue("edge-1", json!({"contents": [{"type": "file", "name": "a", "content": "hunter2"}]}));
    let key = |id: &str, byte| (id.parse().unwrap(), SecretKey::new([byte; 32]));
    let registrar = |sealing| {
        let policy = serde_json::from_value(policy()).unwrap();
        let peppers = KeyRing::single("k1".parse().unwrap(), SecretKey::new([1; 32]));
        Registrar::new(policy, peppers, sealing, default_backend()).unwrap()
    };
    let both = registrar(KeyRing::new("k2".parse().unwrap(), [key("k1", 2), key("k2", 3)].into()).unwrap());
    let rows = world.ledger.read(&world.ledger.secrets().map(Key::Secret).collect::<Vec<_>>());
    assert_eq!(rows.len(), 2);
    for row in rows {
        let write = both.reseal(&row, &mut world.rng).unwrap().unwrap();
        assert!(world.ledger.reseal(&row, &write));
        assert!(!world.ledger.reseal(&row, &write), "only if it is still as it was read");
    }
    for row in world.ledger.read(&world.ledger.secrets().map(Key::Secret).collect::<Vec<_>>()) {
        assert_eq!(both.reseal(&row, &mut world.rng).unwrap(), None, "done already");
    }
    assert!(!world.ledger.snapshot().contains("1.k1."));
    world.registrar =
        std::sync::Arc::new(registrar(KeyRing::new("k2".parse().unwrap(), [key("k2", 3)].into()).unwrap()));
    let redeemed = world.redeemed(&token, "m1");
    assert_eq!(redeemed.contents[0].secret().unwrap().expose(), "hunter2");
    let name = Key::Name("default".parse().unwrap(), "edge-1".parse().unwrap());
    let row = world.ledger.read(&[name]).remove(0);
    assert_eq!(both.reseal(&row, &mut world.rng).unwrap_err().code(), Code::InvalidInput);
}
