//! The receiver against a sender who chooses everything: body, certificate, headers' presence.
//!
//! Input: one byte of switches, the body, and, after a byte 0x1e, the certificate file (without it, the genuine one).
//! Whatever comes, there is a typed answer; and what is called verified is what a second, simple reader finds in the
//! body, signed by the key that was trusted.

use std::{cell::RefCell, sync::Arc};

use handfast::{
    crypto::{Backend, RsaDigest, default_backend},
    sns::{
        Development, FetchFailure, Headers, MessageType, Notification, Policy, Received, Receiver, TopicArn,
    },
    time::Now,
};
use serde_json::Value;

const LEAF: &[u8] = include_bytes!("../../core/vectors/sns/certificates/leaf.pem");
const TOPICS: [&str; 3] = [
    "arn:aws:sns:us-east-1:123456789012:enroll",
    "arn:aws:sns:us-east-1:123456789012:enroll.fifo",
    "arn:aws:sns:eu-central-2:123456789012:enroll",
];

/// One input.
pub(crate) fn run(input: &[u8]) {
    let Some((switches, rest)) = input.split_first() else { return };
    let mut parts = rest.splitn(2, |byte| *byte == 0x1e);
    let body = parts.next().unwrap_or_default();
    let certificate = parts.next().unwrap_or(LEAF);
    let now = Now::trusted("2026-03-01T12:00:30Z".parse().expect("a time"));
    let mut receiver = Receiver::new(policy(*switches), default_backend()).expect("a usable policy");
    let headers = Headers {
        message_type: (switches & 4 != 0).then_some("Notification"),
        topic_arn: (switches & 8 != 0).then_some(TOPICS[0]),
        ..Headers::default()
    };
    let first = receiver.receive(body, &headers, now);
    let Ok(Received::Need(fetch)) = first else {
        assert!(!matches!(first, Ok(Received::Notification(_))), "nothing verifies without a certificate");
        return;
    };
    assert!(matches!(receiver.receive(body, &headers, now), Ok(Received::Wait)));
    if switches & 16 != 0 {
        let failed =
            receiver.certificate(&fetch.url, Err(FetchFailure::Timeout), now).expect_err("a failure");
        let again = receiver.receive(body, &headers, now).expect_err("the failure is remembered");
        assert_eq!(failed, again);
        return;
    }
    if receiver.certificate(&fetch.url, Ok(certificate), now).is_err() {
        receiver.receive(body, &headers, now).expect_err("a bad certificate verifies nothing");
        return;
    }
    match receiver.receive(body, &headers, now) {
        Ok(Received::Notification(it)) => check_notification(body, certificate, &it),
        Ok(Received::Confirm(it)) => {
            let sent: Value = serde_json::from_slice(body).expect("verified JSON");
            assert_eq!(sent["Type"], MessageType::SubscriptionConfirmation.as_str());
            assert!(it.url().contains(it.topic_arn().as_str()));
        }
        Ok(Received::Unsubscribed(it)) => assert!(TOPICS.contains(&it.topic_arn().as_str())),
        Ok(Received::Need(_) | Received::Wait) => panic!("the certificate is there"),
        Err(error) => assert!(!error.to_string().is_empty() && error.code().as_str().starts_with("sns_")),
    }
}

fn policy(switches: u8) -> Policy {
    let mut policy = Policy::for_topics(TOPICS.map(|topic| topic.parse::<TopicArn>().expect("a topic")));
    policy.legacy_rsa_1024 = switches & 1 != 0;
    if switches & 2 != 0 {
        policy.development = Some(Development::localstack("http://127.0.0.1:4566/_aws/sns/"));
    }
    policy
}

/// A second reading of the body, by a lenient parser and by hand.
fn check_notification(body: &[u8], certificate: &[u8], notification: &Notification) {
    let sent: Value = serde_json::from_slice(body).expect("verified JSON");
    assert_eq!(sent["Message"], notification.message());
    assert_eq!(sent["MessageId"], notification.message_id());
    assert_eq!(sent["TopicArn"], notification.topic_arn().as_str());
    assert_eq!(sent["Timestamp"], notification.timestamp().to_string());
    assert_eq!(sent["SignatureVersion"], notification.signature_version().as_str());
    assert_eq!(sent.get("Subject").and_then(Value::as_str), notification.subject());
    if certificate != LEAF {
        return;
    }
    let names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
    let signed: String =
        names.iter().filter_map(|name| Some(format!("{name}\n{}\n", sent.get(*name)?.as_str()?))).collect();
    let digest = if sent["SignatureVersion"] == "1" { RsaDigest::Sha1 } else { RsaDigest::Sha256 };
    let signature = base64(sent["Signature"].as_str().expect("a signature"));
    thread_local! {
        static KEY: RefCell<Option<Arc<dyn handfast::crypto::RsaPublicKey>>> = const { RefCell::new(None) };
    }
    KEY.with_borrow_mut(|key| {
        key.get_or_insert_with(|| leaf_key(default_backend().as_ref()))
            .verify(digest, signed.as_bytes(), &signature)
            .expect("what is verified is what was signed");
    });
}

fn leaf_key(backend: &dyn Backend) -> Arc<dyn handfast::crypto::RsaPublicKey> {
    const KEY: &str = include_str!("../../core/vectors/sns/certificates/public-key.pem");
    let encoded: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    backend.rsa_public_key(&base64(&encoded)).expect("the leaf's key")
}

/// A decoder of its own, so that the second reading shares nothing with the first.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = ALPHABET.iter().position(|letter| *letter == digit).expect("base64");
        bits = (bits << 6) | u32::try_from(value).expect("six bits");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).expect("eight bits"));
        }
    }
    bytes
}
