//! What each message means, on the messages of real systems and on broken twins of them.

use std::{io::Write, path::PathBuf};

use proptest::prelude::*;
use serde_json::json;

use super::*;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:instances";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn envelope() -> Envelope<'static> {
    static ARN: std::sync::LazyLock<TopicArn> = std::sync::LazyLock::new(|| TOPIC.parse().unwrap());
    Envelope {
        topic: &ARN,
        message_id: "90cced31-040b-58a6-9538-bc24bebf2c8b",
        published_at: at("2026-01-01T00:00:01Z"),
    }
}

fn trust(accounts: &[&str], regions: &[&str]) -> [Trust; 1] {
    [Trust {
        topic: TOPIC.parse().unwrap(),
        accounts: accounts.iter().map(|text| text.parse().unwrap()).collect(),
        regions: regions.iter().map(|text| text.parse().unwrap()).collect(),
    }]
}

fn read_value(value: &Value) -> Result<Received, AwsError> {
    read_text(&value.to_string(), &envelope(), &trust(&[], &[]))
}

/// The event, where the message must be one.
fn event(received: Result<Received, AwsError>) -> InstanceEvent {
    match received {
        Ok(Received::Instance(event)) => *event,
        other => panic!("expected an instance event, got {other:?}"),
    }
}

fn running() -> Value {
    json!({
        "version": "0",
        "id": "2ecfc931-d9f2-4b25-9c00-87e6431d09f7",
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-0000000000000dead"],
        "detail": { "instance-id": "i-0a74797fd283b53de", "state": "running" }
    })
}

/// `running()` with one member replaced, named by a JSON pointer; null removes it.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = running();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name)
    } else {
        parent.insert(name.to_owned(), value)
    };
    event
}

/// The cases of real systems, or `None` (loudly) where they are absent.
#[expect(clippy::disallowed_methods, reason = "a test may look where its data is")]
fn vectors() -> Option<PathBuf> {
    let root = std::env::var_os("HANDFAST_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let present = root.join("eventbridge/manifest.json").is_file();
    if !present {
        // Written directly, because the test harness would swallow what a passing test prints.
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: no vectors at {} (set HANDFAST_VECTORS)", root.display());
    }
    present.then_some(root)
}

#[test]
fn a_state_change_is_taken_from_its_detail_and_never_from_its_arn() {
    let event = event(read_value(&running()));
    assert_eq!(event.instance().as_str(), "i-0a74797fd283b53de");
    assert_eq!(event.account().as_str(), "123456789012");
    assert_eq!(event.region().as_str(), "us-east-1");
    assert_eq!(event.implied_state(), Some(InstanceState::Running));
    assert_eq!(event.occurred_at(), at("2026-01-01T00:00:00Z"));
    assert_eq!(event.published_at(), at("2026-01-01T00:00:01Z"));
    assert_eq!(event.event_id(), "2ecfc931-d9f2-4b25-9c00-87e6431d09f7");
    assert_eq!(event.message_id(), "90cced31-040b-58a6-9538-bc24bebf2c8b");
    assert_eq!(event.topic().as_str(), TOPIC);
}

#[test]
fn every_state_is_read_and_written_alike() {
    for state in ["pending", "running", "stopping", "stopped", "shutting-down", "terminated"] {
        let event = event(read_value(&with("/detail/state", json!(state))));
        assert_eq!(event.implied_state().unwrap().to_string(), state);
        assert_eq!(serde_json::to_value(event.change()).unwrap(), json!({ "type": "state", "state": state }));
    }
}

#[test]
fn a_part_that_is_missing_or_of_the_wrong_form_is_named() {
    let long = "x".repeat(limits::AWS_TEXT_BYTES + 1);
    for (pointer, value, field) in [
        ("/version", json!("1"), "version"),
        ("/version", json!(0), "version"),
        ("/id", Value::Null, "id"),
        ("/id", json!(""), "id"),
        ("/id", json!("a b"), "id"),
        ("/detail-type", json!(7), "detail-type"),
        ("/source", Value::Null, "source"),
        ("/account", json!("12345678901"), "account"),
        ("/account", json!(123_456_789_012_u64), "account"),
        ("/time", json!("yesterday"), "time"),
        ("/time", Value::Null, "time"),
        ("/region", json!("region"), "region"),
        ("/detail", json!([]), "detail"),
        ("/detail", Value::Null, "detail"),
        ("/detail/instance-id", json!("i-"), "instance-id"),
        ("/detail/instance-id", json!("\ti-0a74797fd283b53de"), "instance-id"),
        ("/detail/instance-id", Value::Null, "instance-id"),
        ("/detail/state", json!("Running"), "state"),
        ("/detail/state", json!(long), "state"),
    ] {
        let error = read_value(&with(pointer, value.clone())).unwrap_err();
        assert_eq!(error, AwsError::Malformed { field }, "{pointer} = {value}");
        assert_eq!(error.code().as_str(), "aws_malformed_event");
        assert_eq!(error.to_string(), format!("malformed event: {field}"));
    }
}

#[test]
fn json_that_two_readers_could_read_differently_is_refused() {
    let twice = running().to_string().replace("\"state\":", "\"state\":\"terminated\",\"state\":");
    for text in [twice.as_str(), "{", "{\"a\":1}x"] {
        let refused = read_text(text, &envelope(), &trust(&[], &[]));
        assert_eq!(refused, Err(AwsError::Malformed { field: "message" }), "{text}");
    }
}

#[test]
fn only_the_trusted_topic_speaks() {
    let mut other = trust(&[], &[]);
    for topic in [
        "arn:aws:sns:us-east-1:123456789012:instances2",
        "arn:aws:sns:us-east-1:123456789012:Instances",
        "arn:aws:sns:us-east-2:123456789012:instances",
    ] {
        other[0].topic = topic.parse().unwrap();
        let error = read_text(&running().to_string(), &envelope(), &other).unwrap_err();
        assert_eq!(error.code().as_str(), "aws_untrusted_topic");
    }
    assert_eq!(read_text(&running().to_string(), &envelope(), &[]), Err(AwsError::UntrustedTopic));
}

#[test]
fn without_a_list_a_topic_speaks_of_its_own_account_and_region_only() {
    let error = read_value(&with("/account", json!("999999999999"))).unwrap_err();
    assert_eq!(error, AwsError::UntrustedAccount { account: "999999999999".parse().unwrap() });
    assert_eq!(error.code().as_str(), "aws_untrusted_account");
    let error = read_value(&with("/region", json!("eu-central-1"))).unwrap_err();
    assert_eq!(error, AwsError::UntrustedRegion { region: "eu-central-1".parse().unwrap() });
    assert_eq!(error.code().as_str(), "aws_untrusted_region");
}

#[test]
fn a_list_replaces_the_topics_own_account_and_region() {
    let shared = trust(&["999999999999"], &["eu-central-1"]);
    let theirs = {
        let mut event = with("/account", json!("999999999999"));
        event["region"] = json!("eu-central-1");
        event
    };
    assert_eq!(
        event(read_text(&theirs.to_string(), &envelope(), &shared)).account().as_str(),
        "999999999999"
    );
    let own = read_text(&running().to_string(), &envelope(), &shared).unwrap_err();
    assert_eq!(own.code().as_str(), "aws_untrusted_account");
}

#[test]
fn trust_refuses_what_it_does_not_know() {
    let parsed: Trust = serde_json::from_value(json!({ "topic": TOPIC })).unwrap();
    assert_eq!(parsed, trust(&[], &[])[0]);
    for bad in [
        json!({ "topic": TOPIC, "account": [] }),
        json!({ "topic": TOPIC, "accounts": ["1"] }),
        json!({ "topic": TOPIC, "regions": ["mars"] }),
        json!({ "accounts": ["123456789012"] }),
    ] {
        assert!(serde_json::from_value::<Trust>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn each_kind_needs_the_source_that_only_aws_can_have() {
    for (detail_type, expected) in [
        ("EC2 Instance State-change Notification", "aws.ec2"),
        ("EC2 Spot Instance Interruption Warning", "aws.ec2"),
        ("EC2 Instance Rebalance Recommendation", "aws.ec2"),
        ("EC2 Instance-launch Lifecycle Action", "aws.autoscaling"),
        ("EC2 Instance-terminate Lifecycle Action", "aws.autoscaling"),
        ("EC2 Instance Launch Successful", "aws.autoscaling"),
        ("EC2 Instance Launch Unsuccessful", "aws.autoscaling"),
        ("EC2 Instance Terminate Successful", "aws.autoscaling"),
        ("EC2 Instance Terminate Unsuccessful", "aws.autoscaling"),
    ] {
        for source in ["my.app", "", "aws.ec2.evil", "AWS.EC2", "aws.s3"] {
            let mut forged = with("/source", json!(source));
            forged["detail-type"] = json!(detail_type);
            let error = read_value(&forged).unwrap_err();
            assert_eq!(error, AwsError::WrongSource { expected }, "{detail_type} from {source}");
            assert_eq!(error.code().as_str(), "aws_wrong_source");
        }
    }
}

#[test]
fn what_concerns_no_instance_is_named() {
    let detail_type = |text: &str| with("/detail-type", json!(text)).to_string();
    for (text, reason) in [
        ("Hello from SNS!".to_owned(), NotForUs::NotAnEvent),
        (String::new(), NotForUs::NotAnEvent),
        ("[{\"detail-type\":\"AWS Health Event\"}]".to_owned(), NotForUs::NotAnEvent),
        (json!({ "AlarmName": "cpu" }).to_string(), NotForUs::NotAnEvent),
        (json!({ "Service": "AWS Backup" }).to_string(), NotForUs::NotAnEvent),
        (detail_type("AWS Health Event"), NotForUs::HealthEvent),
        (detail_type("EC2 Auto Scaling Instance Refresh Started"), NotForUs::InstanceRefresh),
        (detail_type("EC2 Fleet Instance Change"), NotForUs::OtherEvent),
        (json!({ "Service": "AWS Auto Scaling" }).to_string(), NotForUs::OtherEvent),
        (
            json!({ "Service": "AWS Auto Scaling", "Event": "autoscaling:X" }).to_string(),
            NotForUs::OtherEvent,
        ),
        (with("/account", json!("<account_number>")).to_string(), NotForUs::DocumentationSample),
        (with("/time", json!("yyyy-mm-ddThh:mm:ssZ")).to_string(), NotForUs::DocumentationSample),
    ] {
        let received = read_text(&text, &envelope(), &trust(&[], &[]));
        assert_eq!(received, Ok(Received::NotForUs(reason)), "{text}");
        assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.to_string()));
    }
}

fn lifecycle(detail_type: &str, transition: &str, destination: Option<&str>) -> Value {
    let mut event = with("/detail-type", json!(detail_type));
    event["source"] = json!("aws.autoscaling");
    event["detail"] = json!({
        "LifecycleActionToken": "87654321-4321-4321-4321-210987654321",
        "AutoScalingGroupName": "workers",
        "LifecycleHookName": "drain",
        "EC2InstanceId": "i-0a74797fd283b53de",
        "LifecycleTransition": transition,
        "Origin": "AutoScalingGroup",
    });
    if let Some(destination) = destination {
        event["detail"]["Destination"] = json!(destination);
    }
    event
}

#[test]
fn hooks_imply_an_end_but_never_a_beginning() {
    let launch = "EC2 Instance-launch Lifecycle Action";
    let terminate = "EC2 Instance-terminate Lifecycle Action";
    let (up, down) = ("autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING");
    let ending = Some(InstanceState::ShuttingDown);
    for (detail_type, transition, destination, implied) in [
        (launch, up, None, None),
        (launch, up, Some("AutoScalingGroup"), None),
        (launch, up, Some("WarmPool"), None),
        (terminate, down, None, ending),
        (terminate, down, Some("EC2"), ending),
        (terminate, down, Some("WarmPool"), None),
    ] {
        let event = event(read_value(&lifecycle(detail_type, transition, destination)));
        assert_eq!(event.implied_state(), implied, "{detail_type} to {destination:?}");
        let Change::Lifecycle(action) = event.change() else { panic!("{:?}", event.change()) };
        assert_eq!((action.group.as_str(), action.hook.as_str()), ("workers", "drain"));
        assert_eq!(action.token, "87654321-4321-4321-4321-210987654321");
    }
    for (event, field) in [
        (lifecycle(launch, down, None), "LifecycleTransition"),
        (lifecycle(terminate, "autoscaling:EC2_INSTANCE_TERMINATING ", None), "LifecycleTransition"),
        (lifecycle(terminate, down, Some("Mars")), "Destination"),
    ] {
        assert_eq!(read_value(&event), Err(AwsError::Malformed { field }));
    }
}

#[test]
fn leaving_a_group_alive_is_not_terminated() {
    let left = |description: Value, destination: Value| {
        let notification = json!({
            "Service": "AWS Auto Scaling",
            "Event": "autoscaling:EC2_INSTANCE_TERMINATE",
            "Time": "2026-01-01T00:00:00.123Z",
            "AccountId": "123456789012",
            "AutoScalingGroupName": "workers",
            "EC2InstanceId": "i-0a74797fd283b53de",
            "Description": description,
            "Destination": destination,
        });
        event(read_value(&notification)).implied_state()
    };
    let terminating = "Terminating EC2 instance: i-0a74797fd283b53de";
    assert_eq!(left(json!(terminating), Value::Null), Some(InstanceState::Terminated));
    assert_eq!(left(json!(terminating), json!("EC2")), Some(InstanceState::Terminated));
    assert_eq!(left(json!(terminating), json!("WarmPool")), None);
    assert_eq!(left(json!("Moving EC2 instance to Standby: i-0a74797fd283b53de"), Value::Null), None);
    assert_eq!(left(json!("Detaching EC2 instance: i-0a74797fd283b53de"), Value::Null), None);
    assert_eq!(left(Value::Null, Value::Null), None);
}

#[test]
fn a_direct_notification_cannot_be_two_things_at_once() {
    let both = json!({
        "Service": "AWS Auto Scaling",
        "Event": "autoscaling:TEST_NOTIFICATION",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    });
    assert_eq!(read_value(&both), Err(AwsError::Malformed { field: "Event" }));
}

#[test]
fn every_event_of_real_systems_parses_or_is_named() {
    let Some(root) = vectors() else { return };
    let folder = root.join("eventbridge");
    let accounts = ["123456789012", "111122223333", "908601866461", "341288657826"];
    let regions = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];
    let manifest: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    let mut outcomes = std::collections::BTreeMap::<String, usize>::new();
    for case in &manifest {
        let file = case["file"].as_str().unwrap();
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let received = read_text(&text, &envelope(), &trust(&accounts, &regions))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let outcome = match &received {
            Received::NotForUs(reason) => reason.to_string(),
            Received::Instance(event) => {
                let kind = serde_json::to_value(event.change()).unwrap()["type"].clone();
                let state = event.implied_state().map_or("nothing", InstanceState::as_str);
                format!("{} implies {state}", kind.as_str().unwrap())
            }
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    let expected = [
        ("documentation_sample", 7),
        ("health_event", 1),
        ("instance_refresh", 1),
        ("lifecycle implies nothing", 3),
        ("lifecycle implies shutting-down", 2),
        ("names_no_instance", 1),
        ("not_an_event", 3),
        ("rebalance implies nothing", 1),
        ("state implies pending", 4),
        ("state implies terminated", 1),
        ("terminate_successful implies terminated", 2),
        ("terminate_unsuccessful implies nothing", 1),
        ("test_notification", 2),
    ];
    assert_eq!(outcomes, expected.map(|(outcome, count)| (outcome.to_owned(), count)).into());
    assert_eq!(manifest.len(), 29);
}

#[test]
fn samples_of_the_documentation_parse_once_their_placeholders_are_filled() {
    let Some(root) = vectors() else { return };
    let mut read = Vec::new();
    for file in [
        "awsdocs-ec2-instance-launch-lifecycle-action.json",
        "awsdocs-ec2-instance-launch-successful-2.json",
        "awsdocs-ec2-instance-launch-unsuccessful.json",
        "awsdocs-ec2-instance-rebalance-recommendation.json",
        "awsdocs-ec2-instance-terminate-lifecycle-action.json",
        "awsdocs-ec2-spot-instance-interruption-warning.json",
        "nth-spot-itn.json",
    ] {
        let text = std::fs::read_to_string(root.join("eventbridge").join(file)).unwrap();
        let filled = text
            .replace("yyyy-mm-ddThh:mm:ssZ", "2026-01-01T00:00:00Z")
            .replace("\"action\"", "\"terminate\"")
            .replace("<account_number>", "123456789012");
        let trust = trust(&[], &["us-east-1", "us-east-2", "us-west-2"]);
        let change = event(read_text(&filled, &envelope(), &trust)).change().clone();
        read.push(serde_json::to_value(change).unwrap()["type"].as_str().unwrap().to_owned());
    }
    let spot = "spot_interruption";
    assert_eq!(
        read,
        ["lifecycle", "launch_successful", "launch_unsuccessful", "rebalance", "lifecycle", spot, spot]
    );
}

proptest! {
    #[test]
    fn any_text_is_judged_without_panic(text in ".*") {
        let _ = read_text(&text, &envelope(), &trust(&[], &[]));
    }

    #[test]
    fn any_damage_to_an_event_is_judged_without_panic(
        position in 0_usize..400,
        replacement in any::<char>(),
        event in prop_oneof![
            Just(running()),
            Just(lifecycle(
                "EC2 Instance-terminate Lifecycle Action", "autoscaling:EC2_INSTANCE_TERMINATING", Some("WarmPool"),
            )),
        ],
    ) {
        let mut text: Vec<char> = event.to_string().chars().collect();
        let position = position % text.len();
        text[position] = replacement;
        let text: String = text.into_iter().collect();
        if let Ok(Received::Instance(event)) = read_text(&text, &envelope(), &trust(&[], &[])) {
            prop_assert_eq!(event.account().as_str(), "123456789012");
        }
    }

    #[test]
    fn any_value_in_any_member_is_judged_without_panic(
        pointer in prop::sample::select(vec![
            "/version", "/id", "/detail-type", "/source", "/account", "/time", "/region", "/detail",
            "/detail/instance-id", "/detail/state",
        ]),
        text in ".{0,40}",
    ) {
        let _ = read_value(&with(pointer, json!(text)));
    }
}
