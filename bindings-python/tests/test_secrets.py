"""Secrets do not show themselves, and fit only where secrets belong."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from typing import Any

import pytest
from support import OPERATOR, START, Host, instance_event, notified, registrar, ring

import handfast
from handfast import InvalidInput, Secret
from handfast.kubernetes import BootstrapSecret, BootstrapToken

HIDDEN = "hunter2"


@pytest.mark.parametrize("shown", [repr, str, ascii, "{}".format, "%s".__mod__, lambda it: f"{it!r} {it!s}"])
def test_a_secret_does_not_show_itself(shown: object) -> None:
    assert callable(shown)
    for holder in (Secret(HIDDEN), [Secret(HIDDEN)], {"token": Secret(HIDDEN)}, (Secret(HIDDEN),)):
        text = shown((holder,) if isinstance(holder, tuple) else holder)
        assert HIDDEN not in text and "[redacted]" in text


def test_a_secret_is_in_no_log_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(HIDDEN)
    logging.getLogger("host").warning("handed out %s and %r", secret, {"token": secret})
    try:
        raise ValueError(secret)
    except ValueError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert HIDDEN not in caplog.text + text.replace('"hunter2"', "")


def test_a_secret_cannot_be_written_by_accident() -> None:
    secret = Secret(HIDDEN)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"token": secret})
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(secret, protocol)
    with pytest.raises(TypeError):
        bytes(secret)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        vars(secret)
    with pytest.raises(TypeError):
        secret + "x"  # type: ignore[operator]


def test_secrets_are_compared_by_content_and_only_with_secrets() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("ab")
    assert Secret("a") != "a" and "a" != Secret("a")
    assert Secret("a") != 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(Secret("a"))


def test_a_copy_of_an_answer_is_an_answer() -> None:
    answer = Host().issue()
    assert copy.deepcopy(answer) == copy.copy(answer) == answer
    assert HIDDEN not in repr(Host().issue(contents=[{"type": "file", "name": "a", "content": HIDDEN}]))


def test_a_secret_is_what_expose_gives() -> None:
    for text in ("", "hunter2", "ünï😀", "a\0b"):
        assert Secret(text).expose() == text
    for wrong in (b"bytes", 7, None):
        with pytest.raises(TypeError):
            Secret(wrong)  # type: ignore[arg-type]


def test_a_secret_goes_where_secrets_belong_and_nowhere_else() -> None:
    host = Host()
    issued = host.issue(contents=[{"type": "file", "name": "a", "content": Secret("x")}])
    host.redeem(issued["token"])
    for command, path in [
        (handfast.issue(name=Secret(HIDDEN), authority=OPERATOR), "name"),  # type: ignore[arg-type]
        (handfast.issue(name="a", authority=Secret(HIDDEN)), "authority"),  # type: ignore[arg-type]
        (handfast.issue(name="a", authority=OPERATOR, labels={"a": Secret(HIDDEN)}), "labels"),  # type: ignore[dict-item]
        (handfast.revoke(package=issued["package"], authority=OPERATOR, reason=Secret(HIDDEN)), "reason"),  # type: ignore[arg-type]
    ]:
        with pytest.raises(InvalidInput) as raised:
            host.run(command)  # type: ignore[arg-type]
        assert raised.value.path.startswith(path)
        assert HIDDEN not in repr(raised.value) + str(raised.value)


def test_no_error_repeats_a_secret() -> None:
    host = Host()
    for command in (
        handfast.redeem(token=HIDDEN, fingerprint="not valid!"),
        {"type": "redeem", "token": {HIDDEN: 1}, "fingerprint": "a"},
        {"type": "redeem", "token": [HIDDEN], "fingerprint": "a"},
        {"type": "redeem", "token": HIDDEN, "fingerprint": "a", "more": HIDDEN},
        {"type": "issue", "name": "a", "authority": OPERATOR, "contents": [{"type": "file", "content": HIDDEN}]},
    ):
        with pytest.raises(InvalidInput) as raised:
            host.run(command)  # type: ignore[arg-type]
        assert HIDDEN not in repr(raised.value)


def test_a_bootstrap_token_shows_only_its_id() -> None:
    token = BootstrapToken("07401b.f395accd246ae52d")
    secret = BootstrapSecret(token, expires_at=START, owner="p1")
    assert repr(token) == "BootstrapToken(07401b.[redacted])"
    assert "f395accd" not in f"{token} {secret!r} {secret} {secret.to_yaml()} {secret.to_json()!r}"
    for holder in (token, secret):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(holder)


def test_keys_are_not_shown_and_must_be_whole() -> None:
    assert repr(registrar()) == "<handfast.Registrar>"
    for peppers, path in [
        ({"current": "k1", "keys": {"k1": b"short-hunter2"}}, "peppers.keys.k1"),
        ({"current": "k1", "keys": {"k1": HIDDEN * 4 + "xxxx"}}, "peppers.keys.k1"),
        ({"current": "k2", "keys": {"k1": bytes(32)}}, "peppers.current"),
        ({"current": "k1", "keys": {f"k{n}": bytes(32) for n in range(17)}}, "peppers.keys"),
        ({"current": "k1", "keys": {"k1": bytes(32)}, "more": 1}, "peppers"),
        ({"current": "k1"}, "peppers"),
        ([], "peppers"),
    ]:
        with pytest.raises(InvalidInput) as raised:
            handfast.Registrar(peppers=peppers, sealing=ring())  # type: ignore[arg-type]
        assert raised.value.path == path and HIDDEN not in repr(raised.value)
    handfast.Registrar(peppers={"current": "k1", "keys": {"k1": bytearray(32)}}, sealing=ring())  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "evidence",
    [
        handfast.InstanceEvent,
        handfast.sns.Notification,
        handfast.sns.Confirmation,
        handfast.sns.Unsubscription,
        handfast.kubernetes.VerifiedClusterInfo,
        handfast.Session,
        handfast.sns.Verdict,
    ],
)
def test_evidence_cannot_be_made_by_hand(evidence: Any) -> None:
    with pytest.raises(TypeError):
        evidence()
    with pytest.raises(TypeError):
        evidence.__new__(evidence)
    with pytest.raises(TypeError):
        type("Forged", (evidence,), {})


def test_verified_evidence_cannot_be_changed_or_pickled() -> None:
    for evidence in (instance_event("running"), notified("x")):
        with pytest.raises(AttributeError):
            evidence.message_id = "other"  # type: ignore[misc]
        with pytest.raises(TypeError):
            pickle.dumps(evidence)
