"""A callable as the operator's own rule."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from support import OPERATOR, START, AnyStore, Host, ring

import handfast
from handfast.types import Policy, Question, Rule

CONTENTS = [{"type": "file", "name": "a", "content": "hunter2"}]


def host_with(store: AnyStore, rule: Any, mode: str = "enforce") -> Host:
    host = Host(store)
    policy: Policy = {"vouched_fingerprints": True, "rule_mode": mode}  # type: ignore[typeddict-item]
    host.registrar = handfast.Registrar(policy, peppers=ring(1), sealing=ring(2), rule=rule)
    return host


def only_bob(question: Question) -> Any:
    """Only bob may make packages of kind gateway."""
    assert "hunter2" not in json.dumps(question), "a rule sees no secret"
    for fact in question["facts"]:
        if fact["type"] == "package_issued" and fact["kind"] == "gateway" and question["authority"] != "operator:bob":
            return "gateways are bob's"
    return True


def gateway(operator: str = "ann", name: str = "gw-1") -> Any:
    return handfast.issue(name=name, kind="gateway", authority=f"operator:{operator}", contents=CONTENTS)  # type: ignore[arg-type]


def notices(host: Host) -> list[tuple[str, str]]:
    """The codes of what was refused or warned of, with the reasons."""
    views = [host.registrar.view(counted["notice"]["body"]) for counted in host.store.notices()]
    return sorted((view["code"], view.get("reason", "")) for view in views)


def test_what_the_rule_denies_is_refused_with_its_reason_and_nothing_happens(store: AnyStore) -> None:
    host = host_with(store, only_bob)
    refused = host.refused(gateway())
    assert (refused["code"], refused.get("reason")) == ("policy", "gateways are bob's")
    assert host.events() == []
    assert notices(host) == [("policy", "gateways are bob's")]
    assert host.run(gateway("bob"))["type"] == "issued"


def test_a_rule_that_is_being_rolled_out_is_reported_and_refuses_nothing(store: AnyStore) -> None:
    host = host_with(store, only_bob, "warn")
    assert host.run(gateway())["type"] == "issued"
    assert notices(host) == [("policy_warning", "gateways are bob's")]
    host = host_with(handfast.Ledger(), lambda _: 1 / 0, "off")
    assert host.run(gateway())["type"] == "issued" and notices(host) == []


def test_a_rule_is_asked_with_everything_that_the_decision_rests_on() -> None:
    asked: list[Question] = []

    def curious(question: Question) -> Any:
        asked.append(question)
        return True

    host = host_with(handfast.Ledger(recording=True), curious)
    package = host.issue("gw-1", contents=CONTENTS)["package"]
    host.run(handfast.revoke(package=package, authority=OPERATOR, source="10.0.0.1"))
    issue, revoke = asked
    assert (issue["command"]["name"], issue["command"]["contents"][0]["content"]) == ("gw-1", "[redacted]")
    assert (issue["authority"], issue["source"], issue["records"]) == (OPERATOR, None, {})
    assert [fact["type"] for fact in issue["facts"]][0] == "package_issued"
    assert revoke["source"] == "10.0.0.1" and revoke["now"] == handfast.timestamp(START)
    assert revoke["records"][f"package/{package}"]["status"] == "delivered"
    assert f"package/{package}" in [fact["key"] for fact in revoke["facts"]]


def says(word: Any) -> Rule:
    return lambda question: word


def raises(error: Exception) -> Rule:
    def rule(question: Question) -> Any:
        raise error

    return rule


async def coroutine(question: Question) -> Any:
    return True


@pytest.mark.filterwarnings("ignore:coroutine 'coroutine' was never awaited")
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (raises(ValueError("no opinion")), "ValueError: no opinion"),
        (raises(KeyError("labels")), "KeyError: 'labels'"),
        (lambda: True, "TypeError: "),
        (says(None), "a value of type NoneType"),
        (says(False), "a value of type bool"),
        (says(1), "a value of type int"),
        (coroutine, "a value of type coroutine"),
    ],
)
def test_a_rule_that_cannot_say_lets_nothing_through(rule: Rule, said: str) -> None:
    host = host_with(handfast.Ledger(recording=True), rule)
    with pytest.raises(handfast.RuleError) as raised:
        host.run(gateway("bob"))
    assert raised.value.code == "rule_failed" and said in str(raised.value)
    with pytest.raises(handfast.RuleError):
        handfast.explain(host.store, gateway("bob"), registrar=host.registrar, now=host.now)
    assert host.events() == [] and notices(host) == []
    warned = host_with(handfast.Ledger(), rule, "warn")
    assert warned.run(gateway())["type"] == "issued"
    ((code, reason),) = notices(warned)
    assert code == "policy_warning" and said in reason


def test_of_a_batch_the_rule_denies_one(store: AnyStore) -> None:
    host = host_with(store, only_bob)
    commands = [gateway("bob", "gw-1"), gateway("ann", "gw-2"), gateway("bob", "gw-3")]
    answers = handfast.run_all(host.store, commands, registrar=host.registrar, now=host.now)
    assert [answer["type"] for answer in answers if not isinstance(answer, handfast.Error)] == [
        "issued",
        "refused",
        "issued",
    ]


def test_a_rule_that_comes_back_for_what_is_being_decided_fails(store: AnyStore) -> None:
    def nosy(question: Question) -> Any:
        if isinstance(store, handfast.Ledger):
            return store.read(["scope/default"]) and True
        return handfast.run(store, gateway("bob"), registrar=host.registrar) and True

    host = host_with(store, nosy)
    with pytest.raises(handfast.RuleError, match="a rule may look at its question only"):
        host.run(gateway("bob"))
    assert host.events() == []
    host = host_with(store, says(True))
    assert host.run(gateway("bob"))["type"] == "issued"


def test_threads_that_share_a_ledger_do_not_wait_for_each_other_for_ever() -> None:
    waited = threading.Event()

    def slow(question: Question) -> Any:
        waited.wait(0.001)  # lets other threads run Python
        return True

    host = host_with(handfast.Ledger(), slow)
    names = [[f"gw-{number}-{thread}" for number in range(20)] for thread in range(4)]
    work = [
        threading.Thread(target=lambda mine=mine: [host.run(gateway("bob", name)) for name in mine], daemon=True)
        for mine in names
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in work)
    assert isinstance(host.store, handfast.Ledger) and len(host.store.records("package")) == 80


def test_a_rule_is_callable() -> None:
    with pytest.raises(handfast.InvalidInput) as raised:
        handfast.Registrar(peppers=ring(), sealing=ring(), rule="allow")  # type: ignore[arg-type]
    assert raised.value.path == "rule"
