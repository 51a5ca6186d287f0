"""A node's key against ``core/vectors/jose/cases.json``, and its proofs against another implementation."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from support import VECTORS, load

from handfast import CryptoError, InvalidInput, NodeKey, Secret

CASES: dict[str, Any] = load(VECTORS / "jose" / "cases.json")
ALGORITHMS = ("ES256", "EdDSA")


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verified(proof: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, after another implementation has verified the signature."""
    signed, signature = proof.rsplit(".", 1)
    header, claims = (json.loads(decode(part)) for part in signed.split("."))
    jwk, raw = header["jwk"], decode(signature)
    if header["alg"] == "EdDSA":
        ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"])).verify(raw, signed.encode())
    else:
        x, y = (int.from_bytes(decode(jwk[name]), "big") for name in "xy")
        r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
    return header, claims


def test_keys_are_read_and_written() -> None:
    for case in CASES["keys"]:
        for pem in (case["pem"], Secret(case["pem"])):
            key = NodeKey.from_pem(pem)
            assert key.to_pem() == Secret(case["pem"])
            assert key.public_jwk() == case["jwk"]
            assert (key.algorithm, key.thumbprint) == (case["algorithm"], case["thumbprint"])
    for note, pem in CASES["refused_keys"].items():
        with pytest.raises(CryptoError) as raised:
            NodeKey.from_pem(pem)
        assert (raised.value.code, str(raised.value)) == ("unusable_key", "unusable key"), note
    assert (len(CASES["keys"]), len(CASES["refused_keys"])) == (4, 10)
    with pytest.raises(InvalidInput, match="pem: expected a text or a Secret"):
        NodeKey.from_pem(b"x")  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_drawn_anew_each_time_and_stays_hidden(algorithm: Any) -> None:
    key, other = NodeKey.generate(algorithm), NodeKey.generate(algorithm)
    assert key.algorithm == algorithm and key.thumbprint != other.thumbprint
    assert repr(key) == f"NodeKey({algorithm}, {key.thumbprint}, [redacted])"
    assert "d" not in key.public_jwk()
    for copied in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            copied(key)
    assert NodeKey.generate().algorithm == "ES256"


@pytest.mark.parametrize("algorithm", ["RS256", "HS256", "none", "es256", ""])
def test_other_algorithms_are_no_node_keys(algorithm: Any) -> None:
    with pytest.raises(InvalidInput, match="algorithm: expected ES256 or EdDSA") as raised:
        NodeKey.generate(algorithm)
    assert raised.value.path == "algorithm"


def test_proofs_say_what_the_vectors_say() -> None:
    for case in CASES["proofs"]:
        key = NodeKey.from_pem(CASES["keys"][case["key"]]["pem"])
        request = {name: case.get(name) for name in ("method", "url", "token", "nonce", "now")}
        header, claims = verified(key.make_proof(**request))
        assert header == {"alg": key.algorithm, "typ": "dpop+jwt", "jwk": key.public_jwk()}
        assert len(decode(claims["jti"])) == 16 and claims["jti"] != case["claims"]["jti"]
        assert claims | {"jti": ""} == case["claims"] | {"jti": ""}
        if case.get("token"):
            assert "ath" in claims
            _, same = verified(key.make_proof(**request | {"token": Secret(case["token"])}))
            assert same["ath"] == claims["ath"]
        assert verified(case["proof"])[1] == case["claims"]
    assert len(CASES["proofs"]) == 10


def test_what_is_no_request_is_told_where_it_is_wrong() -> None:
    key = NodeKey.generate()
    for case in CASES["refused_proofs"]:
        with pytest.raises(InvalidInput) as raised:
            key.make_proof(**case)
        wrong = "nonce" if "nonce" in case else "method" if case["url"].startswith("https://enroll.example/api/") else "url"
        assert (raised.value.path, str(raised.value)[: len(wrong) + 2]) == (wrong, f"{wrong}: ")
    assert len(CASES["refused_proofs"]) == 13
    for arguments in ({"token": 7}, {"now": "soon"}, {"now": datetime(2026, 1, 1)}):
        with pytest.raises(InvalidInput):
            key.make_proof(method="GET", url="https://a.example", **arguments)


def test_a_proof_is_of_its_moment_and_of_its_own() -> None:
    key = NodeKey.generate("EdDSA")
    request: dict[str, Any] = {"method": "POST", "url": "https://a.example/x", "token": "hf1_A"}
    at = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc)
    first, second = (verified(key.make_proof(**request, now=at))[1] for _ in range(2))
    assert first["iat"] == second["iat"] == 1767323045
    assert first["jti"] != second["jti"]
    assert first["ath"] == urlsafe_b64encode(hashlib.sha256(b"hf1_A").digest()).rstrip(b"=").decode()
    before = datetime.now(timezone.utc).timestamp()
    assert before - 1 <= verified(key.make_proof(**request))[1]["iat"] <= datetime.now(timezone.utc).timestamp()
