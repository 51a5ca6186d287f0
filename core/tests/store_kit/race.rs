//! The race: a right store under threads, and one that checks its guards outside the transaction.

use std::sync::{Arc, Mutex};

use handfast::{
    Timestamp,
    record::{Key, Row},
    testing::{self, Race, Report, Store},
    vocabulary::Commit,
};

use crate::flawed::{Flaw, Flawed};

/// One host's connection to a store that many share.
#[derive(Clone)]
struct Connection {
    store: Arc<Mutex<Flawed>>,
    looks_first: bool,
}

impl Store for Connection {
    type Error = &'static str;

    fn fresh(&mut self) -> Result<(), &'static str> {
        self.store.lock().unwrap().fresh()
    }

    fn read(&mut self, keys: &[Key]) -> Result<Vec<Row>, &'static str> {
        self.store.lock().unwrap().read(keys)
    }

    fn commit(&mut self, commit: &Commit) -> Result<bool, &'static str> {
        if !self.looks_first {
            return self.store.lock().unwrap().commit(commit);
        }
        let held = self.store.lock().unwrap().guards_hold(&commit.batch());
        wait_for_the_others();
        if held {
            let mut unguarded = commit.clone();
            unguarded.guards.clear();
            self.store.lock().unwrap().commit(&unguarded)?;
        }
        Ok(held)
    }

    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Key>, &'static str> {
        self.store.lock().unwrap().due(now, limit)
    }

    fn reopen(&mut self) -> Result<bool, &'static str> {
        Ok(false)
    }
}

#[expect(clippy::disallowed_methods, reason = "so that commits overlap for certain")]
fn wait_for_the_others() {
    std::thread::sleep(std::time::Duration::from_millis(2));
}

fn race(looks_first: bool, machines: usize) -> Report {
    let connection = Connection { store: Arc::new(Mutex::new(Flawed::new(Flaw::None))), looks_first };
    let race = Race::new(1, machines);
    let prepared = testing::drive(&mut connection.clone(), race.prepare());
    assert!(prepared.passed(), "{prepared}");
    std::thread::scope(|scope| {
        for racer in race.racers() {
            let mut connection = connection.clone();
            scope.spawn(move || testing::drive(&mut connection, racer));
        }
    });
    testing::drive(&mut connection.clone(), race.finish())
}

#[test]
fn as_many_win_as_there_is_to_win() {
    let report = race(false, 64);
    assert!(report.passed(), "{report}");
}

#[test]
fn a_store_that_looks_before_its_transaction_lets_too_many_win() {
    let report = race(true, 16);
    let (story, why) = report.failures().next().unwrap();
    assert_eq!(story, "race", "{report}");
    assert!(why.contains("more than one saw its guards hold"), "{why}");
    // One step at a time, it does everything right.
    let mut alone = Connection { store: Arc::new(Mutex::new(Flawed::new(Flaw::None))), looks_first: true };
    assert!(testing::check(&mut alone).passed());
}

#[test]
fn a_race_that_did_not_end_proves_nothing() {
    let mut store = Flawed::new(Flaw::None);
    let race = Race::new(1, 16);
    assert!(testing::drive(&mut store, race.prepare()).passed());
    for racer in race.racers().skip(1) {
        testing::drive(&mut store, racer);
    }
    let report = testing::drive(&mut store, race.finish());
    assert!(report.to_string().contains("every racer came to its end"), "{report}");
    let unprepared = testing::drive(&mut store, Race::new(1, 1).racers().next().unwrap());
    assert!(!unprepared.passed(), "{unprepared}");
}
