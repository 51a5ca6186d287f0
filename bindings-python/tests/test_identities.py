"""Identity documents of EC2 instances in commands: a redemption and a delivery that an instance proves itself for."""

from __future__ import annotations

from typing import Any

import pytest
from support import INSTANCE, OPERATOR, RULE_POLICY, START, VECTORS, AnyStore, Host, load

import handfast
from handfast import InstanceIdentity, InvalidInput
from handfast.types import Command, EffectOutcome

CASES = load(VECTORS / "identity" / "cases.json")
ACCOUNT = "123456789012"
AT: Any = {"type": "instance", "instance": INSTANCE}
DESCRIBED: EffectOutcome = {
    "type": "described",
    "account": ACCOUNT,
    "region": "us-east-1",
    "state": "running",
    "addresses": ["192.0.2.7"],
    "tags": {"role": "worker"},
}


def identity() -> InstanceIdentity:
    """The document of INSTANCE, as its metadata service gave it."""
    genuine = CASES["cases"][0]
    trust = CASES["trusts"][genuine["trust"]]
    return handfast.aws.verify_identity(genuine["proof"]["pkcs7"], trust=trust, now=START)


def path_of(host: Host, command: Command | dict[str, Any]) -> str:
    with pytest.raises(InvalidInput) as raised:
        host.run(command)  # type: ignore[arg-type]
    return raised.value.path


def test_a_redemption_is_proven_by_an_identity_document(host: Host) -> None:
    place: Any = {"accounts": [ACCOUNT], "regions": ["us-east-1"], "instance": INSTANCE}
    token = host.issue(bindings=place)["token"]
    # Anybody can say so; only the document proves it.
    said = handfast.redeem(token=token, fingerprint="m1", instance=INSTANCE)
    assert host.refused(said)["code"] == "binding_mismatch"
    assert host.redeem(token, identity=identity())["again"] is False
    elsewhere = host.issue("edge-2", bindings={**place, "accounts": ["999999999999"]})["token"]
    command = handfast.redeem(token=elsewhere, fingerprint="m2", identity=identity())
    assert host.refused(command)["code"] == "binding_mismatch"


def test_a_delivery_is_proven_by_an_identity_document(store: AnyStore) -> None:
    host = Host(store, RULE_POLICY)
    host.observe("running")
    key = f"instance/{INSTANCE}"
    (describe,) = host.outstanding(key)
    host.report(describe, DESCRIBED)
    (ensure,) = host.outstanding(f"package/{host.view(key)['package']}")
    host.report(ensure, {"type": "done"})
    # The address says nothing here: the instance is behind a gateway.
    gateway = "198.51.100.1"
    assert host.refused(handfast.deliver(to=AT, source=gateway))["code"] == "wrong_address"
    explained = handfast.explain(
        store, handfast.deliver(to=AT, source=gateway, identity=identity()), registrar=host.registrar, now=host.now
    )
    assert explained["type"] == "accepted"
    answer = host.run(handfast.deliver(to=AT, source=gateway, identity=identity()))
    assert answer["type"] == "delivered" and len(answer["contents"]) == 1
    host.after(601)
    late = host.refused(handfast.deliver(to=AT, source=gateway, identity=identity()))
    assert late["code"] == "already_delivered"


def test_an_identity_belongs_into_two_commands(host: Host) -> None:
    token = host.issue()["token"]
    proof = identity()
    assert path_of(host, {"type": "issue", "name": "a", "authority": OPERATOR, "identity": proof}) == "identity"
    to: Any = {"type": "operator", "package": host.issue("b", deliver=False)["package"]}
    assert path_of(host, {"type": "deliver", "to": to, "authority": OPERATOR, "identity": proof}) == "identity"
    assert path_of(host, {"type": "deliver", "to": {**AT, "identity": proof}}) == "to.identity"
    for forged in (proof.to_dict(), INSTANCE, None):
        redeem = {"type": "redeem", "token": token, "fingerprint": "m1", "identity": forged}
        assert path_of(host, redeem) == "identity"
    # What is wrong beside it is said as ever, and nothing was spent.
    assert path_of(host, {"type": "redeem", "tokn": token, "fingerprint": "m1", "identity": proof}) == "tokn"
    assert host.redeem(token, identity=proof)["again"] is False


def test_a_command_keeps_its_identity() -> None:
    host, proof = Host(), identity()
    command = handfast.redeem(token=host.issue()["token"], fingerprint="m1", identity=proof)
    assert [host.run(command)["type"] for _ in range(2)] == ["redeemed", "redeemed"]
    assert command.get("identity") is proof
