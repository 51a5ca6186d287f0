"""Amazon SNS: the project's own messages, and those that AWS and LocalStack really signed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support import LEAF, START, TOPIC, VECTORS, load, real_vectors, sign, sns_policy

from handfast import InvalidInput, SnsError, SnsReceiver
from handfast.sns import Verdict, parse_duration, parse_topic_arn, verify_once
from handfast.types import Received, SnsPolicy

FETCHED: SnsPolicy = {"topics": [{"arn": TOPIC}]}


def receive(receiver: SnsReceiver, body: bytes, headers: Any, certificate: bytes, now: datetime | str) -> Received:
    """What came of it after the certificate, if it was asked for, has been handed in."""
    received = receiver.receive(body, headers, now=now)
    if received["type"] == "need":
        assert received["fetch"]["no_redirects"] and received["fetch"]["max_bytes"] == 16 * 1024
        receiver.certificate(received["fetch"]["url"], certificate, now=now)
        received = receiver.receive(body, headers, now=now)
    return received


def code_of(action: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(SnsError) as raised:
        action(*arguments, **more)
    return raised.value.code


def code(verdict: Verdict) -> str | None:
    found = verdict.to_dict()
    return found["code"] if found["verdict"] == "rejected" else "verified"


def test_every_case_of_the_manifest_comes_out_as_it_says() -> None:
    folder = VECTORS / "sns"
    cases = load(folder / "manifest.json")["cases"]
    for case in cases:
        message, certificate = ((folder / case[name]).read_bytes() for name in ("file", "certificate"))
        verdict = verify_once(message, certificate, topic=case["topic"], now=case["now"], **case["options"])
        found = verdict.to_dict()
        if found["verdict"] == "rejected":
            assert found.pop("reason"), case["name"]
        assert found == case["expected"], case["name"]
        assert verdict.exit_status == (0 if found["verdict"] == "verified" else 1)
        assert json.loads(verdict.to_json()) == verdict.to_dict()
    assert len(cases) == 138


def test_the_same_cases_through_a_receiver() -> None:
    """Those that need no switch of the policy; a certificate is handed in when it is asked for."""
    folder, ran = VECTORS / "sns", 0
    for case in load(folder / "manifest.json")["cases"]:
        if case["options"] or case["certificate"].endswith("public-key.pem"):
            continue
        message, certificate = ((folder / case[name]).read_bytes() for name in ("file", "certificate"))
        receiver = SnsReceiver({"topics": [{"arn": case["topic"]}]})
        if case["expected"]["verdict"] == "rejected":
            assert code_of(receive, receiver, message, None, certificate, case["now"]) == case["expected"]["code"]
        else:
            received = receive(receiver, message, {}, certificate, case["now"])
            assert received["type"] in ("notification", "confirm", "unsubscribed"), case["name"]
        ran += 1
    assert ran == 133


def test_a_certificate_is_asked_for_once_and_then_kept() -> None:
    receiver = SnsReceiver(FETCHED)
    received = receiver.receive(sign(message="one"), now=START)
    assert received["type"] == "need"
    fetch = received["fetch"]
    assert fetch["url"].startswith("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-")
    assert receiver.receive(sign(message="one"), now=START) == {"type": "wait"}
    receiver.certificate(fetch["url"], LEAF.encode(), now=START)
    for text in ("one", "two"):
        received = receiver.receive(sign(message=text, subject="s"), now=START)
        assert received["type"] == "notification"
        notification = received["notification"]
        assert (notification.message, notification.subject) == (text, "s")
        assert (notification.topic_arn, notification.signature_version) == (TOPIC, "2")
        assert notification.timestamp == "2026-03-01T12:00:30.000Z"
        assert repr(notification) == f"<handfast.sns.Notification {notification.message_id} of {TOPIC}>"
    receiver.forget_certificates()
    assert receiver.receive(sign(message="one"), now=START)["type"] == "need"


@pytest.mark.parametrize("failure", ["unreachable", "timeout", "redirect", "too_large", 404])
def test_a_failed_fetch_is_remembered_for_a_minute(failure: Any) -> None:
    receiver = SnsReceiver(FETCHED)
    received = receiver.receive(sign(), now=START)
    assert received["type"] == "need"
    for action in (
        lambda: receiver.certificate_failed(received["fetch"]["url"], failure, now=START),
        lambda: receiver.receive(sign(), now=START),
    ):
        with pytest.raises(SnsError) as raised:
            action()
        assert (raised.value.code, raised.value.temporary) == ("sns_fetch_failed", True)
    assert receiver.receive(sign(), now=START + timedelta(seconds=61))["type"] == "need"


def test_a_failure_of_an_unknown_kind_is_a_mistake() -> None:
    with pytest.raises(InvalidInput) as raised:
        SnsReceiver(FETCHED).certificate_failed("https://a", "gone", now=START)  # type: ignore[arg-type]
    assert raised.value.path == "failure"
    assert code_of(SnsReceiver(FETCHED).certificate, "https://a", b"", now=START) == "sns_unexpected_certificate"


def test_confirmations_are_rebuilt_and_unsubscriptions_offer_nothing() -> None:
    receiver = SnsReceiver(sns_policy())
    received = receiver.receive(sign("SubscriptionConfirmation", "please"), now=START)
    assert received["type"] == "confirm"
    assert received["confirmation"].url.startswith("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&")
    assert "Token" not in repr(received["confirmation"])
    received = receiver.receive(sign("UnsubscribeConfirmation", "bye"), now=START)
    assert received["type"] == "unsubscribed"
    assert not hasattr(received["unsubscription"], "url")


def test_headers_may_only_agree() -> None:
    receiver = SnsReceiver(sns_policy())
    body = sign(message="x")
    for headers in (
        {"X-Amz-Sns-Message-Type": "Notification", "host": "example.org"},
        [("x-amz-sns-topic-arn", TOPIC), ("accept", "a"), ("accept", "b")],
        None,
    ):
        assert receiver.receive(body, headers, now=START)["type"] == "notification"
    for wrong, expected in [
        ({"x-amz-sns-message-type": "SubscriptionConfirmation"}, "sns_header_mismatch"),
        ([("x-amz-sns-topic-arn", TOPIC), ("X-Amz-Sns-Topic-Arn", TOPIC)], "sns_header_mismatch"),
        ({"x-amz-sns-rawdelivery": "true"}, "sns_unsigned"),
    ]:
        assert code_of(receiver.receive, body, wrong, now=START) == expected
    for nonsense in (7, [1], {"a": 1}):
        with pytest.raises(InvalidInput, match="headers"):
            receiver.receive(body, nonsense, now=START)  # type: ignore[arg-type]


def test_a_policy_is_checked() -> None:
    assert code_of(SnsReceiver, {"topics": []}) == "sns_invalid_policy"
    for policy, path in [({}, ""), ({"topics": [{"arn": "x"}]}, "topics[0].arn"), ({"topics": [], "roots": [1]}, "roots[0]")]:
        with pytest.raises(InvalidInput) as raised:
            SnsReceiver(policy)  # type: ignore[arg-type]
        assert raised.value.path == path
    receiver = SnsReceiver(sns_policy(topics=[{"arn": TOPIC, "minimum_signature_version": "2"}]))
    assert code_of(receiver.receive, sign(version="1"), now=START) == "sns_version_too_low"
    assert code_of(receiver.receive, sign(), now=START, trusted_clock=False) == "sns_clock_untrusted"
    assert code_of(receiver.receive, b"x" * (512 * 1024 + 1), now=START) == "sns_too_large"


def test_a_verdict_is_no_bool_and_shows_itself() -> None:
    verdict = verify_once(sign(), LEAF.encode(), topic=TOPIC, now=START)
    with pytest.raises(TypeError, match="look at the verdict"):
        assert verdict
    assert repr(verdict) == f"<handfast.sns.Verdict {verdict.to_json()}>"
    assert verdict.to_json().startswith('{"verdict":"verified","type":"Notification","topic_arn":')
    assert code(verify_once(sign(), LEAF.encode(), topic=TOPIC)) == "sns_too_old"


def test_durations() -> None:
    for text, seconds in [("90", 90), ("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("0", 0)]:
        assert parse_duration(text) == seconds
    for text in ("", "s", "1w", "-1s", "+1s", "1.5h", " 1s", "4294967296", "1é"):
        with pytest.raises(InvalidInput):
            parse_duration(text)


def test_topics_are_checked() -> None:
    assert parse_topic_arn(TOPIC) == TOPIC
    for wrong in ("", "enroll", TOPIC + "\n", TOPIC.replace("sns", "sqs")):
        with pytest.raises(InvalidInput) as raised:
            parse_topic_arn(wrong)
        assert raised.value.path == "topic"
        with pytest.raises(InvalidInput):
            verify_once(b"", b"", topic=wrong, now=START)


def genuine(folder: Path) -> list[tuple[dict[str, Any], bytes, bytes, str, datetime]]:
    found = []
    for case in load(folder / "manifest.json"):
        body = (folder / case["file"]).read_bytes()
        message = json.loads(body)
        key = (folder / case.get("cert", case.get("pubkey"))).read_bytes()
        at = datetime.fromisoformat(message["Timestamp"].replace("Z", "+00:00"))
        found.append((case, body, key, message["TopicArn"], at))
    return found


def test_every_genuine_message_of_aws_comes_out_as_its_manifest_says() -> None:
    counts = {"verified": 0, "rejected": 0, "legacy": 0}
    for case, body, key, topic, at in genuine(real_vectors("sns-aws")):
        now = at + timedelta(seconds=60)
        verdict = verify_once(body, key, topic=topic, now=now, legacy_rsa_1024=True)
        found = verdict.to_dict()
        if case["expected"] == "verified":
            assert (found["verdict"], found["type"]) == ("verified", case["type"]), case["file"]
            assert found["signature_version"] == case["signature_version"]
            late = verify_once(body, key, topic=topic, now=at + timedelta(seconds=3601), legacy_rsa_1024=True)
            assert code(late) == "sns_too_old"
            counts["verified"] += 1
        else:
            assert code(verdict) == "sns_bad_signature"
            counts["rejected"] += 1
        if case.get("key_bits") == 1024:
            assert code(verify_once(body, key, topic=topic, now=now)) == "sns_certificate_key"
            counts["legacy"] += 1
    assert counts == {"verified": 23, "rejected": 2, "legacy": 3}


def test_localstack_is_verified_under_explicit_development_trust() -> None:
    folder = real_vectors("sns-localstack")
    (certificate,) = (path.read_bytes() for path in folder.glob("*.pem"))
    topics = [f"arn:aws:sns:us-east-1:000000000000:enroll-v{version}" for version in (1, 2)]
    receiver = SnsReceiver(
        {
            "topics": [{"arn": topics[0]}, {"arn": topics[1], "minimum_signature_version": "2"}],
            "development": {
                "certificate_url_prefix": "http://127.0.0.1:4566/_aws/sns/",
                "any_certificate": True,
                "version_1_unsubscribe": True,
            },
        }
    )
    counts: dict[str, int] = {}
    for path in sorted(folder.glob("*.json")):
        if path.name.endswith(".headers.json"):
            continue
        headers = load(path.with_suffix(".headers.json"))
        now = "2026-11-22T02:02:30Z"
        if "raw-delivery" in path.name:
            assert code_of(receive, receiver, path.read_bytes(), headers, certificate, now) == "sns_unsigned"
            kind = "raw"
        else:
            received = receive(receiver, path.read_bytes(), headers, certificate, now)
            kind = received["type"]
            if received["type"] == "notification" and "unicode" in path.name:
                assert received["notification"].message == "line1\nMessageId\nnot-an-id\né你😀 \t\"quoted\\\""
        counts[kind] = counts.get(kind, 0) + 1
    assert counts == {"notification": 10, "confirm": 2, "unsubscribed": 2, "raw": 2}
    assert code_of(SnsReceiver, {"topics": [{"arn": topics[0]}], "development": {"certificate_url_prefix": "x"}}) == (
        "sns_invalid_policy"
    )
