"""The store in memory."""

from __future__ import annotations

import threading

import pytest
from support import OPERATOR, Host, registrar

import handfast


def test_a_snapshot_restores_everything_that_a_decision_needs() -> None:
    host = Host()
    token = host.issue(contents=[{"type": "file", "name": "a", "content": "hunter2"}])["token"]
    assert isinstance(host.store, handfast.Ledger)
    snapshot = host.store.snapshot()
    assert "hunter2" not in snapshot and token.expose() not in snapshot
    restored = handfast.Ledger.restore(snapshot)
    assert restored.snapshot() == snapshot
    (content,) = Host(restored).redeem(token)["contents"]
    assert content["type"] == "file" and content["content"].expose() == "hunter2"


def test_a_broken_snapshot_or_history_is_an_error_with_a_code() -> None:
    host = Host()
    host.issue()
    assert isinstance(host.store, handfast.Ledger)
    events = host.store.events()
    snapshot = host.store.snapshot()
    for broken, code in [
        ("", "corrupt_record"),
        ("{}", "corrupt_record"),
        (snapshot.replace('"schema":2', '"schema":3', 1), "newer_schema"),
        (snapshot[:-10], "corrupt_record"),
    ]:
        with pytest.raises(handfast.StoreError) as raised:
            handfast.Ledger.restore(broken)
        assert raised.value.code == code
    for history, code in [
        (events[1:], "corrupt_record"),
        ([*events, events[0]], "corrupt_record"),
        ([events[0]["body"].replace('"schema":2', '"schema":3')], "newer_schema"),
        (["{"], "corrupt_record"),
    ]:
        with pytest.raises(handfast.StoreError) as raised:
            handfast.Ledger.replay(history)  # type: ignore[arg-type]
        assert raised.value.code == code


def test_a_history_is_kept_only_when_it_is_wanted() -> None:
    silent = Host(handfast.Ledger())
    silent.issue()
    assert silent.events() == []
    recording = Host(handfast.Ledger(recording=True))
    recording.issue()
    assert isinstance(recording.store, handfast.Ledger)
    assert [(row["fact"], row["version"]) for row in recording.store.events()] == [
        ("package_issued", 1),
        ("name_taken", 1),
        ("package_delivered", 2),
    ]
    assert {row.get("scope") for row in recording.store.events()} == {"default"}


def test_records_are_listed_by_type() -> None:
    host = Host()
    issued = host.issue(labels={"site": "north"})
    host.redeem(issued["token"])
    assert isinstance(host.store, handfast.Ledger)
    assert [row["index"]["record"] for row in host.store.records()] == ["package", "name", "subject", "node"]
    (package,) = host.store.records("package")
    assert package["key"] == f"package/{issued['package']}"
    assert package["index"]["labels"] == {"site": "north"}
    assert host.store.next_wake() == package["index"].get("wake_at")
    assert host.registrar.view(package) == host.registrar.view(package["body"])


def test_threads_share_a_ledger() -> None:
    ledger, shared = handfast.Ledger(), registrar()
    token = Host(ledger).issue()["token"]
    kinds: list[str] = []

    def machine(number: int) -> None:
        redeem = handfast.redeem(token=token, fingerprint=f"m{number}")
        kinds.append(handfast.run(ledger, redeem, registrar=shared, now=Host().now)["type"])

    threads = [threading.Thread(target=machine, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kinds) == ["redeemed"] + ["refused"] * 7


def test_it_says_what_it_is() -> None:
    assert repr(handfast.Ledger()) == "<handfast.Ledger>"
    with pytest.raises(handfast.InvalidInput, match=r"keys\[1\]"):
        handfast.Ledger().read(["package/01890a5d-ac96-774b-bcce-b302099a8057", "nonsense"])
    assert handfast.Ledger().read([f"name/default/{OPERATOR[-3:]}"]) == []
