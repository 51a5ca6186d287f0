//! What is said of pasted texts: the same cases as in every language.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use handfast::inspect::inspect;
use serde_json::Value;

#[test]
fn texts_are_named_as_in_every_language_and_their_secrets_are_not_seen() {
    let cases: Value = serde_json::from_str(include_str!("../vectors/inspect/cases.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let inspected = inspect(case["text"].as_str().unwrap());
        let said = serde_json::to_value(&inspected).unwrap();
        assert_eq!(said, case["expected"], "{}", case["note"]);
        let seen = format!("{said} {inspected:?}");
        for hidden in case["hidden"].as_array().unwrap() {
            assert!(!seen.contains(hidden.as_str().unwrap()), "{}: {seen}", case["note"]);
        }
    }
}
