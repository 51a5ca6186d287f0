//! The project's own test authority: it signs messages as SNS does, with the public test key of `core/vectors`.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use chrono::{SecondsFormat, Utc};
use data_encoding::BASE64;
use serde_json::{Value, json};

/// The topic of the development configuration.
pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:enroll";
/// Where SNS would publish the certificate.
pub(crate) const ORIGIN: &str = "https://sns.us-east-1.amazonaws.com/";
/// Its name there.
pub(crate) const CERTIFICATE: &str = "SimpleNotificationService-00112233445566778899aabbccddeeff.pem";

/// An EC2 state change, as EventBridge publishes it.
pub(crate) fn state_change(instance: &str, state: &str) -> Value {
    event(
        "EC2 Instance State-change Notification",
        "aws.ec2",
        json!({ "instance-id": instance, "state": state }),
    )
}

/// An Auto Scaling launch that waits at its hook, as EventBridge publishes it.
pub(crate) fn launch_hook(instance: &str) -> Value {
    let detail = json!({
        "LifecycleActionToken": "87654321-4321-4321-4321-210987654321", "AutoScalingGroupName": "workers",
        "LifecycleHookName": "workers-launch", "EC2InstanceId": instance,
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "NotificationMetadata": "",
        "Origin": "EC2", "Destination": "AutoScalingGroup",
    });
    event("EC2 Instance-launch Lifecycle Action", "aws.autoscaling", detail)
}

fn event(detail_type: &str, source: &str, detail: Value) -> Value {
    json!({
        "version": "0", "id": uuid(), "detail-type": detail_type, "source": source,
        "account": "123456789012", "time": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": "us-east-1", "resources": [], "detail": detail,
    })
}

/// A notification of the topic, signed now: the body that SNS would post.
pub(crate) fn notification(message: &str) -> String {
    signed(json!({ "Type": "Notification", "Message": message }), TOPIC, ORIGIN)
}

/// A signed message of any type and topic, whose URLs begin with `origin`.
pub(crate) fn signed(mut message: Value, topic: &str, origin: &str) -> String {
    let members = message.as_object_mut().unwrap();
    members.insert("MessageId".into(), uuid().into());
    members.insert("TopicArn".into(), topic.into());
    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    members.entry("Timestamp").or_insert(at.into());
    if members["Type"] != "Notification" {
        let token = "2336412f37fb687f5d51e6e241d164b1".repeat(8);
        let url = format!("{origin}?Action=ConfirmSubscription&TopicArn={topic}&Token={token}");
        members.entry("Message").or_insert("You have chosen to subscribe".into());
        members.insert("Token".into(), token.into());
        members.insert("SubscribeURL".into(), url.into());
    }
    members.insert("SignatureVersion".into(), "2".into());
    members.insert("SigningCertURL".into(), format!("{origin}{CERTIFICATE}").into());
    let signature = sign(&canonical(&message));
    message["Signature"] = signature.into();
    message.to_string()
}

fn canonical(message: &Value) -> String {
    let names: &[&str] = if message["Type"] == "Notification" {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    };
    let present = names.iter().filter_map(|name| Some((name, message.get(name)?.as_str()?)));
    present.map(|(name, value)| format!("{name}\n{value}\n")).collect()
}

fn sign(text: &str) -> String {
    let pem = include_str!("../../../../core/vectors/keys/leaf.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = RsaKeyPair::from_pkcs8(&BASE64.decode(base64.as_bytes()).unwrap()).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    BASE64.encode(&signature)
}

fn uuid() -> String {
    let random = rand::random::<u128>();
    let hex = format!("{random:032x}");
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
