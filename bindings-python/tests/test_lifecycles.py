"""Quotas, keepers, new tokens, links, parents, pools, and how nodes go: each on every kind of store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support import OPERATOR, AnyStore, Host

import handfast
from handfast import work
from handfast.types import Content, Effect, EffectOutcome, Issued, Policy

CLIENT: Content = {"type": "host", "kind": "client", "value": {"type": "drawn"}}
SITES: Policy = {"kinds": {"gateway": {"parents": ["site"]}, "site": {}}}


def settle(host: Host) -> list[str]:
    """Do everything that is outstanding, as the host would, and say what it was."""
    done: list[str] = []

    def executor(effect: Effect, _: object) -> EffectOutcome:
        done.append(effect["work"]["type"])
        return {"type": "done"}

    while work.perform(host.store, executor, registrar=host.registrar, now=host.now):
        pass
    return done


def apply(host: Host, name: str, version: str, **more: Any) -> handfast.types.Answer:
    keepers = {"version": version}
    return host.run(handfast.issue(name=name, authority=OPERATOR, keepers=keepers, contents=[CLIENT], **more))


def applied(host: Host, name: str, version: str) -> Issued:
    answer = apply(host, name, version)
    assert answer["type"] == "issued", answer
    return answer


def revoke(host: Host, package: str) -> None:
    assert host.run(handfast.revoke(package=package, authority=OPERATOR))["type"] == "revoked"


def status(host: Host, package: str) -> str:
    return str(host.view(f"package/{package}")["status"])


def in_seconds(host: Host, seconds: float) -> str:
    return handfast.timestamp(host.now + timedelta(seconds=seconds))


class Upstream:
    """Somebody else's service that refuses an eleventh client."""

    def __init__(self) -> None:
        self.clients: set[str] = set()
        self.most = 0

    def perform(self, effect: Effect, _: object) -> EffectOutcome:
        todo = effect["work"]
        if todo["type"] == "ensure_host":
            self.clients.add(todo["resource"]["name"])
        elif todo["type"] == "delete_host":
            self.clients.discard(todo["name"])
        assert len(self.clients) <= 10, "the upstream refuses"
        self.most = max(self.most, len(self.clients))
        return {"type": "done"}

    def work(self, host: Host) -> None:
        while work.perform(host.store, self.perform, registrar=host.registrar, now=host.now):
            pass


def test_ten_clients_are_ten_however_often_they_are_applied_replaced_and_destroyed(host: Host) -> None:
    configure = handfast.configure_scope(scope="default", max_active=10, authority=OPERATOR)
    assert host.run(configure) == {"type": "configured", "changed": True}
    assert host.run(configure) == {"type": "configured", "changed": False}
    upstream = Upstream()
    for version in ("1", "2", "3"):
        packages = [applied(host, f"client-{number}", version)["package"] for number in range(10)]
        assert host.refused(handfast.issue(name="eleventh", authority=OPERATOR))["code"] == "quota_exceeded"
        upstream.work(host)
        assert len(upstream.clients) == 10
    assert upstream.most == 10
    scope = host.view("scope/default")
    assert (scope["reserved"], scope["outstanding"]) == (10, 10)
    for package in packages:
        revoke(host, package)
    assert host.refused(handfast.issue(name="eleventh", authority=OPERATOR))["code"] == "quota_exceeded"
    upstream.work(host)
    scope = host.view("scope/default")
    assert (scope["reserved"], scope["outstanding"], upstream.clients) == (0, 0, set())


def test_the_same_keepers_are_the_same_package_and_others_replace_it(host: Host) -> None:
    first = applied(host, "edge-1", "1")
    assert settle(host) == ["ensure_host"]
    again = applied(host, "edge-1", "1")
    assert again["again"] and again["package"] == first["package"]
    second = applied(host, "edge-1", "2")
    assert second["package"] != first["package"]
    old = host.view(f"package/{first['package']}")
    assert (old["status"], old["end_reason"]["type"]) == ("revoked", "replaced")
    assert host.outstanding(f"package/{second['package']}") == [], "the new client waits for the old one's end"
    assert settle(host) == ["delete_host", "ensure_host"]


def test_what_an_executor_needs_is_revealed_and_given_to_the_node(host: Host) -> None:
    issued = applied(host, "edge-1", "1")
    (ensure,) = work.outstanding(host.store, registrar=host.registrar, now=host.now)
    value = handfast.reveal(host.store, ensure, registrar=host.registrar)
    assert isinstance(value, handfast.Secret) and len(value.expose()) == 43
    early = handfast.deliver(to={"type": "operator", "package": issued["package"]}, authority=OPERATOR)
    assert host.refused(early)["code"] == "not_ready"
    host.report(ensure, {"type": "failed", "reason": "upstream is down"})
    assert host.view(f"package/{issued['package']}")["resources"][0]["reason"] == "upstream is down"
    assert work.outstanding(host.store, registrar=host.registrar, now=host.now) == [], "it waits"
    host.after(60)
    settle(host)
    delivered = host.run(early)
    assert delivered["type"] == "delivered"
    (content,) = host.redeem(delivered["token"])["contents"]
    assert content["type"] == "host" and content["value"] == value


def test_a_new_token_replaces_the_old_one_at_once_or_after_its_first_use(host: Host) -> None:
    first = host.issue()
    reissue: Any = {"package": first["package"], "authority": OPERATOR, "deliver": True}
    second = host.run(handfast.reissue(**reissue, request="r-1"))
    assert second["type"] == "reissued" and "old_until" not in second
    again = host.run(handfast.reissue(**reissue, request="r-1"))
    assert again["type"] == "reissued" and again["again"] and again["token"] == second["token"]
    assert host.refused(handfast.redeem(token=first["token"], fingerprint="m1"))["code"] == "unknown_token"

    third = host.run(handfast.reissue(**reissue, make_before_break=True, grace_seconds=60))
    assert third["type"] == "reissued" and third["old_until"] == in_seconds(host, 60)
    explained = handfast.explain(
        host.store, handfast.redeem(token=second["token"], fingerprint="m1"), registrar=host.registrar, now=host.now
    )
    assert explained["type"] == "accepted", "both are good"
    host.redeem(third["token"], "m1")
    assert host.refused(handfast.redeem(token=second["token"], fingerprint="m1"))["code"] == "unknown_token"


def test_a_link_is_followed_once(host: Host) -> None:
    issued = host.run(handfast.issue(name="edge-1", authority=OPERATOR))
    assert issued["type"] == "issued"
    linked = host.run(handfast.make_link(package=issued["package"], ttl_seconds=60, authority=OPERATOR))
    assert linked["type"] == "linked" and "hfl1_" not in repr(linked)
    assert linked["expires_at"] == in_seconds(host, 60)
    host.after(59)
    follow = handfast.deliver(to={"type": "link", "link": linked["link"]}, source="192.0.2.7")
    delivered = host.run(follow)
    assert delivered["type"] == "delivered"
    host.redeem(delivered["token"])
    other = handfast.deliver(to={"type": "link", "link": linked["link"]}, source="198.51.100.1")
    assert host.run(other)["type"] == "refused"


def test_children_sit_where_the_policy_lets_them_and_end_with_their_parent(store: AnyStore) -> None:
    host = Host(store, SITES)
    site = host.issue("site-1", kind="site", deliver=False)["package"]
    wrong = handfast.issue(name="a", kind="node", parent=site, authority=OPERATOR)
    assert host.refused(wrong)["code"] == "parent_not_allowed"
    gateway = host.issue("gateway-1", kind="gateway", parent=site)
    node = host.redeem(gateway["token"])["node"]
    revoke(host, site)
    assert status(host, gateway["package"]) == "revoked"
    assert host.view(f"node/{node}")["status"] == "retired"


def test_an_item_of_a_pool_is_with_one_package_and_comes_back(host: Host) -> None:
    change = handfast.change_pool(
        scope="default", pool="wg", add={"peer-1": handfast.Secret("PrivateKey=1"), "peer-2": None}, authority=OPERATOR
    )
    assert host.run(change) == {"type": "configured", "changed": True}
    wanted: list[Content] = [{"type": "pool_item", "pool": "wg"}]
    first = host.issue("a", contents=wanted)
    host.issue("b", contents=wanted)
    assert host.refused(handfast.issue(name="c", contents=wanted, authority=OPERATOR))["code"] == "pool_empty"
    (content,) = host.redeem(first["token"])["contents"]
    assert content["type"] == "pool_item" and content["item"] == "peer-1"
    assert content["content"] == handfast.Secret("PrivateKey=1")
    taken = handfast.change_pool(scope="default", pool="wg", remove=["peer-1"], authority=OPERATOR)
    assert host.refused(taken)["code"] == "pool_item_in_use"
    revoke(host, first["package"])
    assert host.run(taken) == {"type": "configured", "changed": True}


def test_a_node_leaves_is_evicted_or_banned(host: Host) -> None:
    issued = host.issue(max_uses=3)
    nodes = [host.redeem(issued["token"], name)["node"] for name in ("m1", "m2", "m3")]
    leave = handfast.leave(node=nodes[0], fingerprint="m1")
    assert host.run(leave) == {"type": "node_ended", "node": nodes[0], "again": False}
    evict = handfast.evict(node=nodes[1], authority=OPERATOR)
    assert host.run(evict) == {"type": "node_ended", "node": nodes[1], "again": False}
    assert host.run(evict) == {"type": "node_ended", "node": nodes[1], "again": True}
    ban = handfast.ban(scope="default", subject="m3", reason="stolen", authority=OPERATOR)
    banned = {"type": "banned", "scope": "default", "subject": "m3", "node": nodes[2], "again": False}
    assert host.run(ban) == banned
    fresh = host.issue("edge-2", max_uses=3)
    assert host.redeem(fresh["token"], "m2")["node"] != nodes[1], "an evicted node may return"
    assert host.refused(handfast.redeem(token=fresh["token"], fingerprint="m3"))["code"] == "banned"


def test_a_ban_is_lifted_and_recoveries_are_counted_anew(host: Host) -> None:
    ban = handfast.ban(scope="default", subject="m1", authority=OPERATOR)
    host.run(ban)
    unban = handfast.unban(scope="default", subject="m1", reason="a mistake", authority=OPERATOR)
    assert host.run(unban) == {"type": "unbanned", "scope": "default", "subject": "m1", "again": False}
    host.redeem(host.issue()["token"], "m1")
    reset = handfast.reset_recoveries(key="subject/default/m1", authority=OPERATOR)
    assert host.run(reset) == {"type": "recoveries_reset", "changed": False}


def test_a_copied_node_is_kept_away_until_its_token_is_reissued(store: AnyStore) -> None:
    host = Host(store, {"on_clone_suspected": "quarantine"})
    issued = host.issue(contents=[{"type": "file", "name": "agent.env", "content": "PASSWORD=hunter2"}])
    redeemed = host.redeem(issued["token"])
    assert not redeemed["contents_shredded"]
    first = handfast.check_in(node=redeemed["node"], fingerprint="m1", sequence=1, attempt="a")
    assert [host.run(first)["type"] for _ in range(2)] == ["checked_in", "checked_in"]
    assert host.refused({**first, "attempt": "b"})["code"] == "clone_suspected"
    assert host.refused({**first, "sequence": 2})["code"] == "quarantined"
    assert host.refused(handfast.redeem(token=issued["token"], fingerprint="m1"))["code"] == "token_locked"
    reissued = host.run(handfast.reissue(package=issued["package"], deliver=True, authority=OPERATOR))
    assert reissued["type"] == "reissued" and reissued["contents_shredded"]
    assert host.redeem(reissued["token"])["contents_shredded"]
    assert host.run({**first, "attempt": "c"})["type"] == "checked_in"


def test_a_subject_that_connects_activates_its_package(host: Host) -> None:
    spiffe_id = "spiffe://example.org/edge-1"
    issued = host.issue(activates_on="report", bindings={"spiffe_id": spiffe_id})
    observe = handfast.observe_subject(scope="default", subject=spiffe_id, authority="executor:mesh")
    observed = host.run(observe)
    assert observed["type"] == "subject_observed", observed
    assert (observed["package"], observed["activated"]) == (issued["package"], True)
    assert status(host, issued["package"]) == "activated"
    stranger = handfast.observe_subject(
        scope="default", subject="spiffe://example.org/stranger", authority="executor:mesh"
    )
    assert host.run(stranger)["type"] == "refused"


def test_any_number_of_uses_is_something_else_than_nothing_said(host: Host) -> None:
    assert "max_uses" not in handfast.issue(name="a")
    assert handfast.issue(name="a", max_uses=None)["max_uses"] is None
    token = host.issue(max_uses=None)["token"]
    assert len({host.redeem(token, f"m{number}")["node"] for number in range(40)}) == 40
    host.run(handfast.configure_scope(scope="default", max_active=10, authority=OPERATOR))
    unbounded = handfast.issue(name="b", max_uses=None, authority=OPERATOR)
    assert host.refused(unbounded)["code"] == "unbounded_package"


def test_what_has_ended_is_forgotten(host: Host) -> None:
    issued = host.issue()
    key = f"package/{issued['package']}"
    assert host.refused(handfast.forget(key=key, authority=OPERATOR))["code"] == "not_ended"
    revoke(host, issued["package"])
    assert host.run(handfast.forget(key=key, authority=OPERATOR)) == {"type": "forgotten", "changed": True}
    assert host.view(key)["type"] == "forgotten"


@pytest.mark.parametrize("word", ["max_uses", "deliver", "parent"])
def test_a_function_says_what_its_arguments_mean(word: str) -> None:
    assert f"``{word}``: " in (handfast.issue.__doc__ or "")
