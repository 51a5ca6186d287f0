#!/usr/bin/env python3
"""Writes serviceradar/cases.json: what every language must do with ServiceRadar's tokens; and seeds for fuzzing.

Nothing here calls handfast: signatures come from `cryptography`, members stand in the order in which ServiceRadar's own
encoders write them. The output is the same at every run.

    pip install -r requirements.txt && python3 generate_serviceradar.py
    python3 generate_serviceradar.py check       exit 1 when a committed file differs from what would be written
"""

import base64
import json
import pathlib
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

HERE = pathlib.Path(__file__).parent
CORPUS = HERE.parent.parent / "fuzz" / "corpus" / "serviceradar"
SEED = bytes([7]) * 32
END = 1767326645  # 2026-01-02T04:04:05Z
EDGE, COLLECTOR = "edgepkg-v2:", "collectorpkg-v2:"
API = "https://demo.example.com"
INVALID, MALFORMED = "serviceradar_invalid_payload", "serviceradar_malformed_token"


def key(seed: bytes = SEED):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def public(seed: bytes = SEED) -> bytes:
    return key(seed).public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value) -> str:
    return json.dumps(value, separators=(",", ":"))


def token(prefix: str, payload, seed: bytes = SEED) -> str:
    data = (payload if isinstance(payload, str) else compact(payload)).encode()
    return f"{prefix}{b64url(data)}.{b64url(key(seed).sign(data))}"


def payload_of(text: str) -> str:
    return base64.urlsafe_b64decode(text.split(":")[1].split(".")[0] + "==").decode()


def edge(package: str, download: str, api: str | None = None) -> dict:
    payload = {"pkg": package, "dl": download} | ({"api": api} if api else {})
    return {"package": package, "download": download, "api": api, "token": token(EDGE, payload)}


def collector(package: str, download: str, config: str | None = None, end: int = END) -> dict:
    payload = {"e": end} | ({"f": config} if config else {}) | {"p": package, "t": download, "u": API}
    members = {"package": package, "download": download, "url": API, "config": config, "expires_at": END_TEXT}
    return members | {"token": token(COLLECTOR, payload)}


END_TEXT = "2026-01-02T04:04:05.000Z"
GOOD = edge("p-1", "d-1", API)["token"]


def altered() -> dict:
    """Texts that are no tokens any more."""
    payload, signature = GOOD.removeprefix(EDGE).split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(signature[-1])
    bits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last + 1]
    return {
        "empty": "", "the prefix alone": EDGE, "no signature": EDGE + payload, "an empty signature": f"{EDGE}{payload}.",
        "three parts": GOOD + ".x", "stray bits": GOOD[:-1] + bits, "padding": GOOD + "==", "white space after": GOOD + "\n",
        "white space before": " " + GOOD, "a line end inside": GOOD[:20] + "\n" + GOOD[20:], "capitals": GOOD.replace("edgepkg", "EDGEPKG"),
        "the other alphabet": f"{EDGE}{payload}.{signature[:-2]}+/", "a short signature": f"{EDGE}{payload}.{signature[:-4]}",
        "a legacy token": "p-1:d-1", "version 3": GOOD.replace("v2", "v3"),
    }  # fmt: skip


def refused_edge() -> list:
    payloads = {
        "white space": '{"pkg":"p", "dl":"d"}', "a line end": '{"pkg":"p","dl":"d"}\n', "an escape": '{"pkg":"\\u0070","dl":"d"}',
        "not ASCII": '{"pkg":"é","dl":"d"}', "an ampersand": '{"pkg":"p","dl":"d&d"}', "an array": ["p", "d"], "nothing": "", "no members": {},
        "more behind it": '{"pkg":"p","dl":"d"}x', "an object": {"pkg": "p", "dl": {"$secret": "d"}}, "a number": {"pkg": 1, "dl": "d"},
        "an empty id": {"pkg": "", "dl": "d"}, "no secret": {"pkg": "p"}, "a long secret": {"pkg": "p", "dl": "d" * 257}, "a member twice": '{"pkg":"p","pkg":"q","dl":"d"}',
        "members in capitals": {"PKG": "p", "DL": "d"}, "an unknown member": {"pkg": "p", "dl": "d", "exp": 1}, "null": {"pkg": "p", "dl": "d", "api": None},
        "a collector's": {"e": END, "p": "p", "t": "t", "u": API}, "both kinds": {"e": END, "p": "p", "t": "t", "u": API, "pkg": "p", "dl": "d"},
    } | {f"api {api}": {"pkg": "p", "dl": "d", "api": api} for api in (
        "http://x.example", "x.example", "https://", "https://x.example/", "HTTPS://x.example", "https://X.example", "https://u:p@x.example",
        "https://x.example?q", "https://x.example#f", "https://x.example:0443", "https://x.example:65536", "https://x.example/../y", "https://x.example/%2e",
        "https://[::1", "https://[0:0::1]", "//x.example", "https://x..example", "https://-x.example",
    )}  # fmt: skip
    cases = [{"note": note, "token": token(EDGE, payload), "code": INVALID} for note, payload in payloads.items()]
    cases += [{"note": note, "token": text, "code": MALFORMED} for note, text in altered().items()]
    return cases + [
        {"note": "version 1", "token": "edgepkg-v1:" + b64url(b'{"pkg":"p","dl":"d"}'), "code": "serviceradar_unsigned_token"},
        {"note": "a collector token", "token": collector("p", "t")["token"], "code": "serviceradar_wrong_kind"},
        {"note": "another key", "token": token(EDGE, {"pkg": "p", "dl": "d"}, bytes(32)), "code": "serviceradar_bad_signature"},
        {"note": "another payload", "token": GOOD.replace("edgepkg-v2:ey", "edgepkg-v2:fy"), "code": "serviceradar_bad_signature"},
        {"note": "a long text", "token": EDGE + "A" * 4086, "code": "too_large"},
    ]  # fmt: skip


def refused_collector() -> list:
    members = {"e": END, "p": "p", "t": "t", "u": API}
    without = lambda name: {key: value for key, value in members.items() if key != name}  # noqa: E731
    payloads = {f"no {name}": without(name) for name in members} | {
        "a fraction": compact(members).replace(str(END), f"{END}.0"), "an exponent": compact(members).replace(str(END), "2e9"),
        "a text": members | {"e": str(END)}, "before 1970": members | {"e": -1}, "beyond the calendar": members | {"e": 2**64 - 1},
        "an edge token's": {"pkg": "p", "dl": "d"}, "an unknown member": members | {"x": 1}, "http": members | {"u": "http://x.example"},
    } | {f"config {name}": members | {"f": name} for name in ("", "../x", "a/b", "/x", "nul.toml", "x.", "-x")}  # fmt: skip
    cases = [{"note": note, "token": token(COLLECTOR, payload), "code": INVALID} for note, payload in payloads.items()]
    return cases + [
        {"note": "at its end", "token": collector("p", "t", end=END - 3600)["token"], "code": "serviceradar_expired"},
        {"note": "version 1", "token": "collectorpkg-v1:e30.e30", "code": "serviceradar_unsigned_token"},
        {"note": "an edge token", "token": GOOD, "code": "serviceradar_wrong_kind"},
        {"note": "another key", "token": token(COLLECTOR, members, bytes(32)), "code": "serviceradar_bad_signature"},
    ]  # fmt: skip


def cases() -> dict:
    both = SEED + public()
    return {
        "now": "2026-01-02T03:04:05Z",
        "private_keys": [b64(SEED), b64(SEED).rstrip("="), b64(both), b64url(both)],
        "public_keys": [b64(public()), b64(public()).rstrip("="), b64url(public())],
        "refused_private_keys": ["", SEED.hex(), b64(SEED[:31]), b64(SEED + public(bytes(32))), b64(SEED) + "\n", b64(SEED)[:-1] + "B"],
        "refused_public_keys": ["", public().hex(), b64(public()[:31]), b64(bytes(32)), b64(bytes([255]) * 32)],
        "edge": {
            "made": [edge("p-1", "d-1", API), edge("11111111-2222-4333-8444-555555555555", "hMZK0m9n-3yq8y0Jm8n1eX5kq2r7TtVw"),
                     edge("a:b|c,d/e", "~!#$%()*+=@^_`{}", f"{API}:8443/api/v2"), edge("p", "d", "https://[::1]:8443"), edge("p", "d", "https://10.0.0.1")],
            "read": [edge("p-1", "d-1", API) | {"token": token(EDGE, {"api": API, "dl": "d-1", "pkg": "p-1"})}],
            "refused": refused_edge(),
        },
        "collector": {
            "made": [collector("p-1", "t-1"), collector("p-2", "t-2", "flowgger.toml")],
            "read": [collector("p-1", "t-1") | {"token": token(COLLECTOR, {"u": API, "p": "p-1", "t": "t-1", "e": END})}],
            "refused": refused_collector(),
        },
    }  # fmt: skip


def seeds() -> dict:
    """See `fuzz/src/serviceradar.rs` for their form."""
    found = cases()
    kinds = [found["edge"], found["collector"]]
    tokens = [case["token"] for kind in kinds for group in ("made", "read") for case in kind[group]]
    tokens += [*altered().values(), found["edge"]["refused"][-5]["token"]]
    payloads = [payload_of(case["token"]) for kind in kinds for group in ("made", "read") for case in kind[group]]
    payloads += [payload_of(case["token"]) for kind in kinds for case in kind["refused"] if case["code"] == INVALID]
    keys = found["private_keys"] + found["refused_public_keys"]
    names = ["spire/upstream-bundle.pem", "../x", "a//b", "nul.txt", "x.", "A='1'", "demo.example.com:8443/api/"]
    forms = {"token": (0, tokens), "payload": (1, payloads), "key": (2, keys), "name": (3, names)}
    return {f"{name}-{number:02}": bytes([form]) + text.encode() for name, (form, texts) in forms.items() for number, text in enumerate(texts)}


def everything() -> dict:
    files = {HERE / "serviceradar" / "cases.json": (json.dumps(cases(), indent=1, ensure_ascii=False) + "\n").encode()}
    return files | {CORPUS / f"seed-{name}": data for name, data in seeds().items()}


def main() -> None:
    if sys.argv[1:] == ["check"]:
        stale = [str(path) for path, data in everything().items() if not path.exists() or path.read_bytes() != data]
        sys.exit("these differ from what generate_serviceradar.py writes: " + ", ".join(stale) if stale else 0)
    for path, data in everything().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
