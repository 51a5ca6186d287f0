"""What is raised: its class, its code, its path."""

from __future__ import annotations

import pickle
from collections import UserDict
from datetime import datetime
from typing import Any

import pytest
from support import OPERATOR, START, Host, instance_event, registrar, ring

import handfast
from handfast import InvalidInput

PACKAGE = "01890a5d-ac96-774b-bcce-b302099a8057"


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


CYCLE: list[Any] = []
CYCLE.append(CYCLE)

ISSUE: dict[str, Any] = {"type": "issue", "name": "a", "authority": OPERATOR}
HOST: dict[str, Any] = {"type": "host", "kind": "dns"}


@pytest.mark.parametrize(
    ("command", "path", "message"),
    [
        ({}, "type", "is required"),
        ({"type": "explode"}, "type", "expected one of issue, deliver"),
        ({"type": 7}, "type", "expected one of issue, deliver"),
        ({"type": "issue", "name": "a"}, "authority", "is required"),
        ({"type": "issue", "authority": OPERATOR}, "", "missing field `name`"),
        ({**ISSUE, "name": "a/b"}, "name", "not a valid PackageName"),
        ({**ISSUE, "ttl": 1}, "ttl", "unknown field `ttl`"),
        ({**ISSUE, "ttl_seconds": 1.5}, "ttl_seconds", "floating point"),
        ({**ISSUE, "ttl_seconds": True}, "ttl_seconds", "invalid type: boolean"),
        ({**ISSUE, "ttl_seconds": -1}, "ttl_seconds", "invalid value"),
        ({**ISSUE, "ttl_seconds": 2**64}, "ttl_seconds", "beyond 64 bits"),
        ({**ISSUE, "ttl_seconds": float("nan")}, "ttl_seconds", "finite"),
        ({**ISSUE, "ttl_seconds": 1}, "ttl_seconds", "expected 60 to 2592000 seconds"),
        ({**ISSUE, "authority": "ann"}, "authority", "not a valid Authority"),
        ({**ISSUE, "source": "here"}, "source", "invalid IP address"),
        ({**ISSUE, "bindings": {"cidr": []}}, "bindings.cidr", "unknown field `cidr`"),
        ({**ISSUE, "bindings": {"cidrs": ["10.0.0.0/33"]}}, "bindings.cidrs[0]", "invalid"),
        ({**ISSUE, "contents": [{"type": "file", "name": "a"}]}, "contents[0]", "missing field `content`"),
        ({**ISSUE, "contents": [{"type": "file", "name": "a", "content": b"x"}]}, "contents[0].content", "type bytes"),
        ({**ISSUE, "contents": [HOST | {"value": {"type": 0}}]}, "contents[0]", "expected a text as its type"),
        ({**ISSUE, "contents": [HOST | {"value": {"type": "none", "value": "x"}}]}, "contents[0]", "unknown field `value`"),
        ({**ISSUE, "contents": [["file", "a", "x"]]}, "contents[0]", "expected a map"),
        ({**ISSUE, "bindings": []}, "bindings", "expected an object"),
        ({**ISSUE, "labels": {1: "a"}}, "labels", "a member's name is not a text"),
        ({**ISSUE, "labels": {"a": object()}}, "labels.a", "a value of type object has no meaning here"),
        ({**ISSUE, "labels": {"a": "\ud800"}}, "labels.a", "lone surrogates"),
        ({**ISSUE, "labels": {"a": datetime(2026, 1, 1)}}, "labels.a", "without a time zone"),
        ({"type": "expire", "key": "nonsense"}, "key", "not a valid Key"),
        ({"type": "observe_instance"}, "type", "expected one of issue, deliver"),
        ({"type": "observe_instance", "event": {"instance": "i-1"}}, "event", "expected an InstanceEvent"),
        ({"type": "observe_instance", "event": instance_event("running"), "more": 1}, "more", "unknown field"),
        ({"type": "issue", "event": instance_event("running")}, "type", "expected observe_instance"),
        ("issue", "command", "expected a dict"),
    ],
    ids=str,
)
def test_a_wrong_command_is_told_where_it_is_wrong(command: Any, path: str, message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Host().run(command)
    error = raised.value
    assert (error.code, error.path) == ("invalid_input", path)
    assert message in str(error)
    assert str(error).startswith(f"{path}: " if path else message)
    assert isinstance(error, ValueError) and isinstance(error, handfast.Error)


@pytest.mark.parametrize("value", [CYCLE, deep(40)], ids=["a cycle", "forty levels"])
def test_nesting_ends(value: Any) -> None:
    with pytest.raises(InvalidInput, match="nested too deeply"):
        Host().run({**ISSUE, "contents": value})  # type: ignore[arg-type]


def test_any_mapping_and_any_collection_will_do() -> None:
    issue = {**ISSUE, "labels": UserDict({"a": "b"}), "bindings": {"cidrs": {"10.0.0.0/8"}}, "contents": ()}
    answer = Host().run(issue)  # type: ignore[arg-type]
    assert answer["type"] == "issued"


@pytest.mark.parametrize("now", ["yesterday", "2026-03-01", datetime(2026, 3, 1), 1_772_000_000, b"x"], ids=repr)
def test_a_present_that_is_no_instant_is_refused(now: Any) -> None:
    with pytest.raises(InvalidInput):
        handfast.run(handfast.Ledger(), handfast.expire(key="name/a/b"), registrar=registrar(), now=now)


def test_a_policy_is_held_to_its_limits_and_its_fields() -> None:
    for policy, path in [
        ({"package_ttl_seconds": 1}, "package_ttl_seconds"),
        ({"nonsense": 1}, "nonsense"),
        ({"instances": [{"accounts": [], "scope": "a", "kind": "b", "contents": []}]}, "instances[0].accounts"),
        ({"instances": [{"accounts": ["1"], "scope": "a", "kind": "b", "contents": []}]}, "instances[0].accounts[0]"),
    ]:
        with pytest.raises(InvalidInput) as raised:
            registrar(policy)  # type: ignore[arg-type]
        assert raised.value.path == path


def test_a_store_that_gives_nonsense_is_an_error_of_the_store() -> None:
    host = Host()
    session = host.registrar.session(handfast.revoke(package=PACKAGE, authority=OPERATOR))
    step = session.next(START)
    assert step["type"] == "load"
    with pytest.raises(handfast.StoreError) as raised:
        session.loaded([{"key": step["keys"][0], "version": 1, "body": "{}"}])
    assert raised.value.code == "corrupt_record"


def test_steps_out_of_order_are_the_callers_mistake() -> None:
    session = registrar().session(handfast.revoke(package=PACKAGE, authority=OPERATOR))
    with pytest.raises(handfast.Misuse) as raised:
        session.loaded([])
    assert raised.value.code == "misuse"
    with pytest.raises(handfast.Misuse, match="there was nothing to commit"):
        session.committed(True)


def test_a_key_that_was_taken_out_of_the_ring_is_named() -> None:
    host = Host()
    token = host.issue()["token"]
    other = handfast.Registrar({"vouched_fingerprints": True}, peppers=ring(1, "k2"), sealing=ring(2))
    redeem = handfast.redeem(token=token, fingerprint="m1")
    with pytest.raises(handfast.MissingKey, match="key k1 is not in the key ring") as raised:
        handfast.run(host.store, redeem, registrar=other, now=host.now)
    assert raised.value.code == "missing_key"
    rotated = handfast.Registrar(
        {"vouched_fingerprints": True},
        peppers={"current": "k2", "keys": {"k1": bytes([1]) * 32, "k2": bytes([9]) * 32}},
        sealing=ring(2),
    )
    assert handfast.run(host.store, redeem, registrar=rotated, now=host.now)["type"] == "redeemed"


def test_a_sealed_secret_opens_under_its_own_key_only() -> None:
    host = Host()
    issued = host.issue(deliver=False)
    other = handfast.Registrar(peppers=ring(1), sealing=ring(3))
    deliver = handfast.deliver(to={"type": "operator", "package": issued["package"]}, authority=OPERATOR)
    with pytest.raises(handfast.CryptoError) as raised:
        handfast.run(host.store, deliver, registrar=other, now=host.now)
    assert raised.value.code == "seal_broken"


def test_every_code_is_explained_and_errors_survive_a_pickle() -> None:
    assert len(handfast.CODES) > 50
    assert all(explanation.endswith(".") for explanation in handfast.CODES.values())
    for error in (
        InvalidInput("a: b", "invalid_input", "a"),
        handfast.Busy("m", "busy"),
        handfast.SnsError("m", "sns_fetch_failed", True),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), vars(again), str(again)) == (type(error), vars(error), str(error))
        assert again.code in handfast.CODES


def test_an_effect_that_was_made_up_is_refused() -> None:
    host = Host()
    with pytest.raises(InvalidInput) as raised:
        host.registrar.vault_keys({"id": "x", "work": {}})  # type: ignore[typeddict-item]
    assert raised.value.path == "effect.id"
    with pytest.raises(InvalidInput, match="stored body"):
        host.registrar.outstanding(7)  # type: ignore[arg-type]
