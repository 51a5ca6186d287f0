//! A log to be audited: the recorded history of schema 1, linked as a later schema has it.

use std::collections::BTreeMap;

use handfast::{audit::Head, crypto::default_backend, json::canonical};
use serde_json::{Value, json};

/// The recorded events, as they were stored.
pub(crate) fn unlinked() -> Vec<String> {
    let log =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/ledger/events-schema-1.jsonl"));
    let log: Vec<_> = log.unwrap().lines().map(str::to_owned).collect();
    assert!(log.len() >= 30, "{}", log.len());
    log
}

/// The same, each bearing the digest of its record's one before it.
pub(crate) fn linked() -> Vec<String> {
    link(unlinked().iter().map(|body| {
        let mut event: Value = serde_json::from_str(body).unwrap();
        event["schema"] = json!(2);
        event
    }))
}

/// Links and writes events.
pub(crate) fn link(events: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut heads = BTreeMap::<String, Head>::new();
    let mut log = Vec::new();
    for mut event in events {
        let key = event["key"].as_str().unwrap().to_owned();
        if let Some(head) = heads.get(&key) {
            event["previous"] = json!(head.digest);
        }
        let body = canonical(&event);
        heads.insert(key, Head::of(&body, &*default_backend()).unwrap());
        log.push(body);
    }
    log
}

/// The place of a record's version in the log.
pub(crate) fn place(log: &[String], key: &str, version: u64) -> usize {
    let is = |body: &String| {
        let event: Value = serde_json::from_str(body).unwrap();
        event["key"] == key && event["version"] == version
    };
    log.iter().position(is).unwrap()
}

/// A record with at least five facts.
pub(crate) fn long_record(log: &[String]) -> String {
    let fifth = |body: &String| {
        let event: Value = serde_json::from_str(body).unwrap();
        (event["version"] == 5).then(|| event["key"].as_str().unwrap().to_owned())
    };
    log.iter().find_map(fifth).unwrap()
}
