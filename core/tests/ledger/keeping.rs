//! How records are kept changes nothing about them.

use handfast::{
    Ledger,
    record::{Key, PackageStatus, Record},
};
use serde_json::json;

use crate::fleet::Fleet;

/// Packages that share most of what they are, and those that differ in one thing. `Fleet::run` compares every record
/// with what was decided.
fn variety() -> Fleet {
    let mut fleet = Fleet::new();
    let differences = [
        json!({}),
        json!({"kind": "site"}),
        json!({"scope": "north"}),
        json!({"labels": {"rack": "a", "role": "x"}}),
        json!({"labels": {"rack": "b", "role": "x"}}),
        json!({"notes": "for the workshop"}),
        json!({"keepers": {"image": "7"}}),
        json!({"max_uses": 3}),
        json!({"max_uses": null}),
        json!({"request": "r-1"}),
        json!({"ttl_seconds": 60}),
        json!({"inactivity_seconds": 3600}),
        json!({"activates_on": "redeem"}),
        json!({"bindings": {"cidrs": ["10.0.0.0/8"], "node_name": "n1"}}),
        json!({"contents": [{"type": "file", "name": "a.env", "content": "A=1"}]}),
        json!({"contents": [{"type": "file", "name": "a.env", "content": "A=1"}, {"type": "file", "name": "b", "content": ""}]}),
    ];
    for round in 0..3 {
        for (place, difference) in differences.iter().enumerate() {
            let mut difference = difference.clone();
            if difference.get("request").is_some() {
                difference["request"] = json!(format!("r-{round}"));
            }
            if let Some(bindings) = difference.get_mut("bindings") {
                bindings["node_name"] = json!(format!("n{round}"));
            }
            fleet.issue(&format!("p{place}-{round}"), difference.clone());
            let mut undelivered = difference;
            undelivered.as_object_mut().unwrap().remove("bindings");
            undelivered.as_object_mut().unwrap().extend([
                ("type".to_owned(), json!("issue")),
                ("authority".to_owned(), json!("operator:bob")),
                ("name".to_owned(), json!(format!("q{place}-{round}"))),
            ]);
            fleet.run(undelivered);
            fleet.later(1 + round);
        }
    }
    fleet
}

#[test]
fn packages_that_are_alike_stay_apart() {
    let fleet = variety();
    let packages = fleet.ledger.iter().filter(|(key, _)| matches!(key, Key::Package(_))).count();
    assert_eq!(packages, 96);
    let restored = Ledger::restore(&fleet.ledger.snapshot()).unwrap();
    for (key, row) in fleet.ledger.iter() {
        assert_eq!(restored.get(key).as_ref(), Some(&row.record), "{key}");
    }
    assert_eq!(restored.snapshot(), fleet.ledger.snapshot());
}

#[test]
fn what_happens_to_one_package_happens_to_no_other() {
    let mut fleet = variety();
    let before: Vec<_> = fleet.ledger.iter().map(|(key, row)| (key.clone(), row)).collect();
    let chosen = before.iter().find_map(|(key, row)| match (key, &row.record) {
        (Key::Package(id), Record::Package(package)) if package.status == PackageStatus::Delivered => {
            Some(*id)
        }
        _ => None,
    });
    let chosen = chosen.unwrap();
    let name =
        Key::Name(fleet.package(chosen).issued.scope.clone(), fleet.package(chosen).issued.name.clone());
    fleet.revoke(chosen);
    assert_eq!(fleet.package(chosen).status, PackageStatus::Revoked);
    for (key, row) in before.iter().filter(|(key, _)| *key != Key::Package(chosen) && *key != name) {
        assert_eq!(fleet.ledger.get(key).as_ref(), Some(&row.record), "{key}");
    }
}

#[test]
fn lines_are_the_snapshot_one_at_a_time() {
    let fleet = variety();
    let lines: Vec<_> = fleet.ledger.snapshot_lines().collect();
    assert_eq!(lines.len(), 1 + fleet.ledger.len());
    assert_eq!(lines.join("\n") + "\n", fleet.ledger.snapshot());
    let restored = Ledger::restore_lines(lines).unwrap();
    assert_eq!(restored.snapshot(), fleet.ledger.snapshot());
    assert_eq!(restored.len(), fleet.ledger.len());
}

#[test]
fn deadlines_come_in_order_and_are_gone_once_dealt_with() {
    let mut fleet = variety();
    let restored = Ledger::restore(&fleet.ledger.snapshot()).unwrap();
    assert_eq!(restored.next_wake(), fleet.ledger.next_wake());
    let mut rounds = 0;
    while let Some(at) = fleet.ledger.next_wake() {
        assert!(fleet.ledger.due(at.minus_seconds(1), 1000).is_empty());
        fleet.now = fleet.now.max(at);
        let due = fleet.ledger.due(fleet.now, 1000);
        let wakes = due.iter().map(|key| fleet.ledger.get(key).unwrap().wake_at().unwrap());
        assert!(!due.is_empty() && wakes.is_sorted());
        assert_eq!(fleet.ledger.due(fleet.now, 1).as_slice(), &due[..1]);
        fleet.tick();
        rounds += 1;
    }
    assert!(rounds > 5);
    let live = fleet
        .ledger
        .iter()
        .filter(|(_, row)| matches!(&row.record, Record::Package(package) if package.status.is_live()));
    assert_eq!(live.count(), 0, "all were left unused");
    assert_eq!(fleet.ledger.secrets().count(), 0);
}

#[test]
fn a_guard_that_does_not_hold_changes_nothing() {
    let mut fleet = variety();
    let command = handfast::Command::from_value(
        json!({"type": "issue", "authority": "operator:ann", "name": "one", "deliver": true}),
    );
    let (command, now) = (command.unwrap(), handfast::Now::trusted(fleet.now));
    let decide = |fleet: &mut Fleet| match fleet
        .registrar
        .clone()
        .decide(&command, &fleet.ledger, now, &mut fleet.rng)
        .unwrap()
    {
        handfast::vocabulary::Outcome::Decision(decision) => decision.commit,
        handfast::vocabulary::Outcome::Need(keys) => panic!("{keys:?}"),
    };
    let (first, second) = (decide(&mut fleet), decide(&mut fleet));
    assert!(fleet.ledger.commit(&first));
    let snapshot = fleet.ledger.snapshot();
    assert!(!fleet.ledger.commit(&second), "the name is taken meanwhile");
    assert_eq!(fleet.ledger.snapshot(), snapshot);
}
