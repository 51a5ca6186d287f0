"""AWS events: every event of the vectors, signed by the project's authority, and the genuine ones of AWS."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any

import pytest
from support import INSTANCE, START, TOPIC, VECTORS, generator, instance_event, load, notified, real_vectors

import handfast
from handfast import AwsError, InstanceIdentity, InvalidInput, SnsReceiver
from handfast.types import IdentityTrust, Trust

ACCOUNTS = ["123456789012", "111122223333", "908601866461", "341288657826"]
REGIONS = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"]


def outcome(text: str, trust: Trust) -> str:
    received = handfast.aws.read(notified(text), [trust])
    if received["type"] == "not_for_us":
        return received["reason"]
    event = received["event"]
    return f"{event.change['type']} implies {event.implied_state or 'nothing'}"


def test_every_event_of_the_vectors_parses_or_is_not_for_us() -> None:
    folder = real_vectors("eventbridge")
    manifest = load(folder / "manifest.json")
    trust: Trust = {"topic": TOPIC, "accounts": ACCOUNTS, "regions": set(REGIONS)}
    outcomes = Counter(outcome((folder / case["file"]).read_text("utf-8"), trust) for case in manifest)
    assert outcomes == {
        "documentation_sample": 7,
        "health_event": 1,
        "instance_refresh": 1,
        "lifecycle implies nothing": 3,
        "lifecycle implies shutting-down": 2,
        "names_no_instance": 1,
        "not_an_event": 3,
        "rebalance implies nothing": 1,
        "state implies pending": 4,
        "state implies terminated": 1,
        "terminate_successful implies terminated": 2,
        "terminate_unsuccessful implies nothing": 1,
        "test_notification": 2,
    }
    assert len(manifest) == 29


def test_genuine_messages_of_aws_name_their_instances() -> None:
    folder = real_vectors("sns-aws")
    counts: Counter[str] = Counter()
    instances = []
    for case in load(folder / "manifest.json"):
        if case["expected"] != "verified" or case["type"] != "Notification":
            continue
        body = (folder / case["file"]).read_bytes()
        pem = (folder / case.get("cert", case.get("pubkey"))).read_text("utf-8")
        message: dict[str, Any] = load(folder / case["file"])
        receiver = SnsReceiver(
            {"topics": [{"arn": message["TopicArn"]}], "pins": [{"pem": pem}], "legacy_rsa_1024": True}
        )
        received = receiver.receive(body, now=message["Timestamp"])
        assert received["type"] == "notification"
        read = handfast.aws.read(received["notification"], [{"topic": message["TopicArn"]}])
        counts[read["type"]] += 1
        if read["type"] == "instance":
            assert read["event"].implied_state == "running"
            instances.append((read["event"].instance, read["event"].occurred_at))
    assert instances == [
        ("i-0154e7d1fba186b38", "2017-02-09T00:31:48.519Z"),
        ("i-0a74797fd283b53de", "2016-08-06T20:53:38.000Z"),
    ]
    assert counts == {"instance": 2, "not_for_us": 19}


def test_an_event_tells_what_it_is() -> None:
    event = instance_event("running")
    assert (event.instance, event.account, event.region) == (INSTANCE, "123456789012", "us-east-1")
    assert event.change == {"type": "state", "state": "running"}
    assert (event.implied_state, event.topic) == ("running", TOPIC)
    assert event.occurred_at == event.published_at == "2026-03-01T12:00:30.000Z"
    picture = event.to_dict()
    assert (picture["instance"], picture["event_id"]) == (event.instance, event.event_id)
    assert repr(event) == f"<handfast.aws.InstanceEvent {INSTANCE} running at {event.occurred_at}>"


@pytest.mark.parametrize(
    ("trust", "code"),
    [
        ([], "aws_untrusted_topic"),
        ([{"topic": TOPIC + "x"}], "aws_untrusted_topic"),
        ([{"topic": TOPIC, "accounts": ["111122223333"]}], "aws_untrusted_account"),
        ([{"topic": TOPIC, "regions": ["eu-central-1"]}], "aws_untrusted_region"),
    ],
)
def test_what_is_not_trusted_says_nothing(trust: list[Trust], code: str) -> None:
    notification = notified(generator().ec2_state_change("running"))
    with pytest.raises(AwsError) as raised:
        handfast.aws.read(notification, trust)
    assert raised.value.code == code


def test_only_a_verified_notification_is_read() -> None:
    with pytest.raises(TypeError):
        handfast.aws.read("{}", [{"topic": TOPIC}])  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as raised:
        handfast.aws.read(notified("x"), [{"topic": "y"}])
    assert raised.value.path == "trust[0].topic"


def test_a_forged_source_is_an_error() -> None:
    forged = generator().event(
        "EC2 Instance State-change Notification",
        "example.forged",
        {"instance-id": INSTANCE, "state": "running"},
        [],
        at=handfast.timestamp(START),
    )
    with pytest.raises(AwsError) as raised:
        handfast.aws.read(notified(forged), [{"topic": TOPIC}])
    assert raised.value.code == "aws_wrong_source"


IDENTITY = load(VECTORS / "identity" / "cases.json")
GENUINE = IDENTITY["cases"][0]


def verified(case: dict[str, Any], **more: Any) -> InstanceIdentity:
    proof = dict(case["proof"])
    given = [proof.pop("pkcs7")] if "pkcs7" in proof else []
    trust: IdentityTrust = IDENTITY["trusts"][case["trust"]]
    clock = {"now": case["now"], "trusted_clock": case.get("trusted_clock", True)}
    return handfast.aws.verify_identity(*given, **{"trust": trust, **proof, **clock, **more})


def test_every_identity_document_of_the_vectors() -> None:
    outcomes: Counter[str] = Counter()
    for case in IDENTITY["cases"]:
        expected = case["expected"]
        if expected["verdict"] == "verified":
            assert verified(case).to_dict() == expected["identity"], case["name"]
        else:
            with pytest.raises(AwsError) as raised:
                verified(case)
            assert raised.value.code == expected["code"], case["name"]
        outcomes[expected["verdict"]] += 1
    assert outcomes["verified"] >= 30 and outcomes["rejected"] >= 140, outcomes


def test_an_identity_tells_what_it_is() -> None:
    identity = verified(GENUINE)
    assert (identity.instance, identity.account, identity.region) == (INSTANCE, "123456789012", "us-east-1")
    assert (identity.pending_at, identity.private_ip) == ("2026-03-01T12:00:00.000Z", "10.0.0.209")
    assert (identity.availability_zone, identity.image) == ("us-east-1a", "ami-0abcdef1234567890")
    assert (identity.instance_type, identity.architecture, identity.version) == ("t3.micro", "x86_64", "2017-09-30")
    assert repr(identity) == f"<handfast.aws.InstanceIdentity {INSTANCE} started at 2026-03-01T12:00:00.000Z>"


def test_texts_come_as_bytes_too() -> None:
    case = next(case for case in IDENTITY["cases"] if case["name"] == "plain: as AWS gives it")
    members = {name: text.encode() for name, text in case["proof"].items()}
    assert verified({**case, "proof": members}).to_dict() == verified(case).to_dict()


@pytest.mark.parametrize("given", [{}, {"document": "{}"}, {"signature": ""}, {"pkcs7": "", "signature": ""}])
def test_a_proof_is_whole(given: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        verified({**GENUINE, "proof": given})


def test_a_trust_in_identities_is_strict() -> None:
    trust: IdentityTrust = IDENTITY["trusts"]["default"]
    with pytest.raises(InvalidInput) as raised:
        verified(GENUINE, trust={**trust, "account": []})
    assert raised.value.path == "trust.account"
    for case in IDENTITY["refused_trusts"]:
        with pytest.raises(AwsError) as refused:
            verified(GENUINE, trust=case["trust"])
        assert refused.value.code == "aws_identity_invalid_trust", case["name"]


def test_an_identity_is_made_by_its_verifier_only() -> None:
    with pytest.raises(TypeError):
        InstanceIdentity()
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(verified(GENUINE))
