"""Nodes that prove a key: nonces, credentials, and the keys they verify under."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from support import AnyStore, Host, ring

import handfast
from handfast import NodeKey, Secret
from handfast.types import Policy, SigningRing

BASE = "https://enroll.example/api"
POLICY: Policy = {"base_url": BASE, "issuer": "https://enroll.example"}
SIGNING = NodeKey.generate("EdDSA")


def host_with(store: AnyStore | None, signing: Any) -> Host:
    host = Host(store)
    host.registrar = handfast.Registrar(POLICY, peppers=ring(1), sealing=ring(2), signing=signing)
    return host


@pytest.fixture
def host(store: AnyStore) -> Host:
    return host_with(store, {"current": "s1", "keys": {"s1": SIGNING}})


class Node:
    """A node with its key. Its clock was never set, and need not be."""

    def __init__(self, host: Host, nonce: str | None = None) -> None:
        self.host, self.key, self.nonce = host, NodeKey.generate(), nonce
        self.asked = 0

    def ask(self, path: str, covered: Secret, command: Any) -> Any:
        """Do what a node does: on ``use_nonce`` it tries once more."""
        while True:
            self.asked += 1
            proof = self.key.make_proof(
                method="POST", url=BASE + path, token=covered, nonce=self.nonce, now="1970-01-01T00:00:00Z"
            )
            proven: Any = {**command, "proof": proof}
            answer = self.host.run(proven)
            if answer["type"] != "use_nonce":
                return answer
            self.nonce = answer["nonce"]

    def redeem(self, token: Secret) -> Any:
        return self.ask("/redeem", token, {"type": "redeem", "token": token})

    def check_in(self, node: str, credential: Secret, sequence: int) -> Any:
        command = {"type": "check_in", "node": node, "credential": credential, "sequence": sequence}
        return self.ask("/check-in", credential, command)


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(credential: Secret, jwks: handfast.types.Jwks | None) -> Any:
    """What a credential says, after another implementation has verified it."""
    header, body, signature = credential.expose().split(".")
    assert jwks is not None
    (jwk,) = [jwk for jwk in jwks["keys"] if jwk["kid"] == json.loads(decode(header))["kid"]]
    key = ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))
    key.verify(decode(signature), f"{header}.{body}".encode())
    return json.loads(decode(body))


def test_a_node_that_proves_its_key_is_given_a_credential(host: Host) -> None:
    node = Node(host)
    token = host.issue()["token"]
    redeemed = node.redeem(token)
    assert redeemed["type"] == "redeemed" and node.asked == 2
    said = claims(redeemed["credential"]["token"], host.registrar.public_jwks())
    assert (said["sub"], said["iss"]) == (redeemed["node"], "https://enroll.example")
    assert said["cnf"] == {"jkt": node.key.thumbprint}
    assert "ey" not in repr(redeemed["credential"]["token"])
    again = node.redeem(token)
    assert again["again"] and again["credential"] == redeemed["credential"]
    checked_in = node.check_in(redeemed["node"], redeemed["credential"]["token"], 1)
    assert checked_in["type"] == "checked_in"
    assert checked_in["credential"]["token"] != redeemed["credential"]["token"]
    thief = Node(host)
    assert thief.check_in(redeemed["node"], checked_in["credential"]["token"], 2)["type"] == "refused"


def test_a_nonce_that_was_given_beforehand_saves_a_turn(host: Host) -> None:
    node = Node(host, host.registrar.nonce(now=host.now))
    assert node.redeem(host.issue()["token"])["type"] == "redeemed" and node.asked == 1
    stale = Node(host, host.registrar.nonce(now=host.now))
    host.after(61)
    assert stale.redeem(host.issue("edge-2")["token"])["type"] == "redeemed" and stale.asked == 2


def test_keys_are_rotated_and_what_was_signed_before_still_verifies(host: Host) -> None:
    node = Node(host)
    redeemed = node.redeem(host.issue()["token"])
    new = NodeKey.generate("EdDSA")
    signing: SigningRing = {"current": "s2", "keys": {"s1": SIGNING.to_pem(), "s2": new.to_pem().expose()}}
    rotated = host_with(host.store, signing)
    node.host = rotated
    checked_in = node.check_in(redeemed["node"], redeemed["credential"]["token"], 1)
    jwks = rotated.registrar.public_jwks()
    assert jwks is not None and [jwk["kid"] for jwk in jwks["keys"]] == ["s1", "s2"]
    assert claims(checked_in["credential"]["token"], jwks)["sub"] == redeemed["node"]
    assert all("d" not in jwk for jwk in jwks["keys"])


def test_without_signing_keys_there_are_no_credentials() -> None:
    host = host_with(None, None)
    assert host.registrar.public_jwks() is None
    redeemed = Node(host).redeem(host.issue()["token"])
    assert redeemed["type"] == "redeemed" and "credential" not in redeemed


@pytest.mark.parametrize("key", ["a", b"\xff", 7, SIGNING.to_pem().expose().replace("PRIVATE", "PUBLIC"), Secret("x")])
def test_what_is_no_key_is_told_where_it_is_wrong(key: Any) -> None:
    pem = SIGNING.to_pem().expose()
    for good in (pem, pem.encode(), bytearray(pem.encode()), SIGNING, SIGNING.to_pem()):
        host_with(None, {"current": "s1", "keys": {"s1": good}})
    with pytest.raises(handfast.InvalidInput) as raised:
        host_with(None, {"current": "s1", "keys": {"s1": key}})
    assert raised.value.path == "signing.keys.s1"
    with pytest.raises(handfast.InvalidInput) as raised:
        host_with(None, {"current": "s2", "keys": {"s1": SIGNING}})
    assert (raised.value.path, raised.value.code) == ("signing.current", "invalid_input")
    with pytest.raises(handfast.InvalidInput, match="signing: expected"):
        host_with(None, {"keys": {"s1": SIGNING}})


def test_a_host_may_not_vouch_for_what_the_policy_wants_proven(host: Host) -> None:
    token = host.issue()["token"]
    vouched = host.refused(handfast.redeem(token=token, fingerprint="m1"))
    assert vouched["code"] == "proof_required"
