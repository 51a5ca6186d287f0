#!/usr/bin/env python3
"""Writes jose/cases.json: what every language must do with node keys, proofs and credentials; and seeds for fuzzing.

Nothing here calls handfast: keys and signatures come from `cryptography`, whose RFC 6979 and RFC 8032 signatures are
deterministic, so that whole tokens can be compared. The output is the same at every run.

    pip install -r requirements.txt && python3 generate_jose.py
    python3 generate_jose.py check       exit 1 when a committed file differs from what would be written
"""

import base64
import hashlib
import hmac
import json
import pathlib
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent.parent / "fuzz" / "corpus"
NOW = 1767323045  # 2026-01-02T03:04:05Z
URL = "https://enroll.example/api/redeem"
TOKEN = "hf1_ABC"


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def es256(byte: int):
    return ec.derive_private_key(int.from_bytes(bytes([byte]) * 32, "big"), ec.SECP256R1())


def eddsa(byte: int):
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32)


def algorithm(key) -> str:
    return "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "EdDSA"


def jwk(key) -> dict:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        x, y = (b64url(number.to_bytes(32, "big")) for number in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url(raw)}


def thumbprint(key) -> str:
    return b64url(hashlib.sha256(canonical(jwk(key))).digest())


def private_pem(key, format=serialization.PrivateFormat.PKCS8, encryption=serialization.NoEncryption()) -> str:
    return key.private_bytes(serialization.Encoding.PEM, format, encryption).decode()


def sign(key, message: bytes) -> bytes:
    if algorithm(key) == "EdDSA":
        return key.sign(message)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(key, header: dict, claims: dict) -> str:
    signed = f"{b64url(canonical({'alg': algorithm(key)} | header))}.{b64url(canonical(claims))}"
    return f"{signed}.{b64url(sign(key, signed.encode()))}"


def hash_of(text: str) -> str:
    return b64url(hashlib.sha256(text.encode()).digest())


def keys() -> list:
    return [
        {"algorithm": algorithm(key), "pem": private_pem(key), "jwk": jwk(key), "thumbprint": thumbprint(key)}
        for key in (es256(7), eddsa(7), es256(0x51), eddsa(0x51))
    ]


def refused_keys() -> dict:
    good = private_pem(es256(7))
    public = es256(7).public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "empty": "",
        "not a key": "hunter2",
        "a public key": public.decode(),
        "SEC 1 instead of PKCS#8": private_pem(es256(7), serialization.PrivateFormat.TraditionalOpenSSL),
        "another curve": private_pem(ec.derive_private_key(7, ec.SECP384R1())),
        "RSA": (HERE / "keys" / "leaf.pem").read_text(),
        "cut": good[: len(good) // 2],
        "another label": good.replace("PRIVATE KEY", "SECRET KEY"),
        "damaged": good.replace("MIG", "MIH", 1),
        "long": good + " " * 9000,
    }


def proofs() -> list:
    requests = [
        {"method": "POST", "url": URL},
        {"method": "POST", "url": URL, "token": TOKEN, "nonce": "n1.abc"},
        {"method": "GET", "url": "HTTPS://Enroll.Example:443?token=x#y", "htu": "https://enroll.example/"},
        {"method": "PUT", "url": "http://127.0.0.1:8080/a%2Fb//c", "token": "\u00e9\u20ac\U0001f600"},
        {"method": "DELETE", "url": "https://[2001:DB8::1]:8443/x", "htu": "https://[2001:db8::1]:8443/x", "nonce": "x" * 256},
    ]
    cases = []
    for position, key in enumerate((es256(7), eddsa(7))):
        for request in requests:
            id_bytes = hashlib.sha256(f"jti {len(cases)}".encode()).digest()[:16]
            claims = {"htm": request["method"], "htu": request.get("htu", request["url"]), "iat": NOW, "jti": b64url(id_bytes)}
            claims |= {"nonce": request["nonce"]} if "nonce" in request else {}
            claims |= {"ath": hash_of(request["token"])} if "token" in request else {}
            proof = token(key, {"typ": "dpop+jwt", "jwk": jwk(key)}, claims)
            case = {"key": position, "now": "2026-01-02T03:04:05.678Z", "entropy": id_bytes.hex()} | request
            cases.append(case | {"claims": claims, "proof": proof})
    return cases


def refused_proofs() -> list:
    good = {"method": "POST", "url": URL}
    changed = [
        {"method": ""}, {"method": "PO ST"}, {"method": "P" * 33}, {"url": ""}, {"url": "/api/redeem"},
        {"url": "ftp://enroll.example/"}, {"url": "https://ann@enroll.example/"}, {"url": "https://enroll.example/a b"},
        {"url": "https://enroll.example:0/"}, {"url": "https://"}, {"nonce": ""}, {"nonce": "a b"}, {"nonce": "x" * 257},
    ]
    return [good | change for change in changed]


def credentials() -> list:
    cases = []
    for kid, key in (("k1", es256(101)), ("k2", eddsa(102))):
        claims = {
            "iss": "https://enroll.example", "sub": "n-000102030405060708090a0b0c0d0e0f",
            "package": "019b7cb0-bfa5-7707-8707-070707070707", "scope": "acme", "jti": "c-1",
            "iat": NOW, "exp": NOW + 3600, "cnf": {"jkt": thumbprint(es256(7))},
        }
        text = token(key, {"typ": "handfast-node+jwt", "kid": kid}, claims)
        cases.append({"kid": kid, "pem": private_pem(key), "claims": claims, "credential": text})
    return cases


def nonces() -> list:
    time = (NOW * 1000).to_bytes(8, "big")
    tag = hmac.digest(bytes([1]) * 32, b"handfast nonce 1\nn1\n" + time, "sha256")
    return [{"kid": "n1", "key": "01" * 32, "now": "2026-01-02T03:04:05Z", "nonce": f"n1.{b64url(time + tag)}"}]


def token_seeds() -> dict:
    """See `fuzz/src/jwt.rs` for their form."""
    header = {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}
    payload = {"aud": "edge", "exp": 1700000600, "iat": 1700000000, "iss": "joe", "nbf": 1700000000}
    headers = [
        header, {"alg": "none"}, header | {"alg": "HS256"}, header | {"alg": "EdDSA"}, header | {"crit": ["exp"]},
        header | {"b64": False}, header | {"jwk": jwk(es256(66))}, header | {"jku": "https://a.example/"},
        header | {"kid": "k2"}, header | {"kid": 7}, header | {"typ": "JWT"}, header | {"x5c": []}, [], "x",
    ]
    payloads = [
        payload, payload | {"exp": "1700000600"}, payload | {"exp": 1700000600.5}, payload | {"exp": 1e300},
        payload | {"exp": -1}, payload | {"exp": 0}, payload | {"nbf": 1800000000}, payload | {"iat": 1800000000},
        payload | {"aud": ["a", "edge"]}, payload | {"aud": 7}, payload | {"iss": "eve"}, {"iss": "joe"}, [], None,
        payload | {"text": "\u00e9\u20ac\U0001f600\"\\\n", "deep": [[[[{"a": {"b": []}}]]]]},
    ]
    twice = canonical(payload).replace(b"{", b'{"exp":1,', 1)
    signed = [(canonical(item), canonical(payload)) for item in headers]
    signed += [(canonical(header), canonical(item)) for item in payloads]
    signed += [(canonical(header), twice), (b" " + canonical(header) + b"\n", canonical(payload)), (b"", b"")]
    seeds = {f"signed-{number:02}": b"\x01" + head + b"\x1e" + body for number, (head, body) in enumerate(signed)}
    good = token(es256(1), {"kid": "k1", "typ": "at+jwt"}, payload)
    texts = [good, good + "=", good.replace(".", "..", 1), good[:-1], good.rsplit(".", 1)[0] + ".", f" {good}", ""]
    seeds |= {f"token-{number}": b"\x00" + text.encode() for number, text in enumerate(texts)}
    for number, key in enumerate((es256(7), eddsa(7))):
        seeds[f"jwk-{number}"] = b"\x02" + canonical(jwk(key) | {"alg": algorithm(key), "use": "sig"})
        seeds[f"jwk-private-{number}"] = b"\x02" + canonical(jwk(key) | {"d": b64url(bytes([7]) * 32)})
        seeds[f"pem-{number}"] = b"\x03" + private_pem(key).encode()
    numbers = rsa.RSAPublicNumbers(65537, int.from_bytes(hashlib.shake_256(b"n").digest(256), "big") | 1 | 1 << 2047)
    modulus = b64url(numbers.n.to_bytes(256, "big"))
    seeds["jwk-rsa"] = b"\x02" + canonical({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256"})
    names = [URL, "HTTP://[::1]:80", "https://a.example:8443/%2f//?x#y", "https://a@b.example/", thumbprint(es256(7))]
    return seeds | {f"name-{number}": b"\x04" + name.encode() for number, name in enumerate(names)}


def proof_seeds() -> dict:
    """See `fuzz/src/proof.rs` for their form."""
    seeds = {}
    for switches in range(8):
        key = eddsa(7) if switches & 2 else es256(7)
        header = {"alg": algorithm(key), "jwk": jwk(key), "typ": "dpop+jwt"}
        claims = {"htm": "POST", "htu": URL, "iat": NOW, "jti": "abc", "nonce": "NONCE"}
        claims |= {} if switches & 4 else {"ath": hash_of(TOKEN)}
        changes = [
            ({}, {}), ({}, {"nonce": "n1.abc"}), ({}, {"iat": NOW - 400}), ({}, {"htu": URL + "?q"}),
            ({"typ": "JWT"}, {}), ({"jwk": jwk(key) | {"d": "AA"}}, {}), ({"jwk": jwk(es256(8))}, {}),
        ]
        for number, (head, body) in enumerate(changes):
            seed = bytes([switches]) + canonical(header | head) + b"\x1e" + canonical(claims | body)
            seeds[f"{switches}-{number}"] = seed
    return seeds


def everything() -> dict:
    cases = {
        "keys": keys(), "refused_keys": refused_keys(), "proofs": proofs(), "refused_proofs": refused_proofs(),
        "credentials": credentials(), "nonces": nonces(),
    }
    files = {HERE / "jose" / "cases.json": (json.dumps(cases, indent=1, ensure_ascii=False) + "\n").encode()}
    for target, seeds in (("jwt", token_seeds()), ("proof", proof_seeds())):
        files |= {CORPUS / target / f"seed-{name}": seed for name, seed in seeds.items()}
    return files


def main() -> None:
    if sys.argv[1:] == ["check"]:
        stale = [str(path) for path, data in everything().items() if not path.exists() or path.read_bytes() != data]
        sys.exit("these differ from what generate_jose.py writes: " + ", ".join(stale) if stale else 0)
    for path, data in everything().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
