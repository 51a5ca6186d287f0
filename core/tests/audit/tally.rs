//! Counts that come out the same however the log was parted.

use handfast::{
    audit::{Counts, Histogram, Milestone, Month, Step, Tally},
    code::Code,
    id::{PackageId, ScopeId},
    time::Timestamp,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use crate::log::{linked, unlinked};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn package(number: u8) -> PackageId {
    PackageId::new(time("2026-01-01T00:00:00Z"), &[number; 10])
}

fn scope(name: &str) -> ScopeId {
    name.parse().unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn tally(steps: &[(u8, &str, Step)]) -> Tally {
    let mut tally = Tally::default();
    for (number, at, step) in steps {
        tally.record(Milestone { package: package(*number), at: time(at), step: step.clone() });
    }
    tally
}

#[test]
fn a_year_of_two_sites() {
    let tally = tally(&[
        (1, "2026-01-31T23:59:50Z", Step::Issued(scope("north"))),
        (1, "2026-02-01T00:00:20Z", Step::Activated),
        (2, "2026-02-01T00:00:00Z", Step::Issued(scope("north"))),
        (2, "2026-02-01T00:15:00Z", Step::Expired),
        (3, "2026-02-10T00:00:00Z", Step::Issued(scope("north"))),
        (3, "2026-02-10T00:00:01Z", Step::Activated),
        (3, "2026-12-31T23:59:59.999Z", Step::Retired),
        (4, "2026-02-11T00:00:00Z", Step::Issued(scope("south"))),
        (4, "2026-02-12T00:00:00Z", Step::Revoked),
        (5, "2026-03-01T12:00:00+13:00", Step::Issued(scope("south"))),
    ]);
    let counts = tally.counts();
    let of = |scope_name: &str, month_name: &str| counts[&scope(scope_name)][&month(month_name)].clone();
    assert_eq!(of("north", "2026-01"), Counts { issued: 1, ..Counts::default() });
    let february = of("north", "2026-02");
    assert_eq!((february.issued, february.activated, february.expired), (2, 2, 1));
    let durations = Histogram {
        count: 2,
        sum_ms: 31_000,
        min_ms: Some(1_000),
        max_ms: Some(30_000),
        buckets: [1, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    };
    assert_eq!(february.time_to_activate, durations);
    assert_eq!(of("north", "2026-12"), Counts { retired: 1, ..Counts::default() });
    assert_eq!(of("south", "2026-02"), Counts { issued: 2, revoked: 1, ..Counts::default() }, "UTC counts");
    assert_eq!(counts.values().map(std::collections::BTreeMap::len).sum::<usize>(), 4);
    // Live: 1 and 5. Of 4 nobody can say that it was never in use until the whole log is read.
    assert_eq!(tally.open(), 3);
}

#[test]
fn durations_fall_where_they_belong() {
    for (millis, place) in [(0, 0), (1_000, 0), (1_001, 1), (900_000, 4), (604_800_000, 8), (604_800_001, 9)]
    {
        let issued = time("2026-01-01T00:00:00Z");
        let mut tally = tally(&[(1, "2026-01-01T00:00:00Z", Step::Issued(scope("a")))]);
        let at = Timestamp::from_unix_millis(issued.unix_millis() + millis).unwrap();
        tally.record(Milestone { package: package(1), at, step: Step::Activated });
        let all = tally.counts();
        let histogram = &all[&scope("a")][&Month::from(at)].time_to_activate;
        assert_eq!(histogram.buckets.iter().position(|count| *count == 1), Some(place), "{millis}");
        assert_eq!((histogram.count, histogram.buckets.iter().sum::<u64>()), (1, 1));
        assert_eq!(histogram.sum_ms, u64::try_from(millis).unwrap());
    }
    let back = tally(&[
        (1, "2026-01-01T00:00:00Z", Step::Issued(scope("a"))),
        (1, "2025-12-31T23:00:00Z", Step::Activated),
    ]);
    assert_eq!(back.counts()[&scope("a")][&month("2025-12")].time_to_activate.max_ms, Some(0));
}

#[test]
fn the_recorded_log_adds_up() {
    for log in [unlinked(), linked()] {
        let mut tally = Tally::default();
        log.iter().for_each(|body| tally.add(body).unwrap());
        let count = |kind: &str, status: &str| {
            let is = |body: &&String| {
                let fact = &serde_json::from_str::<Value>(body).unwrap()["fact"];
                fact["type"] == kind && (status.is_empty() || fact["status"] == status)
            };
            u64::try_from(log.iter().filter(is).count()).unwrap()
        };
        let sum = |of: fn(&Counts) -> u64| {
            tally
                .counts()
                .values()
                .flat_map(|months| months.values().map(of).collect::<Vec<_>>())
                .sum::<u64>()
        };
        assert!(count("package_issued", "") >= 3);
        assert_eq!(sum(|counts| counts.issued), count("package_issued", ""));
        assert_eq!(sum(|counts| counts.activated), count("package_activated", ""));
        assert_eq!(sum(|counts| counts.time_to_activate.count), count("package_activated", ""));
        assert_eq!(sum(|counts| counts.expired), count("package_ended", "expired"));
        assert_eq!(sum(|counts| counts.revoked), count("package_ended", "revoked"));
        assert_eq!(sum(|counts| counts.retired), count("package_ended", "retired"));
    }
}

#[test]
fn what_is_no_event_is_not_counted() {
    let good: Value = serde_json::from_str(&unlinked()[0]).unwrap();
    let with = |path: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(path).unwrap() = value;
        event.to_string()
    };
    for bad in [
        "hunter2".to_owned(),
        "{}".to_owned(),
        with("/fact/scope", Value::Null),
        with("/fact/type", json!("package_ended")),
        with("/key", json!("name/default/edge-1")),
        with("/at", json!("yesterday")),
    ] {
        let mut tally = Tally::default();
        let error = tally.add(&bad).unwrap_err();
        assert_eq!(error.code(), Code::CorruptRecord, "{bad}");
        assert_eq!(tally, Tally::default());
    }
}

#[test]
fn months_have_one_spelling() {
    assert_eq!(month("2026-01"), Month { year: 2026, month: 1 });
    for bad in ["", "2026", "2026-1", "2026-00", "2026-13", "26-01", "2026-01-01", "+2026-01"] {
        assert!(bad.parse::<Month>().is_err(), "{bad}");
    }
}

/// Lives of packages as the registrar allows them, their facts in one log.
fn logs() -> impl Strategy<Value = Vec<Milestone>> {
    let ends = prop_oneof![
        Just(vec![]),
        Just(vec![Step::Expired]),
        Just(vec![Step::Revoked]),
        Just(vec![Step::Activated]),
        Just(vec![Step::Activated, Step::Revoked]),
        Just(vec![Step::Activated, Step::Retired]),
    ];
    let life = (any::<u8>(), "[ab]", ends, 0_i64..100_000_000_000);
    prop::collection::vec(life, 0..12).prop_map(|lives| {
        let mut log = Vec::new();
        for (number, (random, scope_name, ends, start)) in lives.into_iter().enumerate() {
            let package = package(u8::try_from(number).unwrap());
            let steps = std::iter::once(Step::Issued(scope(&scope_name))).chain(ends);
            for (place, step) in steps.enumerate() {
                let millis =
                    1_767_225_600_000 + start + i64::try_from(place).unwrap() * i64::from(random) * 9_999_999;
                log.push(Milestone { package, at: Timestamp::from_unix_millis(millis).unwrap(), step });
            }
        }
        log
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Any parting of the log, each part in any order, also by way of text, in either direction.
    #[test]
    fn parts_merge_into_the_whole(log in logs(), parts in prop::collection::vec(any::<(u8, Index)>(), 64)) {
        let mut whole = Tally::default();
        log.iter().for_each(|milestone| whole.record(milestone.clone()));
        let mut tallies = vec![Tally::default(); 3];
        let mut parted: Vec<_> = log.into_iter().zip(parts).collect();
        parted.sort_by_key(|(_, (_, order))| order.index(1000));
        for (milestone, (part, _)) in parted {
            tallies[usize::from(part % 3)].record(milestone);
        }
        let text = |tally: &Tally| serde_json::from_str::<Tally>(&serde_json::to_string(tally).unwrap()).unwrap();
        let (mut forth, mut back) = (Tally::default(), Tally::default());
        tallies.iter().for_each(|tally| forth.merge(text(tally)));
        tallies.iter().rev().for_each(|tally| back.merge(tally.clone()));
        prop_assert_eq!(&forth, &whole);
        prop_assert_eq!(&back, &whole);
        prop_assert_eq!(forth.counts(), whole.counts());
    }
}
