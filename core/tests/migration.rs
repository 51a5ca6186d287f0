//! What older versions wrote is read, and goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

use handfast::{
    Ledger,
    crypto::default_backend,
    record::{Key, PackageStatus, Record},
};

const SNAPSHOT: &str = include_str!("../vectors/ledger/snapshot-schema-1.jsonl");
const EVENTS: &str = include_str!("../vectors/ledger/events-schema-1.jsonl");

fn records(ledger: &Ledger) -> Vec<(Key, u64, Record)> {
    ledger.iter().map(|(key, row)| (key.clone(), row.version, row.record.clone())).collect()
}

#[test]
fn a_snapshot_of_schema_1_is_restored_and_written_as_the_present_one() {
    let ledger = Ledger::restore(SNAPSHOT).unwrap();
    assert_eq!(ledger.iter().count() + ledger.secrets().count(), SNAPSHOT.lines().count() - 1);
    let written = ledger.snapshot();
    assert!(written.starts_with(r#"{"format":"handfast snapshot","schema":2,"#), "{written}");
    assert_eq!(records(&Ledger::restore(&written).unwrap()), records(&ledger));
    let redeemable = ledger.iter().filter(|(_, row)| {
        matches!(&row.record, Record::Package(package) if package.status == PackageStatus::Delivered && package.token.is_some())
    });
    assert_eq!(redeemable.count(), 2, "edge-2 and edge-3 can still be redeemed");
}

#[test]
fn a_history_of_schema_1_gives_the_same_records_as_its_snapshot() {
    let replayed = Ledger::replay(EVENTS.lines(), &*default_backend()).unwrap();
    assert_eq!(records(&replayed), records(&Ledger::restore(SNAPSHOT).unwrap()));
}
