"""The shipped SQLite store: races, crashes, other processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support import OPERATOR, RULE_POLICY, Host, registrar

import handfast
from handfast._native import SQLITE_SCHEMA
from handfast.stores.sqlite import SqliteStore
from handfast.types import Answer, Batch


def race(stores: list[SqliteStore], token: handfast.Secret) -> list[Answer]:
    answers: list[Answer] = []
    start = threading.Barrier(len(stores))

    def machine(number: int, store: SqliteStore) -> None:
        shared = registrar()
        start.wait()
        redeem = handfast.redeem(token=token, fingerprint=f"m{number}")
        answers.append(handfast.run(store, redeem, registrar=shared, now=Host().now))

    threads = [threading.Thread(target=machine, args=pair) for pair in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("shared", [True, False], ids=["one store", "a store for each thread"])
def test_of_machines_that_race_for_one_token_exactly_one_wins(tmp_path: Path, shared: bool) -> None:
    for turn in range(10):
        path = tmp_path / f"{turn}.sqlite"
        stores = [SqliteStore(path)] * 4 if shared else [SqliteStore(path) for _ in range(4)]
        token = Host(stores[0]).issue()["token"]
        answers = race(stores, token)
        won = [answer for answer in answers if answer["type"] == "redeemed"]
        lost = [answer["code"] for answer in answers if answer["type"] == "refused"]
        assert len(won) == 1 and lost == ["already_claimed"] * 3
        facts = [row["fact"] for _, row in stores[0].events()]
        assert facts.count("package_claimed") == 1
        for store in set(stores):
            store.close()


class Conflicting(SqliteStore):
    """A store in which somebody else is always faster."""

    def commit(self, batch: Batch, /) -> bool:
        return False


def test_a_store_that_never_commits_is_busy_in_the_end() -> None:
    with Conflicting(":memory:") as store, pytest.raises(handfast.Busy) as raised:
        handfast.run(store, handfast.issue(name="a", authority=OPERATOR), registrar=registrar())
    assert raised.value.code == "busy"


def test_an_answer_exists_only_after_the_commit(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "handfast.sqlite")
    host = Host(store)
    session = host.registrar.session(handfast.issue(name="a", authority=OPERATOR, deliver=True))
    step = session.next(host.now)
    assert step["type"] == "load"
    session.loaded(store.read(step["keys"]))
    step = session.next(host.now)
    assert step["type"] == "commit"
    assert "hf1_" not in repr(step)
    with pytest.raises(handfast.Misuse) as raised:
        session.next(host.now)
    assert raised.value.code == "misuse"
    # The host dies here, before or after the commit: nobody has the token.
    assert store.commit(step["batch"])
    store.close()


def test_a_crash_between_commit_and_release_loses_nothing(tmp_path: Path) -> None:
    """The commit is durable, the reply is lost: the same request gives the same package and its token."""
    path = tmp_path / "handfast.sqlite"
    with SqliteStore(path) as store:
        host = Host(store)
        issue = handfast.issue(name="a", authority=OPERATOR, deliver=True, request="r-1")
        session = host.registrar.session(issue)
        while (step := session.next(host.now))["type"] == "load":
            session.loaded(store.read(step["keys"]))
        assert step["type"] == "commit" and store.commit(step["batch"])
        del session
    with SqliteStore(path) as store:
        answer = Host(store).run(issue)
        assert answer["type"] == "issued" and answer["again"]
        assert len(store.records("package")) == 1
        assert Host(store).redeem(answer["token"])["again"] is False


def test_effects_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "handfast.sqlite"
    with SqliteStore(path) as store:
        Host(store, RULE_POLICY).observe("running")
    with SqliteStore(path) as store:
        host = Host(store, RULE_POLICY)
        (key,) = store.due(host.now)
        (effect,) = host.outstanding(key)
        assert effect["work"]["type"] == "describe_instance"


CHILD = """
import sys, handfast
from handfast.stores.sqlite import SqliteStore
ring = {"current": "k1", "keys": {"k1": bytes([int(sys.argv[2])]) * 32}}
registrar = handfast.Registrar({"vouched_fingerprints": True}, peppers=ring, sealing=ring)
with SqliteStore(sys.argv[1]) as store:
    for number in range(20):
        issue = handfast.issue(name=f"n{number}", authority="operator:" + sys.argv[3])
        answer = handfast.run(store, issue, registrar=registrar)
        print(answer["type"], answer.get("code", ""))
"""


def test_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "handfast.sqlite"
    SqliteStore(path).close()
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, path, "1", f"op{child}"], stdout=subprocess.PIPE, encoding="utf-8")
        for child in range(2)
    ]
    lines = [line.split() for child in children for line in child.communicate(timeout=60)[0].splitlines()]
    assert [child.returncode for child in children] == [0, 0]
    assert sorted(line[0] for line in lines) == ["issued"] * 20 + ["refused"] * 20
    assert {line[1] for line in lines if line[0] == "refused"} == {"name_taken"}
    with SqliteStore(path) as store:
        assert len(store.records("package")) == 20


def test_a_commit_is_all_or_nothing(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "handfast.sqlite") as store:
        host = Host(store)
        issued = host.issue()
        session = host.registrar.session(handfast.redeem(token=issued["token"], fingerprint="m1"))
        while (step := session.next(host.now))["type"] == "load":
            session.loaded(store.read(step["keys"]))
        assert step["type"] == "commit"
        before = (store.events(), store.records("node"), store.notices())
        stale = {**step["batch"], "guards": [{**guard, "version": 9} for guard in step["batch"]["guards"]]}
        assert store.commit(stale) is False  # type: ignore[arg-type]
        broken = {**step["batch"], "events": [*step["batch"]["events"], step["batch"]["events"][0]]}
        with pytest.raises(sqlite3.IntegrityError):
            store.commit(broken)  # type: ignore[arg-type]
        assert (store.events(), store.records("node"), store.notices()) == before
        assert store.commit(step["batch"]) is True


def test_shredded_secrets_are_gone_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "handfast.sqlite"
    with SqliteStore(path) as store:
        host = Host(store)
        issued = host.issue(contents=[{"type": "file", "name": "a", "content": "x" * 1000}])
        keys = [f"secret/{issued['package']}.{number}" for number in (1, 2)]
        sealed = [row["body"] for row in store.read(keys)]
        assert len(sealed) == 2
        host.run(handfast.revoke(package=issued["package"], authority=OPERATOR))
        assert store.read(keys) == []
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    text = path.read_bytes()
    assert all(secret.encode()[:200] not in text for secret in sealed)


def test_lists_have_filters_and_pages() -> None:
    with SqliteStore(":memory:") as store:
        host = Host(store)
        for number in range(7):
            host.after(1).issue(name=f"n{number}", scope=f"s{number % 2}", kind="gateway", labels={"n": str(number)})
        first = store.records(limit=4)
        second = store.records(limit=4, after=first[-1])
        assert [row["index"].get("name") for row in [*first, *second]] == [f"n{number}" for number in range(7)]
        assert first[0]["index"]["labels"] == {"n": "0"} and first[0]["index"].get("kind") == "gateway"
        assert first[0]["body"] == host.body(first[0]["key"])
        assert len(store.records(scope="s1")) == 3
        assert store.records(status="revoked") == []
        (found,) = store.records(name="n3", scope="s1")
        assert host.registrar.view(found)["issued"]["name"] == "n3"
        events = store.events(found["key"])
        assert [row["fact"] for _, row in events] == ["package_issued", "package_delivered"]
        assert store.events(after=store.events(limit=20)[-1][0], limit=100)[0][1]["version"] >= 1
        assert store.next_wake() == min(row["index"].get("wake_at", "") for row in store.records())


def test_due_gives_the_earliest_first_and_the_present_in_every_spelling() -> None:
    with SqliteStore(":memory:") as store:
        host = Host(store)
        late, early = host.issue("late", ttl_seconds=700), host.issue("early", ttl_seconds=60)
        assert store.due(host.now) == []
        host.after(700)
        keys = [f"package/{early['package']}", f"package/{late['package']}"]
        assert store.due(host.now) == store.due(handfast.timestamp(host.now)) == keys
        assert store.due(host.now, limit=1) == keys[:1]
        assert len(store.due()) == 2


def test_the_schema_is_the_cores() -> None:
    text = (Path(__file__).parents[2] / "core" / "stores" / "sqlite.sql").read_text("utf-8")
    assert SQLITE_SCHEMA == text
    with SqliteStore(":memory:") as store:
        tables = store.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        assert [name for (name,) in tables if name.startswith("handfast_")] == [
            "handfast_events",
            "handfast_labels",
            "handfast_notices",
            "handfast_records",
            "handfast_vault",
        ]


def test_durability_is_asked_for(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "handfast.sqlite") as store:
        names = ("journal_mode", "synchronous", "secure_delete")
        settings = [store.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
        assert settings == ["wal", 2, 1]


def test_a_file_that_is_no_database_is_an_error_and_not_left_open(tmp_path: Path) -> None:
    path = tmp_path / "handfast.sqlite"
    path.write_text("this is no database, whatever its name may say\n" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        SqliteStore(path)


