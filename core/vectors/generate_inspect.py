#!/usr/bin/env python3
"""Writes inspect/cases.json: what every language must say of a text that somebody has pasted.

Nothing here calls handfast: tokens are put together as their formats have them. Their secrets are made of one byte or say that they
are none, and their signatures are made of zeros: nothing verifies. The output is the same at every run.

    python3 generate_inspect.py
    python3 generate_inspect.py check       exit 1 when the committed file differs from what would be written
"""

import base64
import json
import pathlib
import sys
import uuid
import zlib

HERE = pathlib.Path(__file__).parent
NOW, AT = 1767323045, "2026-01-02T03:04:05.000Z"
PACKAGE = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
HIDDEN = "no-real-secret-7f3a"
HASH = "0123456789abcdef" * 4


def b32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def enrollment(generation: int) -> tuple[str, str]:
    secret = b32(b"\xa5" * 32)
    text = f"hf1_{b32(PACKAGE.bytes + generation.to_bytes(2, 'big'))}_{secret}"
    return text + b32(zlib.crc32(text.encode()).to_bytes(4, "big")), secret


def link(number: int, millis: int) -> tuple[str, str]:
    mac = b64url(b"\xa5" * 32)
    return f"hfl1_k1.{b64url(PACKAGE.bytes + number.to_bytes(4, 'big') + millis.to_bytes(8, 'big', signed=True))}.{mac}", mac


def jwt(header: dict, payload: dict, signature: bytes = bytes(64)) -> str:
    return f"{b64url(compact(header))}.{b64url(compact(payload))}.{b64url(signature)}"


def nothing_of(token: str) -> list:
    """The parts of a JWT as they are written: the payload may hold secrets, and the signature makes it valid."""
    return token.split(".")[1:]


def ours() -> list:
    (token, secret), (second, _) = enrollment(1), enrollment(65535)
    (text, mac), package = link(3, NOW * 1000 + 678), str(PACKAGE)
    told = {"type": "enrollment_token", "package": package, "generation": 1}
    linked = {"type": "download_link", "key": "k1", "package": package, "number": 3, "expires_at": "2026-01-02T03:04:05.678Z"}
    mistyped = token[:-1] + ("A" if token[-1] != "A" else "B")
    bad = {"type": "malformed", "like": "enrollment_token", "code": "malformed_token"}
    unlinked = {"type": "malformed", "like": "download_link", "code": "link_malformed"}
    rows = [
        ("an enrollment token", token, told), ("with white space around it", f" \t{token}\r\n", told), ("the last generation", second, told | {"generation": 65535}),
        ("a mistyped one", mistyped, bad), ("cut off", token[:-20], bad), ("in lower case", token[:4] + token[4:].lower(), bad), ("a space within", f"{token[:40]} {token[40:]}", bad),
        ("its beginning", "hf1_", bad), ("something behind it", f"{token}, {HIDDEN}", bad),
    ]  # fmt: skip
    links = [
        ("a download link", text, linked), ("at the end of its URL", f"https://enrol.example.org/api/link/{text}", linked), ("cut off link", text[:-9], unlinked),
        ("a link with more behind it", f"{text}.{HIDDEN}", unlinked), ("a link in another's time", link(1, 2**62)[0], unlinked), ("the beginning of a link", "hfl1_", unlinked),
    ]  # fmt: skip
    cases = [(note, given, expected, [secret, secret[:26]]) for note, given, expected in rows]
    return cases + [(note, given, expected, [mac, mac[:20], HIDDEN]) for note, given, expected in links]


def kubernetes() -> list:
    token = {"type": "kubernetes_bootstrap_token", "id": "abcdef", "secret_name": "bootstrap-token-abcdef"}
    pin, bad = {"type": "kubernetes_ca_pin", "pin": f"sha256:{HASH}"}, {"type": "malformed", "like": "kubernetes_ca_pin", "code": "kubernetes_malformed_pin"}
    unknown = {"type": "unknown"}
    secret = ["0123456789abcdef"]
    return [
        ("a bootstrap token", "abcdef.0123456789abcdef", token, secret), ("with a line end", "abcdef.0123456789abcdef\n", token, secret),
        ("in upper case", "ABCDEF.0123456789ABCDEF", unknown, []), ("its id alone", "abcdef", unknown, []), ("a letter too many", "abcdef.0123456789abcdefg", unknown, secret),
        ("a pin", f"sha256:{HASH}", pin, []), ("a pin in upper case", f"SHA256:{HASH.upper()}", pin, []), ("a short pin", f"sha256:{HASH[:-2]}", bad, []),
        ("a pin of other digits", f"sha256:{HASH[:-1]}g", bad, []), ("a password after a name", f"sha256:{HIDDEN}", bad, [HIDDEN]),
    ]  # fmt: skip


def service_radar() -> list:
    edge, collector = {"pkg": "p", "dl": HIDDEN}, {"e": NOW, "p": "p", "t": HIDDEN, "u": "https://demo.example.com"}
    whole = []
    for prefix, kind, payload in (("edgepkg", "edge", edge), ("collectorpkg", "collector", collector)):
        body, mac = b64url(compact(payload)), b64url(bytes(64))
        whole.append((f"of an {kind}", f"{prefix}-v2:{body}.{mac}", {"type": "service_radar", "kind": kind}, [body, HIDDEN]))
        whole.append((f"unsigned, of an {kind}", f"{prefix}-v1:{body}.{mac}", {"type": "service_radar", "kind": "unsigned"}, [body, HIDDEN]))
    body = b64url(compact(edge))
    cut = {"type": "malformed", "like": "service_radar", "code": "serviceradar_malformed_token"}
    of_another = {"type": "malformed", "like": "service_radar", "code": "serviceradar_invalid_payload"}
    return whole + [
        ("cut off", f"edgepkg-v2:{body}", cut, [body]),
        ("with the payload of the other kind", f"collectorpkg-v2:{body}.{b64url(bytes(64))}", of_another, [body]),
        ("of a later version", f"edgepkg-v3:{body}", {"type": "unknown"}, [body]),
    ]


def jwts() -> list:
    nothing = {name: None for name in ("typ", "key", "issuer", "subject", "issued_at", "not_before", "expires_at")}
    plain = {"type": "jwt", "purpose": "other", "algorithm": "EdDSA", "claims": []} | nothing
    times = {"issued_at": AT, "not_before": AT, "expires_at": "2026-01-02T04:04:05.000Z"}
    claims = {"iss": "https://issuer.example.org", "sub": "system:node:edge-1", "iat": NOW, "nbf": NOW, "exp": NOW + 3600, "password": HIDDEN, "deep": {"x": HIDDEN}}
    full = jwt({"alg": "RS256", "typ": "JWT", "kid": "k-1"}, claims)
    told = plain | times | {"algorithm": "RS256", "typ": "JWT", "key": "k-1", "issuer": claims["iss"], "subject": claims["sub"], "claims": sorted(claims)}
    proof = jwt({"alg": "ES256", "typ": "dpop+jwt", "jwk": {"kty": "EC", "x": HIDDEN}}, {"jti": HIDDEN})
    credential = jwt({"alg": "EdDSA", "typ": "handfast-node+jwt"}, {"sub": "n"})
    bad = lambda code: {"type": "malformed", "like": "jwt", "code": code}  # noqa: E731
    odd = jwt({"alg": "EdDSA"}, {"sub": 7, "exp": HIDDEN, "iss": [HIDDEN]})
    twice = b64url(f'{{"sub":"a","sub":"{HIDDEN}"}}'.encode())
    doubled = f"{b64url(compact({'alg': 'EdDSA'}))}.{twice}.AA"
    rows = [
        ("a JWT", full, told), ("one without a claim", jwt({"alg": "EdDSA"}, {}), plain), ("a node credential", credential, plain | {"purpose": "node_credential", "typ": "handfast-node+jwt", "subject": "n", "claims": ["sub"]}),
        ("a proof of possession", proof, plain | {"purpose": "proof", "algorithm": "ES256", "typ": "dpop+jwt", "claims": ["jti"]}),
        ("claims of other types", odd, plain | {"claims": ["exp", "iss", "sub"]}),
        ("an unsigned one", jwt({"alg": "none"}, claims, b""), bad("jwt_unsigned")), ("one of an algorithm that nobody knows", jwt({"alg": HIDDEN}, {}), bad("jwt_algorithm_not_allowed")),
        ("with a critical extension", jwt({"alg": "EdDSA", "crit": ["x"]}, {}), bad("jwt_critical_extension")), ("a claim twice", doubled, bad("jwt_duplicate_member")),
        ("two parts of a JWT", full.rsplit(".", 1)[0], bad("jwt_not_compact")), ("a payload that is cut off", full.replace(full.split(".")[1], full.split(".")[1][:-9]), bad("jwt_encoding")),
        ("a payload of half an object", f"{b64url(compact({'alg': 'EdDSA'}))}.{b64url(b'{')}.AA", bad("jwt_malformed_json")),
    ]  # fmt: skip
    return [(note, text, expected, [HIDDEN, *filter(None, nothing_of(text))]) for note, text, expected in rows]


def choria() -> list:
    standard = {"iss": "Choria Tokens Package", "exp": NOW + 3600, "nbf": NOW, "iat": NOW, "jti": "3a4f9896e013498daeedbcb9a82fcd3c"}
    provisioning = {"purpose": "choria_provisioning", "sub": "choria_provisioning", "cht": HIDDEN, "chs": True, "chu": "nats://a.example.net:4222", "chusr": "prov", "chpwd": HIDDEN + "-2", "ou": "choria"}
    server = {"purpose": "choria_server", "identity": "web1.example.net", "collectives": ["choria"], "ou": "choria", "public_key": HASH}
    texts = [jwt({"alg": "EdDSA", "typ": "JWT"}, payload | standard) for payload in (provisioning, server)]
    said = {
        "type": "choria", "algorithm": "EdDSA", "issuer": standard["iss"], "subject": None, "id": standard["jti"], "issued_at": AT, "not_before": AT,
        "expires_at": "2026-01-02T04:04:05.000Z", "public_key": None, "chain_signature": None, "issuer_expires_at": None,
    }  # fmt: skip
    silent = {name: None for name in ("extensions", "facts", "registration", "srv_domain")} | {name: False for name in ("by_default", "protocol_2", "update")}
    fleet = {"type": "provisioning", "secure": True, "urls": ["nats://a.example.net:4222"], "user": "prov", "ou": "choria"} | silent
    node = {"type": "server", "identity": "web1.example.net", "collectives": ["choria"], "ou": "choria"}
    return [
        ("a provisioning token of Choria's", texts[0], said | {"purpose": "choria_provisioning", "subject": "choria_provisioning", "claims": fleet}, [HIDDEN, *nothing_of(texts[0])]),
        ("a server token of Choria's", texts[1], said | {"purpose": "choria_server", "public_key": HASH, "claims": node}, nothing_of(texts[1])),
    ]  # fmt: skip


def others() -> list:
    unknown = {"type": "unknown"}
    texts = {"nothing": "", "white space": " \n\t", "a password": HIDDEN, "a URL": "https://example.org/", "a version to come": "hf2_x", "three words": "a.b.c", "a SPIFFE id": "spiffe://example.org/a", "much": "x" * 100_000}
    rows = [(note, text, unknown, [HIDDEN]) for note, text in texts.items()]
    return rows + [("a private key", f"-----BEGIN PRIVATE KEY-----\n{HIDDEN}\n-----END PRIVATE KEY-----\n", unknown, [HIDDEN])]


def everything() -> dict:
    rows = ours() + kubernetes() + service_radar() + jwts() + choria() + others()
    cases = [{"note": note, "text": text, "expected": expected, "hidden": hidden} for note, text, expected, hidden in rows]
    return {HERE / "inspect" / "cases.json": (json.dumps(cases, indent=1, ensure_ascii=False) + "\n").encode()}


def main() -> None:
    if sys.argv[1:] == ["check"]:
        stale = [str(path) for path, data in everything().items() if not path.exists() or path.read_bytes() != data]
        sys.exit("these differ from what generate_inspect.py writes: " + ", ".join(stale) if stale else 0)
    for path, data in everything().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
