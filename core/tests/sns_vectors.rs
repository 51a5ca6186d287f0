//! The project's own vectors, which all languages run: `core/vectors/sns/manifest.json`.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test's helpers"
)]

mod support;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use handfast::sns::{Options, verify_once};
use serde_json::Value;
use support::{backends, json};

#[test]
fn every_case_comes_out_as_the_manifest_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/sns");
    let manifest = json(&folder.join("manifest.json"));
    let cases = manifest["cases"].as_array().unwrap();
    for backend in backends() {
        let (mut verified, mut rejected) = (0, 0);
        for case in cases {
            let read = |name: &str| std::fs::read(folder.join(case[name].as_str().unwrap())).unwrap();
            let options = Options {
                topic: case["topic"].as_str().unwrap().parse().unwrap(),
                max_age_seconds: case["options"]["max_age_seconds"]
                    .as_u64()
                    .map(|seconds| seconds.try_into().unwrap()),
                legacy_rsa_1024: case["options"]["legacy_rsa_1024"] == true,
                development: case["options"]["development"] == true,
            };
            let now = case["now"].as_str().unwrap().parse().unwrap();
            let (message, certificate) = (read("file"), read("certificate"));
            let verdict = verify_once(&message, &certificate, &options, now, Arc::clone(&backend));
            let mut printed: Value = serde_json::from_str(&verdict.to_json()).unwrap();
            if verdict.exit_status() == 0 {
                verified += 1;
            } else {
                rejected += 1;
                let reason = printed.as_object_mut().unwrap().remove("reason").unwrap();
                assert!(!reason.as_str().unwrap().is_empty());
            }
            assert_eq!(printed, case["expected"], "{} {}: {verdict:?}", backend.name(), case["name"]);
        }
        assert_eq!((verified, rejected), (35, 103), "{}", backend.name());
    }
}

#[test]
fn the_vectors_cover_most_codes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/sns");
    let manifest = json(&folder.join("manifest.json"));
    let codes: BTreeSet<_> = manifest["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|case| case["expected"]["code"].as_str())
        .collect();
    assert_eq!(codes.len(), 20, "{codes:?}");
}
