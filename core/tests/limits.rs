//! What is longer than its limit is refused, by every reader that has no other bound.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use handfast::{
    Code, KeyRing, Ledger, Secret, SecretKey, Timestamp,
    audit::Milestone,
    crypto::default_backend,
    id::SecretId,
    inspect::{Inspected, inspect},
    kubernetes::CaPin,
    ledger::LabelFilter,
    limits,
    record::{Record, Versioned},
    seal::Sealer,
    spire::Bundle,
    vocabulary::Event,
};
use rand::{SeedableRng as _, rngs::StdRng};
use support::padded_certificate;

const AUTHORITY: &str = include_str!("../vectors/sns/certificates/intermediate.pem");
const EVENTS: &str = include_str!("../vectors/ledger/events-schema-1.jsonl");
const SNAPSHOT: &str = include_str!("../vectors/ledger/snapshot-schema-1.jsonl");

/// The same JSON in `length` bytes.
fn padded(json: &str, length: usize) -> String {
    format!("{json}{}", " ".repeat(length - json.len()))
}

#[test]
fn a_stored_event_has_a_limit() {
    let event = EVENTS.lines().next().unwrap();
    let (fits, long) = (padded(event, limits::EVENT_BYTES), padded(event, limits::EVENT_BYTES + 1));
    assert!(Event::from_body(&fits).is_ok() && Milestone::read(&fits).unwrap().is_some());
    assert_eq!(Event::from_body(&long).unwrap_err().code(), Code::CorruptRecord);
    assert_eq!(Milestone::read(&long).unwrap_err().code(), Code::CorruptRecord);
}

#[test]
fn a_stored_record_has_a_limit() {
    let line: serde_json::Value = serde_json::from_str(SNAPSHOT.lines().nth(1).unwrap()).unwrap();
    let body = line["body"].as_str().unwrap();
    let (fits, long) = (padded(body, limits::RECORD_BYTES), padded(body, limits::RECORD_BYTES + 1));
    assert!(Record::from_body(&fits).is_ok());
    assert_eq!(Record::from_body(&long).unwrap_err().code(), Code::CorruptRecord);
    assert_eq!(Versioned::from_body(1, &long).unwrap_err().code(), Code::CorruptRecord);
}

#[test]
fn a_line_of_a_snapshot_has_a_limit() {
    let restore = |length| {
        let lines = SNAPSHOT.lines().enumerate();
        let text: Vec<_> = lines
            .map(|(number, line)| if number == 1 { padded(line, length) } else { line.to_owned() })
            .collect();
        Ledger::restore(&text.join("\n")).map(drop)
    };
    assert_eq!(restore(limits::SNAPSHOT_LINE_BYTES), Ok(()));
    assert_eq!(restore(limits::SNAPSHOT_LINE_BYTES + 1).unwrap_err().code(), Code::CorruptRecord);
}

#[test]
fn what_is_sealed_can_be_opened_and_more_is_not_sealed() {
    let keys = BTreeMap::from([("k1".parse().unwrap(), SecretKey::new([1; 32]))]);
    let sealer = Sealer::new(KeyRing::new("k1".parse().unwrap(), keys).unwrap(), default_backend());
    let id: SecretId = "019b7ca9-8c88-7118-b0d3-641a68f94a69.1".parse().unwrap();
    let seal = |length| sealer.seal(id, &Secret::new("a".repeat(length)), &mut StdRng::seed_from_u64(1));
    let sealed = seal(limits::COMMAND_BYTES).unwrap();
    assert_eq!(sealer.open(id, &sealed).unwrap().expose().len(), limits::COMMAND_BYTES);
    assert_eq!(seal(limits::SEALED_BYTES).unwrap_err().code(), Code::InvalidInput);
    let long = format!("{sealed}{}", "A".repeat(limits::SEALED_BYTES));
    assert_eq!(sealer.open(id, &long).unwrap_err().code(), Code::SealBroken);
}

#[test]
fn a_certificate_has_a_limit() {
    let pin = |length| CaPin::of_certificate(&*default_backend(), &padded_certificate(AUTHORITY, length));
    assert_eq!(pin(limits::KUBERNETES_CERTIFICATE_BYTES), pin(limits::KUBERNETES_CERTIFICATE_BYTES - 1));
    assert!(pin(limits::KUBERNETES_CERTIFICATE_BYTES).is_ok());
    assert_eq!(
        pin(limits::KUBERNETES_CERTIFICATE_BYTES + 1).unwrap_err().code(),
        Code::KubernetesMalformedCertificate
    );
}

/// Otherwise it would be accepted in one form and, written in the other, be too long to be read again.
#[test]
fn a_bundle_as_large_as_it_may_be_is_read_in_both_forms() {
    let domain = || "example.org".parse().unwrap();
    let length = limits::SPIFFE_CERTIFICATE_BYTES;
    let long = Bundle::new(domain()).with_x509_authority(&padded_certificate(AUTHORITY, length + 1));
    assert_eq!(long.unwrap_err().code(), Code::TooLarge);
    let bundle = (0..limits::SPIFFE_AUTHORITIES).fold(Bundle::new(domain()), |bundle, number| {
        bundle.with_x509_authority(&padded_certificate(AUTHORITY, length - number)).unwrap()
    });
    assert_eq!(Bundle::from_json(domain(), &bundle.to_json()).as_ref(), Ok(&bundle));
    assert_eq!(Bundle::from_pem(domain(), &bundle.to_pem()).as_ref(), Ok(&bundle));
}

#[test]
fn small_texts_have_limits() {
    let time = |digits| format!("2026-01-02T03:04:05.{}Z", "0".repeat(digits)).parse::<Timestamp>();
    assert!(time(limits::TIME_BYTES - 21).is_ok() && time(limits::TIME_BYTES - 20).is_err());
    let filter = |length| format!("site={}", "a".repeat(length)).parse::<LabelFilter>();
    assert!(filter(limits::LABEL_VALUE_BYTES).is_ok() && filter(limits::LABEL_VALUE_BYTES + 1).is_err());
    let pasted = |length: usize| inspect(&format!("edgepkg-v2:{}\n", "A".repeat(length - 11)));
    let long = Inspected::Malformed { like: "service_radar", code: Code::TooLarge };
    assert_eq!(pasted(limits::INSPECT_BYTES), long);
    assert_eq!(pasted(limits::INSPECT_BYTES + 1), Inspected::Unknown);
}
