//! Whatever is done to a log shows, at the place where it was done.

use handfast::{
    audit::{Break, Chain, Fault, Head, Root},
    code::Code,
    crypto::default_backend,
    id::Digest,
    json::canonical,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use crate::log::{link, linked, long_record, place, unlinked};

fn chain() -> Chain {
    Chain::new(default_backend())
}

fn feed(chain: &mut Chain, log: &[String]) -> Vec<Break> {
    log.iter().filter_map(|body| chain.feed(body).err()).collect()
}

fn breaks(log: &[String]) -> Vec<Break> {
    feed(&mut chain(), log)
}

fn heads(log: &[String]) -> Vec<Head> {
    let mut chain = chain();
    assert_eq!(feed(&mut chain, log), []);
    chain.heads().collect()
}

/// What an auditor finds who has the published heads.
fn audit(log: &[String], published: &[Head]) -> Vec<Break> {
    let mut chain = chain();
    chain.expect(published.to_vec());
    let mut found = feed(&mut chain, log);
    found.extend(chain.finish());
    found
}

fn digest(body: &str) -> Digest {
    Head::of(body, &*default_backend()).unwrap().digest
}

fn at(position: usize, key: &str, version: u64, fault: Fault) -> Break {
    let position = Some(u64::try_from(position).unwrap());
    Break { position, key: Some(key.into()), version: Some(version), fault }
}

/// Changes a member of an event and writes it as handfast would.
fn altered(body: &str, member: &str, value: Value) -> String {
    let mut event: Value = serde_json::from_str(body).unwrap();
    event[member] = value;
    canonical(&event)
}

#[test]
fn a_whole_log_leads_to_its_heads_in_any_interleaving() {
    let log = linked();
    let heads = heads(&log);
    assert_eq!(audit(&log, &heads), []);
    assert!(heads.len() > 10 && heads.is_sorted());
    let mut by_record = log.clone();
    by_record.sort_by_key(|body| serde_json::from_str::<Value>(body).unwrap()["key"].to_string());
    assert_ne!(by_record, log);
    assert_eq!(audit(&by_record, &heads), []);
    let mut chain = chain();
    feed(&mut chain, &log);
    assert_eq!((chain.fed(), chain.unlinked()), (u64::try_from(log.len()).unwrap(), 0));
}

#[test]
fn an_altered_fact_shows_at_the_one_after_it() {
    let mut log = linked();
    let heads = heads(&log);
    let key = long_record(&log);
    let (second, third) = (place(&log, &key, 2), place(&log, &key, 3));
    let borne = digest(&log[second]);
    log[second] = altered(&log[second], "authority", json!("operator:mallory"));
    let actual = Some(digest(&log[second]));
    let expected = [at(third, &key, 3, Fault::WrongDigest { actual, borne })];
    assert_eq!(audit(&log, &heads), expected);
    assert_eq!(expected[0].code(), Code::AuditWrongDigest);
}

#[test]
fn an_altered_last_fact_shows_at_its_published_head_only() {
    let mut log = linked();
    let heads = heads(&log);
    let last = log.len() - 1;
    let expected = digest(&log[last]);
    log[last] = altered(&log[last], "at", json!("2026-01-02T00:00:00.000Z"));
    let actual = digest(&log[last]);
    assert_eq!(breaks(&log), []);
    let found = audit(&log, &heads);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].fault, Fault::OtherHead { actual, expected });
    assert_eq!(found[0].code(), Code::AuditOtherHead);
}

#[test]
fn a_dropped_fact_is_named() {
    let mut log = linked();
    let key = long_record(&log);
    log.retain(|body| {
        let event: Value = serde_json::from_str(body).unwrap();
        event["key"] != key.as_str() || ![2, 3].contains(&event["version"].as_u64().unwrap())
    });
    let expected = at(place(&log, &key, 4), &key, 4, Fault::Missing { first: 2, last: 3 });
    assert_eq!(breaks(&log), std::slice::from_ref(&expected));
    assert_eq!(expected.code(), Code::AuditMissingFacts);
    assert!(
        expected.to_string().ends_with(&format!("{key} version 4: versions 2 to 3 are missing")),
        "{expected}"
    );

    assert_eq!(
        serde_json::to_value(&expected).unwrap(),
        json!({"code": "audit_missing_facts", "message": "versions 2 to 3 are missing", "position": expected.position,
            "key": key, "version": 4})
    );

    let mut log = linked();
    log.remove(place(&log, &key, 1));
    assert_eq!(breaks(&log), [at(place(&log, &key, 2), &key, 2, Fault::Missing { first: 1, last: 1 })]);
}

#[test]
fn facts_of_one_record_cannot_change_places() {
    let mut log = linked();
    let key = long_record(&log);
    let (second, third) = (place(&log, &key, 2), place(&log, &key, 3));
    log.swap(second, third);
    let expected =
        [at(second, &key, 3, Fault::Missing { first: 2, last: 2 }), at(third, &key, 2, Fault::Repeated)];
    assert_eq!(breaks(&log), expected);
    assert_eq!(expected[1].code(), Code::AuditRepeatedFact);
}

#[test]
fn a_doubled_fact_is_one_too_many() {
    let mut log = linked();
    let key = long_record(&log);
    let third = place(&log, &key, 3);
    log.insert(third + 1, log[third].clone());
    assert_eq!(breaks(&log), [at(third + 1, &key, 3, Fault::Repeated)]);
}

#[test]
fn a_truncated_log_is_whole_until_its_heads_are_known_elsewhere() {
    let mut log = linked();
    let heads = heads(&log);
    let key = long_record(&log);
    log.retain(|body| {
        let event: Value = serde_json::from_str(body).unwrap();
        event["key"] != key.as_str() || event["version"].as_u64().unwrap() < 4
    });
    assert_eq!(breaks(&log), []);
    let found = audit(&log, &heads);
    let last = heads.iter().find(|head| head.key == key).unwrap().version;
    assert_eq!(
        found,
        [Break { position: None, key: Some(key.into()), version: Some(last), fault: Fault::Unreached }]
    );
    assert_eq!(found[0].code(), Code::AuditUnreachedHead);
}

#[test]
fn a_rewritten_log_is_whole_until_its_heads_are_known_elsewhere() {
    let log = linked();
    let heads = heads(&log);
    let key = long_record(&log);
    let rewritten = link(log.iter().map(|body| {
        let mut event: Value = serde_json::from_str(body).unwrap();
        if event["key"] == key.as_str() {
            event["authority"] = json!("operator:mallory");
        }
        event.as_object_mut().unwrap().remove("previous");
        event
    }));
    assert_eq!(breaks(&rewritten), []);
    let found = audit(&rewritten, &heads);
    assert!(matches!(found.as_slice(), [one] if one.code() == Code::AuditOtherHead), "{found:?}");
}

#[test]
fn a_later_log_leads_through_the_heads_of_an_earlier_one() {
    let log = linked();
    for length in 0..log.len() {
        assert_eq!(audit(&log, &heads(&log[..length])), []);
    }
}

#[test]
fn the_same_in_other_words_is_not_the_same() {
    let log = linked();
    let key = long_record(&log);
    let second = place(&log, &key, 2);
    let spaced = log[second].replacen(':', ": ", 1);
    let mut members: Vec<_> = serde_json::from_str::<Value>(&log[second])
        .unwrap()
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .collect();
    members.reverse();
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    let turned = format!("{{{}}}", members.join(","));
    for other in [spaced, turned, format!("{}\n", log[second]), log[second].replacen("ver", "\\u0076er", 1)] {
        let mut log = log.clone();
        log[second] = other;
        let found = breaks(&log);
        assert_eq!(found[0], at(second, &key, 2, Fault::NotCanonical));
        assert_eq!(found[0].code(), Code::AuditNotCanonical);
        assert!(matches!(found[1].fault, Fault::WrongDigest { .. }), "the next one tells, too");
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn what_is_no_event_is_told_without_its_content() {
    let log = linked();
    let good = &log[place(&log, &long_record(&log), 2)];
    let event: Value = serde_json::from_str(good).unwrap();
    let without = |member: &str| {
        let mut event = event.clone();
        event.as_object_mut().unwrap().remove(member).unwrap();
        canonical(&event)
    };
    let cases = [
        String::new(),
        "hunter2".to_owned(),
        "[]".to_owned(),
        good[..good.len() - 1].to_owned(),
        good.replacen('{', "{\"version\":2,", 1),
        without("key"),
        without("version"),
        without("schema"),
        altered(good, "version", json!(0)),
        altered(good, "version", json!(-1)),
        altered(good, "version", json!("2")),
        altered(good, "key", json!("")),
        altered(good, "key", json!("a\nb")),
        altered(good, "key", json!("k".repeat(5000))),
        altered(good, "previous", json!("00")),
        altered(good, "previous", json!("A".repeat(64))),
        altered(good, "previous", Value::Null),
        altered(good, "fact", json!("x".repeat(handfast::limits::EVENT_BYTES))),
    ];
    for case in cases {
        let shown: String = case.chars().take(80).collect();
        let broken = chain().feed(&case).expect_err(&shown);
        assert_eq!(
            (broken.position, broken.key.as_deref(), &broken.fault),
            (Some(0), None, &Fault::Malformed),
            "{shown}"
        );
        assert_eq!(broken.to_string(), "entry 0: not an event");
        assert!(Head::of(&case, &*default_backend()).is_err(), "{shown}");
    }
}

#[test]
fn a_first_fact_follows_nothing_and_all_others_follow_something() {
    let log = linked();
    let key = long_record(&log);
    let (first, second) = (place(&log, &key, 1), place(&log, &key, 2));
    let mut orphan: Value = serde_json::from_str(&log[second]).unwrap();
    orphan.as_object_mut().unwrap().remove("previous");
    let bodies = [log[first].clone(), canonical(&orphan)];
    assert_eq!(breaks(&bodies), [at(1, &key, 2, Fault::Unlinked)]);

    let borne = digest(&log[second]);
    let late = altered(&log[first], "previous", json!(borne));
    assert_eq!(breaks(&[late]), [at(0, &key, 1, Fault::WrongDigest { actual: None, borne })]);
}

#[test]
fn facts_of_schema_1_are_counted_and_the_chain_begins_behind_them() {
    let mut log = unlinked();
    let key = long_record(&log);
    let last = log.iter().filter(|body| body.contains(&format!("\"key\":\"{key}\""))).count();
    let last = u64::try_from(last).unwrap();
    let later = |version: u64| {
        let mut event: Value = serde_json::from_str(&log[place(&log, &key, last)]).unwrap();
        (event["schema"], event["version"]) = (json!(2), json!(version));
        event
    };
    let first = canonical(&later(last + 1));
    let mut second = later(last + 2);
    second["previous"] = json!(digest(&first));
    let mut third = later(last + 3);
    let expected = at(log.len() + 2, &key, last + 3, Fault::Unlinked);
    third["at"] = json!("2027-01-01T00:00:00.000Z");
    log.extend([first, canonical(&second), canonical(&third)]);

    let mut chain = chain();
    assert_eq!(feed(&mut chain, &log), [expected]);
    let records = chain.heads().count();
    assert_eq!(chain.unlinked(), u64::try_from(log.len() - records - 2).unwrap());
}

#[test]
fn a_log_whose_beginning_was_forgotten_goes_on_from_its_checkpoints() {
    let log = linked();
    for length in 0..log.len() {
        let (forgotten, kept) = log.split_at(length);
        let text = serde_json::to_string(&heads(forgotten)).unwrap();
        let checkpoints: Vec<Head> = serde_json::from_str(&text).unwrap();
        let mut chain = Chain::resume(default_backend(), checkpoints.clone());
        chain.expect(heads(&log));
        assert_eq!(feed(&mut chain, kept), []);
        assert_eq!(chain.finish(), []);
        assert_eq!(chain.heads().collect::<Vec<_>>(), heads(&log));
    }

    let key = long_record(&log);
    let (forgotten, kept) = log.split_at(place(&log, &key, 3));
    assert!(breaks(kept).iter().any(|found| found.fault == Fault::Missing { first: 1, last: 2 }));
    let mut checkpoints = heads(forgotten);
    let other = digest(&log[0]);
    checkpoints.iter_mut().filter(|head| head.key == key).for_each(|head| head.digest = other);
    let mut chain = Chain::resume(default_backend(), checkpoints);
    let found = feed(&mut chain, kept);
    assert!(
        matches!(found.as_slice(), [one] if one.code() == Code::AuditWrongDigest && one.version == Some(3))
    );
}

#[test]
fn heads_below_or_beside_a_checkpoint_are_not_taken_on_trust() {
    let log = linked();
    let key = long_record(&log);
    let all = heads(&log);
    let known = all.iter().find(|head| head.key == key).unwrap();
    let mut chain = Chain::resume(default_backend(), all.clone());
    chain.expect([
        known.clone(),
        Head { version: known.version - 1, ..known.clone() },
        Head { digest: digest(&log[0]), ..known.clone() },
    ]);
    let found: Vec<_> = chain.finish().iter().map(Break::code).collect();
    assert_eq!(found, [Code::AuditOtherHead, Code::AuditUnreachedHead]);
}

#[test]
fn one_line_stands_for_all_heads() {
    let log = linked();
    let heads = heads(&log);
    let root = Root::over(heads.clone(), &*default_backend());
    assert_eq!(root.records, u64::try_from(heads.len()).unwrap());
    assert_eq!(root.facts, u64::try_from(log.len()).unwrap());
    let line = root.to_string();
    assert_eq!(line.parse::<Root>().unwrap(), root);
    for other in
        [line.to_uppercase(), format!("{line} "), line.replacen(' ', "  ", 1), line.replace("1 ", "1 0")]
    {
        assert!(other.parse::<Root>().is_err(), "{other}");
    }

    let mut turned = heads.clone();
    turned.reverse();
    turned.push(Head { version: 1, ..heads[0].clone() });
    assert_eq!(Root::over(turned, &*default_backend()), root);
    for length in 0..log.len() {
        let mut chain = chain();
        feed(&mut chain, &log[..length]);
        assert_ne!(Root::over(chain.heads(), &*default_backend()), root);
    }
}

#[test]
fn the_tree_is_that_of_rfc_6962() {
    let backend = default_backend();
    let hash = |parts: &[&[u8]]| backend.sha256(&parts.concat());
    let heads: Vec<_> = (0..7_u64)
        .map(|n| Head { key: format!("node/{n}"), version: n + 1, digest: digest(&linked()[0]) })
        .collect();
    let leaf = |n: usize| {
        let Head { key, version, digest } = &heads[n];
        hash(&[b"\0", format!(r#"{{"digest":"{digest}","key":"{key}","version":{version}}}"#).as_bytes()])
    };
    let node = |a: [u8; 32], b: [u8; 32]| hash(&[b"\x01", &a, &b]);
    let of = |n: usize| *Root::over(heads[..n].to_vec(), &*backend).digest.as_bytes();
    assert_eq!(of(0), hash(&[]));
    assert_eq!(of(1), leaf(0));
    assert_eq!(of(2), node(leaf(0), leaf(1)));
    assert_eq!(of(3), node(node(leaf(0), leaf(1)), leaf(2)));
    let four = node(node(leaf(0), leaf(1)), node(leaf(2), leaf(3)));
    assert_eq!(of(4), four);
    assert_eq!(of(7), node(four, node(node(leaf(4), leaf(5)), leaf(6))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any one byte of any fact changed to any other: an auditor with the heads sees it.
    #[test]
    fn no_single_byte_can_change_unseen(entry in any::<Index>(), place in any::<Index>(), byte in 0x20_u8..0x7f) {
        thread_local!(static LOG: (Vec<String>, Vec<Head>) = { let log = linked(); let heads = heads(&log); (log, heads) });
        let (mut log, heads) = LOG.with(Clone::clone);
        let entry = entry.index(log.len());
        let place = place.index(log[entry].len());
        let mut bytes = log[entry].clone().into_bytes();
        prop_assume!(bytes[place] != byte);
        bytes[place] = byte;
        log[entry] = String::from_utf8(bytes).unwrap();
        prop_assert!(!audit(&log, &heads).is_empty());
    }

    /// Facts dropped, doubled and moved at random: unseen only where no record's own order has changed.
    #[test]
    fn no_fact_can_go_come_or_move_unseen(
        edits in prop::collection::vec((0_u8..3, any::<Index>(), any::<Index>()), 1..4),
    ) {
        let by_record = |log: &[String]| {
            let mut log = log.to_vec();
            log.sort_by_key(|body| serde_json::from_str::<Value>(body).unwrap()["key"].to_string());
            log
        };
        let whole = linked();
        let mut log = whole.clone();
        for (edit, from, to) in edits {
            let (from, to) = (from.index(log.len()), to.index(log.len()));
            match edit {
                0 => drop(log.remove(from)),
                1 => log.insert(to, log[from].clone()),
                _ => { let body = log.remove(from); log.insert(to.min(log.len()), body); }
            }
        }
        let same = by_record(&log) == by_record(&whole);
        prop_assert_eq!(audit(&log, &heads(&whole)).is_empty(), same);
    }
}
