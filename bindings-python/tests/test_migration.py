"""What earlier versions wrote is read, and goes on: snapshots, histories, and SQLite files."""

from __future__ import annotations

import sqlite3
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest
from support import OPERATOR, VECTORS, Host

import handfast
from handfast.stores.sqlite import SqliteStore

SNAPSHOT = (VECTORS / "ledger" / "snapshot-schema-1.jsonl").read_text("utf-8")
EVENTS = (VECTORS / "ledger" / "events-schema-1.jsonl").read_text("utf-8")
DATABASE = (VECTORS / "ledger" / "sqlite-schema-1.sql").read_text("utf-8")
AT = datetime(2026, 1, 2, 3, 6, tzinfo=timezone.utc)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that the first schema made."""
    path = tmp_path / "handfast.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(DATABASE)
    connection.close()
    return path


def host(store: SqliteStore | handfast.Ledger) -> Host:
    host = Host(store)
    host.now = AT
    return host


def test_a_snapshot_of_schema_1_goes_on() -> None:
    ledger = handfast.Ledger.restore(SNAPSHOT)
    assert ledger.snapshot().startswith('{"format":"handfast snapshot","schema":2')
    assert handfast.Ledger.restore(ledger.snapshot()).records() == ledger.records()
    assert handfast.Ledger.replay(EVENTS.splitlines()).records() == ledger.records()
    (live,) = ledger.packages(name_prefix="edge-2")["records"]
    assert live["index"].get("status") == "delivered"
    assert host(ledger).run(handfast.revoke(package=live["key"][8:], authority=OPERATOR))["type"] == "revoked"


def test_a_file_of_the_first_schema_is_brought_up_to_date_once(old: Path) -> None:
    for _ in range(2):
        with SqliteStore(old) as store:
            stored = {row["key"]: row for record in RECORDS for row in store.records(record, limit=1000)}
            ledger = handfast.Ledger.restore(SNAPSHOT)
            assert {key: row["index"] for key, row in stored.items()} == {
                row["key"]: {"labels": {}, **row["index"]} for row in ledger.records()
            }, "every column is as the core would write it now"
            assert [row["index"].get("name") for row in store.records(labels={"site": "north"})] == ["edge-1"]
            (node,) = store.records("node", status="active")
            assert store.records("node", parent=node["index"].get("parent")) == [node]
            subjects = [change for _, change in store.subjects("default")]
            assert [change["subject"] for change in subjects if change["status"] == "active"] == ["machine-1", "machine-3"]
            assert len(store.events()) == len(EVENTS.splitlines())


RECORDS: tuple[handfast.types.RecordType, ...] = ("package", "name", "subject", "node", "instance")


def test_what_the_file_holds_goes_on(old: Path) -> None:
    with SqliteStore(old) as store:
        world = host(store)
        (package,) = store.records(name="edge-3")
        (node,) = store.records("node", parent=package["key"])
        reissued = world.run(handfast.reissue(package=package["key"][8:], authority=OPERATOR, deliver=True))
        assert reissued["type"] == "reissued"
        assert world.redeem(reissued["token"], "machine-4")["node"] != node["key"][5:]
        assert world.run(handfast.revoke(package=package["key"][8:], authority=OPERATOR))["type"] == "revoked"
        assert {row["index"].get("status") for row in store.records("node", parent=package["key"])} == {"retired"}
        assert handfast.Ledger.replay(row for _, row in store.events(limit=1000)).read([package["key"]]) == store.read(
            [package["key"]]
        ), "the whole history still gives every record"


def test_of_many_that_open_an_old_file_at_once_one_brings_it_up_to_date(old: Path) -> None:
    start = threading.Barrier(8)
    found: list[int] = []

    def opens() -> None:
        start.wait()
        with SqliteStore(old) as store:
            found.append(len(store.records(labels={"site": "north"})))

    threads = [threading.Thread(target=opens) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8
