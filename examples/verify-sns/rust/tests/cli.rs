//! The real binary over the vectors that all three languages share.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../core/vectors/sns")
}

fn verify_sns(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verify-sns"))
        .args(arguments)
        .current_dir(vectors())
        .output()
        .expect("the program starts")
}

#[test]
fn every_case_is_printed_as_the_manifest_says() {
    let manifest = std::fs::read(vectors().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut ran = 0;
    for case in manifest["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let mut arguments = vec![
            text("file"),
            "--certificate",
            text("certificate"),
            "--topic",
            text("topic"),
            "--now",
            text("now"),
        ];
        let max_age = case["options"]["max_age_seconds"].as_u64().map(|seconds| format!("{seconds}s"));
        if let Some(max_age) = &max_age {
            arguments.extend(["--max-age", max_age]);
        }
        for (option, flag) in [("legacy_rsa_1024", "--legacy-rsa-1024"), ("development", "--development")] {
            if case["options"][option] == true {
                arguments.push(flag);
            }
        }
        let output = verify_sns(&arguments);
        let printed = String::from_utf8(output.stdout).unwrap();
        let line = printed.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n') && output.stderr.is_empty(), "{}", case["name"]);
        let mut answer: Value = serde_json::from_str(line).unwrap();
        let verified = case["expected"]["verdict"] == "verified";
        assert_eq!(output.status.code(), Some(i32::from(!verified)), "{} {line}", case["name"]);
        if verified {
            assert!(line.starts_with(r#"{"verdict":"verified","type":"#), "{line}");
        } else {
            assert!(answer.as_object_mut().unwrap().remove("reason").is_some(), "{line}");
        }
        assert_eq!(answer, case["expected"], "{}", case["name"]);
        ran += 1;
    }
    assert_eq!(ran, 138);
}

#[test]
fn wrong_usage_says_what_is_wrong() {
    let good = [
        "messages/v2-notification.json",
        "--certificate",
        "certificates/leaf.pem",
        "--topic",
        "arn:aws:sns:us-east-1:123456789012:enroll",
        "--now",
        "2026-03-01T12:00:30Z",
    ];
    assert_eq!(verify_sns(&good).status.code(), Some(0));
    let with = |position: usize, value: &'static str| {
        let mut changed = good.to_vec();
        changed[position] = value;
        changed
    };
    let and = |more: &[&'static str]| [&good[..], more].concat();
    for (arguments, message) in [
        (vec![], "MESSAGE.json is missing"),
        (good[..3].to_vec(), "--topic is missing"),
        (good[..5].to_vec(), "--now is missing"),
        (good[..6].to_vec(), "--now needs a value"),
        (with(0, "messages/none.json"), "cannot read messages/none.json: "),
        (with(2, "certificates/none.pem"), "cannot read certificates/none.pem: "),
        (with(4, "enroll"), "--topic enroll is not the ARN of a topic"),
        (with(6, "yesterday"), "--now yesterday is not a time such as 2026-03-01T12:00:30Z"),
        (and(&["--max-age", "soon"]), "--max-age soon is not a duration such as 90s, 15m, 1h or 7d"),
        (and(&["--insecure"]), "unknown option --insecure"),
        (and(&["again.json"]), "MESSAGE.json is given twice"),
        (and(&["--now", "2026-03-01T12:00:30Z"]), "--now is given twice"),
    ] {
        let output = verify_sns(&arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert!(error.starts_with(&format!("verify-sns: {message}")), "{error}");
        assert!(error.ends_with("try verify-sns --help\n"), "{error}");
    }
}

#[test]
fn help_goes_to_the_standard_output() {
    let output = verify_sns(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("usage: verify-sns MESSAGE.json"));
}
