//! From the bytes that AWS once signed to the instance that they speak of.
#![cfg(any(feature = "aws-lc", feature = "rust-crypto"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test's helpers")]

mod support;

use std::sync::Arc;

use handfast::{
    aws::{self, InstanceState, NotForUs, Received, Trust},
    crypto::Backend,
    sns::{self, Headers, Notification, Pin, Policy, Receiver, TopicArn},
    time::{Now, Timestamp},
    verified::Verified,
};
use serde_json::Value;
use support::{backends, json, real_vectors};

/// Verifies a message of the manifest at its own time, with the certificate or key that the manifest names.
fn verify(case: &Value, backend: &Arc<dyn Backend>) -> Option<Verified<Notification>> {
    let root = real_vectors("sns-aws")?;
    let body = std::fs::read(root.join(case["file"].as_str().unwrap())).unwrap();
    let message: Value = serde_json::from_slice(&body).unwrap();
    let pem = case["cert"].as_str().or(case["pubkey"].as_str()).unwrap();
    let pem = std::fs::read_to_string(root.join(pem)).unwrap();
    let topic: TopicArn = message["TopicArn"].as_str().unwrap().parse().unwrap();
    let mut policy = Policy::for_topics([topic]);
    policy.pins = vec![Pin { pem, url: None }];
    policy.legacy_rsa_1024 = true;
    let at: Timestamp = message["Timestamp"].as_str().unwrap().parse().unwrap();
    let mut receiver = Receiver::new(policy, backend.clone()).unwrap();
    match receiver.receive(&body, &Headers::default(), Now::trusted(at)).unwrap() {
        sns::Received::Notification(notification) => Some(notification),
        sns::Received::Confirm(_) | sns::Received::Unsubscribed(_) => None,
        sns::Received::Need(_) | sns::Received::Wait => panic!("the key is pinned"),
    }
}

fn own_trust(notification: &Notification) -> [Trust; 1] {
    [Trust { topic: notification.topic_arn().clone(), accounts: [].into(), regions: [].into() }]
}

#[test]
fn genuine_messages_of_aws_name_their_instances() {
    let Some(root) = real_vectors("sns-aws") else { return };
    let manifest = json(&root.join("manifest.json"));
    for backend in backends() {
        let (mut instances, mut not_for_us, mut others) = (Vec::new(), 0, 0);
        for case in manifest.as_array().unwrap().iter().filter(|case| case["expected"] == "verified") {
            let Some(notification) = verify(case, &backend) else {
                others += 1;
                continue;
            };
            match aws::read(&notification, &own_trust(&notification)).unwrap() {
                Received::Instance(event) => {
                    assert_eq!(event.message_id(), notification.message_id());
                    assert_eq!(event.published_at(), notification.timestamp());
                    assert_eq!(event.account().as_str(), notification.topic_arn().account());
                    assert_eq!(event.region().as_str(), notification.topic_arn().region());
                    assert_eq!(event.implied_state(), Some(InstanceState::Running));
                    instances.push((event.instance().to_string(), event.occurred_at().to_string()));
                }
                Received::NotForUs(reason) => {
                    assert_eq!(reason, NotForUs::NotAnEvent);
                    not_for_us += 1;
                }
            }
        }
        let expected = [
            ("i-0154e7d1fba186b38", "2017-02-09T00:31:48.519Z"),
            ("i-0a74797fd283b53de", "2016-08-06T20:53:38.000Z"),
        ];
        assert_eq!(instances, expected.map(|(instance, at)| (instance.to_owned(), at.to_owned())));
        assert_eq!((not_for_us, others), (19, 2));
    }
}

#[test]
fn a_genuine_message_of_an_untrusted_topic_says_nothing() {
    let Some(root) = real_vectors("sns-aws") else { return };
    let manifest = json(&root.join("manifest.json"));
    let case = manifest.as_array().unwrap().last().unwrap();
    for backend in backends() {
        let notification = verify(case, &backend).unwrap();
        let mut trust = own_trust(&notification);
        trust[0].accounts = ["123456789012".parse().unwrap()].into();
        let code = |trust: &[Trust]| aws::read(&notification, trust).unwrap_err().code().as_str();
        assert_eq!(code(&trust), "aws_untrusted_account");
        trust[0].accounts.clear();
        trust[0].regions = ["eu-central-1".parse().unwrap()].into();
        assert_eq!(code(&trust), "aws_untrusted_region");
        trust[0].topic = "arn:aws:sns:us-west-1:788612350743:Other".parse().unwrap();
        assert_eq!(code(&trust), "aws_untrusted_topic");
    }
}
