//! Several commands in one commit, and keys that are rotated.

use handfast::{
    Command, KeyRing, Ledger, Now, SecretKey,
    code::Code,
    crypto::default_backend,
    record::{Key, Loaded},
    registrar::{BatchOutcome, Registrar},
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
