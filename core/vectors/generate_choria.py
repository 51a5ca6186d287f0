#!/usr/bin/env python3
"""Writes choria/cases.json: what every language must do with Choria's tokens and helper documents; and seeds for fuzzing.

Nothing here calls handfast: signatures come from `cryptography`, members stand in the order in which Choria writes them,
and Ed25519 is deterministic, so that whole tokens can be compared. The output is the same at every run.

    pip install -r requirements.txt && python3 generate_choria.py
    python3 generate_choria.py check       exit 1 when a committed file differs from what would be written
"""

import base64
import hashlib
import json
import pathlib
import sys
from datetime import datetime, timezone

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent.parent / "fuzz" / "corpus" / "choria"
NOW = 1767323045  # 2026-01-02T03:04:05Z
HOUR, DAY = 3600, 86400
PROVISIONING = {"cht": "s3cret", "chs": True, "chu": "nats://a.example.net:4222,nats://b.example.net:4222", "chpd": False}
SERVER = {"identity": "web1.example.net", "collectives": ["choria"], "ou": "choria"}
CLIENT = {"callerid": "up=ann", "ou": "choria"}
GONE = object()
KINDS = {"provisioning": "choria_provisioning", "server": "choria_server", "client": "choria_client_id"}


def seed(name: str) -> bytes:
    """The fuzz target signs with that of the organisation."""
    return bytes([1]) * 32 if name == "org" else hashlib.sha256(f"choria {name}".encode()).digest()


def ed(name: str):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed(name))


def public(name: str) -> str:
    raw = ed(name).public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw.hex()


def rsa():
    return serialization.load_pem_private_key((HERE / "keys" / "leaf.pem").read_bytes(), None)


def pem(key) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value) -> bytes:
    """As Go's `encoding/json` writes it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def ksuid(at: int, random: bytes) -> str:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number, text = int.from_bytes((at - 1_400_000_000).to_bytes(4, "big") + random, "big"), ""
    for _ in range(27):
        number, digit = divmod(number, 62)
        text = alphabet[digit] + text
    return text


def entropy(name: str) -> bytes:
    return hashlib.sha256(f"jti {name}".encode()).digest()[:16]


def token(signer: str, payload: dict, algorithm: str = "EdDSA") -> str:
    signed = f"{b64url(compact({'alg': algorithm, 'typ': 'JWT'}))}.{b64url(compact(payload))}"
    if algorithm == "EdDSA":
        signature = ed(signer).sign(signed.encode())
    elif algorithm == "none":
        signature = b""
    else:
        digest = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}[algorithm]
        signature = rsa().sign(signed.encode(), padding.PKCS1v15(), digest)
    return f"{signed}.{b64url(signature)}"


def payload(kind: str, claims: dict, name: str, **changes) -> dict:
    """`GONE` takes a claim out."""
    middle = {key: changes.pop(key) for key in ("tcs", "public_key", "issexp") if key in changes}
    standard = {"purpose": KINDS[kind]} | middle | {"iss": "Choria Tokens Package"}
    standard |= {"sub": KINDS[kind]} if kind == "provisioning" else {}
    standard |= {"exp": NOW + DAY, "nbf": NOW, "iat": NOW, "jti": ksuid(NOW, entropy(name))}
    return {key: value for key, value in (claims | standard | changes).items() if value is not GONE}


def provisioning(name: str, **changes) -> dict:
    return payload("provisioning", PROVISIONING | {"extensions": None, "ou": "choria"}, name, **changes)


def sign(signer: str, message: str) -> str:
    return ed(signer).sign(message.encode()).hex()


def appointment(name: str = "chain", organisation: str = "org", **changes) -> dict:
    id = ksuid(NOW, entropy(name))
    tcs = sign(organisation, f"{id}.{public('chain')}")
    claims = {"callerid": "up=provisioner", "ou": "choria", "permissions": {"provisioner": True}}
    return payload("client", claims, name, **({"tcs": tcs, "public_key": public("chain"), "iss": f"I-{public(organisation)}"} | changes))


def chained(name: str, kind: str = "server", claims: dict = SERVER, above: dict | None = None, **changes) -> dict:
    above = above or appointment()
    id = ksuid(NOW, entropy(name))
    tcs = above["tcs"] + "." + sign("chain", f"{id}.{above['tcs']}")
    links = {"tcs": tcs, "public_key": public("node"), "issexp": above["exp"]}
    return payload(kind, claims, name, **(links | {"iss": f"C-{above['jti']}.{above['public_key']}"} | changes))


def issued() -> list:
    """What must come out to the byte. `claims` are handfast's names; `{"$secret": ..}` is a secret."""
    terms = {"at": "2026-01-02T03:04:05.678Z", "expires_at": "2026-01-03T03:04:05Z"}
    secret = {"token": {"$secret": "s3cret"}}
    urls = ["nats://a.example.net:4222", "nats://b.example.net:4222"]
    everything = {"cht": "s3cret", "chs": False, "chsrv": "example.net", "chpd": True, "chrd": "/etc/rd.json", "chf": "/etc/facts.json",
                  "chusr": "prov", "chpwd": "n4ts <&>", "extensions": {"customer": "é\u2028<b>", "deep": {"someKey": [1, 2.5, None, {"a_b": True}]}},
                  "ou": "acme", "v2": True, "update": True}  # fmt: skip
    named = {"secure": False, "srv_domain": "example.net", "by_default": True, "registration": "/etc/rd.json", "facts": "/etc/facts.json",
             "user": "prov", "password": {"$secret": "n4ts <&>"}, "extensions": everything["extensions"], "ou": "acme",
             "protocol_2": True, "update": True}  # fmt: skip
    permitted = {"identity": "web1.example.net", "collectives": ["choria", "b"], "permissions": {"submission": True, "streams": True},
                 "ou": "choria", "pub_subjects": ["choria.node_metadata.>"]}  # fmt: skip
    client = {"callerid": "up=ann", "agents": ["rpcutil.ping"], "ou": "choria", "user_properties": {"someGroup": "a_b"}, "opa_policy": "package a",
              "permissions": {"org_admin": True, "service": True}, "pub_subjects": ["a"], "sub_subjects": ["b"]}  # fmt: skip
    node, user = {"public_key": public("node")}, {"public_key": public("user")}
    rows = [
        ("urls", "provisioning", "org", {}, secret | {"urls": urls}, provisioning("urls")),
        ("everything", "provisioning", "org", {}, secret | named, payload("provisioning", everything, "everything")),
        ("server", "server", "org", node, permitted, payload("server", permitted, "server", **node)),
        ("client", "client", "org", user, client, payload("client", client, "client", **user)),
        ("a client without a key", "client", "org", {}, CLIENT, payload("client", CLIENT, "a client without a key")),
        ("chained server", "server", "chain", node, SERVER, chained("chained server")),
        ("chained client", "client", "chain", user, CLIENT, chained("chained client", "client", CLIENT, **user)),
    ]
    cases = []
    for name, kind, signer, key, given, written in rows:
        case = {"name": name, "kind": kind, "seed": seed(signer).hex(), "terms": terms | key, "entropy": entropy(name).hex(), "claims": given}
        case |= {"appointment": token("org", appointment())} if signer == "chain" else {}
        cases.append(case | {"payload": written, "token": token(signer, written)})
    claims = {"callerid": "up=provisioner", "permissions": {"provisioner": True}}
    cases.append({"name": "chain", "kind": "appointment", "seed": seed("org").hex(), "terms": terms | {"public_key": public("chain")},
                  "entropy": entropy("chain").hex(), "claims": claims, "payload": appointment(), "token": token("org", appointment())})  # fmt: skip
    return cases


def refused_to_issue() -> list:
    good = {"token": {"$secret": "s3cret"}, "urls": ["nats://a.example.net"]}
    server = dict(SERVER)
    rows = [
        ("provisioning", good | {"token": {"$secret": ""}}, "choria_no_token"),
        ("provisioning", good | {"urls": []}, "choria_no_broker"),
        ("provisioning", good | {"srv_domain": "example.net"}, "choria_two_brokers"),
        ("provisioning", good | {"urls": ["nats://a,nats://b"]}, "choria_invalid_claim"),
        ("provisioning", good | {"urls": [""]}, "choria_invalid_claim"),
        ("provisioning", good | {"urls": ["nats://ann:s3cret@a.example.net"]}, "choria_invalid_claim"),
        ("provisioning", good | {"urls": ["nats://a.example.net", "s3cret@b.example.net"]}, "choria_invalid_claim"),
        ("provisioning", good | {"extensions": {"a": [{"b": {"$secret": "s3cret"}}]}}, "choria_invalid_claim"),
        ("provisioning", good | {"registration": "x" * 20000}, "jwt_too_large"),
        ("server", server | {"identity": ""}, "choria_invalid_claim"),
        ("server", server | {"collectives": []}, "choria_invalid_claim"),
        ("client", {"callerid": "a\nb"}, "choria_invalid_claim"),
    ]
    return [{"kind": kind, "claims": claims, "code": code} for kind, claims, code in rows]


def verified() -> list:
    """`code` says why a token is refused; where there is none it must be accepted."""
    org, spki, certificate = public("org"), pem(rsa().public_key()), (HERE / "sns" / "certificates" / "leaf.pem").read_text()
    ed_pem = pem(ed("org").public_key())
    good, other = token("org", provisioning("good")), public("other")
    server, chain = token("chain", chained("good")), token("org", appointment())
    rows = [
        ("provisioning", good, org), ("provisioning", good, ed_pem), ("provisioning", good, f"\n{org}\n"),
        ("provisioning", token("rsa", provisioning("rsa"), "RS256"), spki),
        ("provisioning", token("rsa", provisioning("rsa"), "RS384"), spki),
        ("provisioning", token("rsa", provisioning("rsa"), "RS512"), certificate),
        ("provisioning", token("org", provisioning("old", purpose="", jti="3a4f9896e013498daeedbcb9a82fcd3c")), org),
        ("provisioning", token("org", provisioning("oldest", purpose=GONE, jti=GONE, exp=GONE)), org),
        ("provisioning", token("org", provisioning("no sub", sub=GONE)), org),
        ("provisioning", token("org", provisioning("new", later={"a": 1}, chsrv="")), org),
        ("provisioning", token("org", provisioning("blank", **{name: "" for name in ("aud", "tcs", "public_key", "chsrv", "chrd", "chf", "chusr", "chpwd", "ou")})), org),
        ("provisioning", token("org", provisioning("null", **{name: None for name in ("tcs", "public_key", "chpd", "chusr", "nbf", "v2", "extensions", "later")})), org),
        ("provisioning", token("chain", chained("of a chain", "provisioning", PROVISIONING)), public("chain")),
        ("server", token("org", payload("server", SERVER | {"permissions": {"streams": True, "later": 1}}, "s", public_key=public("node"))), org),
        ("server", server, org), ("client", chain, org), ("client", token("chain", chained("c", "client", CLIENT)), org),
    ]  # fmt: skip
    cases = [{"kind": kind, "token": text, "key": key} for kind, text, key in rows]
    id = ksuid(NOW, entropy("forged"))
    forged = appointment("forged", "other")
    bad = [
        ("another key", "provisioning", good, other, "jwt_bad_signature"),
        ("an RSA key", "provisioning", good, spki, "jwt_algorithm_mismatch"),
        ("an Ed25519 key", "provisioning", token("rsa", provisioning("rsa"), "RS256"), org, "jwt_algorithm_mismatch"),
        ("no signature", "provisioning", token("org", provisioning("none"), "none"), org, "jwt_unsigned"),
        ("a newline", "provisioning", good + "\n", org, "jwt_encoding"),
        ("another kind", "server", good, org, "choria_wrong_purpose"),
        ("a kind that is taken by sub", "provisioning", token("org", payload("server", SERVER, "x", sub="choria_provisioning")), org, "choria_wrong_purpose"),
        ("no kind", "provisioning", token("org", provisioning("none", purpose=GONE, sub=GONE)), org, "choria_unknown_purpose"),
        ("expired", "provisioning", token("org", provisioning("e", exp=NOW + HOUR)), org, "jwt_expired"),
        ("not yet", "provisioning", token("org", provisioning("n", nbf=NOW + HOUR + 1)), org, "jwt_not_yet_valid"),
        ("from the future", "provisioning", token("org", provisioning("f", iat=NOW + HOUR + 1)), org, "jwt_issued_ahead"),
        ("a time as text", "provisioning", token("org", provisioning("t", exp=str(NOW + DAY))), org, "jwt_invalid_claim"),
        *[(f"an empty text as {name}", "provisioning", token("org", provisioning("b", **{name: ""})), org, "jwt_invalid_claim") for name in ("exp", "nbf", "iat")],
        *[(f"an empty text as {name}", "provisioning", token("org", provisioning("b", **{name: ""})), org, "choria_invalid_claim") for name in ("chs", "chpd", "v2", "update", "extensions")],
        *[(f"an empty text as {name}", "server", token("org", payload("server", SERVER, "b", public_key=public("node"), **{name: ""})), org, "choria_invalid_claim") for name in ("permissions", "collectives", "pub_subjects")],
        ("an empty text as issexp", "server", token("chain", chained("b", issexp="")), org, "jwt_invalid_claim"),
        *[(f"an empty text as {name}", "client", token("org", payload("client", CLIENT, "b", **{name: ""})), org, "choria_invalid_claim") for name in ("permissions", "agents", "user_properties")],
        ("for somebody", "provisioning", token("org", provisioning("a", aud="somebody")), org, "jwt_wrong_audience"),
        ("no broker", "provisioning", token("org", provisioning("b", chu=GONE)), org, "choria_no_broker"),
        ("two brokers", "provisioning", token("org", provisioning("b", chsrv="example.net")), org, "choria_two_brokers"),
        ("no secret", "provisioning", token("org", provisioning("c", cht="")), org, "choria_no_token"),
        ("a secret of the wrong type", "provisioning", token("org", provisioning("c", cht={"$secret": "x"})), org, "choria_invalid_claim"),
        ("an upper-case key", "server", token("org", payload("server", SERVER, "u", public_key=public("node").upper())), org, "choria_invalid_claim"),
        ("another organisation", "server", server, other, "choria_broken_chain"),
        ("the chain issuer's key", "server", server, public("chain"), "choria_broken_chain"),
        ("an RSA key above a chain", "server", server, spki, "jwt_algorithm_mismatch"),
        ("a self-made chain issuer", "server", token("chain", chained("f", above=forged)), org, "choria_broken_chain"),
        ("not signed by the issuer", "server", token("other", chained("o")), org, "jwt_bad_signature"),
        ("a chain signature for another id", "server", token("chain", chained("i", jti=id)), org, "choria_broken_chain"),
        ("an id of another time", "server", token("chain", chained("i", iat=NOW - 1)), org, "choria_broken_chain"),
        ("an id that is none", "server", token("chain", chained("i", jti="x" * 27)), org, "choria_broken_chain"),
        ("no issexp", "server", token("chain", chained("x", issexp=GONE)), org, "choria_broken_chain"),
        ("issexp past", "server", token("chain", chained("x", issexp=NOW + HOUR)), org, "jwt_expired"),
        ("no exp in a chain", "server", token("chain", chained("x", exp=GONE)), org, "choria_broken_chain"),
        ("no tcs", "server", token("chain", chained("x", tcs=GONE)), org, "choria_broken_chain"),
        ("tcs of one part", "server", token("chain", chained("x", tcs=appointment()["tcs"])), org, "choria_broken_chain"),
        ("tcs without a chain", "server", token("org", payload("server", SERVER, "x", tcs="00")), org, "choria_broken_chain"),
        ("no key", "server", token("chain", chained("x", public_key=GONE)), org, "choria_broken_chain"),
        ("a server as a chain issuer", "server", token("org", payload("server", SERVER, "x", iss=f"I-{org}")), org, "choria_broken_chain"),
        ("appointed by another", "client", token("org", appointment(iss=f"I-{other}")), org, "choria_broken_chain"),
        ("appointed by nobody", "client", token("org", appointment(tcs="00" * 64)), org, "choria_broken_chain"),
        ("an issuer of three parts", "server", token("chain", chained("x", iss=f"C-a.{public('chain')}.b")), org, "choria_broken_chain"),
        ("a provisioning chain below another key", "provisioning", token("org", chained("x", "provisioning", PROVISIONING)), org, "jwt_bad_signature"),
    ]  # fmt: skip
    return cases + [{"note": note, "kind": kind, "token": text, "key": key, "code": code} for note, kind, text, key, code in bad]


def telling() -> str:
    """Of which `hunter2` is never shown."""
    urls = "nats://ann:hunter2@a.example.net:4222,nats://hunter2@b.example.net"
    claims = {"cht": "hunter2", "chs": True, "chu": urls, "chpd": False, "chusr": "ann", "chpwd": "hunter2"}
    claims |= {"extensions": {"db_password": "hunter2"}, "ou": "choria"}
    return token("org", payload("provisioning", claims, "telling"))


def helper() -> dict:
    request = {
        "identity": "web1.example.net", "csr": None,
        "ed25519_pubkey": {"public_key": public("node"), "directory": "/etc/choria", "signature": "00" * 64},
        "inventory": '{"facts":{"os":"é"}}', "jwt": provisioning("good"),
    }  # fmt: skip
    reply = {
        "defer": False, "shutdown": False, "msg": "Done", "certificate": "", "ca": "", "ssldir": "",
        "server_claims": {"exp": 5 * 365 * DAY, "collectives": ["a"], "permissions": {"streams": True}, "ou": "acme", "pub_subjects": ["b"]},
        "configuration": {"identity": "web1", "collectives": "x, y"}, "action_policies": {"a.policy": "default deny"},
        "opa_policies": {"b.rego": "package b"}, "upgrade": "",
    }  # fmt: skip
    claims = reply["server_claims"]
    text = lambda at: datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")  # noqa: E731
    at = lambda exp: reply | {"server_claims": claims | {"exp": exp}}  # noqa: E731
    return {
        "request": json.dumps(request, ensure_ascii=False),
        "refused_requests": ["", "[]", "{}", '{"identity":""}', '{"identity":"a","jwt":"x"}', '{"identity":"a","csr":7}', '{"identity":"a","csr":""}', '{"identity":"a","ed25519_pubkey":""}', '{"identity":"a","jwt":""}', '{"identity":"a","identity":"b"}'],
        "replies": [
            {"json": json.dumps(reply), "expires_at": text(NOW + HOUR + claims["exp"]), "server": {"identity": "n"} | {k: claims[k] for k in claims if k != "exp"}},
            {"json": json.dumps(at(NOW + DAY)), "expires_at": text(NOW + DAY)},
            {"json": '{"configuration":{"collectives":"x, y"}}', "expires_at": None,
             "server": {"identity": "n", "collectives": ["x", "y"], "ou": "choria"}},
            {"json": '{"configuration":{"plugin.security.provider":"choria"},"server_claims":null}', "expires_at": None,
             "server": {"identity": "n", "collectives": ["choria"], "ou": "choria"}},
            {"json": '{"defer":true,"msg":"later","key":null}', "expires_at": None, "server": {"identity": "n", "collectives": ["mcollective"], "ou": "choria"}},
        ],
        "refused_replies": [
            {"json": json.dumps(at(exp)), "code": "choria_validity"} for exp in (0, HOUR, NOW - 1, NOW + HOUR, NOW + 6 * 366 * DAY)
        ] + [
            {"json": document, "code": "choria_malformed_helper"}
            for document in ("", "[]", '{"server_claim":{}}', '{"server_claims":{"permissions":{"stream":true}}}', '{"server_claims":{"exp":-1}}', '{"defer":"no"}', '{"defer":""}', '{"configuration":""}', '{"server_claims":""}', '{"server_claims":{"exp":""}}', '{"server_claims":{"permissions":""}}')
        ],
    }  # fmt: skip


def seeds() -> dict:
    """See `fuzz/src/choria.rs` for their form."""
    texts = [case["token"] for case in verified()]
    payloads = [provisioning("a"), provisioning("b", chu=GONE, chsrv="example.net"), payload("server", SERVER, "c", public_key=public("node")),
                appointment(), chained("d"), provisioning("e", purpose=GONE), provisioning("f", extensions={"a": [1, 2.5]}), {"purpose": "x"}, []]  # fmt: skip
    documents = helper()
    found = {f"token-{number:02}": b"\x00" + text.encode() for number, text in enumerate(texts[7:])}
    found |= {f"signed-{number}": b"\x01" + compact(item) for number, item in enumerate(payloads)}
    found |= {"request": b"\x02" + documents["request"].encode()}
    replies = documents["replies"] + documents["refused_replies"]
    found |= {f"reply-{number:02}": b"\x03" + reply["json"].encode() for number, reply in enumerate(replies)}
    keys = [public("org"), pem(ed("org").public_key()), pem(rsa().public_key()), "", "ff" * 32]
    return found | {f"key-{number}": b"\x04" + key.encode() for number, key in enumerate([*keys, ksuid(NOW, entropy("k"))])}


def everything() -> dict:
    cases = {
        "now": "2026-01-02T04:04:05Z", "organisation": public("org"), "issued": issued(), "refused_to_issue": refused_to_issue(),
        "verified": verified(), "telling": telling(), "refused_keys": ["", "00" * 32, "ff" * 32, public("org").upper(), public("org")[:-1], "-----BEGIN PUBLIC KEY-----"],
        "helper": helper(),
    }  # fmt: skip
    files = {HERE / "choria" / "cases.json": (json.dumps(cases, indent=1, ensure_ascii=False) + "\n").encode()}
    files |= {CORPUS.parent / "inspect" / "seed-choria-telling": telling().encode()}
    return files | {CORPUS / f"seed-{name}": data for name, data in seeds().items()}


def main() -> None:
    if sys.argv[1:] == ["check"]:
        stale = [str(path) for path, data in everything().items() if not path.exists() or path.read_bytes() != data]
        sys.exit("these differ from what generate_choria.py writes: " + ", ".join(stale) if stale else 0)
    for path, data in everything().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
