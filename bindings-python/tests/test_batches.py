"""Several commands in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from support import OPERATOR, START, AnyStore, Host, registrar, ring

import handfast
from handfast.stores.sqlite import SqliteStore
from handfast.types import Answer, Batch, Command, Row


class Counting(SqliteStore):
    """Counts its commits; the first `conflicts` of them do not hold."""

    def __init__(self, conflicts: int = 0) -> None:
        super().__init__(":memory:")
        self.commits = 0
        self.conflicts = conflicts

    def commit(self, batch: Batch, /) -> bool:
        self.commits += 1
        return self.commits > self.conflicts and super().commit(batch)


class Later:
    """The same for `run_all_async`."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store

    async def read(self, keys: Sequence[str], /) -> Sequence[Row]:
        await asyncio.sleep(0)
        return self.store.read(keys)

    async def commit(self, batch: Batch, /) -> bool:
        await asyncio.sleep(0)
        return self.store.commit(batch)


def issue(number: int) -> Command:
    return handfast.issue(name=f"edge-{number}", authority=OPERATOR, scope="full", deliver=True)


def run_all(store: AnyStore, commands: Sequence[Command | Any], **more: Any) -> list[Answer | handfast.Error]:
    return handfast.run_all(store, commands, **{"registrar": registrar(), "now": START, **more})


def codes(answers: Sequence[Answer | handfast.Error]) -> list[str]:
    return [
        answer.code if isinstance(answer, handfast.Error) else str(answer.get("code", answer["type"]))
        for answer in answers
    ]


def full_at(store: AnyStore, uses: int) -> None:
    Host(store).run(handfast.configure_scope(scope="full", max_active=uses, authority=OPERATOR))


def test_each_is_decided_on_what_those_before_it_have_brought_about(store: AnyStore) -> None:
    full_at(store, 3)
    issued = run_all(store, [issue(number) for number in range(5)])
    assert codes(issued) == ["issued"] * 3 + ["quota_exceeded"] * 2
    assert not isinstance(issued[0], handfast.Error) and issued[0]["type"] == "issued"
    token = issued[0]["token"]
    redeems = [handfast.redeem(token=token, fingerprint=node) for node in ("a", "b", "a")]
    first, second, third = answers = run_all(store, redeems)
    assert codes(answers) == ["redeemed", "already_claimed", "redeemed"]
    assert not isinstance(first, handfast.Error) and not isinstance(third, handfast.Error)
    assert first["type"] == third["type"] == "redeemed"
    assert (first["again"], third["again"], first["node"]) == (False, True, third["node"])


def test_all_of_them_are_one_commit() -> None:
    for conflicts in (0, 2):
        store = Counting(conflicts)
        with store:
            assert codes(run_all(store, [issue(number) for number in range(20)])) == ["issued"] * 20
        assert store.commits == conflicts + 1


def test_a_batch_that_always_conflicts_is_taken_one_by_one() -> None:
    with Counting(conflicts=10**9) as store:
        answers = run_all(store, [issue(1), issue(2)])
        assert codes(answers) == ["busy", "busy"]
        assert all(isinstance(answer, handfast.Busy) for answer in answers)
        assert store.records() == []


def test_none_fails_for_another_ones_sake(store: AnyStore) -> None:
    token = Host(store).issue("edge-0")["token"]
    # The pepper of that token has been taken away since: its redemption is an error of the operator's.
    new = handfast.Registrar({"vouched_fingerprints": True}, peppers=ring(9, "k9"), sealing=ring(2))
    redeem = handfast.redeem(token=token, fingerprint="a")
    unreadable = {"type": "issue", "authority": OPERATOR, "name": "edge-4", "ttl": 60}
    too_short = handfast.issue(name="edge-5", authority=OPERATOR, ttl_seconds=1)
    answers = run_all(store, [unreadable, issue(1), redeem, too_short, "nothing", issue(2)], registrar=new)
    assert codes(answers) == ["invalid_input", "issued", "missing_key", "invalid_input", "invalid_input", "issued"]
    assert isinstance(answers[0], handfast.InvalidInput) and answers[0].path == "ttl"
    assert isinstance(answers[2], handfast.MissingKey)
    assert isinstance(answers[3], handfast.InvalidInput) and answers[3].path == "ttl_seconds"


def test_nothing_and_too_much(store: AnyStore) -> None:
    assert run_all(store, []) == []
    assert codes(run_all(store, iter([issue(1)]))) == ["issued"]  # type: ignore[arg-type]
    with pytest.raises(handfast.InvalidInput) as raised:
        run_all(store, [issue(number) for number in range(257)])
    assert raised.value.path == "commands"


def test_what_the_store_raises_is_raised() -> None:
    class Broken(SqliteStore):
        def commit(self, batch: Batch, /) -> bool:
            raise OSError("the disk is full")

    with Broken(":memory:") as store, pytest.raises(OSError, match="the disk is full"):
        run_all(store, [issue(1)])


def test_a_store_of_coroutines(store: AnyStore) -> None:
    full_at(store, 2)
    given = Later(store) if isinstance(store, SqliteStore) else store
    commands = [issue(number) for number in range(3)]
    answers = asyncio.run(handfast.run_all_async(given, commands, registrar=registrar(), now=START))
    assert codes(answers) == ["issued", "issued", "quota_exceeded"]


def test_a_driver_that_does_not_do_what_it_is_asked_is_told_so() -> None:
    session = registrar().session_all([issue(1)])
    assert session.next(START)["type"] == "load"
    with pytest.raises(handfast.Misuse):
        session.next(START)
    with pytest.raises(handfast.Misuse):
        registrar().session_all([issue(1)]).committed(True)
