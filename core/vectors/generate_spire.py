"""Writes spire/cases.json: ids and selectors, trust bundles in every form, entries, and what a SPIRE server's answers mean.

Nothing here calls handfast: certificates and keys come from `cryptography`, and the JSON of a bundle is written as RFC 8785 has it.
The output is the same at every run.

    pip install -r requirements.txt && python3 generate_spire.py
    python3 generate_spire.py check       exit 1 when the committed file differs from what would be written
"""

import base64
import datetime
import json
import pathlib
import re
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent
DOMAIN = "example.org"
NOW, NOW_SECONDS = "2026-01-02T03:04:05.000Z", 1767323045
MALFORMED, UNUSABLE = "spire_malformed_bundle", "spire_unusable_authority"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(value) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def signer(number: int) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def certificate(number: int, *, is_authority: bool = True) -> x509.Certificate:
    """Ed25519, because it signs the same each time."""
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"authority {number}")])
    begins = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, signer(number).public_key(), number + 1, begins, begins.replace(year=2036))
    return builder.add_extension(x509.BasicConstraints(is_authority, None), True).sign(signer(number), None)


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.DER)


def pem(made: x509.Certificate) -> str:
    return made.public_bytes(serialization.Encoding.PEM).decode()


def point(curve, scalar: int):
    return ec.derive_private_key(scalar, curve).public_key()


def spki(key) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(key) -> dict:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(key.public_bytes_raw())}
    numbers, size = key.public_numbers(), (key.key_size + 7) // 8
    x, y = (b64url(value.to_bytes(size, "big")) for value in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": f"P-{key.key_size}", "x": x, "y": y}


ONE, TWO = certificate(1), certificate(2)
LEAF = certificate(3, is_authority=False)
KEYS = {"p256": point(ec.SECP256R1(), 7), "p384": point(ec.SECP384R1(), 7), "p521": point(ec.SECP521R1(), 7), "ed25519": signer(9).public_key()}


def x509_key(made: x509.Certificate) -> dict:
    return jwk(made.public_key()) | {"use": "x509-svid", "x5c": [b64(der(made))]}


def jwt_key(name: str) -> dict:
    return jwk(KEYS[name]) | {"use": "jwt-svid", "kid": name}


def document(keys: list, **more) -> dict:
    return {"keys": keys} | {f"spiffe_{name}": value for name, value in more.items()}


def bundle(note: str, certificates: list, keys: list, **more) -> dict:
    written = document([x509_key(made) for made in certificates] + [jwt_key(name) for name in keys], **more)
    return {
        "note": note,
        "json": canonical(written),
        "pem": "".join(map(pem, certificates)),
        "x509_authorities": [b64(der(made)) for made in certificates],
        "jwt_authorities": {name: b64(spki(KEYS[name])) for name in keys},
        "sequence": more.get("sequence"),
        "refresh_hint_seconds": more.get("refresh_hint"),
    }


def read() -> list:
    """Texts that say the same as another one."""
    plain = document([x509_key(ONE)], sequence=1)
    unknown = {"kty": "EC", "crv": "P-256K", "x": "AA", "y": "AA", "use": "jwt-svid", "kid": "k"}
    others = [{"kty": "RSA", "use": "sig", "n": "AA", "e": "AQAB"}, unknown, {"kty": "lattice", "use": "x509-svid"}]
    expected = canonical(plain)
    return [
        {"note": "with white space", "json": json.dumps(plain, indent=1), "expected": expected},
        {"note": "with members that nobody knows", "json": canonical(plain | {"x": 1}), "expected": expected},
        {"note": "with keys of another use or kind", "json": canonical(document([x509_key(ONE), *others], sequence=1)), "expected": expected},
    ]


def refused_json() -> list:
    good, other = x509_key(ONE), x509_key(TWO)
    rest = {name: value for name, value in good.items() if name != "x5c"}
    keys = {
        "a leaf": (UNUSABLE, [x509_key(LEAF)]),
        "two certificates": (UNUSABLE, [good | {"x5c": good["x5c"] * 2}]),
        "no certificate": (UNUSABLE, [rest]),
        "another key than its certificate's": (UNUSABLE, [other | {"x5c": good["x5c"]}]),
        "not base64": (UNUSABLE, [good | {"x5c": ["*"]}]),
        "base64url": (UNUSABLE, [good | {"x5c": [b64url(der(ONE))]}]),
        "a certificate twice": (MALFORMED, [good, good]),
        "a key id twice": (MALFORMED, [jwt_key("p256"), jwt_key("ed25519") | {"kid": "p256"}]),
        "no key id": (UNUSABLE, [{name: value for name, value in jwt_key("p256").items() if name != "kid"}]),
        "an empty key id": (UNUSABLE, [jwt_key("p256") | {"kid": ""}]),
        "a point off its curve": (UNUSABLE, [jwt_key("p256") | {"y": jwt_key("p256")["x"]}]),
        "a short coordinate": (UNUSABLE, [jwt_key("p384") | {"x": jwt_key("p384")["x"][:-4]}]),
        "no use": (MALFORMED, [{name: value for name, value in good.items() if name != "use"}]),
        "a private key": ("jwk_private", [jwt_key("p256") | {"d": b64url(bytes(31) + b"\x07")}]),
        "a private key of another use": ("jwk_private", [{"kty": "oct", "use": "sig", "k": "AA"}]),
        "a text for a key": (MALFORMED, ["x"]),
        "too many": (MALFORMED, [jwt_key("p256") | {"kid": f"k{number}"} for number in range(65)]),
    }
    cases = [{"note": note, "json": canonical(document(listed)), "code": code} for note, (code, listed) in keys.items()]
    texts = {
        "nothing": "", "not JSON": "{", "an array": "[]", "no keys": "{}", "keys of another type": '{"keys":{}}', "keys twice": '{"keys":[],"keys":[]}',
        "something behind it": '{"keys":[]}x', "a sequence below zero": '{"keys":[],"spiffe_sequence":-1}', "a fraction": '{"keys":[],"spiffe_sequence":1.5}',
        "a sequence beyond what readers agree about": '{"keys":[],"spiffe_sequence":9007199254740992}', "a hint beyond 32 bits": '{"keys":[],"spiffe_refresh_hint":4294967296}',
    }  # fmt: skip
    return cases + [{"note": note, "json": text, "code": MALFORMED} for note, text in texts.items()]


def refused_pem() -> list:
    private = signer(1).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    texts = {
        "nothing": (MALFORMED, ""), "white space": (MALFORMED, "\n \n"), "text": (MALFORMED, "certificate"), "a leaf": (UNUSABLE, pem(LEAF)),
        "a private key behind it": (MALFORMED, pem(ONE) + private.decode()), "text between": (MALFORMED, f"{pem(ONE)}x\n{pem(TWO)}"),
        "the same twice": (MALFORMED, pem(ONE) * 2), "cut off": (MALFORMED, pem(ONE)[:-30]), "not DER": (MALFORMED, pem(ONE).replace("\nMI", "\nMA", 1)),
    }  # fmt: skip
    return [{"note": note, "pem": text, "code": code} for note, (code, text) in texts.items()]


def replies() -> list:
    """What GetBundle answers, as protobuf libraries write it in JSON: 64-bit numbers as text, nothing that is zero."""
    authority = {"asn1": b64(der(ONE))}
    key = {"public_key": b64(spki(KEYS["p256"])), "key_id": "p256", "expires_at": str(NOW_SECONDS + 1)}
    whole = {"trust_domain": DOMAIN, "x509_authorities": [authority], "jwt_authorities": [key], "refresh_hint": "300", "sequence_number": "7"}
    expected = canonical(document([x509_key(ONE), jwt_key("p256")], sequence=7, refresh_hint=300))
    without_keys = canonical(document([x509_key(ONE)], sequence=7, refresh_hint=300))
    nothing = canonical(document([], sequence=0))
    taken = [
        ("whole", whole, expected),
        ("with numbers", whole | {"refresh_hint": 300, "sequence_number": 7}, expected),
        ("with base64url", whole | {"x509_authorities": [{"asn1": b64url(der(ONE))}]}, expected),
        ("a key at its end", whole | {"jwt_authorities": [key | {"expires_at": str(NOW_SECONDS)}]}, without_keys),
        ("a tainted key", whole | {"jwt_authorities": [key | {"tainted": True}]}, without_keys),
        ("a tainted certificate", {"trust_domain": DOMAIN, "x509_authorities": [authority | {"tainted": True}]}, nothing),
        ("nothing but its name", {"trust_domain": DOMAIN}, nothing),
        ("members of a later server", whole | {"x": {}}, expected),
        ("in lowerCamelCase", camel(whole), expected),
    ]
    refused = [
        ("another trust domain's", whole | {"trust_domain": "other.org"}, MALFORMED),
        ("nobody's", {}, MALFORMED),
        ("a leaf", whole | {"x509_authorities": [{"asn1": b64(der(LEAF))}]}, UNUSABLE),
        ("a hint below zero", whole | {"refresh_hint": "-1"}, MALFORMED),
        ("not base64", whole | {"x509_authorities": [{"asn1": "*"}]}, "invalid_input"),
        ("a number in words", whole | {"sequence_number": "seven"}, "invalid_input"),
        ("a number in parts", whole | {"sequence_number": {"low": 7, "high": 0, "unsigned": True}}, "invalid_input"),
        ("a list", [whole], "invalid_input"),
    ]
    found = [{"note": note, "reply": reply, "json": text} for note, reply, text in taken]
    return found + [{"note": note, "reply": reply, "code": code} for note, reply, code in refused]


def camel(value):
    """As most protobuf libraries write JSON unless they are told to keep the names of the proto."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {re.sub("_(.)", lambda found: found[1].upper(), name): camel(member) for name, member in value.items()}


def names() -> dict:
    """SPIFFE-ID sections 2.1 to 2.3; a selector is the type, a colon, and whatever the plugin says."""
    longest = "a" * 255
    domains = {"example.org": True, "prod.example_1.org": True, "a": True, "192.0.2.1": True, longest: True, longest + "a": False}
    domains |= {text: False for text in ("", "Example.org", "spiffe://example.org", "example.org/a", "example.org:1", "a b", "é.org", "a@b")}
    path = "/" + "p" * (2048 - len("spiffe://example.org/"))
    ids = {f"spiffe://example.org{part}": (DOMAIN, part) for part in ("/a", "/ns/edge/a-1", "/A.b_C-9", "/...", "/spire/server", path)}
    wrong = ("", "/a", "example.org/a", "https://example.org/a", "SPIFFE://example.org/a", "spiffe:/example.org/a", "spiffe:///a", "spiffe://example.org",
             "spiffe://example.org/", "spiffe://example.org/a/", "spiffe://example.org//a", "spiffe://example.org/.", "spiffe://example.org/../a",
             "spiffe://Example.org/a", "spiffe://example.org:1/a", "spiffe://ann@example.org/a", "spiffe://example.org/a%20b", "spiffe://example.org/a?b",
             "spiffe://example.org/a#b", "spiffe://example.org/é", "spiffe://example.org/a ", "spiffe://example.org/a\n", f"spiffe://example.org{path}p")  # fmt: skip
    selectors = {f"{kind}:{value}": (kind, value) for kind, value in (
        ("unix", "uid:1000"), ("k8s", "ns:edge"), ("spiffe_id", "spiffe://example.org/a"), ("x-y.z", ":"), ("docker", "label:a b=é"), ("unix", "p" * 507))}  # fmt: skip
    unfit = ("", "unix", ":", ":a", "unix:", "un ix:a", "é:a", "unix:a\n", "unix:\u0000", "unix:\u0085", "unix:" + "p" * 508)
    return {
        "trust_domains": [{"text": text, "valid": valid} for text, valid in domains.items()],
        "ids": [{"text": text, "parts": {"trust_domain": domain, "path": part}} for text, (domain, part) in ids.items()] + [{"text": text, "parts": None} for text in wrong],
        "selectors": [{"text": text, "parts": {"type": kind, "value": value}} for text, (kind, value) in selectors.items()] + [{"text": text, "parts": None} for text in unfit],
    }


ID = f"fleet-{'0a' * 16}"


def entry(**more) -> dict:
    plain = {
        "id": ID,
        "spiffe_id": {"trust_domain": DOMAIN, "path": "/edge/1"},
        "parent_id": {"trust_domain": DOMAIN, "path": "/agents/1"},
        "selectors": [{"type": "k8s", "value": "ns:edge"}, {"type": "unix", "value": "uid:1000"}],
        "x509_svid_ttl": 0, "jwt_svid_ttl": 0, "federates_with": [], "admin": False, "downstream": False, "expires_at": 0,
        "dns_names": [], "store_svid": False, "hint": "",
    }  # fmt: skip
    return plain | more


def entries() -> dict:
    asked = {"id": ID, "spiffe_id": "spiffe://example.org/edge/1", "parent_id": "spiffe://example.org/agents/1", "selectors": ["unix:uid:1000", "k8s:ns:edge"]}
    all_of_it = {"dns_names": ["b.example.org", "*.a.example.org"], "federates_with": ["other.org"], "hint": "edge", "downstream": True}
    ttls = ({"x509_svid_ttl_seconds": 600, "jwt_svid_ttl_seconds": 300}, {"x509_svid_ttl": 600, "jwt_svid_ttl": 300})
    made = [(asked, entry()), (asked | all_of_it | ttls[0], entry(**all_of_it, **ttls[1]))]
    wrong = {
        "another trust domain's parent": {"parent_id": "spiffe://other.org/a"}, "the server's own path": {"spiffe_id": "spiffe://example.org/spire/agent/x"},
        "no selectors": {"selectors": []}, "a long hint": {"hint": "h" * 1025}, "a name in capitals": {"dns_names": ["A.example"]},
        "a life beyond 31 bits": {"x509_svid_ttl_seconds": 2**31},
    }  # fmt: skip
    invalid = {
        "a path with dots": {"spiffe_id": "spiffe://example.org/a/../b"}, "capitals": {"spiffe_id": "spiffe://Example.org/a"}, "a trailing slash": {"spiffe_id": "spiffe://example.org/a/"},
        "a port": {"spiffe_id": "spiffe://example.org:1/a"}, "no path": {"parent_id": "spiffe://example.org"}, "an escape": {"spiffe_id": "spiffe://example.org/%61"},
        "a selector without a value": {"selectors": ["unix:"]}, "a line end": {"selectors": ["unix:a\nb"]}, "an id with a slash": {"id": "a/b"}, "an unknown member": {"admin": True},
    }  # fmt: skip
    cases = [{"note": note, "entry": asked | change, "code": "spire_invalid_request"} for note, change in wrong.items()]
    cases += [{"note": note, "entry": asked | change, "code": "invalid_input"} for note, change in invalid.items()]
    return {"made": [{"entry": given, "expected": expected} for given, expected in made], "refused": cases}


def alias() -> dict:
    token = "0f5f1ee5-7a83-4a4b-9b5c-0123456789ab"
    path = f"/spire/agent/join_token/{token}"
    selectors = [{"type": "spiffe_id", "value": f"spiffe://{DOMAIN}{path}"}]
    expected = entry(parent_id={"trust_domain": DOMAIN, "path": path}, selectors=selectors)
    refused = [{"token": text, "spiffe_id": "spiffe://example.org/edge/1"} for text in ("", "a/b", "..", "a b", "é")]
    refused += [{"token": token, "spiffe_id": "spiffe://example.org/spire/server"}]
    return {"token": token, "id": ID, "spiffe_id": "spiffe://example.org/edge/1", "expected": expected, "refused": refused}


def join_tokens() -> list:
    at = lambda millis: f"2026-01-02T03:0{4 + millis // 60000}:{millis // 1000 % 60:02}.{millis % 1000:03}Z"  # noqa: E731
    # `now` is at 5,000 milliseconds of that clock.
    lives = {at(65_000): 60, at(6_999): 1, at(6_000): 1, at(5_999): None, at(5_000): None, at(0): None}
    return [{"expires_at": end, "ttl": ttl} for end, ttl in lives.items()]


def outcomes() -> dict:
    """The numbers are gRPC's: 0 OK, 3 INVALID_ARGUMENT, 5 NOT_FOUND, 6 ALREADY_EXISTS, 7 PERMISSION_DENIED, 13 INTERNAL, 14 UNAVAILABLE."""
    same, of_server = entry(), {"revision_number": "3", "created_at": "1767323045", "of_a_later_server": 1}
    nothing = {name: value for name, value in entry(id="", selectors=[]).items() if name not in ("spiffe_id", "parent_id")}
    without_defaults = {name: value for name, value in same.items() if value not in (0, False, "", [])}
    created = [
        (0, None, "done"), (0, same, "done"), (6, same, "done"), (6, same | of_server, "done"), (6, without_defaults | of_server, "done"),
        (6, entry(expires_at="0"), "done"), (6, entry(hint="changed"), "altered"), (6, entry(admin=True), "altered"), (6, None, "altered"),
        (6, entry(id="theirs"), "collision"), (6, entry(id="not one of ours"), "collision"), (3, None, "refused"), (7, None, "refused"),
        (6, {}, "altered"), (6, nothing, "altered"), (6, nothing | {"spiffe_id": None, "parent_id": None}, "altered"),
        (6, camel(same | of_server), "done"), (6, camel(entry(dns_names=["a"])), "altered"), (6, camel(entry(id="theirs")), "collision"),
        (6, entry(id="theirs", expires_at=str(2**33)), "collision"), (6, {"id": "theirs"}, "collision"),
        (13, None, "unknown"), (14, None, "unknown"), (2, None, "unknown"), (99, None, "unknown"), (-1, None, "unknown"),
    ]  # fmt: skip
    taken = "failed to create token: datastore-sql: UNIQUE constraint failed: join_tokens.token"
    token = [
        (0, "", "done"), (13, taken, "done"), (13, "failed to create token: Error 1062: Duplicate entry", "done"), (13, "failed to create token: disk I/O error", "unknown"),
        (3, "ttl is required", "refused"), (14, taken, "unknown"), (14, "", "unknown"),
    ]  # fmt: skip
    deleted = [(0, "done"), (5, "done"), (7, "refused"), (14, "unknown"), (13, "unknown")]
    return {
        "wanted": same,
        "created": [{"status": status, "found": found, "outcome": outcome} for status, found, outcome in created],
        "join_token": [{"status": status, "message": message, "outcome": outcome} for status, message, outcome in token],
        "deleted": [{"status": status, "outcome": outcome} for status, outcome in deleted],
    }


def slips() -> list:
    """What no executor means to give. The entry of an alias holds the token, which no error may say."""
    secret = alias()
    wanted, token = secret["expected"], secret["token"]
    parent = wanted["parent_id"]
    found = [
        ("a list", "found", [wanted]), ("a text", "found", token), ("a number", "found", 7), ("an id in one text", "found.parent_id", wanted | {"parent_id": f"spiffe://{DOMAIN}{parent['path']}"}),
        ("a selector in one text", "found.selectors[0]", wanted | {"selectors": [f"spiffe_id:{token}"]}), ("selectors that are no list", "found.selectors", wanted | {"selectors": token}),
        ("a number in words", "found.expires_at", wanted | {"expires_at": token}), ("a number in parts", "found.expires_at", wanted | {"expires_at": {"low": 0, "high": 0}}),
        ("a life in words", "found.x509_svid_ttl", wanted | {"x509_svid_ttl": token}), ("a switch in words", "found.admin", wanted | {"admin": f"{token}, expected"}),
    ]  # fmt: skip
    ours = [
        ("a list", "wanted", [wanted]), ("a text", "wanted", token), ("an unknown member", "wanted.hnt", wanted | {"hnt": token}), ("nothing", "wanted", {}),
        ("an id in one text", "wanted.parent_id", wanted | {"parent_id": f"spiffe://{DOMAIN}{parent['path']}"}), ("an id that is none", "wanted.parent_id", wanted | {"parent_id": parent | {"path": f"{parent['path']}/"}}),
        ("an unknown member of an id", "wanted.parent_id.x", wanted | {"parent_id": parent | {"x": token}}), ("a selector in one text", "wanted.selectors[0]", wanted | {"selectors": [f"spiffe_id:{token}"]}),
        ("a selector that is none", "wanted.selectors", wanted | {"selectors": [{"type": "a b", "value": token}]}), ("a number in words", "wanted.expires_at", wanted | {"expires_at": token}),
        ("a life in words", "wanted.jwt_svid_ttl", wanted | {"jwt_svid_ttl": token}), ("a switch in words", "wanted.admin", wanted | {"admin": f"{token}, expected"}),
    ]  # fmt: skip
    given = [{"note": note, "path": path, "wanted": wanted, "found": value} for note, path, value in found]
    return given + [{"note": note, "path": path, "wanted": value, "found": None} for note, path, value in ours]


def cases() -> dict:
    return {
        "trust_domain": DOMAIN,
        "now": NOW,
        "bundles": {
            "made": [
                bundle("one authority", [ONE], []),
                bundle("with every kind of key", [ONE, TWO], list(KEYS), sequence=7, refresh_hint=300),
                bundle("the largest numbers", [ONE], ["p256"], sequence=2**53 - 1, refresh_hint=2**32 - 1),
            ],
            "read": read(),
            "refused": refused_json() + refused_pem(),
            "replies": replies(),
        },
        "entries": entries(),
        "alias": alias(),
        "join_tokens": join_tokens(),
        "outcomes": outcomes(),
        "slips": slips(),
        "names": names(),
    }


def everything() -> dict:
    return {HERE / "spire" / "cases.json": (json.dumps(cases(), indent=1, ensure_ascii=False) + "\n").encode()}


def main() -> None:
    if sys.argv[1:] == ["check"]:
        stale = [str(path) for path, data in everything().items() if not path.exists() or path.read_bytes() != data]
        sys.exit("these differ from what generate_spire.py writes: " + ", ".join(stale) if stale else 0)
    for path, data in everything().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
