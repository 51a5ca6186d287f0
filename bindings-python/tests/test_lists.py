"""Lists, the feed of subjects, and the view of a scope, of the SQLite store and of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import OPERATOR, Host

import handfast
from handfast.stores.sqlite import SqliteStore
from handfast.types import WriteRow


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with SqliteStore(":memory:") as store:
        yield store


@pytest.fixture
def site(store: SqliteStore) -> Host:
    """Twelve packages, a second apart, and a fleet's nodes."""
    host = Host(store, {"kinds": {"node": {"parents": []}, "gateway": {"parents": ["site"]}}})
    parent = host.issue("site", kind="site", deliver=False)["package"]
    for number in range(12):
        more: dict[str, Any] = {"kind": "gateway", "parent": parent} if number % 3 == 0 else {}
        labels = {"zone": "north" if number % 2 else "south", "rack": str(number)}
        host.after(1).issue(f"edge-{number:02}", labels=labels, **more)
    return host


def names(rows: list[WriteRow]) -> list[str]:
    return [row["index"].get("name", "") for row in rows]


def paged(store: SqliteStore, limit: int, **filters: Any) -> list[str]:
    """The names of a whole list, a page at a time."""
    found: list[WriteRow] = []
    while rows := store.records("package", limit=limit, after=found[-1] if found else None, **filters):
        assert len(rows) <= limit
        found += rows
    return names(found)


EDGES = [f"edge-{number:02}" for number in range(12)]


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["site", *EDGES]),
        ({"kind": "gateway"}, EDGES[::3]),
        ({"status": "delivered"}, EDGES),
        ({"status": ["created", "revoked"]}, ["site"]),
        ({"labels": {"zone": "north"}}, EDGES[1::2]),
        ({"labels": {"zone": "north", "rack": "3"}}, ["edge-03"]),
        ({"labels": {"zone": "west"}}, []),
        ({"labels": {"zone": "north"}, "kind": "gateway"}, ["edge-03", "edge-09"]),
        ({"name_prefix": "edge-0"}, EDGES[:10]),
        ({"name_prefix": "edge-", "labels": {"zone": "south"}}, EDGES[::2]),
        ({"name_prefix": "s"}, ["site"]),
        ({"name": "edge-05"}, ["edge-05"]),
        ({"scope": "default", "kind": "gateway", "status": "delivered"}, EDGES[::3]),
        ({"scope": "other"}, []),
    ],
)
def test_a_list_is_filtered_and_paged(site: Host, limit: int, filters: dict[str, Any], expected: list[str]) -> None:
    assert isinstance(site.store, SqliteStore)
    assert paged(site.store, limit, **filters) == expected


def test_a_list_knows_what_is_below_a_package(site: Host) -> None:
    store = site.store
    assert isinstance(store, SqliteStore)
    (parent,) = store.records(name="site")
    below = store.records(parent=parent["key"])
    assert names(below) == EDGES[::3]
    assert {row["index"].get("parent") for row in below} == {parent["key"]}
    fleet = site.issue("fleet", max_uses=None)
    nodes = {"node/" + site.after(1).redeem(fleet["token"], f"m{number}")["node"] for number in range(20)}
    rows = store.records("node", parent=f"package/{fleet['package']}")
    assert {row["key"] for row in rows} == nodes
    claimed = store.records("node", parent=f"package/{fleet['package']}", status="claimed", limit=7)
    more = store.records("node", parent=f"package/{fleet['package']}", status="claimed", after=claimed[-1])
    assert [*claimed, *more] == rows


def test_a_page_is_found_by_an_index(site: Host) -> None:
    """However long the list: nothing is sorted, and nothing is looked through from its start."""
    from handfast.stores import _lists

    store = site.store
    assert isinstance(store, SqliteStore)
    nothing: dict[str, Any] = dict.fromkeys(("scope", "status", "kind", "name", "name_prefix", "labels", "parent"))
    for given in (
        {},
        {"scope": "default"},
        {"kind": "gateway"},
        {"parent": "package/a"},
        {"labels": {"zone": "north"}},
        {"name_prefix": "edge-"},
        {"scope": "default", "status": "delivered"},
    ):
        query, arguments = _lists.records(
            "package", **nothing | given, after=store.records(limit=1)[0], limit=10
        )
        steps = [row[3] for row in store.connection.execute(f"EXPLAIN QUERY PLAN {query}", arguments)]
        assert not any(step.startswith("SCAN") or "TEMP B-TREE" in step for step in steps), (given, steps)


def test_labels_are_listed_whoever_writes_them(store: SqliteStore) -> None:
    """The list of labels follows the records, also where another program replaces or removes one."""
    insert = "INSERT INTO handfast_records (key, version, body, record, labels, created_at) VALUES (?, 1, '', 'x', ?, 't')"
    store.connection.execute(insert, ("a", '{"zone":"north","rack":"1"}'))
    store.connection.execute(insert, ("b", "{}"))
    listed: Callable[[], list[Any]] = lambda: store.connection.execute(
        "SELECT label, value, key FROM handfast_labels ORDER BY label"
    ).fetchall()
    assert listed() == [("rack", "1", "a"), ("zone", "north", "a")]
    store.connection.execute("""UPDATE handfast_records SET labels = '{"zone":"south"}' WHERE key = 'a'""")
    assert listed() == [("zone", "south", "a")]
    store.connection.execute("DELETE FROM handfast_records")
    assert listed() == []


def test_an_allow_list_is_kept_in_step(store: SqliteStore) -> None:
    host = Host(store)
    fleet = host.issue(max_uses=None)
    token = fleet["token"]
    nodes = {name: host.redeem(token, name)["node"] for name in ("m1", "m2", "m3")}
    allowed: set[str] = set()
    seen = 0

    def follow() -> int:
        nonlocal seen
        count = 0
        while changes := store.subjects("default", after=seen, limit=2):
            for seen, change in changes:
                count += 1
                (allowed.add if change["status"] == "active" else allowed.discard)(change["subject"])
        return count

    assert follow() == 3 and allowed == {"m1", "m2", "m3"}
    host.run(handfast.evict(node=nodes["m1"], authority=OPERATOR))
    host.run(handfast.ban(scope="default", subject="m2", authority=OPERATOR))
    assert follow() == 2 and allowed == {"m3"}
    assert follow() == 0
    assert store.subjects("elsewhere") == []

    def standing() -> list[str]:
        return [change["status"] for _, change in store.subjects("default")]

    assert standing() == ["active", "gone", "banned"]
    host.run(handfast.revoke(package=fleet["package"], authority=OPERATOR))
    assert standing() == ["gone", "gone", "banned"], "also before the sweep"


def test_a_scope_says_what_is_promised_and_in_use(store: SqliteStore) -> None:
    host = Host(store)
    assert store.scope("default") is None
    host.run(handfast.configure_scope(scope="default", max_active=5, max_outstanding=4, authority=OPERATOR))
    issued = host.issue("a", max_uses=2)
    host.issue("b")
    node = host.redeem(issued["token"])["node"]
    host.run(handfast.check_in(node=node, fingerprint="m1", sequence=1))
    expected = {"scope": "default", "max_active": 5, "max_outstanding": 4, "outstanding": 2, "reserved": 3}
    assert store.scope("default") == {**expected, "active": 1, "free": 2}
    host.run(handfast.configure_scope(scope="default", authority=OPERATOR))
    assert store.scope("default") == {"scope": "default", "outstanding": 2, "reserved": 3, "active": 1}
    with pytest.raises(handfast.InvalidInput, match="body: expected that of a scope"):
        from handfast._native import scope_view

        scope_view(host.body(f"package/{issued['package']}"), active=1)


def test_a_ledger_lists_packages_nodes_and_subjects() -> None:
    ledger = handfast.Ledger()
    host = Host(ledger)
    for number in range(5):
        host.after(1).issue(f"edge-{number}", labels={"zone": "north" if number % 2 else "south"}, max_uses=3)
    first = ledger.packages(limit=3)
    assert names(first["records"]) == ["edge-4", "edge-3", "edge-2"]
    assert names(ledger.packages(after=first["next"])["records"]) == ["edge-1", "edge-0"]
    assert names(ledger.packages(label="zone=north")["records"]) == ["edge-3", "edge-1"]
    assert names(ledger.packages(name_prefix="edge", status="delivered")["records"])[0] == "edge-0"
    assert ledger.packages(scope="other", kind="node") == {"records": [], "next": None}
    fleet = host.issue("fleet", max_uses=None)
    node = host.redeem(fleet["token"], "m1")["node"]
    (row,) = ledger.nodes(fleet["package"])["records"]
    assert (row["key"], row["index"].get("parent")) == (f"node/{node}", f"package/{fleet['package']}")
    changes = ledger.subjects("default")
    active = {"type": "active", "node": node, "package": fleet["package"]}
    assert (changes["restart"], changes["more"]) == (True, False)
    assert changes["subjects"] == [{"subject": "m1", "standing": active}]
    host.run(handfast.evict(node=node, authority=OPERATOR))
    later = ledger.subjects("default", after=changes["next"])
    assert later["subjects"] == [{"subject": "m1", "standing": {"type": "gone"}}] and not later["restart"]
    for wrong in ({"status": "lost"}, {"after": "*"}, {"parent": "x"}):
        with pytest.raises(handfast.InvalidInput) as raised:
            ledger.packages(**wrong)  # type: ignore[arg-type]
        assert raised.value.path == next(iter(wrong))
