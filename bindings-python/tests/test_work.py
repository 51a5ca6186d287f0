"""The host's loop: deadlines, sweeps, and what is left for executors."""

from __future__ import annotations

from typing import Any

import pytest
from support import OPERATOR, RULE_POLICY, AnyStore, Host

import handfast
from handfast import work
from handfast.stores.sqlite import SqliteStore
from handfast.types import Effect, EffectOutcome, RecordType, WriteRow


def outstanding(host: Host) -> list[Effect]:
    return work.outstanding(host.store, registrar=host.registrar, now=host.now)


def live(host: Host, nodes: list[str]) -> int:
    return sum(host.view(f"node/{node}")["status"] != "retired" for node in nodes)


def test_a_wide_fleet_ends_by_a_sweep(host: Host) -> None:
    fleet = host.issue(max_uses=None)
    nodes = [host.redeem(fleet["token"], f"m{number}")["node"] for number in range(250)]
    host.run(handfast.check_in(node=nodes[0], fingerprint="m0", sequence=1))
    host.run(handfast.revoke(package=fleet["package"], authority=OPERATOR))
    assert live(host, nodes) > 200
    seen = handfast.check_in(node=nodes[-1], fingerprint="m249", sequence=1)
    assert host.refused(seen)["code"] == "ended", "until then every check-in sees it"
    assert outstanding(host) == []
    assert live(host, nodes) == 0
    assert host.outstanding(f"package/{fleet['package']}") == []
    assert outstanding(host) == []


def test_more_children_than_a_package_lists_end_by_a_sweep(store: AnyStore) -> None:
    host = Host(store, {"kinds": {"gateway": {"parents": ["site"]}}})
    site = host.issue("site", kind="site", deliver=False)["package"]
    children = [host.issue(f"g{number}", kind="gateway", parent=site)["package"] for number in range(20)]
    host.run(handfast.revoke(package=site, authority=OPERATOR))
    statuses = [host.view(f"package/{child}")["status"] for child in children]
    assert statuses.count("delivered") == 4
    (effect,) = host.outstanding(f"package/{site}")
    assert effect["work"] == {"type": "sweep", "package": site}
    assert work.sweep(store, effect, registrar=host.registrar, now=host.now) is True
    assert {host.view(f"package/{child}")["status"] for child in children} == {"revoked"}
    assert host.outstanding(f"package/{site}") == []


class Late(SqliteStore):
    """A store in which one node comes to be between a sweep's first look and its second."""

    late = ""
    looks = 0

    def records(self, record: RecordType = "package", **filters: Any) -> list[WriteRow]:
        self.looks += record == "node" and filters["after"] is None
        return [row for row in super().records(record, **filters) if self.looks > 1 or row["key"] != self.late]


def test_a_sweep_that_left_something_is_swept_again() -> None:
    store = Late(":memory:")
    with store:
        host = Host(store)
        fleet = host.issue(max_uses=None)
        nodes = [host.redeem(fleet["token"], f"m{number}")["node"] for number in range(3)]
        host.run(handfast.revoke(package=fleet["package"], authority=OPERATOR))
        (effect,) = host.outstanding(f"package/{fleet['package']}")
        store.late = f"node/{nodes[1]}"
        assert work.sweep(store, effect, registrar=host.registrar, now=host.now) is False
        assert outstanding(host) == [] and live(host, nodes) == 1, "it waits"
        host.after(3600)
        assert outstanding(host) == [] and live(host, nodes) == 0
        assert host.outstanding(f"package/{fleet['package']}") == []


def test_deadlines_are_applied_and_effects_are_given_until_they_are_reported(store: AnyStore) -> None:
    host = Host(store, RULE_POLICY)
    unused = host.issue("unused", ttl_seconds=60)["package"]
    host.after(60).observe("running")
    (describe,) = outstanding(host)
    assert describe["work"]["type"] == "describe_instance"
    assert host.view(f"package/{unused}")["status"] == "expired"
    assert outstanding(host) == [describe], "it was not reported"
    host.report(describe, {"type": "started", "lease_seconds": 30})
    assert outstanding(host) == [], "somebody is at it"
    host.after(30)
    assert [effect["work"] for effect in outstanding(host)] == [describe["work"]]


def test_an_effect_of_another_kind_is_no_sweep(store: AnyStore) -> None:
    host = Host(store, RULE_POLICY)
    host.observe("running")
    (describe,) = outstanding(host)
    with pytest.raises(ValueError, match="describe_instance is no sweep"):
        work.sweep(store, describe, registrar=host.registrar)


def test_an_executor_is_given_what_it_needs_and_what_it_did_not_do_comes_again(host: Host) -> None:
    host.issue(contents=[{"type": "host", "kind": "client", "value": {"type": "drawn"}}], deliver=False)
    given: list[object] = []

    def breaks(effect: Effect, revealed: object) -> EffectOutcome:
        given.append(revealed)
        raise OSError("the upstream is down")

    with pytest.raises(OSError):
        work.perform(host.store, breaks, registrar=host.registrar, now=host.now)

    def does(effect: Effect, revealed: object) -> EffectOutcome:
        assert effect["work"]["type"] == "ensure_host"
        given.append(revealed)
        return {"type": "done"}

    assert work.perform(host.store, does, registrar=host.registrar, now=host.now, worker="w7") == 1
    assert work.perform(host.store, does, registrar=host.registrar, now=host.now) == 0
    assert isinstance(given[0], handfast.Secret) and given == [given[0], given[0]]
    assert any("executor:w7" in event for event in host.events())
