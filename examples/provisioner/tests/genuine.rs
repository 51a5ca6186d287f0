//! The same path with messages that AWS signed, under the clock of their days.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::json;
use support::{Place, real_vectors, token_in, until};

const RUNNING_2016: (&str, &str) = ("2016-ec2-state-change-running-v1.json", "i-0a74797fd283b53de");
const LAUNCH_2017: (&str, &str) = ("2017-lambda-autoscaling-launch-v1.json", "i-0154e7d1fba186b38");

#[tokio::test]
async fn genuine_messages_enrol_instances() {
    let Some(vectors) = real_vectors("sns-aws") else { return };
    let message = |name: &str| std::fs::read_to_string(vectors.join("messages").join(name)).unwrap();
    let mut place = Place::new();
    place.options = ["--certificate-dir", vectors.join("keys").to_str().unwrap()].map(String::from).into();
    configure(
        &place,
        &std::fs::read_to_string(vectors.join("keys/pubkey-bb750dd426d95ee9390147a5624348ee.pem")).unwrap(),
    );

    let clock = place.options.len();
    place.options.extend(["--now", "2016-08-06T20:53:50Z"].map(String::from));
    let host = place.start();
    let operator = host.token.clone().unwrap();
    let running = host.sns(&message(RUNNING_2016.0)).await;
    assert_eq!((running.status.as_u16(), &running.json()["state"]), (200, &"running".into()), "{running:?}");
    let early = host.sns(&message(LAUNCH_2017.0)).await;
    assert_eq!((early.status.as_u16(), &early.json()["code"]), (403, &"sns_too_far_ahead".into()));
    let first = token_in(&host.joined(RUNNING_2016.1).await);
    assert_eq!(place.manifests().len(), 1);
    host.kill();

    // Half a year later. The first token has expired meanwhile and is deleted; its node goes on.
    place.options[clock + 1] = "2017-02-09T00:31:55Z".into();
    let host = place.start();
    until("the first token is deleted", || place.manifests().is_empty()).await;
    let late = host.sns(&message(RUNNING_2016.0)).await;
    assert_eq!((late.status.as_u16(), &late.json()["code"]), (403, &"sns_too_old".into()));
    let launched = host.sns(&message(LAUNCH_2017.0)).await;
    assert_eq!(
        (launched.status.as_u16(), &launched.json()["state"]),
        (200, &"running".into()),
        "{launched:?}"
    );
    assert_ne!(token_in(&host.joined(LAUNCH_2017.1).await), first);
    let statuses: Vec<_> = host.packages(&operator).await.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, ["activated", "activated"]);

    let tampered = message(LAUNCH_2017.0).replace("from 0 to 1", "from 0 to 2");
    assert_ne!(tampered, message(LAUNCH_2017.0));
    let reply = host.sns(&tampered).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (403, &"sns_bad_signature".into()));
}

/// Two topics of two accounts; of one signing certificate only the public key is left, and so it is pinned.
fn configure(place: &Place, public_key: &str) {
    let rule = json!({ "accounts": ["788612350743", "847904970422"], "scope": "recorded", "kind": "worker",
        "contents": [{ "type": "kubernetes_bootstrap_token" }] });
    let config = json!({
        "instances": "instances.json", "manifests": "state/manifests", "cluster_info": "cluster-info.yaml",
        "database": "state/provisioner.sqlite", "keys": "state/provisioner.keys",
        "sns": {
            "topics": [
                { "arn": "arn:aws:sns:us-west-1:788612350743:BigDBEC2Events" },
                { "arn": "arn:aws:sns:us-east-1:847904970422:CI-Events" },
            ],
            "pins": [{
                "pem": public_key,
                "url": "https://sns.us-west-1.amazonaws.com/SimpleNotificationService-bb750dd426d95ee9390147a5624348ee.pem",
            }],
        },
        "policy": { "instances": [rule] },
    });

    std::fs::write(place.path("provisioner.json"), config.to_string()).unwrap();
    let listed = |(instance, account, region): (&str, &str, &str)| {
        json!({ "instance": instance, "account": account, "region": region, "state": "running",
            "addresses": ["127.0.0.1"] })
    };
    let list = json!([
        listed((RUNNING_2016.1, "788612350743", "us-west-1")),
        listed((LAUNCH_2017.1, "847904970422", "us-east-1")),
    ]);
    std::fs::write(place.path("instances.json"), list.to_string()).unwrap();
}
