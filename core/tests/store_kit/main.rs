//! The conformance suite, held against right stores and against wrong ones: each mistake is found by the story that is
//! about it, with a sentence that says what to mend.
#![allow(clippy::wildcard_enum_match_arm, reason = "one flaw at a time, and a driver's own steps")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod flawed;
mod race;

use std::collections::BTreeSet;

use handfast::{
    Ledger, Timestamp,
    code::Code,
    record::{Key, Row},
    testing::{self, CaseOutcome, Conformance, Report, Step, Store},
    vocabulary::{Commit, Error},
};

use crate::flawed::{Flaw, Flawed};

#[test]
fn a_right_store_passes_every_story() {
    let report = check(Flaw::None);
    assert!(report.passed() && report.skipped().count() == 0, "{report}");
    assert!(report.cases.len() >= 29 && report.cases.iter().all(|case| case.checks >= 10), "{report}");
}

#[test]
fn whatever_the_dice_say() {
    for seed in 2..12 {
        let report = testing::drive(&mut Flawed::new(Flaw::None), Conformance::with_seed(seed));
        assert!(report.passed() && report.seed == seed, "{report}");
    }
}

#[test]
fn the_ledger_passes() {
    struct InMemory(Ledger);
    impl Store for InMemory {
        type Error = Error;
        fn fresh(&mut self) -> Result<(), Error> {
            self.0 = Ledger::new();
            Ok(())
        }
        fn read(&mut self, keys: &[Key]) -> Result<Vec<Row>, Error> {
            Ok(self.0.read(keys))
        }
        fn commit(&mut self, commit: &Commit) -> Result<bool, Error> {
            Ok(self.0.commit(commit))
        }
        fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Key>, Error> {
            Ok(self.0.due(now, limit))
        }
        fn reopen(&mut self) -> Result<bool, Error> {
            self.0 = Ledger::restore(&self.0.snapshot())?;
            Ok(true)
        }
    }
    let report = testing::check(&mut InMemory(Ledger::new()));
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().collect();
    assert_eq!(skipped, [("history", "the driver does not list events")]);
}

/// Each flaw, the story that is about it, and what the report says.
const CAUGHT: &[(Flaw, &str, &str)] = &[
    (Flaw::IgnoresGuards, "stale_guard", "compare the version inside the transaction"),
    (Flaw::IgnoresAbsence, "absent_guard", "holds only when there is no such row"),
    (Flaw::TakesAbsentForAny, "absent_guard", "a row that is absent has version 0"),
    (Flaw::IgnoresLookedAt, "write_skew", "every guard counts, not only those of the rows that are written"),
    (Flaw::IgnoresReplaced, "two_writers", "compare the version inside the transaction"),
    (Flaw::TakesNewerForRight, "stale_guard", "for equality"),
    (Flaw::RaisesOnConflict, "two_writers", "a guard that does not hold is no error (version conflict)"),
    (Flaw::KeepsWritesOfRefused, "all_or_nothing", "although commit gave false: a batch is done as a whole"),
    (Flaw::KeepsVaultOfRefused, "all_or_nothing", "vault and all"),
    (Flaw::KeepsEventsOfRefused, "all_or_nothing", "must have left nothing behind (duplicate event)"),
    (Flaw::AppliesUpToTheFailure, "all_or_nothing", "a batch is done as a whole or not at all"),
    (Flaw::RefusesEmptyBatches, "empty_batch", "a batch that changes nothing holds when its guards hold"),
    (Flaw::RefusesRepeatedNotices, "counted_notices", "commit gave false although every guard held"),
    (Flaw::RaisesOnRepeatedNotices, "counted_notices", "add 1 to its row (duplicate notice)"),
    (Flaw::RewritesJson, "round_trip", "not as JSON that the database writes anew"),
    (Flaw::FoldsUnicode, "round_trip", "byte for byte"),
    (Flaw::CutsTexts, "sealed_secrets", "in a column without a limit"),
    (Flaw::FoldsCase, "exact_keys", "keys are compared byte for byte"),
    (Flaw::GivesEmptyRows, "absent_rows", "a key without a row is left out of the answer"),
    (Flaw::GivesFewRows, "many_keys", "every row that exists"),
    (Flaw::GivesRowsTwice, "round_trip", "each row that exists, once"),
    (Flaw::CachesRows, "newest_version", "read must see every commit that gave true"),
    (Flaw::MisnumbersSecrets, "sealed_secrets", "rows of the vault have version 1"),
    (
        Flaw::KeepsShredded,
        "shredded_secrets",
        "a row of the vault without a ciphertext deletes the one of that key",
    ),
    (Flaw::ShredsInMemoryOnly, "shredded_secrets", "can still be read after the store was opened again"),
    (Flaw::LosesVault, "sealed_secrets", "read gives no row for secret/"),
    (Flaw::LosesAllOnCrash, "durable", "commit may give true only when the transaction is durable"),
    (Flaw::FlushesLate, "crash_after_commit", "commit may give true only when the transaction is durable"),
    (Flaw::DueIgnoresLimit, "due_order", "and at most 1 were asked for"),
    (Flaw::DueIgnoresOrder, "due_order", "the earliest wake_at comes first"),
    (Flaw::DueLimitsBeforeOrder, "due_order", "the earliest wake_at comes first, and then the limit"),
    (Flaw::DueExcludesNow, "due_boundary", "what has wake_at <= now is due"),
    (Flaw::DueIgnoresNow, "due_boundary", "and its latest write has wake_at"),
    (Flaw::DueKeepsFirst, "due_moves", "its latest write has"),
    (Flaw::LosesEvents, "history", "events, and"),
    (Flaw::ReordersEvents, "history", "in the order of their versions"),
];

#[test]
fn every_mistake_is_found_by_the_story_that_is_about_it() {
    for (flaw, story, sentence) in CAUGHT {
        let report = testing::drive(&mut Flawed::new(*flaw), Conformance::new().only(&[story]));
        let why = report.failures().next().map(|(_, why)| why);
        let why = why.unwrap_or_else(|| panic!("{flaw:?} passes {story}\n{report}"));
        assert!(why.contains(sentence), "{flaw:?}: {story}: {why}");
        let text = report.to_string();
        assert!(text.contains(&format!("FAILED  {story}: ")), "{text}");
        let kept = ["hf1_", "\"schema\"", "k1."];
        assert!(
            !kept.iter().any(|kept| text.contains(kept)),
            "a report repeats what the store keeps: {text}"
        );
    }
}

#[test]
fn a_store_that_raises_fails_every_story_and_is_asked_on() {
    let mut suite = Conformance::new();
    let report = loop {
        match suite.next() {
            Step::Done(report) => break report,
            Step::Fresh => suite.ready().unwrap(),
            _ => suite.failed("no such\ntable"),
        }
    };
    assert_eq!(report.failures().count(), report.cases.len());
    assert!(report.failures().all(|(_, why)| why.contains("no such table")), "{report}");
}

#[test]
fn a_driver_that_cannot_open_again_skips_the_crashes_and_nothing_else() {
    let mut store = Flawed::new(Flaw::None);
    store.opens_once = true;
    let report = testing::check(&mut store);
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().map(|(name, _)| name).collect();
    assert_eq!(skipped, ["durable", "crash_before_commit", "crash_after_commit", "crash_after_effect"]);
    let passed = report.cases.len() - skipped.len();
    assert!(
        report.to_string().ends_with(&format!("{passed} passed, 0 failed, 4 skipped (seed 1)")),
        "{report}"
    );
}

#[test]
fn a_suite_without_stories_proves_nothing() {
    let report = testing::drive(&mut Flawed::new(Flaw::None), Conformance::new().only(&["no such story"]));
    assert!(report.cases.is_empty() && !report.passed(), "{report}");
}

#[test]
fn another_steps_answer_is_the_drivers_mistake_and_changes_nothing() {
    let mut suite = Conformance::new();
    assert_eq!(suite.ready().unwrap_err().code(), Code::Misuse, "nothing was asked yet");
    assert!(matches!(suite.next(), Step::Fresh));
    for misuse in [suite.held(true), suite.rows(Vec::new()), suite.keys(Vec::new()), suite.unable()] {
        assert_eq!(misuse.unwrap_err().code(), Code::Misuse);
    }
    assert!(matches!(suite.next(), Step::Fresh), "the step is asked again until it is answered");
    suite.ready().unwrap();
    assert!(matches!(suite.next(), Step::Read(_)));
}

#[test]
fn the_report_is_data_too() {
    let report = check(Flaw::DueIgnoresOrder);
    let value = serde_json::to_value(&report).unwrap();
    let failed = value["cases"].as_array().unwrap().iter().find(|case| case["name"] == "due_order").unwrap();
    assert_eq!(failed["outcome"]["type"], "failed");
    assert!(failed["outcome"]["why"].is_string() && failed["about"].is_string());
    let names: Vec<_> = report.cases.iter().map(|case| case.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(report.cases.iter().any(|case| case.outcome == CaseOutcome::Passed));
}

fn check(flaw: Flaw) -> Report {
    testing::check(&mut Flawed::new(flaw))
}
