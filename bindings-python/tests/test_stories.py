"""What a host and its nodes live through, on every store."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from datetime import timedelta

import pytest
from support import INSTANCE, OPERATOR, RULE_POLICY, START, AnyStore, Host

import handfast
from handfast.types import Batch, EffectOutcome, Row


def test_a_package_is_issued_redeemed_and_in_use(host: Host) -> None:
    issued = host.issue(
        contents=[{"type": "file", "name": "agent.env", "content": "PASSWORD=hunter2"}],
        labels={"site": "north"},
        ttl_seconds=900,
    )
    assert issued["expires_at"] == handfast.timestamp(START + timedelta(seconds=900))
    assert (issued["status"], issued["again"]) == ("delivered", False)

    redeemed = host.after(5).redeem(issued["token"], source="192.0.2.7")
    (content,) = redeemed["contents"]
    assert content["type"] == "file" and content["name"] == "agent.env"
    assert content["content"].expose() == "PASSWORD=hunter2"

    check_in = handfast.check_in(node=redeemed["node"], fingerprint="m1", sequence=1)
    assert host.after(5).run(check_in) == {
        "type": "checked_in",
        "node": redeemed["node"],
        "sequence": 1,
        "again": False,
    }
    package = host.view(f"package/{issued['package']}")
    assert package["status"] == "activated"
    assert package["issued"]["labels"] == {"site": "north"}


def test_a_package_is_handed_over_once_and_to_the_same_operator_again(host: Host) -> None:
    issued = host.issue(deliver=False)
    assert "token" not in issued
    recipient = {"type": "operator", "package": issued["package"]}
    deliver = handfast.deliver(to=recipient, authority=OPERATOR)  # type: ignore[arg-type]
    first = host.run(deliver)
    again = host.after(60).run(deliver)
    assert first["type"] == again["type"] == "delivered"
    assert (first["again"], again["again"]) == (False, True)
    assert first["token"] == again["token"]
    refused = host.refused(handfast.deliver(to={"type": "operator", "package": issued["package"]}, authority="operator:bob"))
    assert (refused["code"], refused["class"]) == ("already_delivered", "conflict")


def test_a_lost_reply_costs_nothing_and_a_second_machine_gets_nothing(host: Host) -> None:
    token = host.issue()["token"]
    first = host.redeem(token)
    again = host.after(30).redeem(token)
    assert again == {**first, "again": True}
    refused = host.refused(handfast.redeem(token=token, fingerprint="m2", source="198.51.100.9"))
    assert (refused["code"], refused["class"]) == ("already_claimed", "denied")
    assert refused["message"]


def test_the_first_check_in_closes_the_grant(host: Host) -> None:
    issued = host.issue(contents=[{"type": "file", "name": "a", "content": "x"}])
    node = host.redeem(issued["token"])["node"]
    host.run(handfast.check_in(node=node, fingerprint="m1", sequence=1))
    refused = host.refused(handfast.redeem(token=issued["token"], fingerprint="m1"))
    assert refused["code"] == "grant_closed"
    again = host.run(handfast.check_in(node=node, fingerprint="m1", sequence=1))
    assert again["type"] == "checked_in" and again["again"]


def test_bindings_are_held_against_the_request(host: Host) -> None:
    issued = host.issue(bindings={"cidrs": ["192.0.2.0/24"], "node_name": "edge-1"})
    wrong = handfast.redeem(token=issued["token"], fingerprint="m1", node_name="edge-1", source="198.51.100.1")
    assert host.refused(wrong)["code"] == "binding_mismatch"
    address = ipaddress.ip_address("192.0.2.9")
    assert host.redeem(issued["token"], node_name="edge-1", source=address)["again"] is False


def test_an_unused_package_expires_and_not_a_millisecond_before(host: Host) -> None:
    issued = host.issue(ttl_seconds=60)
    key = f"package/{issued['package']}"
    host.after(59.999)
    assert host.run(handfast.expire(key=key)) == {"type": "expired", "changed": False}
    host.after(0.001)
    assert key in host.store.due(host.now)
    suspect = host.run(handfast.expire(key=key), trusted_clock=False)
    assert suspect["type"] == "refused" and suspect["code"] == "clock_suspect"
    assert host.run(handfast.expire(key=key)) == {"type": "expired", "changed": True}
    assert host.view(key)["status"] == "expired"
    assert host.refused(handfast.redeem(token=issued["token"], fingerprint="m1"))["code"] == "ended"


def test_revoking_ends_everything_at_once_and_twice_is_once(host: Host) -> None:
    issued = host.issue()
    redeemed = host.redeem(issued["token"])
    revoke = handfast.revoke(package=issued["package"], reason="left the company", authority=OPERATOR)
    for _ in range(2):
        answer = host.run(revoke)
        assert answer["type"] == "revoked" and answer["status"] == "revoked"
    check_in = handfast.check_in(node=redeemed["node"], fingerprint="m1", sequence=1)
    assert host.refused(check_in)["code"] == "ended"


def test_a_repeated_request_gives_the_same_package(host: Host) -> None:
    first = host.issue(request="r-1")
    again = host.issue(request="r-1")
    assert (first["package"], again["again"]) == (again["package"], True)
    taken = host.refused(handfast.issue(name="edge-1", authority=OPERATOR))
    assert taken["code"] == "name_taken"


def test_explain_says_what_would_happen_and_changes_nothing(host: Host) -> None:
    issued = host.issue(ttl_seconds=600)
    before = host.events()
    redeem = handfast.redeem(token=issued["token"], fingerprint="m1")

    def explain(seconds: int) -> object:
        at = START + timedelta(seconds=seconds)
        return handfast.explain(host.store, redeem, registrar=host.registrar, now=at)

    facts = ["package_claimed", "node_claimed", "subject_bound"]
    records = [f"package/{issued['package']}"]
    assert explain(0) == {"type": "accepted", "facts": facts, "records": records}
    late = explain(600)
    assert isinstance(late, dict) and (late["type"], late["code"]) == ("refused", "expired")
    assert host.events() == before


def test_a_cloud_instance_gets_its_bootstrap_token(store: AnyStore) -> None:
    host = Host(store, RULE_POLICY)
    key = f"instance/{INSTANCE}"
    assert host.observe("running")["changed"]
    (describe,) = host.outstanding(key)
    assert describe["work"] == {
        "type": "describe_instance",
        "instance": INSTANCE,
        "account": "123456789012",
        "region": "us-east-1",
    }
    assert handfast.reveal(host.store, describe, registrar=host.registrar) is None
    assert host.report(describe, {"type": "started", "lease_seconds": 60})["type"] == "reported"
    assert host.refused(
        handfast.report(effect=describe["id"], outcome={"type": "done"}, authority="executor:w2")
    )["code"] == "not_outstanding"
    described: EffectOutcome = {
        "type": "described",
        "account": "123456789012",
        "region": "us-east-1",
        "state": "running",
        "addresses": ["10.0.0.7"],
        "tags": {"role": "worker"},
        "launched_at": START,
    }
    assert host.report(describe, described) == {"type": "reported", "changed": True}
    assert not host.outstanding(key)

    package = f"package/{host.view(key)['package']}"
    (ensure,) = host.outstanding(package)
    assert ensure["work"]["type"] == "ensure_bootstrap_token"
    secret = handfast.reveal(host.store, ensure, registrar=host.registrar)
    assert isinstance(secret, handfast.kubernetes.BootstrapSecret) and secret.name == ensure["work"]["name"]
    manifest = secret.to_yaml().expose()
    assert f'handfast.dev/instance-id: "{INSTANCE}"' in manifest
    early = host.refused(handfast.deliver(to={"type": "instance", "instance": INSTANCE}, source="10.0.0.7"))
    assert early["code"] == "not_ready"
    host.report(ensure, {"type": "done"})

    stranger = host.refused(handfast.deliver(to={"type": "instance", "instance": INSTANCE}, source="10.0.0.8"))
    assert (stranger["code"], stranger["class"]) == ("wrong_address", "not_found")
    delivered = host.run(handfast.deliver(to={"type": "instance", "instance": INSTANCE}, source="10.0.0.7"))
    assert delivered["type"] == "delivered"
    (content,) = delivered["contents"]
    assert content["type"] == "kubernetes_bootstrap_token"
    token = handfast.kubernetes.BootstrapToken(content["token"])
    assert secret.name == token.secret_name

    assert host.after(60).observe("terminated")["changed"]
    (delete,) = host.outstanding(package)
    assert delete["work"] == {"type": "delete_bootstrap_token", "name": secret.name}
    host.report(delete, {"type": "done"})
    assert not host.outstanding(package)
    assert host.view(package)["status"] == "retired"
    assert not host.after(1).observe("running")["changed"]


def test_refusals_are_counted_and_not_stored_one_by_one(host: Host) -> None:
    for address in range(20):
        host.refused(handfast.redeem(token="hf1_guessed", fingerprint="m1", source=f"203.0.113.{address}"))
    (counted,) = host.store.notices()
    assert counted["count"] == 20
    notice = host.registrar.view(counted["notice"]["body"])
    assert (notice["code"], notice["network"]) == ("malformed_token", "203.0.113.0/24")
    assert not host.events()


def test_what_the_policy_does_not_allow_is_refused_by_default(store: AnyStore) -> None:
    host = Host(store, {"vouched_fingerprints": False})
    token = host.issue()["token"]
    assert host.refused(handfast.redeem(token=token, fingerprint="m1"))["code"] == "proof_required"


def test_the_history_gives_the_records_bit_for_bit(store: AnyStore) -> None:
    host = Host(store, RULE_POLICY)
    token = host.issue(contents=[{"type": "file", "name": "a", "content": "x"}])["token"]
    host.run(handfast.check_in(node=host.redeem(token)["node"], fingerprint="m1", sequence=1))
    host.observe("running")
    replayed = handfast.Ledger.replay(host.events())
    again = {row["key"]: (row["version"], row["body"]) for row in replayed.records()}
    assert len(again) == 5
    for key, (version, body) in again.items():
        assert host.store.read([key]) == [{"key": key, "version": version, "body": body}]


def test_every_fact_is_a_json_document_without_secrets(host: Host) -> None:
    token = host.issue(contents=[{"type": "file", "name": "a", "content": "hunter2"}])["token"]
    host.redeem(token)
    for body in host.events():
        assert "hunter2" not in body and token.expose() not in body
        assert host.registrar.view(body)["schema"] == 2


class AsyncStore:
    """Any store behind coroutines."""

    def __init__(self, inner: AnyStore) -> None:
        self.inner = inner

    async def read(self, keys: Sequence[str], /) -> Sequence[Row]:
        await asyncio.sleep(0)
        return self.inner.read(keys)

    async def commit(self, batch: Batch, /) -> bool:
        await asyncio.sleep(0)
        assert not isinstance(self.inner, handfast.Ledger)
        return self.inner.commit(batch)


def test_the_same_story_with_coroutines(host: Host) -> None:
    wrapped = host.store if isinstance(host.store, handfast.Ledger) else AsyncStore(host.store)

    async def story() -> str:
        issue = handfast.issue(name="edge-1", authority=OPERATOR, deliver=True)
        issued = await handfast.run_async(wrapped, issue, registrar=host.registrar, now=host.now)
        assert issued["type"] == "issued"
        redeem = handfast.redeem(token=issued["token"], fingerprint="m1")
        redeemed = await handfast.run_async(wrapped, redeem, registrar=host.registrar, now=host.now)
        again = await handfast.run_async(host.store, redeem, registrar=host.registrar, now=host.now)
        assert redeemed["type"] == again["type"] == "redeemed"
        assert again["again"]
        return redeemed["node"]

    assert host.view(f"node/{asyncio.run(story())}")["fingerprint"] == "m1"


@pytest.mark.parametrize("now", ["2026-03-01T12:00:30Z", "2026-03-01T13:00:30.0009+01:00", START])
def test_the_present_in_every_spelling(host: Host, now: object) -> None:
    issue = handfast.issue(name="edge-1", authority=OPERATOR, ttl_seconds=60)
    answer = handfast.run(host.store, issue, registrar=host.registrar, now=now)  # type: ignore[arg-type]
    assert answer["type"] == "issued" and answer["expires_at"] == "2026-03-01T12:01:30.000Z"


def test_without_a_present_it_is_the_systems(host: Host) -> None:
    issue = handfast.issue(name="edge-1", authority=OPERATOR)
    before = handfast.timestamp()
    answer = handfast.run(host.store, issue, registrar=host.registrar)
    assert answer["type"] == "issued"
    created = host.view(f"package/{answer['package']}")["created_at"]
    assert before <= created <= handfast.timestamp()
