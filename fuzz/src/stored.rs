//! What a database, a file or an auditor hands back, against whoever could write there.
//!
//! Input: a byte that says what the rest is taken for (modulo 6): the body of an event, the body of a record, a snapshot, a
//! sealed secret, the body of a refusal, or a tally. What is read is written and read back the same, and nothing opens that
//! was not sealed.

use std::collections::BTreeMap;

use handfast::{
    Code, KeyRing, Ledger, SecretKey,
    audit::{Chain, CloudEvent, Head, Milestone, Source, Tally},
    crypto::default_backend,
    id::SecretId,
    record::{Record, Versioned},
    seal::Sealer,
    vocabulary::Event,
};
use serde_json::Value;

/// One input; whether it is accepted.
pub(crate) fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else { return false };
    let Ok(text) = std::str::from_utf8(rest) else { return false };
    match form % 6 {
        0 => event(text),
        1 => record(text),
        2 => snapshot(text),
        3 => sealed(text),
        4 => notice(text),
        _ => tally(text),
    }
}

fn source() -> Source {
    "https://enroll.example.org".parse().expect("a source")
}

fn event(body: &str) -> bool {
    let read = Event::from_body(body);
    if let Ok(event) = &read {
        let written = event.body();
        assert_eq!(Event::from_body(&written).as_ref(), Ok(event));
        assert!(Milestone::read(&written).is_ok());
        let exported = CloudEvent::of_event(&written, source()).expect("an event of ours can be exported");
        assert_eq!(exported.id, format!("{}#{}", event.key, event.version));
        assert_eq!(exported.data, serde_json::from_str::<Value>(&written).expect("JSON"));
    }
    let mut chain = Chain::new(default_backend());
    let fed = chain.feed(body);
    let head = Head::of(body, &*default_backend());
    if fed.is_ok() {
        assert!(head.is_ok_and(|head| chain.heads().eq([head])), "what is fed is the head");
        assert!(chain.feed(body).is_err(), "nothing follows itself");
    }
    let exported = CloudEvent::of_event(body, source());
    assert!(exported.is_err() || serde_json::from_str::<Value>(body).is_ok());
    read.is_ok()
}

fn record(body: &str) -> bool {
    let Ok(read) = Versioned::from_body(7, body) else {
        assert!(Record::from_body(body).is_err());
        return false;
    };
    let written = read.body();
    assert_eq!(Versioned::from_body(7, &written).as_ref(), Ok(&read), "{written}");
    assert_eq!(Record::from_body(body).as_ref(), Ok(&read.record));
    let _ =
        (read.record.index(), read.record.held_secrets(), read.record.wake_at(), read.record.updated_at());
    true
}

fn snapshot(text: &str) -> bool {
    let Ok(ledger) = Ledger::restore(text) else { return false };
    let written = ledger.snapshot();
    let again = Ledger::restore(&written).expect("what is written is read");
    assert_eq!(again.snapshot(), written);
    true
}

/// The seeds among the inputs were sealed with this key for this row; there is one of them, and one secret.
fn sealed(text: &str) -> bool {
    let key = |name: &str, byte| (name.parse().expect("a key id"), SecretKey::new([byte; 32]));
    let keys = BTreeMap::from([key("k1", 1), key("k2", 2)]);
    let ring = KeyRing::new("k1".parse().expect("a key id"), keys).expect("a ring");
    let sealer = Sealer::new(ring, default_backend());
    let id: SecretId = "019b7ca9-8c88-7118-b0d3-641a68f94a69.1".parse().expect("an id");
    match sealer.open(id, text) {
        Ok(secret) => {
            assert!(secret.expose() == "hunter2" && sealer.is_current(text));
            let other = SecretId { number: 2, ..id };
            assert_eq!(sealer.open(other, text).expect_err("of another row").code(), Code::SealBroken);
            true
        }
        Err(error) => {
            assert!(matches!(error.code(), Code::SealBroken | Code::MissingKey), "{error}");
            false
        }
    }
}

fn notice(body: &str) -> bool {
    let Ok(event) = CloudEvent::of_notice("k", body, source()) else { return false };
    let exported: Value = serde_json::from_str(&event.to_json()).expect("JSON");
    assert_eq!(exported["data"], serde_json::from_str::<Value>(body).expect("accepted JSON"));
    true
}

fn tally(text: &str) -> bool {
    let Ok(tally) = serde_json::from_str::<Tally>(text) else { return false };
    let written = serde_json::to_string(&tally).expect("a tally is JSON");
    assert_eq!(serde_json::from_str::<Tally>(&written).expect("what is written is read"), tally);
    let mut twice = tally.clone();
    twice.merge(tally.clone());
    assert!(twice.open() <= tally.open() && twice.counts().len() >= tally.counts().len().min(1));
    assert_eq!(twice.rows().len(), twice.counts().values().map(BTreeMap::len).sum::<usize>());
    true
}
