//! Messages that AWS and LocalStack really signed, with a clock that stands at their time.
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

use std::{path::Path, sync::Arc};

use handfast::{
    crypto::Backend,
    sns::{
        Development, Headers, MessageType, Options, Policy, Received, Receiver, SnsError, TopicArn, Verdict,
        verify_once,
    },
    time::{Now, Timestamp},
};
use serde_json::Value;
use support::{backends, json, real_vectors};

/// The receiver's answer after the certificate, if it asks for one, has been handed in.
fn receive(
    receiver: &mut Receiver,
    body: &[u8],
    headers: &Headers<'_>,
    certificate: &[u8],
    now: Now,
) -> Result<Received, SnsError> {
    match receiver.receive(body, headers, now)? {
        Received::Need(fetch) => {
            assert!(fetch.no_redirects && fetch.max_bytes == 16 * 1024);
            receiver.certificate(&fetch.url, Ok(certificate), now)?;
            receiver.receive(body, headers, now)
        }
        other => Ok(other),
    }
}

struct Genuine {
    body: Vec<u8>,
    key: Vec<u8>,
    topic: TopicArn,
    at: Timestamp,
    case: Value,
}

fn genuine(folder: &Path) -> Vec<Genuine> {
    let read = |case: &Value| {
        let body = std::fs::read(folder.join(case["file"].as_str().unwrap())).unwrap();
        let message: Value = serde_json::from_slice(&body).unwrap();
        let key = case.get("cert").or(case.get("pubkey")).unwrap().as_str().unwrap();
        Genuine {
            key: std::fs::read(folder.join(key)).unwrap(),
            topic: message["TopicArn"].as_str().unwrap().parse().unwrap(),
            at: message["Timestamp"].as_str().unwrap().parse().unwrap(),
            case: case.clone(),
            body,
        }
    };
    json(&folder.join("manifest.json")).as_array().unwrap().iter().map(read).collect()
}

impl Genuine {
    fn verdict(&self, legacy_rsa_1024: bool, after_seconds: u32, backend: &Arc<dyn Backend>) -> Verdict {
        let options =
            Options { topic: self.topic.clone(), max_age_seconds: None, legacy_rsa_1024, development: false };
        let now = self.at.plus_seconds(after_seconds);
        verify_once(&self.body, &self.key, &options, now, Arc::clone(backend))
    }
}

fn code(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Verified { .. } => "verified",
        Verdict::Rejected { code, .. } => code.as_str(),
    }
}

#[test]
fn every_genuine_message_comes_out_as_the_manifest_says() {
    let Some(folder) = real_vectors("sns-aws") else { return };
    let cases = genuine(&folder);
    for backend in backends() {
        let (mut verified, mut rejected) = (0, 0);
        for case in &cases {
            let verdict = case.verdict(true, 60, &backend);
            if case.case["expected"] == "verified" {
                let Verdict::Verified { message_type, signature_version, subject, .. } = &verdict else {
                    panic!("{} {verdict:?}", case.case["file"]);
                };
                assert_eq!(*message_type, case.case["type"]);
                assert_eq!(*signature_version, case.case["signature_version"]);
                if let Some(present) = case.case["subject_present"].as_bool() {
                    assert_eq!(subject.is_some(), present, "{}", case.case["file"]);
                }
                verified += 1;
            } else {
                assert_eq!(code(&verdict), "sns_bad_signature");
                rejected += 1;
            }
        }
        assert_eq!((verified, rejected), (23, 2), "{}", backend.name());
    }
}

#[test]
fn rsa_1024_needs_the_legacy_switch() {
    let Some(folder) = real_vectors("sns-aws") else { return };
    for backend in backends() {
        let mut short = 0;
        for case in genuine(&folder) {
            let verdict = case.verdict(false, 60, &backend);
            if case.case["key_bits"] == 1024 {
                assert_eq!(code(&verdict), "sns_certificate_key", "{}", case.case["file"]);
                short += 1;
            } else if case.case["expected"] == "verified" {
                assert_eq!(code(&verdict), "verified", "{}", case.case["file"]);
            }
        }
        assert_eq!(short, 3);
    }
}

#[test]
fn genuine_messages_age() {
    let Some(folder) = real_vectors("sns-aws") else { return };
    for backend in backends() {
        let mut aged = 0;
        for case in genuine(&folder).iter().filter(|case| case.case["expected"] == "verified") {
            assert_eq!(code(&case.verdict(true, 3600, &backend)), "verified");
            assert_eq!(code(&case.verdict(true, 3601, &backend)), "sns_too_old");
            aged += 1;
        }
        assert_eq!(aged, 23);
    }
}

/// Every byte of the signed values matters, and nothing else can be changed into a signed value.
#[test]
fn altered_genuine_messages_are_refused() {
    let Some(folder) = real_vectors("sns-aws") else { return };
    let backend = handfast::crypto::default_backend();
    let mut altered = 0;
    for case in genuine(&folder).iter().filter(|case| case.case["expected"] == "verified") {
        let message: Value = serde_json::from_slice(&case.body).unwrap();
        for name in ["Message", "Subject", "MessageId", "Timestamp", "Token", "Signature"] {
            let Some(text) = message[name].as_str() else { continue };
            let mut changed = message.clone();
            changed[name] = alter(text).into();
            let twin = Genuine {
                body: changed.to_string().into_bytes(),
                key: case.key.clone(),
                topic: case.topic.clone(),
                at: case.at,
                case: Value::Null,
            };
            let verdict = twin.verdict(true, 60, &backend);
            let expected = if name == "Token" && message["Type"] == "SubscriptionConfirmation" {
                "sns_subscribe_url"
            } else {
                "sns_bad_signature"
            };
            assert_eq!(code(&verdict), expected, "{name} of {}", case.case["file"]);
            altered += 1;
        }
    }
    assert_eq!(altered, 23 * 4 + 9 + 2);
}

/// Another text of the same form: one digit or letter is another one.
fn alter(text: &str) -> String {
    let position = text.rfind(|at: char| at.is_ascii_alphanumeric() && at != 'Z').unwrap();
    let other = if text.as_bytes()[position] == b'1' { "2" } else { "1" };
    // The last characters of base64 may be bound by its padding: take one further in front.
    let position = if text.ends_with('=') { position - 8 } else { position };
    format!("{}{other}{}", &text[..position], &text[position + 1..])
}

struct Local {
    name: String,
    body: Vec<u8>,
    headers: Value,
}

impl Local {
    fn headers(&self) -> Headers<'_> {
        let pairs = self.headers.as_object().unwrap().iter();
        Headers::from_pairs(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap()))).unwrap()
    }
}

fn localstack(folder: &Path) -> (Vec<Local>, Vec<u8>) {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut messages = Vec::new();
    let mut certificate = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".pem") {
            certificate = std::fs::read(&file).unwrap();
        } else if let Some(stem) = name.strip_suffix(".json").filter(|stem| !stem.ends_with(".headers")) {
            messages.push(Local {
                name: stem.to_owned(),
                body: std::fs::read(&file).unwrap(),
                headers: json(&folder.join(format!("{stem}.headers.json"))),
            });
        }
    }
    (messages, certificate)
}

fn local_policy() -> Policy {
    let topic = |name: &str| format!("arn:aws:sns:us-east-1:000000000000:{name}").parse().unwrap();
    let mut policy = Policy::for_topics([topic("enroll-v1"), topic("enroll-v2")]);
    policy.topics[1].minimum_signature_version = handfast::sns::SignatureVersion::V2;
    policy.development = Some(Development::localstack("http://127.0.0.1:4566/_aws/sns/"));
    policy
}

const LOCAL_NOW: &str = "2026-11-22T02:02:30Z";

#[test]
fn localstack_is_verified_under_explicit_development_trust() {
    let Some(folder) = real_vectors("sns-localstack") else { return };
    let (messages, certificate) = localstack(&folder);
    let now = Now::trusted(LOCAL_NOW.parse().unwrap());
    for backend in backends() {
        let mut receiver = Receiver::new(local_policy(), backend).unwrap();
        let mut counts = [0; 4];
        for message in &messages {
            let kind = message.headers["x-amz-sns-message-type"].as_str().unwrap();
            let received = receive(&mut receiver, &message.body, &message.headers(), &certificate, now);
            match received {
                Ok(Received::Notification(notification)) => {
                    assert_eq!(kind, MessageType::Notification.as_str());
                    assert_eq!(
                        Some(notification.message_id()),
                        message.headers["x-amz-sns-message-id"].as_str()
                    );
                    let version = notification.signature_version().as_str();
                    assert!(message.name.starts_with(&format!("v{version}-")), "{}", message.name);
                    if message.name.contains("unicode") {
                        assert_eq!(
                            notification.message(),
                            "line1\nMessageId\nnot-an-id\né你😀 \t\"quoted\\\""
                        );
                        assert_eq!(notification.subject(), Some("uni"));
                    }
                    counts[0] += 1;
                }
                Ok(Received::Confirm(confirmation)) => {
                    let sent: Value = serde_json::from_slice(&message.body).unwrap();
                    assert_eq!(sent["SubscribeURL"], confirmation.url());
                    counts[1] += 1;
                }
                Ok(Received::Unsubscribed(it)) => {
                    // LocalStack signs this one as version 1 on a topic of version 2.
                    assert_eq!(it.signature_version().as_str(), "1");
                    counts[2] += 1;
                }
                Err(SnsError::Unsigned) => {
                    assert!(message.name.ends_with("raw-delivery"));
                    counts[3] += 1;
                }
                other => panic!("{} {other:?}", message.name),
            }
        }
        assert_eq!(counts, [10, 2, 2, 2]);
    }
}

#[test]
fn nothing_of_localstack_passes_without_its_settings() {
    let Some(folder) = real_vectors("sns-localstack") else { return };
    let (messages, certificate) = localstack(&folder);
    let now = Now::trusted(LOCAL_NOW.parse().unwrap());
    let backend = handfast::crypto::default_backend();
    let mut without = local_policy();
    without.development = None;
    let mut strict_certificate = local_policy();
    strict_certificate.development.as_mut().unwrap().any_certificate = false;
    let mut strict_version = local_policy();
    strict_version.development.as_mut().unwrap().version_1_unsubscribe = false;
    for message in &messages {
        let run = |policy: &Policy| {
            let mut receiver = Receiver::new(policy.clone(), Arc::clone(&backend)).unwrap();
            receive(&mut receiver, &message.body, &message.headers(), &certificate, now)
                .map(|_| ())
                .map_err(|error| error.code().as_str())
        };
        if message.name.ends_with("raw-delivery") {
            // Without the header, the body simply is no SNS message.
            let mut receiver = Receiver::new(local_policy(), Arc::clone(&backend)).unwrap();
            let bare = receiver.receive(&message.body, &Headers::default(), now).unwrap_err();
            assert_eq!(bare.code().as_str(), "sns_missing_field");
            assert!(bare.to_string().contains("raw delivery"), "{bare}");
        } else if message.name == "v2-unsubscribe-confirmation" {
            assert_eq!(run(&strict_version), Err("sns_version_too_low"));
            assert_eq!(run(&without), Err("sns_version_too_low"));
        } else {
            assert_eq!(run(&without), Err("sns_certificate_url"), "{}", message.name);
            assert_eq!(run(&strict_certificate), Err("sns_certificate_usage"), "{}", message.name);
            assert_eq!(run(&strict_version), Ok(()), "{}", message.name);
        }
    }
    assert_eq!(messages.len(), 16);
}
