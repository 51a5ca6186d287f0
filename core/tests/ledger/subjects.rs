//! The feed of subjects: an allow-list that follows it lets in whom the ledger lets in, and nobody else.

use std::collections::BTreeMap;

use handfast::{
    Ledger,
    code::Code,
    id::{PackageId, ScopeId, Subject},
    ledger::{Change, ChangeCursor, Standing},
    record::{Key, Record},
};
use rand::RngExt;
use serde_json::json;

use crate::fleet::Fleet;

fn scope() -> ScopeId {
    "default".parse().unwrap()
}

/// What a host keeps of a scope.
#[derive(Clone, Debug, Default)]
struct AllowList {
    active: BTreeMap<Subject, PackageId>,
    cursor: ChangeCursor,
    restarts: u32,
}

impl AllowList {
    fn follow(&mut self, ledger: &Ledger, limit: usize) -> usize {
        let mut read = 0;
        loop {
            let changes = ledger.subjects(&scope(), self.cursor, limit);
            assert!(changes.subjects.len() <= limit);
            if changes.restart {
                self.active.clear();
                self.restarts += 1;
            }
            for Change { subject, standing } in changes.subjects {
                read += 1;
                match standing {
                    Standing::Active { package, .. } => drop(self.active.insert(subject, package)),
                    Standing::Gone => drop(self.active.remove(&subject)),
                }
            }
            self.cursor = changes.next.to_string().parse().unwrap();
            if !changes.more {
                return read;
            }
        }
    }

    fn is_in_step_with(&self, ledger: &Ledger) {
        let active = ledger.iter().filter_map(|(key, row)| {
            let (Key::Subject(within, subject), Record::Subject(entry)) = (key, row.record) else {
                return None;
            };
            let node = entry.node.filter(|_| *within == scope())?;
            let Some(Record::Node(node)) = ledger.get(&Key::Node(node)) else { panic!("{key}") };
            Some((subject.clone(), node.package))
        });
        assert_eq!(self.active, active.collect());
    }
}

fn enrol(fleet: &mut Fleet, place: usize) -> PackageId {
    let (package, token) = fleet.issue(&format!("n{place}"), json!({}));
    fleet.redeem(&token, &format!("m{place}"));
    package
}

#[test]
fn an_allow_list_stays_in_step_whatever_happens() {
    let (mut fleet, mut list, mut packages) = (Fleet::new(), AllowList::default(), Vec::new());
    for place in 0..300 {
        match fleet.rng.random_range(0..4) {
            0 if !packages.is_empty() => {
                let package = packages.swap_remove(fleet.rng.random_range(0..packages.len()));
                fleet.revoke(package);
            }
            1 => {
                let ban = json!({"type": "ban", "authority": "operator:ann", "scope": "default", "subject": format!("m{}", place / 2)});
                fleet.run(ban);
            }
            _ => packages.push(enrol(&mut fleet, place)),
        }
        if place % 3 == 0 {
            list.follow(&fleet.ledger, 5);
            list.is_in_step_with(&fleet.ledger);
        }
        fleet.later(10);
    }
    assert!(list.active.len() > 50 && list.restarts <= 2, "{}, {}", list.active.len(), list.restarts);
    let mut anew = AllowList::default();
    anew.follow(&fleet.ledger, 7);
    anew.is_in_step_with(&fleet.ledger);
}

#[test]
fn only_the_latest_change_of_a_subject_is_kept_and_nothing_is_read_twice() {
    let (mut fleet, mut list) = (Fleet::new(), AllowList::default());
    let packages: Vec<_> = (0..20).map(|place| enrol(&mut fleet, place)).collect();
    assert_eq!(list.follow(&fleet.ledger, 6), 20);
    assert_eq!(list.follow(&fleet.ledger, 6), 0);
    for package in packages {
        fleet.revoke(package);
    }
    enrol(&mut fleet, 20);
    let mut anew = AllowList::default();
    assert_eq!((list.follow(&fleet.ledger, 6), anew.follow(&fleet.ledger, 6)), (21, 21));
    assert_eq!((list.active.len(), list.restarts), (1, 1), "the start was the only one");
}

#[test]
fn nobody_of_an_ended_fleet_is_let_in_although_nobody_has_swept_yet() {
    let mut fleet = Fleet::new();
    let (package, token) = fleet.issue("fleet", json!({"max_uses": null}));
    fleet.redeem(&token, "a");
    fleet.redeem(&token, "b");
    let mut list = AllowList::default();
    list.follow(&fleet.ledger, 10);
    assert_eq!(list.active.len(), 2);
    fleet.revoke(package);
    let mut anew = AllowList::default();
    anew.follow(&fleet.ledger, 10);
    assert_eq!(anew.active.len(), 0);
}

#[test]
fn other_scopes_are_not_in_it() {
    let mut fleet = Fleet::new();
    let (_, token) = fleet.issue("n", json!({"scope": "other"}));
    fleet.redeem(&token, "m");
    enrol(&mut fleet, 1);
    let changes = fleet.ledger.subjects(&scope(), ChangeCursor::default(), 10);
    assert_eq!(changes.subjects.len(), 1);
    let theirs = fleet.ledger.subjects(&"other".parse().unwrap(), ChangeCursor::default(), 10);
    assert_eq!(theirs.subjects.len(), 1);
    assert_ne!(changes.subjects, theirs.subjects);
}

#[test]
fn a_list_goes_on_after_a_restart_of_the_host() {
    let (mut fleet, mut list) = (Fleet::new(), AllowList::default());
    let first = enrol(&mut fleet, 1);
    enrol(&mut fleet, 2);
    list.follow(&fleet.ledger, 10);
    fleet.ledger = Ledger::restore(&fleet.ledger.snapshot()).unwrap();
    assert_eq!(list.follow(&fleet.ledger, 10), 0, "it has all of it");
    fleet.revoke(first);
    assert_eq!(list.follow(&fleet.ledger, 10), 1);
    list.is_in_step_with(&fleet.ledger);
    assert_eq!(list.restarts, 1);
}

/// The host has lost what came after its snapshot, and then other things happen. The list must not keep anybody who was
/// let in by what is lost, nor miss anybody, although the numbers of the changes are the same ones again.
#[test]
fn a_list_that_is_ahead_of_a_lost_history_begins_anew() {
    let (mut fleet, mut list) = (Fleet::new(), AllowList::default());
    enrol(&mut fleet, 1);
    let snapshot = fleet.ledger.snapshot();
    fleet.rng.random::<u64>();
    for restored in 0..3 {
        enrol(&mut fleet, 10 + restored);
        enrol(&mut fleet, 20 + restored);
        list.follow(&fleet.ledger, 10);
        list.is_in_step_with(&fleet.ledger);
        fleet.ledger = Ledger::restore(&snapshot).unwrap();
        let mut behind = list.clone();
        behind.follow(&fleet.ledger, 10);
        behind.is_in_step_with(&fleet.ledger);
    }
    assert!(list.restarts >= 3, "{}", list.restarts);
}

#[test]
fn a_replayed_ledger_knows_the_cursors_of_the_history_that_it_replays() {
    let (mut fleet, mut list) = (Fleet::new(), AllowList::default());
    let first = enrol(&mut fleet, 1);
    list.follow(&fleet.ledger, 10);
    fleet.revoke(first);
    enrol(&mut fleet, 2);
    let bodies: Vec<_> = fleet.ledger.events().iter().map(handfast::vocabulary::Event::body).collect();
    let replayed = Ledger::replay(&bodies, &*handfast::crypto::default_backend()).unwrap();
    list.follow(&replayed, 10);
    list.is_in_step_with(&fleet.ledger);
    assert_eq!(list.restarts, 1);
}

#[test]
fn many_restarts_do_not_make_a_list_begin_anew_for_ever() {
    let (mut fleet, mut list) = (Fleet::new(), AllowList::default());
    for place in 0..handfast::limits::LEDGER_HISTORIES + 9 {
        enrol(&mut fleet, place);
        fleet.ledger = Ledger::restore(&fleet.ledger.snapshot()).unwrap();
    }
    list.follow(&fleet.ledger, 4);
    list.is_in_step_with(&fleet.ledger);
    assert_eq!(list.restarts, 1);
}

#[test]
fn a_cursor_has_one_text() {
    for text in ["0-0000000000000000", "17-00000000deadbeef"] {
        assert_eq!(text.parse::<ChangeCursor>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "0",
        "-",
        "01-0000000000000000",
        "1-0",
        "1-00000000DEADBEEF",
        "+1-0000000000000000",
        "1-00000000000000000",
    ] {
        assert_eq!(text.parse::<ChangeCursor>().unwrap_err().code(), Code::InvalidInput, "{text}");
    }
}
